package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"bailiwick/internal/provider"
)

// faulty is a provider that fails as no provider should: in our own code.
type faulty struct{ after string }

func (f faulty) Has(string) bool                          { return true }
func (f faulty) Models(context.Context) ([]string, error) { return nil, nil }

func (f faulty) Call(context.Context, provider.Request) (*provider.Answer, error) {
	if f.after == "" {
		panic("before the answer")
	}
	return &provider.Answer{Status: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Length: -1, Body: &bomb{text: f.after}}, nil
}

type bomb struct{ text string }

func (b *bomb) Read(p []byte) (int, error) {
	if b.text == "" {
		panic("within the answer")
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}

func (*bomb) Close() error { return nil }

func TestAPanicIsAnsweredAndBooked(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.config.Open = func(provider.Provider) (provider.Server, error) { return faulty{}, nil }
	})
	got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")})
	if want := openAIRefusal("internal_error", "internal_error", "An internal error has occured, please try again later or contact service support.", ""); got.status != 500 ||
		strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "ID") != want {
		t.Errorf("%d %s", got.status, got.body)
	}
	text, native := w.native("qwen-turbo", "", false)
	if native.status != 500 || text != nativeRefusal("InternalError", "An internal error has occured, please try again later or contact service support.") {
		t.Errorf("%d %s", native.status, text)
	}
	for i := range 2 {
		if r := w.books.number(t, i+1); r.Status != 500 || r.Output != 0 {
			t.Errorf("record %+v", r)
		}
	}
}

func TestAPanicWithinAnAnswerBreaksTheConnectionAndIsBooked(t *testing.T) {
	event := `data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}` + "\n\n"
	w := newWorld(t, func(w *world) {
		w.config.Open = func(provider.Provider) (provider.Server, error) { return faulty{after: event}, nil }
	})
	r, _ := http.NewRequest("POST", w.http.URL+"/w/"+string(marketing)+chat, strings.NewReader(openAIBody("qwen-turbo", `,"stream":true`)))
	r.Header.Set("x-api-key", w.keys["marketing"])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil || string(text) != event {
		t.Errorf("%q, %v: what is not whole must not look whole", text, err)
	}
	if r := w.books.number(t, 1); r.Code != "internal_error" || r.Status != 200 || r.Source != "estimated" || r.Output != 2 {
		t.Errorf("record %+v", r)
	}
}
