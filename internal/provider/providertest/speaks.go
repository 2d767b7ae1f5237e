package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
)

// operation is one thing that is asked of an engine; names is what it is called in tests.
type operation struct {
	name string
	do   func(ctx context.Context, s provider.Server) error
}

// Speaks is the contract of every provider: it lists models, takes calls, and
// keeps to the address, the credential and the words for failures.
func Speaks(t *testing.T, e Engine) {
	models := operation{"Models", func(ctx context.Context, s provider.Server) error { _, err := s.Models(ctx); return err }}
	t.Run("it lists its models and answers a call of one", func(t *testing.T) {
		f := newFront(t, e)
		s := f.open(t)
		names, err := s.Models(t.Context())
		must(t, err)
		if !slices.Contains(names, e.Base) || slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, provider.NamePrefix) }) {
			t.Errorf("it names %v", names)
		}
		answers(t, s, e.Base)
	})
	fails(t, e, models)
}

// answers calls a model, which says something soon.
func answers(t *testing.T, s provider.Server, model string) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"model": model, "messages": []any{map[string]string{"role": "user", "content": "Hello?"}}})
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		a, err := s.Call(t.Context(), provider.Request{Path: "chat/completions", Body: body, Call: "call-1"})
		must(t, err)
		text, err := io.ReadAll(a.Body)
		a.Body.Close()
		switch {
		case err == nil && a.Status == http.StatusOK && strings.Contains(string(text), `"assistant"`):
			return
		case time.Since(began) > soon:
			t.Errorf("calling %s: %d %s %v", model, a.Status, text, err)
			return
		}
	}
}

// soon is how long what was put up may still be refused: who is asked may be
// another one than who put it up.
const soon = 2 * time.Second

// fails holds operations against an engine that does not do as it should.
func fails(t *testing.T, e Engine, all ...operation) {
	if e.Handler == nil {
		return // there is nothing between us
	}
	f := newFront(t, e)
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(code)
			io.WriteString(w, `{"error":{"message":"no, said `+f.http.URL+` to `+f.e.Credential+`"}}`)
		}
	}
	for _, op := range all {
		t.Run("failures of "+op.name+" are told by kind", func(t *testing.T) {
			s := f.open(t)
			for code, kind := range map[int]fault.Kind{301: fault.Unavailable, 307: fault.Unavailable, 401: fault.Unavailable, 403: fault.Unavailable,
				429: fault.Busy, 500: fault.Unavailable, 502: fault.Unavailable, 503: fault.Unavailable} {
				f.answer(status(code))
				err := op.do(t.Context(), s)
				if code == 429 && op.name == "Models" && fault.Is(err, fault.Unavailable) {
					kind = fault.Unavailable // nothing is held back by it
				}
				if !fault.Is(err, kind) {
					t.Errorf("%d: %v is not %s", code, err, kind)
				}
				if code == 429 && kind == fault.Busy && !errors.Is(err, provider.ErrRoom) {
					t.Errorf("429: %v does not say that there is no room", err)
				}
				f.hides(t, err)
			}
			for _, body := range []string{"", "{", "[]", "<html>", `{"data":7,"output":[],"models":"x"}`, `null`} {
				f.answer(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
				err := op.do(t.Context(), s) // some of these can be read as an empty list
				if err != nil && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Invalid) && !errors.Is(err, provider.ErrUnsupported) && !errors.Is(err, provider.ErrLost) {
					t.Errorf("an answer of %q: %v", body, err)
				}
				f.hides(t, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			f.answer(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() })
			if err := op.do(ctx, s); err == nil {
				t.Error("an engine that never answers: no error")
			}
		})
		t.Run("Sec22 "+op.name+" speaks to no address that the guard refuses", func(t *testing.T) {
			f.answer(nil)
			before := f.asked()
			if err := op.do(t.Context(), f.openWith(t)); !errors.Is(err, provider.ErrUnreached) || f.asked() != before {
				t.Errorf("%v, and %d requests", err, f.asked()-before)
			}
		})
	}
	if elsewhere != 0 {
		t.Errorf("%d redirects were followed", elsewhere)
	}
}
