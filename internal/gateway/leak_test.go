package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/secret"
)

func TestNoCallLeavesAGoroutineBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("calls", func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.config.Bounds.Drain = 20 * time.Millisecond })
		for range 20 {
			w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")})
			w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true`)})
			w.call(ask{path: chat, key: "research", ws: research, body: openAIBody("qwen-turbo", "")})
		}
		hold := make(chan struct{})
		w.mock.Always(mockserver.Reply{Hold: hold})
		w.leave(true, 0)
		w.books.number(t, 61)
		close(hold)
	})
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
}

// BenchmarkRefusal measures the refusal of a key that nobody issued, without network.
func BenchmarkRefusal(b *testing.B) {
	w := newWorld(b, nil)
	h := w.http.Config.Handler
	keys := make([]string, 64)
	for i := range keys {
		keys[i] = secret.NewKey().Reveal()
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r := httptest.NewRequestWithContext(context.Background(), "POST", chat, strings.NewReader("{}"))
		r.Header["X-Api-Key"] = []string{keys[i%len(keys)]}
		i++
		answer := httptest.NewRecorder()
		if h.ServeHTTP(answer, r); answer.Code != http.StatusUnauthorized {
			b.Fatal(answer.Code)
		}
	}
}
