package openai

import (
	"bytes"
	"slices"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// exchange implements dialect.Exchange.
type exchange struct {
	service    dialect.Service
	body       wire.Object
	id         ident.Call
	model      ident.Model
	stream     bool
	wantsUsage bool // the caller asked for usage at the end of the stream
	renamed    bool // the provider has another name for the model
	packed     bool // vectors are to be packed in base64
}

func (x *exchange) Model() ident.Model { return x.model }
func (x *exchange) Stream() bool       { return x.stream }

// Said implements dialect.Exchange.
func (x *exchange) Said() int {
	said := 0
	for _, name := range services[x.service].said {
		said += wire.Text(x.body.Get(name))
	}
	return said
}

// services is what the services differ in.
var services = [...]struct {
	ways   []string
	said   []string // members of a request that hold the caller's text
	answer string   // the member without which an answer is none
	fits   func(catalogue.Model) bool
}{
	dialect.Chat:       {[]string{"chat/completions"}, []string{"messages"}, "choices", catalogue.Model.Talks},
	dialect.Completion: {[]string{"completions"}, []string{"prompt"}, "choices", catalogue.Model.Talks},
	dialect.Embeddings: {[]string{"embeddings"}, []string{"input"}, "data", catalogue.Model.Embeds},
	dialect.Rerank:     {[]string{"rerank", "reranks"}, []string{"query", "documents"}, "results", catalogue.Model.Ranks},
}

// Ways implements dialect.Exchange.
func (x *exchange) Ways() []string { return services[x.service].ways }

// Fits implements dialect.Exchange.
func (x *exchange) Fits(m *policy.Model) *dialect.Refusal {
	if !services[x.service].fits(m.Model) {
		r := dialect.NotChat(string(m.ID))
		return &r
	}
	for _, param := range []string{"max_tokens", "max_completion_tokens"} {
		if r := dialect.AnswerFits(param, x.body.Get(param), m); r != nil {
			return r
		}
	}
	return nil
}

// Body implements dialect.Exchange: what the caller sent, with the model's
// name at the provider and, in streams, the request for usage spliced in.
func (x *exchange) Body(_, name string) ([]byte, *dialect.Refusal) {
	x.renamed = name != string(x.model)
	var edits []wire.Edit
	m := x.body.Find("model")
	if quoted := wire.Quote(nil, name); !bytes.Equal(quoted, x.body.Text[m.Start:m.End]) {
		edits = append(edits, wire.Edit{Start: m.Start, End: m.End, With: quoted})
	}
	if x.stream && !x.wantsUsage {
		edits = append(edits, x.askForUsage())
	}
	slices.SortFunc(edits, func(a, b wire.Edit) int { return a.Start - b.Start })
	return wire.Splice(x.body.Text, edits...), nil
}

// askForUsage is the edit that makes the provider say what a stream consumed.
func (x *exchange) askForUsage() wire.Edit {
	const all = `{"include_usage":true}`
	m := x.body.Find("stream_options")
	if m == nil {
		return wire.Edit{Start: x.body.Close, End: x.body.Close, With: []byte(`,"stream_options":` + all)}
	}
	raw := x.body.Text[m.Start:m.End]
	if wire.Null(raw) {
		return wire.Edit{Start: m.Start, End: m.End, With: []byte(all)}
	}
	options, _ := wire.Parse(raw) // well-formed: it was admitted
	if asked := options.Find("include_usage"); asked != nil {
		return wire.Edit{Start: m.Start + asked.Start, End: m.Start + asked.End, With: []byte("true")}
	}
	with := `"include_usage":true`
	if len(options.Members) > 0 {
		with = "," + with
	}
	at := m.Start + options.Close
	return wire.Edit{Start: at, End: at, With: []byte(with)}
}

// Whole implements dialect.Exchange.
func (x *exchange) Whole(answer wire.Object) ([]byte, *dialect.Refusal) {
	if list := answer.Get(services[x.service].answer); len(list) == 0 || list[0] != '[' {
		return nil, &dialect.ProviderBabbles
	}
	if x.packed {
		return x.pack(answer)
	}
	return x.rename(answer), nil
}

// rename puts our name of the model in place of the provider's.
func (x *exchange) rename(o wire.Object) []byte {
	m := o.Find("model")
	if !x.renamed || m == nil {
		return o.Text
	}
	return wire.Splice(o.Text, wire.Edit{Start: m.Start, End: m.End, With: wire.Quote(nil, string(x.model))})
}

// Event implements dialect.Exchange. What needs no change passes as it came.
func (x *exchange) Event(dst []byte, e *dialect.Event) ([]byte, *dialect.Refusal) {
	strip := e.HasUsage && !x.wantsUsage
	if len(e.Data) == 0 || !x.renamed && !strip {
		return append(dst, e.Raw...), nil
	}
	o, err := wire.Parse(e.Data)
	if err != nil {
		return dst, &dialect.ProviderBabbles
	}
	if strip && onlyUsage(o) {
		return dst, nil
	}
	if !x.renamed {
		return append(dst, e.Raw...), nil
	}
	line := bytes.ReplaceAll(x.rename(o), []byte("\n"), []byte(" ")) // JSON has line ends between its tokens only
	dst = append(append(dst, "data: "...), line...)
	return append(dst, "\n\n"...), nil
}

// onlyUsage reports whether a chunk is the extra one that only says usage.
func onlyUsage(o wire.Object) bool {
	choices := o.Get("choices")
	return wire.Null(choices) || wire.EmptyArray(choices)
}

// Done implements dialect.Exchange.
func (x *exchange) Done(dst, raw []byte) []byte {
	if !bytes.HasSuffix(raw, []byte("\n\n")) && !bytes.HasSuffix(raw, []byte("\r\n\r\n")) {
		raw = []byte("data: [DONE]\n\n")
	}
	return append(dst, raw...)
}

// Fail implements dialect.Exchange: an event that every SDK takes for an error,
// and no [DONE].
func (x *exchange) Fail(dst []byte, r dialect.Refusal) ([]byte, string) {
	dst = appendRefusal(append(dst, "data: "...), r, x.id)
	return append(dst, "\n\n"...), r.OpenAI.Code
}

// MostAnswer implements dialect.Bounded. Of best_of and n the larger counts.
func (x *exchange) MostAnswer() (tokens, times int) {
	if !x.service.Answers() {
		return 0, 0
	}
	times = 1
	for _, param := range []string{"n", "best_of"} {
		if n, ok := wire.Int(x.body.Get(param)); ok {
			times = max(times, int(n))
		}
	}
	for _, param := range []string{"max_tokens", "max_completion_tokens"} {
		if n, ok := wire.Int(x.body.Get(param)); ok {
			tokens = max(tokens, int(n))
		}
	}
	if x.service == dialect.Completion {
		if prompts, many := wire.Elements(x.body.Get("prompt")); many && prompts[0][0] == '"' {
			times *= len(prompts)
		}
	}
	return tokens, times
}
