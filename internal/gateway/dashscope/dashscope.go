// Package dashscope is the dialect of callers who speak the original's native
// protocol. Providers speak the OpenAI protocol, so requests and answers are
// translated; what cannot cross is refused by its name, never dropped.
package dashscope

import (
	"net/http"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// Dialect implements dialect.Dialect.
type Dialect struct{}

// Name implements dialect.Dialect.
func (Dialect) Name() string { return "dashscope" }

// Refusal implements dialect.Dialect. Lists have an envelope of their own.
func (Dialect) Refusal(dst []byte, r dialect.Refusal, s dialect.Service, id ident.Call) ([]byte, string) {
	b := appendRefusal(dst, r, id)
	if s == dialect.Models || s.Managing() {
		b = append(b[:len(b)-1], `,"success":false,"output":null}`...)
	}
	return b, r.Native.Code
}

func appendRefusal(b []byte, r dialect.Refusal, id ident.Call) []byte {
	b = wire.Quote(append(b, `{"code":`...), r.Native.Code)
	b = wire.Quote(append(b, `,"message":`...), r.Native.Message)
	return append(append(append(b, `,"request_id":"`...), id...), `"}`...)
}

// Describe implements dialect.Dialect; this dialect asks for one model by the
// query of the list.
func (Dialect) Describe(m *policy.Model, _ ident.Call) []byte { return describe(m) }

// wantsEvents reports whether a caller wants a stream.
func wantsEvents(r *http.Request) bool {
	return r.Header.Get("X-Dashscope-Sse") == "enable" || r.Header.Get("Accept") == "text/event-stream"
}
