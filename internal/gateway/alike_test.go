package gateway_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// wrongKeys are credentials that are worth nothing, each in its way.
func (w *world) wrongKeys() map[string]string {
	right := w.keys["marketing"]
	revoked := w.keys["research"]
	k := w.of("research")
	w.now(func(f *policy.Facts) { f.Gone.Keys = []ident.Key{k.ID}; f.Keys = nil })
	tail := byte('A')
	if right[len(right)-1] == tail {
		tail = 'B'
	}
	return map[string]string{
		"unknown": secret.NewKey().Reveal(), "the right beginning and a wrong tail": right[:len(right)-1] + string(tail), "revoked": revoked,
	}
}

func (w *world) present(g http.Handler, key string) (*httptest.ResponseRecorder, time.Duration) {
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(`{"model":"qwen-turbo","messages":[]}`))
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("X-DashScope-WorkSpace", string(marketing))
	a, began := httptest.NewRecorder(), time.Now()
	g.ServeHTTP(a, r)
	return a, time.Since(began)
}

func TestSec18_WrongKeysAreAnsweredAlike(t *testing.T) {
	w := newWorld(t, nil)
	g := gateway.New(w.config)
	defer g.Close()
	answers := map[string]string{}
	for name, key := range w.wrongKeys() {
		a, _ := w.present(g, key)
		if a.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, a.Code)
		}
		id := a.Header().Get("X-Request-Id")
		var head strings.Builder
		h := a.Header().Clone()
		h.Del("Server-Timing") // how long it took is measured below
		_ = h.Write(&head)     // a strings.Builder takes everything
		answers[name] = strings.ReplaceAll(head.String()+a.Body.String(), id, "ID")
	}
	for name, text := range answers {
		if text != answers["unknown"] {
			t.Errorf("%s is answered otherwise:\n%s\nthan unknown:\n%s", name, text, answers["unknown"])
		}
	}
}

// What is asked for later has no addresses yet: nothing of one key's is kept that
// another could fetch, cancel or download, and nothing can be asked for later.
func TestSec03_NothingIsKeptThatAnotherKeyCouldAskFor(t *testing.T) {
	w := newWorld(t, nil)
	later := w.call(ask{path: "/api/v1/services/aigc/text-generation/generation", key: "marketing", ws: marketing, header: map[string]string{"X-DashScope-Async": "enable"},
		body: `{"model":"qwen-turbo","input":{"messages":[{"role":"user","content":"hello"}]}}`})
	if later.status != http.StatusForbidden || !strings.Contains(later.body, "does not support asynchronous calls") {
		t.Errorf("a call for later is answered %d %s", later.status, later.body)
	}
	for _, path := range []string{
		"/api/v1/tasks/", "/api/v1/files/", "/api/v1/fine-tunes/", "/api/v1/deployments/", "/v1/files/", "/v1/batches/", "/v1/responses/", "/compatible-mode/v1/files/", "/compatible-mode/v1/batches/",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			for _, rest := range []string{"", "/cancel", "/content"} {
				for _, key := range []string{"marketing", "research"} {
					r := w.call(ask{method: method, path: path + later.header.Get("X-Request-Id") + rest, key: key, ws: marketing})
					if r.status != http.StatusNotFound {
						t.Errorf("%s %s…%s with a key of %s: %d %s", method, path, rest, key, r.status, r.body)
					}
				}
			}
		}
	}
	if n := w.mock.Calls(); n > 0 {
		t.Errorf("the provider was asked %d times", n)
	}
}

// TestSec18_NoClockTellsWrongKeysApart compares, by Welch's t-test, what each
// kind of wrong key takes against the others. It belongs to the long campaigns:
// other work on the machine would decide it.
func TestSec18_NoClockTellsWrongKeysApart(t *testing.T) {
	if os.Getenv("SOAK") == "" {
		t.Skip("a long campaign: set SOAK")
	}
	w := newWorld(t, nil)
	g := gateway.New(w.config)
	defer g.Close()
	keys := w.wrongKeys()
	names := []string{"unknown", "revoked", "unknown again"}
	keys["unknown again"] = secret.NewKey().Reveal()
	const calls = 100_000
	took := map[string][]float64{}
	for i := range calls * len(names) {
		name := names[i%len(names)]
		if name != "revoked" {
			keys[name] = secret.NewKey().Reveal()
		}
		_, d := w.present(g, keys[name])
		took[name] = append(took[name], float64(d))
	}
	for _, name := range names[1:] {
		if v := welch(took["unknown"], took[name]); math.Abs(v) >= 4.5 {
			t.Errorf("%s differs from unknown: t = %.2f", name, v)
		} else {
			t.Logf("%s against unknown: t = %.2f", name, v)
		}
	}
}

// welch is the statistic of two samples, each without its slowest tenth, which
// the rest of the machine decides.
func welch(a, b []float64) float64 {
	ma, va := moments(a)
	mb, vb := moments(b)
	return (ma - mb) / math.Sqrt(va/float64(len(a))+vb/float64(len(b)))
}

func moments(all []float64) (mean, variance float64) {
	slices.Sort(all)
	kept := all[:len(all)*9/10]
	for _, x := range kept {
		mean += x / float64(len(kept))
	}
	for _, x := range kept {
		variance += (x - mean) * (x - mean) / float64(len(kept)-1)
	}
	return mean, variance
}
