// Package responses is the Responses API of the OpenAI protocol. A provider that
// has it gets the request as it is; for others it is translated to chat
// completions, and what cannot cross is refused by its name. Nothing is kept
// between calls, so whatever a request refers to by an id is missing.
package responses

import (
	"slices"
	"strings"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// The ways of a request.
const (
	own   = "responses"
	other = "chat/completions"
)

var ways = []string{own, other}

// exchange implements dialect.Exchange.
type exchange struct {
	id      ident.Call
	model   ident.Model
	body    wire.Object
	stream  bool
	way     string // asked last
	renamed bool   // the provider has another name for the model

	asked  request      // for other
	to     chat.Request // for other
	hints  []string     // that were not passed on
	pieces pieces       // of a stream from other
	number int          // of the next event
}

func (x *exchange) Model() ident.Model { return x.model }
func (x *exchange) Stream() bool       { return x.stream }
func (x *exchange) Ways() []string     { return ways }

// Said implements dialect.Exchange.
func (x *exchange) Said() int {
	return wire.Text(x.body.Get("input")) + len(x.body.Get("instructions"))
}

// Admit reads a request whose model is known and whose names clash with none.
func Admit(o wire.Object, m ident.Model, id ident.Call) (dialect.Exchange, *dialect.Refusal) {
	x := &exchange{id: id, model: m, body: o}
	raw := o.Get("stream")
	var ok bool
	if x.stream, ok = wire.Bool(raw); !ok && !wire.Null(raw) {
		return nil, invalid("stream")
	}
	if tier, _ := wire.String(o.Get("service_tier")); !wire.Null(o.Get("service_tier")) && tier != "auto" && tier != "default" {
		return nil, dialect.Range("service_tier", `service_tier should be "auto" or "default"`)
	}
	for _, check := range [...]func() *dialect.Refusal{x.keepsNothing, x.readInput, x.readTools} {
		if r := check(); r != nil {
			return nil, r
		}
	}
	return x, nil
}

func invalid(param string) *dialect.Refusal {
	return dialect.Range(param, "%s", dialect.BadParameters.OpenAI.Message)
}

// missing is the refusal of whatever is kept elsewhere, or by somebody else: the
// same for everything.
func missing(param string) *dialect.Refusal {
	r := dialect.NoPath.WithMessage("%s refers to something that does not exist. Nothing is kept here between calls: send it as input.", param)
	r.Param = param
	return r
}

// keepsNothing refuses what needs an answer, a conversation or a prompt to have
// been kept.
func (x *exchange) keepsNothing() *dialect.Refusal {
	for _, param := range [...]string{"previous_response_id", "conversation", "prompt"} {
		if !wire.Null(x.body.Get(param)) {
			return missing(param)
		}
	}
	for _, param := range [...]string{"store", "background"} {
		raw := x.body.Get(param)
		if yes, isBool := wire.Bool(raw); !wire.Null(raw) && (!isBool || yes) {
			return dialect.Range(param, "Answers are not kept here: leave %q out, or send false.", param)
		}
	}
	return nil
}

// readInput makes sure that there is input, and that none of it is elsewhere.
func (x *exchange) readInput() *dialect.Refusal {
	raw := x.body.Get("input")
	if wire.Null(raw) {
		r := dialect.EmptyInput
		r.Param = "input"
		return &r
	}
	items, many := wire.Elements(raw)
	switch {
	case !many && raw[0] != '"':
		return invalid("input")
	case many && len(items) == 0, string(raw) == `""`:
		return dialect.Range("input", "%s", dialect.TooShort.OpenAI.Message)
	}
	for _, item := range items {
		o, err := wire.Parse(item)
		if err != nil {
			return invalid("input")
		}
		if kind, _ := wire.String(o.Get("type")); kind == "item_reference" {
			return missing("input")
		}
		for _, list := range [...][]byte{o.Get("content"), o.Get("output")} {
			parts, _ := wire.Elements(list)
			for _, part := range parts {
				if p, err := wire.Parse(part); err == nil && !wire.Null(p.Get("file_id")) {
					return missing("input")
				}
			}
		}
	}
	return nil
}

// run are the tools that a provider may be asked to run itself: those that use
// nothing that is kept there, and no other model.
var run = []string{"function", "custom", "web_search", "web_search_preview", "mcp", "local_shell", "apply_patch", "computer_use_preview"}

func (x *exchange) readTools() *dialect.Refusal {
	raw := x.body.Get("tools")
	if wire.Null(raw) {
		return nil
	}
	tools, ok := wire.Elements(raw)
	if !ok {
		return invalid("tools")
	}
	for _, tool := range tools {
		o, err := wire.Parse(tool)
		if err != nil {
			return invalid("tools")
		}
		kind, _ := wire.String(o.Get("type"))
		if plain, _, _ := strings.Cut(kind, "_20"); !slices.Contains(run, plain) && !slices.Contains(run, kind) {
			return dialect.Range("tools", "Tools of type %q are not supported here.", kind)
		}
	}
	return nil
}

// Fits implements dialect.Exchange.
func (x *exchange) Fits(m *policy.Model) *dialect.Refusal {
	if !m.Talks() {
		r := dialect.NotChat(string(m.ID))
		return &r
	}
	return dialect.AnswerFits("max_output_tokens", x.body.Get("max_output_tokens"), m)
}

// MostAnswer implements dialect.Bounded.
func (x *exchange) MostAnswer() (tokens, times int) {
	n, _ := wire.Int(x.body.Get("max_output_tokens")) // it fits
	return int(n), 1
}

// hint notes a hint that is not passed on, if it was given.
func (x *exchange) hint(name string, given bool) {
	if given {
		x.hints = append(x.hints, name)
	}
}

// Marks implements dialect.Hinting: there are none in this protocol.
func (x *exchange) Marks(bool) {}

// LeftOut implements dialect.Hinting. A provider that has this API gets the request as it is.
func (x *exchange) LeftOut() []string {
	if x.way == own {
		return nil
	}
	return slices.Clone(x.hints)
}

// Body implements dialect.Exchange. The provider keeps nothing either.
func (x *exchange) Body(way, name string) ([]byte, *dialect.Refusal) {
	x.way, x.renamed = way, name != string(x.model)
	if way == other {
		return x.translated(name)
	}
	m := x.body.Find("model")
	edits := []wire.Edit{{Start: m.Start, End: m.End, With: wire.Quote(nil, name)}}
	if s := x.body.Find("store"); s != nil {
		edits = append(edits, wire.Edit{Start: s.Start, End: s.End, With: []byte("false")})
	} else {
		edits = append(edits, wire.Edit{Start: x.body.Close, End: x.body.Close, With: []byte(`,"store":false`)})
	}
	slices.SortFunc(edits, func(a, b wire.Edit) int { return a.Start - b.Start })
	return wire.Splice(x.body.Text, edits...), nil
}

// Whole implements dialect.Exchange.
func (x *exchange) Whole(o wire.Object) ([]byte, *dialect.Refusal) {
	if x.way == other {
		return x.answer(o)
	}
	if output := o.Get("output"); len(output) == 0 || output[0] != '[' {
		return nil, &dialect.ProviderBabbles
	}
	return wire.Splice(o.Text, x.rename(o, 0)...), nil
}

// rename puts our name of the model in place of the provider's; from is where
// the object begins in the text that is edited.
func (x *exchange) rename(o wire.Object, from int) []wire.Edit {
	m := o.Find("model")
	if !x.renamed || m == nil {
		return nil
	}
	return []wire.Edit{{Start: from + m.Start, End: from + m.End, With: wire.Quote(nil, string(x.model))}}
}

// Event implements dialect.Exchange.
func (x *exchange) Event(dst []byte, e *dialect.Event) ([]byte, *dialect.Refusal) {
	if x.way == other {
		return x.piece(dst, e)
	}
	if len(e.Data) == 0 {
		return append(dst, e.Raw...), nil
	}
	o, err := wire.Parse(e.Data)
	if err != nil {
		return dst, &dialect.ProviderBabbles
	}
	kind, _ := wire.String(o.Get("type"))
	switch kind {
	case "error":
		r := dialect.FromEvent(e.Data)
		return dst, &r
	case "response.failed":
		return dst, &dialect.ProviderFailed
	case "response.completed", "response.incomplete":
		e.Last = true
	}
	x.number++
	m := o.Find("response")
	if !x.renamed || m == nil {
		return append(dst, e.Raw...), nil
	}
	inner, err := wire.Parse(e.Data[m.Start:m.End])
	if err != nil {
		return dst, &dialect.ProviderBabbles
	}
	return appendEvent(dst, kind, wire.Splice(e.Data, x.rename(inner, m.Start)...)), nil
}

func appendEvent(dst []byte, kind string, data []byte) []byte {
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: "...)
	for _, b := range data {
		if b != '\n' && b != '\r' { // JSON has line ends between its tokens only
			dst = append(dst, b)
		}
	}
	return append(dst, "\n\n"...)
}

// Done implements dialect.Exchange. From a provider that has this API a stream
// does not end like this.
func (x *exchange) Done(dst, _ []byte) []byte {
	if x.way == other {
		return x.end(dst)
	}
	return dst
}

// Fail implements dialect.Exchange: the error stands at the top, as the API says
// it, and under error, where SDKs look for what to raise.
func (x *exchange) Fail(dst []byte, r dialect.Refusal) ([]byte, string) {
	words := func(b []byte) []byte {
		b = wire.Quote(append(b, `"code":`...), r.OpenAI.Code)
		b = wire.Quote(append(b, `,"message":`...), r.OpenAI.Message)
		return append(b, `,"param":null`...)
	}
	b := append(words([]byte(`{"type":"error",`)), `,"error":{"type":`...)
	b = append(words(append(wire.Quote(b, r.OpenAI.Type), ',')), `},"sequence_number":`...)
	b = append(append(append(appendInt(b, x.number), `,"request_id":"`...), x.id...), `"}`...)
	return appendEvent(dst, "error", b), r.OpenAI.Code
}
