package dashscope

import (
	"slices"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// exchange implements dialect.Exchange.
type exchange struct {
	id          ident.Call
	model       ident.Model
	parts       bool // what is said are lists of parts, asked and answered
	stream      bool
	message     bool // the answer is a message, not only its text
	incremental bool // each event of a stream holds only what is new
	choices     int
	messages    []byte // in the OpenAI protocol
	full        []byte // the same with its marks for a cache; nil: it has none
	marked      bool   // it has
	marks       bool   // the provider takes them
	parameters  wire.Object

	said   []saying // of each choice so far
	frames int
	spoken int // bytes of text in the stream so far
	tokens wire.Tokens
}

func (x *exchange) Model() ident.Model { return x.model }
func (x *exchange) Stream() bool       { return x.stream }
func (x *exchange) Said() int          { return wire.Text(x.messages) }
func (x *exchange) Ways() []string     { return ways }

var ways = []string{"chat/completions"}

// Fits implements dialect.Exchange: text models are called at one address, those
// that see at the other.
func (x *exchange) Fits(m *policy.Model) *dialect.Refusal {
	if x.parts && !m.Sees() || !x.parts && !m.Writes() {
		return &dialect.WrongURL
	}
	for _, param := range []string{"max_tokens", "max_completion_tokens"} {
		if r := dialect.AnswerFits(param, x.parameters.Get(param), m); r != nil {
			return r
		}
	}
	return nil
}

// Marks implements dialect.Hinting.
func (x *exchange) Marks(taken bool) { x.marks = taken }

// LeftOut implements dialect.Hinting.
func (x *exchange) LeftOut() []string {
	if x.marked && !x.marks {
		return []string{"cache_control"}
	}
	return nil
}

// Body implements dialect.Exchange.
func (x *exchange) Body(_, name string) ([]byte, *dialect.Refusal) {
	b := make([]byte, 0, len(x.messages)+len(x.parameters.Text)+len(name)+128)
	b = wire.Quote(append(b, `{"model":`...), name)
	messages := x.messages
	if x.marked && x.marks {
		messages = x.full
	}
	b = append(append(b, `,"messages":`...), messages...)
	for _, m := range x.parameters.Members {
		if value := x.parameters.Text[m.Start:m.End]; slices.Contains(crossingParameters, m.Name) && !wire.Null(value) {
			b = append(wire.Quote(append(b, ','), m.Name), ':')
			b = append(b, value...)
		}
	}
	if x.stream {
		b = append(b, `,"stream":true,"stream_options":{"include_usage":true}`...)
	}
	return append(b, '}'), nil
}

// appendUsage writes what was consumed, in the native names.
func (x *exchange) appendUsage(b []byte, t wire.Tokens, whole bool) []byte {
	if !t.Said || t.Doubted { // the same rule that the books follow
		t.Input = max(t.Input, wire.Estimate(x.Said()))
		t.Output = max(t.Output, wire.Estimate(x.spoken))
	}
	if whole {
		b = appendFigure(append(b, `{"input_tokens":`...), t.Input)
		b = appendFigure(append(b, `,"output_tokens":`...), t.Output)
		b = appendFigure(append(b, `,"total_tokens":`...), t.Input+t.Output)
	} else {
		b = appendFigure(append(b, `{"total_tokens":`...), t.Input+t.Output)
		b = appendFigure(append(b, `,"output_tokens":`...), t.Output)
		b = appendFigure(append(b, `,"input_tokens":`...), t.Input)
	}
	if t.Cached > 0 || t.Created > 0 {
		b = appendFigure(append(b, `,"prompt_tokens_details":{"cached_tokens":`...), t.Cached)
		if t.Created > 0 {
			b = appendFigure(append(b, `,"cache_creation_input_tokens":`...), t.Created)
		}
		b = append(b, '}')
	}
	if t.Reason > 0 {
		b = append(appendFigure(append(b, `,"output_tokens_details":{"reasoning_tokens":`...), t.Reason), '}')
	}
	return append(b, '}')
}

// MostAnswer implements dialect.Bounded.
func (x *exchange) MostAnswer() (tokens, times int) {
	for _, param := range []string{"max_tokens", "max_completion_tokens"} {
		if n, ok := wire.Int(x.parameters.Get(param)); ok {
			tokens = max(tokens, int(n))
		}
	}
	return tokens, x.choices
}
