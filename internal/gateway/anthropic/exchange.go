package anthropic

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// exchange implements dialect.Exchange.
type exchange struct {
	id    ident.Call
	model ident.Model
	asked request
	to    chat.Request
	said  int // bytes

	marks  bool     // the provider takes cache_control
	marked bool     // and there is some, where a part of a content can carry it
	hints  []string // what is passed on to nobody
	hushed bool     // nothing is shown of what the model thinks

	stream stream
}

var ways = []string{"chat/completions"}

func (x *exchange) Model() ident.Model { return x.model }
func (x *exchange) Stream() bool       { return x.to.Stream }
func (x *exchange) Said() int          { return x.said }
func (x *exchange) Ways() []string     { return ways }

// hint notes a hint that is passed on to nobody, if it was given.
func (x *exchange) hint(name string, given bool) {
	if given {
		x.hints = append(x.hints, name)
	}
}

// Marks implements dialect.Hinting.
func (x *exchange) Marks(taken bool) { x.marks = taken }

// LeftOut implements dialect.Hinting.
func (x *exchange) LeftOut() []string {
	left := slices.Clone(x.hints)
	if x.marked && !x.marks {
		left = append(left, "cache_control")
	}
	return left
}

// Fits implements dialect.Exchange. Reasoning is asked for and forbidden only of
// models that reason.
func (x *exchange) Fits(m *policy.Model) *dialect.Refusal {
	if !m.Talks() {
		return noMessages(m)
	}
	if on := x.to.Thinking; on != nil && !m.Reasons() {
		if *on {
			return dialect.Range("thinking", "The model %s does not reason.", m.ID)
		}
		x.to.Thinking = nil
	}
	return dialect.AnswerFits("max_tokens", x.to.MaxTokens, m)
}

// MostAnswer implements dialect.Bounded.
func (x *exchange) MostAnswer() (tokens, times int) {
	n, _ := wire.Int(x.to.MaxTokens) // it fits
	return int(n), 1
}

func noMessages(m *policy.Model) *dialect.Refusal {
	return dialect.NotChat(string(m.ID)).WithMessage("The model %s does not answer messages.", m.ID)
}

// Body implements dialect.Exchange.
func (x *exchange) Body(_, name string) ([]byte, *dialect.Refusal) {
	x.to.Model = name
	body, err := x.to.Body(x.marks)
	if err != nil {
		return nil, &dialect.BadParameters
	}
	return body, nil
}

// answer is a whole answer.
type answer struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Role     string   `json:"role"`
	Model    string   `json:"model"`
	Content  []any    `json:"content"`
	Reason   *string  `json:"stop_reason"`
	Sequence *string  `json:"stop_sequence"`
	Usage    consumed `json:"usage"`
}

type consumed struct {
	Input   int `json:"input_tokens"`
	Created int `json:"cache_creation_input_tokens"`
	Read    int `json:"cache_read_input_tokens"`
	Output  int `json:"output_tokens"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type thoughtBlock struct {
	Type      string `json:"type"`
	Thinking  string `json:"thinking"`
	Signature string `json:"signature"`
}

type toolBlock struct {
	Type  string         `json:"type"`
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Input jsontext.Value `json:"input"`
}

func (x *exchange) begun() answer {
	return answer{ID: "msg_" + string(x.id), Type: "message", Role: "assistant", Model: string(x.model), Content: []any{}}
}

// consumed says what was consumed, by the same rule that the books follow. What
// was read from a cache, or written to one, is no part of the input here.
func (x *exchange) consumed(t wire.Tokens, spoken int) consumed {
	if !t.Said || t.Doubted {
		t.Input = max(t.Input, wire.Estimate(x.said))
		t.Output = max(t.Output, wire.Estimate(spoken))
	}
	return consumed{Input: t.Input - t.Cached - t.Created, Created: t.Created, Read: t.Cached, Output: t.Output}
}

// Whole implements dialect.Exchange.
func (x *exchange) Whole(o wire.Object) ([]byte, *dialect.Refusal) {
	c, err := chat.Read(o.Text)
	if err != nil || len(c.Choices) != 1 {
		return nil, &dialect.ProviderBabbles
	}
	only := c.Choices[0]
	a := x.begun()
	if s := only.Message.Thought(); s != "" {
		if x.hushed {
			s = ""
		}
		a.Content = append(a.Content, thoughtBlock{"thinking", s, ""})
	}
	if s := only.Message.Said(); s != "" {
		a.Content = append(a.Content, textBlock{"text", s})
	}
	calls, err := only.Message.Pieces()
	if err != nil {
		return nil, &dialect.ProviderBabbles
	}
	for _, call := range calls {
		a.Content = append(a.Content, toolBlock{"tool_use", call.ID, call.Function.Name, input(call.Function.Arguments)})
	}
	reason, sequence := stopped(only)
	a.Reason, a.Sequence = &reason, sequence
	a.Usage = x.consumed(wire.ReadTokens(o.Get("usage"), true), wire.Spoken(o.Text))
	b, err := json.Marshal(a)
	if err != nil {
		return nil, &dialect.ProviderBabbles
	}
	return b, nil
}

// input is the input of a tool. A model may write what is no object; the
// protocol's own word for that is INVALID_JSON.
func input(arguments string) jsontext.Value {
	if arguments == "" {
		return jsontext.Value("{}")
	}
	if _, err := wire.Parse([]byte(arguments)); err != nil {
		return append(wire.Quote([]byte(`{"INVALID_JSON":`), arguments), '}')
	}
	return jsontext.Value(arguments)
}

// stopped says why an answer ended, and by which text where the provider tells.
func stopped(c chat.Choice) (reason string, sequence *string) {
	switch c.Reason() {
	case "length":
		return "max_tokens", nil
	case "tool_calls", "function_call":
		return "tool_use", nil
	case "content_filter":
		return "refusal", nil
	}
	if s, ok := wire.String(c.Stop); ok {
		return "stop_sequence", &s
	}
	return "end_turn", nil
}
