// Package openai speaks to providers that speak the OpenAI protocol: vLLM,
// Ollama, llama.cpp, SGLang, OpenAI itself, the compatible mode of DashScope.
package openai

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// Kind opens servers of this kind that connect through a dial: each is a Platform.
func Kind(dial line.Dial) provider.Open {
	return func(t provider.Target) (provider.Server, error) {
		s, err := Open(t, dial)
		if err != nil {
			return nil, err
		}
		return &Platform{Server: s}, nil
	}
}

// Server implements provider.Server.
type Server struct {
	*line.Line
	lacks  lacks
	caches bool
}

// Open makes the server of one provider, with a pool of connections of its own.
func Open(t provider.Target, dial line.Dial) (*Server, error) {
	l, err := line.Open(t, dial)
	if err != nil {
		return nil, err
	}
	return &Server{Line: l, caches: strings.HasSuffix(t.BaseURL, compatible)}, nil
}

// compatible ends the address of DashScope's compatible mode, whose explicit
// context cache takes marks in the parts of a content. Source: Model Studio's
// "Context Cache".
const compatible = "/compatible-mode/v1"

// Caches implements provider.Caching.
func (s *Server) Caches() bool { return s.caches }

// Call implements provider.Server.
func (s *Server) Call(ctx context.Context, r provider.Request) (*provider.Answer, error) {
	resp, err := s.Send(ctx, line.Request{Method: http.MethodPost, Path: r.Path, Body: r.Body, Stream: r.Stream, Call: r.Call})
	if err != nil {
		return nil, err
	}
	s.note(r.Path, resp.StatusCode)
	return &provider.Answer{Status: resp.StatusCode, Header: resp.Header, Length: resp.ContentLength, Body: resp.Body}, nil
}

// mostModels bounds the text of a list of models, in bytes.
const mostModels = 4 << 20

// Models implements provider.Server. What we put up there is not listed.
func (s *Server) Models(ctx context.Context) ([]string, error) {
	resp, err := s.Send(ctx, line.Request{Method: http.MethodGet, Path: "models"})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, line.Unusable(resp.StatusCode, "/v1")
	}
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, mostModels)).Decode(&list); err != nil {
		return nil, fault.New(fault.Unavailable, "The provider answered, but not with a list of models. Does its address end in /v1?").Because(err)
	}
	var names []string
	for _, m := range list.Data {
		if m.ID != "" && !strings.HasPrefix(m.ID, provider.NamePrefix) {
			names = append(names, m.ID)
		}
	}
	return names, nil
}
