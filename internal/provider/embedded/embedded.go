// Package embedded is the engine that is built in: a real language model, so small
// that it knows nothing but the manner of a support desk and what it is taught. It
// trains, keeps what came of it ready, and answers; so everything around a model
// can be tried without one. It says in every answer what it is.
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

// Name is the model the engine says it has; it answers with it under any name
// that is not a deployment's.
const Name = "bailiwick-demo"

// Header tells callers which engine answered.
const (
	Header = "X-Bailiwick-Engine"
	label  = "embedded-demo"
)

// Server implements provider.Server, provider.Trainer and provider.Deployer.
type Server struct {
	Now   func() time.Time
	shelf *shelf // nil: it keeps no deployments
}

// Kind gives the provider.Open of an engine that keeps its deployments in a
// folder. Several processes may share it: what one puts there the others answer with.
func Kind(folder string) provider.Open {
	s := Server{Now: time.Now, shelf: newShelf(folder)}
	return func(provider.Target) (provider.Server, error) { return s, nil }
}

// Open implements provider.Open for an engine without deployments.
func Open(provider.Target) (provider.Server, error) { return Server{Now: time.Now}, nil }

// Models implements provider.Server.
func (Server) Models(context.Context) ([]string, error) { return []string{Name}, nil }

// Call implements provider.Server.
func (s Server) Call(ctx context.Context, r provider.Request) (*provider.Answer, error) {
	switch r.Path {
	case "chat/completions":
		return s.chat(ctx, r), nil
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

func (s Server) chat(ctx context.Context, r provider.Request) *provider.Answer {
	var q question
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return refuse(http.StatusBadRequest, "The demo engine cannot read this request: "+err.Error(), "")
	}
	if param, says := q.check(); says != "" {
		return refuse(http.StatusBadRequest, says, param)
	}
	m, refused := s.model(q.Model)
	if refused != nil {
		return refused
	}
	a := q.answer(m)
	a.id, a.created = "chatcmpl-"+string(callOr(r.Call)), s.Now().Unix()
	if q.Stream {
		return stream(ctx, a, q.StreamOptions.IncludeUsage)
	}
	return reply(http.StatusOK, "application/json", a.whole(ctx))
}

// stream answers event by event, as the tokens are made. Who stops reading, or
// hangs up, ends it.
func stream(ctx context.Context, a *answer, usage bool) *provider.Answer {
	from, to := io.Pipe()
	go func() { to.CloseWithError(a.events(ctx, to, usage)) }()
	h := http.Header{"Content-Type": {"text/event-stream"}, Header: {label}}
	return &provider.Answer{Status: http.StatusOK, Header: h, Length: -1, Body: from}
}

func callOr(id ident.Call) ident.Call {
	if id == "" {
		return ident.NewCall()
	}
	return id
}

func reply(status int, kind string, body []byte) *provider.Answer {
	h := http.Header{"Content-Type": {kind}, Header: {label}, "Content-Length": {strconv.Itoa(len(body))}}
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
