// Package openai is the dialect of callers who speak the OpenAI protocol. It is
// also what providers speak, so requests and answers pass byte for byte, but
// for the model's name and the request for usage.
package openai

import (
	"net/http"
	"time"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// Dialect implements dialect.Dialect.
type Dialect struct{}

// Name implements dialect.Dialect.
func (Dialect) Name() string { return "openai" }

// Refusal implements dialect.Dialect.
func (Dialect) Refusal(dst []byte, r dialect.Refusal, _ dialect.Service, id ident.Call) ([]byte, string) {
	return appendRefusal(dst, r, id), r.OpenAI.Code
}

func appendRefusal(b []byte, r dialect.Refusal, id ident.Call) []byte {
	b = wire.Quote(append(b, `{"error":{"message":`...), r.OpenAI.Message)
	b = wire.Quote(append(b, `,"type":`...), r.OpenAI.Type)
	if b = append(b, `,"param":`...); r.Param == "" {
		b = append(b, "null"...)
	} else {
		b = wire.Quote(b, r.Param)
	}
	b = wire.Quote(append(b, `,"code":`...), r.OpenAI.Code)
	b = append(append(b, `},"id":"chatcmpl-`...), id...)
	b = append(append(b, `","request_id":"`...), id...)
	return append(b, `"}`...)
}

// List implements dialect.Dialect.
func (d Dialect) List(_ *http.Request, models []*policy.Model, id ident.Call) ([]byte, *dialect.Refusal) {
	b := []byte(`{"object":"list","data":[`)
	for i, m := range models {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, d.Describe(m, id)...)
	}
	return append(b, `]}`...), nil
}

// Describe implements dialect.Dialect. A model is as old as its entry in the
// catalogue says; 0 where it does not say.
func (Dialect) Describe(m *policy.Model, _ ident.Call) []byte {
	created := int64(0)
	if at, err := time.Parse(time.DateOnly, m.OnlineSince); err == nil {
		created = at.Unix()
	}
	b := wire.Quote([]byte(`{"id":`), string(m.ID))
	b = append(b, `,"object":"model","created":`...)
	b = appendInt(b, created)
	return append(wire.Quote(append(b, `,"owned_by":`...), m.Vendor), '}')
}
