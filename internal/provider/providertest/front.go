// Package providertest is the contract of providers as tests: what every kind
// that can be called, trains or serves must keep to, whichever engine answers it.
// Where that engine is none, tests say so by calling it a stand-in.
package providertest

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/line"
	"bailiwick/internal/secret"
)

// canary is the usual credential, which no error and no log may hold.
const canary = "sk-contract-canary-31"

// Engine is an engine to be tried, or a stand-in for one.
type Engine struct {
	Kind    func(line.Dial) provider.Open
	Handler http.Handler // the engine; nil: it is in this process, and has no address
	Path    string       // of its base URL, such as "/v1"
	Base    string       // a model that it has
	Any     bool         // it answers under any name

	Credential string // that it takes; empty: it takes any
}

// front is an engine behind a listener of this machine. It can answer in the
// engine's place, and counts what it is asked.
type front struct {
	e    Engine
	http *httptest.Server

	mu      sync.Mutex
	instead http.HandlerFunc
	seen    []*http.Request
}

func newFront(t *testing.T, e Engine) *front {
	t.Helper()
	if e.Credential == "" {
		e.Credential = canary
	}
	f := &front{e: e}
	f.http = httptest.NewServer(f)
	t.Cleanup(f.http.Close)
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&locked{w: &log}, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() {
		slog.SetDefault(before)
		if strings.Contains(log.String(), e.Credential) {
			t.Errorf("the log holds the credential: %s", log.String())
		}
	})
	return f
}

type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.seen = append(f.seen, r)
	instead := f.instead
	f.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	f.e.Handler.ServeHTTP(w, r)
}

// answer lets h answer in the engine's place; nil: the engine again.
func (f *front) answer(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instead = h
}

func (f *front) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}

func (f *front) addr() string { return strings.TrimPrefix(f.http.URL, "http://") }

// open makes a server that may speak to the engine.
func (f *front) open(t *testing.T) provider.Server { return f.openWith(t, f.addr()) }

func (f *front) openWith(t *testing.T, allow ...string) provider.Server {
	t.Helper()
	if f.e.Handler == nil {
		s, err := f.e.Kind(nil)(provider.Target{})
		must(t, err)
		return s
	}
	g, err := guard.New(allow)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.e.Kind(g.DialContext)(provider.Target{BaseURL: f.http.URL + f.e.Path, Credential: secret.NewText(f.e.Credential)})
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := s.(interface{ CloseIdleConnections() }); ok {
		t.Cleanup(c.CloseIdleConnections)
	}
	return s
}

// hides makes sure that an error, with all its causes, holds no credential.
func (f *front) hides(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), f.e.Credential) {
			t.Errorf("an error holds the credential: %v", e)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
