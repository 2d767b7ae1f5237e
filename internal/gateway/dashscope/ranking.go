package dashscope

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/policy"
)

// ranking is a request to order documents.
type ranking struct {
	question
	documents [][]byte
	returns   bool // the answer repeats the documents
}

func (x *ranking) Ways() []string { return []string{rankingWay, "rerank", "reranks"} }

// Fits implements dialect.Exchange.
func (x *ranking) Fits(m *policy.Model) *dialect.Refusal {
	if !m.Ranks() {
		return &dialect.WrongURL
	}
	return nil
}

func (x *ranking) read() *dialect.Refusal {
	if r := clear(x.input, "query", "documents"); r != nil {
		return r
	}
	if r := clear(x.param, "top_n", "return_documents"); r != nil {
		return r
	}
	query, documents := x.input.Get("query"), x.input.Get("documents")
	if wire.Null(query) {
		return &dialect.EmptyInput
	}
	if r := list(documents); r != nil {
		return r
	}
	x.documents, _ = wire.Elements(documents)
	x.said = len(query) + len(documents)
	x.returns, _ = wire.Bool(x.param.Get("return_documents"))
	return nil
}

// Body implements dialect.Exchange.
func (x *ranking) Body(way, name string) ([]byte, *dialect.Refusal) {
	if x.way = way; way == rankingWay {
		return x.native(name), nil
	}
	for _, known := range []struct {
		in    wire.Object
		names []string
	}{{x.body, []string{"model", "input", "parameters"}}, {x.input, []string{"query", "documents"}}, {x.param, []string{"top_n", "return_documents", "instruct"}}} {
		if r := onlyKnown(known.in, known.names...); r != nil {
			return nil, r
		}
	}
	b := append(wire.Quote([]byte(`{"model":`), name), `,"query":`...)
	b = append(append(b, x.input.Get("query")...), `,"documents":`...)
	b = append(b, x.input.Get("documents")...)
	for _, param := range []string{"top_n", "instruct"} {
		if value := x.param.Get(param); !wire.Null(value) {
			b = append(append(append(b, `,"`...), param...), `":`...)
			b = append(b, value...)
		}
	}
	return append(b, '}'), nil
}

type ranked struct {
	Index    int            `json:"index"`
	Score    float64        `json:"relevance_score"`
	Document jsontext.Value `json:"document,omitzero"`
}

// Whole implements dialect.Exchange. Documents are repeated from the request if
// that was asked for, and not otherwise, whatever the provider does.
func (x *ranking) Whole(answer wire.Object) ([]byte, *dialect.Refusal) {
	if x.way == rankingWay {
		return x.passed(answer)
	}
	var results []ranked
	if err := json.Unmarshal(answer.Get("results"), &results); err != nil {
		return nil, &dialect.ProviderBabbles
	}
	for i := range results {
		at := &results[i]
		if at.Index < 0 || at.Index >= len(x.documents) {
			return nil, &dialect.ProviderBabbles
		}
		if at.Document = nil; x.returns {
			at.Document = asDocument(x.documents[at.Index])
		}
	}
	return x.answer(map[string]any{"results": append([]ranked{}, results...)}, answer)
}

func asDocument(raw []byte) jsontext.Value {
	if raw[0] == '{' {
		return raw
	}
	return append(append([]byte(`{"text":`), raw...), '}')
}
