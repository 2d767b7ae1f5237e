// Package openai speaks to providers that speak the OpenAI protocol: vLLM,
// Ollama, llama.cpp, SGLang, OpenAI itself, the compatible mode of DashScope.
package openai

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
)

// Patience is how long a provider may take to begin an answer.
const Patience = 300 * time.Second

// Dial makes connections; guard.Guard has it.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Kind opens servers of this kind that connect through a dial.
func Kind(dial Dial) provider.Open {
	return func(t provider.Target) (provider.Server, error) { return Open(t, dial) }
}

// Server implements provider.Server.
type Server struct {
	base       *url.URL
	credential secret.Text
	headers    http.Header // of every request, read only
	transport  *http.Transport
}

// Open makes the server of one provider, with a pool of connections of its own.
func Open(t provider.Target, dial Dial) (*Server, error) {
	base, err := provider.CanonicalURL(t.BaseURL)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The address of this provider cannot be used.").Because(err)
	}
	s := &Server{base: base, credential: t.Credential, headers: http.Header{"User-Agent": {"bailiwick"}}}
	if !t.Credential.Empty() {
		s.headers["Authorization"] = []string{"Bearer " + t.Credential.Reveal()}
	}
	s.transport = &http.Transport{
		Proxy:                  nil, // one named by the environment would go round the guard
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  Patience,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        90 * time.Second,
		ForceAttemptHTTP2:      true,
	}
	return s, nil
}

// CloseIdleConnections gives up the connections that no call uses.
func (s *Server) CloseIdleConnections() { s.transport.CloseIdleConnections() }

// Call implements provider.Server. Redirects are not followed. The text of an
// error has our credential and the provider's address taken out.
func (s *Server) Call(ctx context.Context, r provider.Request) (*provider.Answer, error) {
	resp, err := s.send(ctx, http.MethodPost, r.Path, r.Body, r.Stream, r.Call)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		s.scrub(resp)
	}
	return &provider.Answer{Status: resp.StatusCode, Header: resp.Header, Length: resp.ContentLength, Body: resp.Body}, nil
}

// mostModels bounds the text of a list of models, in bytes.
const mostModels = 4 << 20

// Models implements provider.Server.
func (s *Server) Models(ctx context.Context) ([]string, error) {
	resp, err := s.send(ctx, http.MethodGet, "models", nil, false, "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, unusable(resp.StatusCode)
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
		if m.ID != "" {
			names = append(names, m.ID)
		}
	}
	return names, nil
}

func unusable(status int) error {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.New(fault.Unavailable, "The provider refused the credential (status %d).", status)
	case status == http.StatusNotFound:
		return fault.New(fault.Unavailable, "The provider has no list of models at this address (status 404). Does it end in /v1?")
	case status >= 300 && status < 400:
		return fault.New(fault.Unavailable, "The provider sends us to another address (status %d). Enter that address instead.", status)
	}
	return fault.New(fault.Unavailable, "The provider answered with status %d.", status)
}

func (s *Server) send(ctx context.Context, method, path string, body []byte, stream bool, call ident.Call) (*http.Response, error) {
	u := *s.base
	u.Path += "/" + path
	r := &http.Request{Method: method, URL: &u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header, 6)}
	for name, values := range s.headers {
		r.Header[name] = values
	}
	if body != nil {
		r.Header["Content-Type"] = asJSON
		r.ContentLength = int64(len(body))
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	if stream {
		r.Header["Accept"] = asEvents
	}
	if call != "" {
		r.Header["X-Request-Id"] = []string{string(call)}
	}
	resp, err := s.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, s.explain(err)
	}
	return resp, nil
}

var (
	asJSON   = []string{"application/json"}
	asEvents = []string{"text/event-stream"}
)

// explain words why there was no answer. The cause never holds a header.
func (s *Server) explain(err error) error {
	var dial *net.OpError
	var slow net.Error
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return fault.New(fault.Unavailable, "The provider cannot be reached. %s", reason(err)).Because(fmt.Errorf("%w: %w", provider.ErrUnreached, err))
	case errors.As(err, &slow) && slow.Timeout():
		return fault.New(fault.Unavailable, "The provider did not answer in time.").Because(fmt.Errorf("%w: %w", provider.ErrSlow, err))
	}
	return fault.New(fault.Unavailable, "The provider broke off before it answered.").Because(err)
}
