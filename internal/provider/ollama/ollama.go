// Package ollama speaks to Ollama: calls by its OpenAI routes, and by its own API
// what it keeps, puts up and has in memory. Source of the shapes: Ollama's API
// reference, and a server of version 0.17.4 that was tried.
package ollama

import (
	"context"
	"net/http"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
	"bailiwick/internal/provider/openai"
)

// Kind opens servers of this kind that connect through a dial. Their base URL may
// end in /v1, as other kinds' do, or not.
func Kind(dial line.Dial) provider.Open {
	return func(t provider.Target) (provider.Server, error) {
		root := t
		root.BaseURL = strings.TrimSuffix(strings.TrimRight(t.BaseURL, "/"), "/v1")
		own, err := line.Open(root, dial)
		if err != nil {
			return nil, err
		}
		root.BaseURL += "/v1"
		calls, err := openai.Open(root, dial)
		if err != nil {
			return nil, err
		}
		return &Server{Server: calls, own: own}, nil
	}
}

// Server implements provider.Server and provider.Deployer.
type Server struct {
	*openai.Server
	own     *line.Line // of its own API
	digests digests
}

// CloseIdleConnections gives up the connections that no call uses.
func (s *Server) CloseIdleConnections() {
	s.Server.CloseIdleConnections()
	s.own.CloseIdleConnections()
}

// Models implements provider.Server. What we put up there is not listed.
func (s *Server) Models(ctx context.Context) ([]string, error) {
	all, err := s.tags(ctx)
	if fault.Is(err, fault.Missing) || fault.Is(err, fault.Invalid) {
		return nil, fault.New(fault.Unavailable, "The provider has no list of models as Ollama has. Is it one?").Because(err)
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range all {
		if !strings.HasPrefix(name, provider.NamePrefix) {
			names = append(names, name)
		}
	}
	return names, nil
}

// tags lists everything that is kept there. A model's tag stands in its name
// unless it is the usual one.
func (s *Server) tags(ctx context.Context) (names []string, err error) {
	var list struct{ Models []struct{ Name string } }
	if err := s.own.Ask(ctx, line.Request{Method: http.MethodGet, Path: "api/tags"}, &list); err != nil {
		return nil, err
	}
	for _, m := range list.Models {
		if m.Name != "" {
			names = append(names, strings.TrimSuffix(m.Name, ":latest"))
		}
	}
	return names, nil
}
