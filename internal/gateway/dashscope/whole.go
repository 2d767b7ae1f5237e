package dashscope

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// The services that answer in one piece, as a provider who speaks this protocol
// has them.
const (
	vectorsWay = "services/embeddings/text-embedding/text-embedding"
	rankingWay = "services/rerank/text-rerank/text-rerank"
)

// question is what embeddings and rerank have in common. A provider who speaks
// this protocol gets it as it was said, whatever else stands in it; others get
// what the OpenAI protocol has words for.
type question struct {
	id    ident.Call
	body  wire.Object
	model ident.Model
	input wire.Object
	param wire.Object
	said  int
	way   string // asked last
}

func (q *question) Model() ident.Model { return q.model }
func (q *question) Stream() bool       { return false }
func (q *question) Said() int          { return q.said }

// MostAnswer implements dialect.Bounded: no text is answered.
func (q *question) MostAnswer() (tokens, times int) { return 0, 0 }

// Event, Done and Fail implement dialect.Exchange: there are no streams here.
func (q *question) Event(dst []byte, _ *dialect.Event) ([]byte, *dialect.Refusal) {
	return dst, &dialect.ProviderBabbles
}
func (q *question) Done(dst, _ []byte) []byte { return dst }
func (q *question) Fail(dst []byte, r dialect.Refusal) ([]byte, string) {
	return appendRefusal(dst, r, q.id), r.Native.Code
}

// admitWhole reads a request for embeddings or rerank.
func admitWhole(s dialect.Service, o wire.Object, id ident.Call) (dialect.Exchange, *dialect.Refusal) {
	m, r := readModel(o)
	if r != nil {
		return nil, r
	}
	q := question{id: id, body: o, model: m}
	if r := clear(o, "model", "input", "parameters"); r != nil {
		return nil, r
	}
	if wire.Null(o.Get("input")) {
		return nil, &dialect.EmptyInput
	}
	var err error
	if q.input, err = wire.Parse(o.Get("input")); err != nil {
		return nil, &dialect.BadParameters
	}
	if raw := o.Get("parameters"); !wire.Null(raw) {
		if q.param, err = wire.Parse(raw); err != nil {
			return nil, &dialect.BadParameters
		}
	}
	if s == dialect.Rerank {
		x := &ranking{question: q}
		return x, x.read()
	}
	x := &vectors{question: q}
	return x, x.read()
}

// native is the request as it came, under the provider's name of the model.
func (q *question) native(name string) []byte {
	m := q.body.Find("model")
	return wire.Splice(q.body.Text, wire.Edit{Start: m.Start, End: m.End, With: wire.Quote(nil, name)})
}

// passed is the answer of a provider who speaks this protocol, under our id.
func (q *question) passed(answer wire.Object) ([]byte, *dialect.Refusal) {
	if output := answer.Get("output"); len(output) == 0 || output[0] != '{' {
		return nil, &dialect.ProviderBabbles
	}
	quoted := wire.Quote(nil, string(q.id))
	if m := answer.Find("request_id"); m != nil {
		return wire.Splice(answer.Text, wire.Edit{Start: m.Start, End: m.End, With: quoted}), nil
	}
	return wire.Splice(answer.Text, wire.Edit{Start: answer.Close, End: answer.Close, With: append([]byte(`,"request_id":`), quoted...)}), nil
}

// answer writes output and usage.
func (q *question) answer(output any, usage wire.Object) ([]byte, *dialect.Refusal) {
	t := wire.ReadTokens(usage.Get("usage"), false)
	if !t.Said || t.Doubted { // the same rule that the books follow
		t.Input = max(t.Input, wire.Estimate(q.said))
	}
	b, err := json.Marshal(struct {
		Output any            `json:"output"`
		Usage  map[string]int `json:"usage"`
		ID     ident.Call     `json:"request_id"`
	}{output, map[string]int{"total_tokens": t.Input}, q.id})
	if err != nil {
		return nil, &dialect.ProviderBabbles
	}
	return b, nil
}

// vectors is a request for embeddings.
type vectors struct{ question }

func (x *vectors) Ways() []string { return []string{vectorsWay, "embeddings"} }

// Fits implements dialect.Exchange.
func (x *vectors) Fits(m *policy.Model) *dialect.Refusal {
	if !m.Embeds() {
		return &dialect.WrongURL
	}
	return nil
}

func (x *vectors) read() *dialect.Refusal {
	if r := clear(x.input, "texts"); r != nil {
		return r
	}
	if r := clear(x.param, "dimension", "text_type", "output_type"); r != nil {
		return r
	}
	raw := x.input.Get("texts")
	x.said = len(raw)
	return list(raw)
}

// list makes sure that a value is a list of something.
func list(raw []byte) *dialect.Refusal {
	switch {
	case wire.Null(raw):
		return &dialect.EmptyInput
	case raw[0] != '[':
		return &dialect.BadParameters
	case wire.EmptyArray(raw):
		return &dialect.TooShort
	}
	return nil
}

// Body implements dialect.Exchange.
func (x *vectors) Body(way, name string) ([]byte, *dialect.Refusal) {
	if x.way = way; way == vectorsWay {
		return x.native(name), nil
	}
	if r := onlyKnown(x.body, "model", "input", "parameters"); r != nil {
		return nil, r
	}
	if r := onlyKnown(x.input, "texts"); r != nil {
		return nil, r
	}
	b := wire.Quote([]byte(`{"model":`), name)
	b = append(append(b, `,"input":`...), x.input.Get("texts")...)
	for _, m := range x.param.Members {
		value := x.param.Text[m.Start:m.End]
		text, _ := wire.String(value)
		switch {
		case wire.Null(value), m.Name == "text_type" && text == "document", m.Name == "output_type" && text == "dense": // what is meant anyway
		case m.Name == "dimension":
			b = append(append(b, `,"dimensions":`...), value...)
		default:
			return nil, dialect.Unknown(m.Name)
		}
	}
	return append(b, `,"encoding_format":"float"}`...), nil
}

type vector struct {
	Embedding jsontext.Value `json:"embedding"`
	Index     int            `json:"index"`
}

type place struct {
	Index     int            `json:"text_index"`
	Embedding jsontext.Value `json:"embedding"`
}

// Whole implements dialect.Exchange.
func (x *vectors) Whole(answer wire.Object) ([]byte, *dialect.Refusal) {
	if x.way == vectorsWay {
		return x.passed(answer)
	}
	var data []vector
	if err := json.Unmarshal(answer.Get("data"), &data); err != nil || len(data) == 0 {
		return nil, &dialect.ProviderBabbles
	}
	places := make([]place, len(data))
	for i, v := range data {
		if v.Embedding.Kind() != '[' {
			return nil, &dialect.ProviderBabbles
		}
		places[i] = place{v.Index, v.Embedding}
	}
	return x.answer(map[string]any{"embeddings": places}, answer)
}
