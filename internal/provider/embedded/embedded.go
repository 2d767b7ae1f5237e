// Package embedded is the engine that is built in: a model so small that it knows
// nothing, which says what it is and answers the same way every time, so that
// everything around a model can be tried without one.
package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Name is the model the engine says it has; it answers under any name.
const Name = "bailiwick-demo"

// Header tells callers which engine answered.
const Header = "X-Bailiwick-Engine"

// Server implements provider.Server.
type Server struct{ Now func() time.Time }

// Open implements provider.Open.
func Open(provider.Target) (provider.Server, error) { return Server{Now: time.Now}, nil }

// Models implements provider.Server.
func (Server) Models(context.Context) ([]string, error) { return []string{Name}, nil }

// Call implements provider.Server.
func (s Server) Call(_ context.Context, r provider.Request) (*provider.Answer, error) {
	switch r.Path {
	case "chat/completions":
		return s.chat(r), nil
	case "embeddings":
		return s.embed(r.Body), nil
	case "rerank":
		return s.rank(r.Body), nil
	case "messages/count_tokens":
		return s.count(r.Body), nil
	}
	return refuse(http.StatusBadRequest, "The demo engine has no "+r.Path+": it answers chat completions, embeddings and rerank.", ""), nil
}

// Has implements provider.Server.
func (Server) Has(path string) bool {
	switch path {
	case "chat/completions", "embeddings", "rerank", "messages/count_tokens":
		return true
	}
	return false
}

func (s Server) chat(r provider.Request) *provider.Answer {
	var q question
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return refuse(http.StatusBadRequest, "The demo engine cannot read this request: "+err.Error(), "")
	}
	if param, says := q.check(); says != "" {
		return refuse(http.StatusBadRequest, says, param)
	}
	a := q.answer()
	a.id, a.created, a.model = "chatcmpl-"+string(callOr(r.Call)), s.Now().Unix(), q.Model
	if q.Stream {
		return reply(http.StatusOK, "text/event-stream", a.events(q.StreamOptions.IncludeUsage))
	}
	return reply(http.StatusOK, "application/json", a.whole())
}

func callOr(id ident.Call) ident.Call {
	if id == "" {
		return ident.NewCall()
	}
	return id
}

func reply(status int, kind string, body []byte) *provider.Answer {
	h := http.Header{"Content-Type": {kind}, Header: {"demo"}, "Content-Length": {strconv.Itoa(len(body))}}
	return &provider.Answer{Status: status, Header: h, Length: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))}
}

func refuse(status int, message, param string) *provider.Answer {
	e := map[string]any{"message": message, "type": "invalid_request_error", "code": "unsupported_by_demo_engine", "param": nil}
	if param != "" {
		e["param"] = param
	}
	body, _ := json.Marshal(map[string]any{"error": e}) // strings only
	return reply(status, "application/json", body)
}
