package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/secret"
)

const second = ident.Provider("prv-0000000000000003")

// pair is a world in which a second provider serves qwen-turbo too.
func pair(t *testing.T, order, weight int) (*world, *mockserver.Server) {
	t.Helper()
	other, err := mockserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	w := newWorld(t, func(w *world) {
		w.config.Health = &provider.Board{Now: time.Now}
		w.config.Open = func(p provider.Provider) (provider.Server, error) {
			g, err := guard.New([]string{w.mock.Addr, other.Addr, "127.0.0.1:1"})
			if err != nil {
				return nil, err
			}
			return openai.Kind(g.DialContext)(provider.Target{BaseURL: p.BaseURL, Credential: secret.NewText(credential)})
		}
		w.facts.Providers = append(w.facts.Providers, provider.Provider{ID: second, Account: account, Kind: provider.OpenAI, BaseURL: other.URL, Version: 1})
		w.facts.Models[0].Servings = []policy.Serving{
			{Provider: upstream, Name: "first-name", Order: 1, Weight: 1},
			{Provider: second, Name: "second-name", Order: order, Weight: weight},
		}
	})
	return w, other
}

func (w *world) turbo(t *testing.T, stream string) reply {
	t.Helper()
	return w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", stream)})
}

func TestAProviderThatCannotServeIsPassedOverBeforeTheFirstByte(t *testing.T) {
	for name, refusal := range map[string]mockserver.Reply{
		"busy":        mockserver.JSON(429, `{"error":{"message":"slow down"}}`),
		"failing":     mockserver.JSON(500, `{"error":{"message":"boom"}}`),
		"overloaded":  mockserver.JSON(529, `{}`),
		"maintenance": mockserver.JSON(503, `<html>`),
	} {
		for _, stream := range []string{"", `,"stream":true`} {
			w, other := pair(t, 2, 1)
			w.mock.Always(refusal)
			got := w.turbo(t, stream)
			if got.status != 200 || !strings.Contains(got.body, "Hello") || w.mock.Calls() != 1 || other.Calls() != 1 {
				t.Fatalf("%s: %d, %d and %d calls: %s", name, got.status, w.mock.Calls(), other.Calls(), got.body)
			}
			if sent := string(other.Last().Body); !strings.Contains(sent, `"second-name"`) {
				t.Errorf("the second provider was asked for %s", sent)
			}
			if r := w.books.number(t, 1); r.Provider != second || r.Code != "" || r.Output == 0 || len(w.books.all()) != 1 {
				t.Errorf("booked %+v", r)
			}
		}
	}
}

func TestAProviderThatIsNotThereIsPassedOver(t *testing.T) {
	w, other := pair(t, 2, 1)
	w.now(func(f *policy.Facts) { f.Providers[0].BaseURL, f.Providers[0].Version = "http://127.0.0.1:1/v1", 2 })
	if got := w.turbo(t, ""); got.status != 200 || other.Calls() != 1 {
		t.Fatal(got.status, got.body)
	}
}

func TestACallThatAProviderMayHaveBegunIsNotRepeated(t *testing.T) {
	for name, broken := range map[string]mockserver.Reply{
		"broke off before it answered": {Silent: true},
		"broke off within the answer":  {Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: []byte("data: {\"choices\":[]}\n\nda"), Dies: true, CutAt: 25},
		"refused the parameters":       mockserver.JSON(400, `{"error":{"message":"temperature"}}`),
	} {
		w, other := pair(t, 2, 1)
		w.mock.Always(broken)
		w.turbo(t, `,"stream":true`)
		if w.mock.Calls() != 1 || other.Calls() != 0 {
			t.Errorf("%s: asked %d and %d times", name, w.mock.Calls(), other.Calls())
		}
	}
}

func TestAFallbackReachesOnlyPlacesOfTheAuthorizedModel(t *testing.T) {
	w, other := pair(t, 2, 1)
	w.now(func(f *policy.Facts) { // the second provider serves only a model that marketing may not call
		f.Models[0].Servings = f.Models[0].Servings[:1]
		f.Models[1].Servings = []policy.Serving{{Provider: second, Name: "second-name", Order: 1, Weight: 1}}
	})
	w.mock.Always(mockserver.JSON(503, `{}`))
	if got := w.turbo(t, ""); got.status != 503 || other.Calls() != 0 {
		t.Fatal(got.status, other.Calls())
	}
}

func TestWeightsShareTheCallsOfOneOrder(t *testing.T) {
	w, other := pair(t, 1, 3)
	for range 400 {
		w.turbo(t, "")
	}
	// 300 of 400 are expected; seven standard deviations are allowed.
	if n := other.Calls(); n < 240 || n > 360 || n+w.mock.Calls() != 400 {
		t.Errorf("%d and %d calls", w.mock.Calls(), n)
	}
	w, other = pair(t, 2, 100)
	for range 20 {
		w.turbo(t, "")
	}
	if other.Calls() != 0 {
		t.Error("a later order was asked though the first one answers")
	}
}

func TestAFailingProviderRestsAndIsTriedAgain(t *testing.T) {
	at := time.Now()
	w, other := pair(t, 2, 1)
	w.config.Health.Now = func() time.Time { return at }
	w.mock.Always(mockserver.JSON(500, `{}`))
	for range 20 {
		if got := w.turbo(t, ""); got.status != 200 {
			t.Fatal(got.body)
		}
	}
	if n := w.mock.Calls(); n != 5 || other.Calls() != 20 {
		t.Fatalf("the failing provider was asked %d times", n)
	}
	other.Always(mockserver.JSON(500, `{}`))
	for range 5 {
		w.turbo(t, "")
	}
	got := w.turbo(t, "")
	if got.status != 503 || got.header.Get("Retry-After") != "1" || other.Calls() != 25 {
		t.Fatal("both rest, and yet:", got.status, got.header, other.Calls())
	}
	at = at.Add(time.Second)
	w.mock.Answer(mockserver.Default)
	for range 3 {
		if got := w.turbo(t, ""); got.status != 200 {
			t.Fatal(got.status, got.body)
		}
	}
	if h := w.config.Health.Health(upstream); h.Failed != 5 || h.Resting != 0 {
		t.Errorf("%+v", h)
	}
}

func TestWhatOnlyOneProviderSaysReachesTheCaller(t *testing.T) {
	w := newWorld(t, func(w *world) { w.config.Health = &provider.Board{Now: time.Now} })
	w.mock.Always(mockserver.Reply{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: []byte(`{}`)})
	for range 3 { // a provider that is busy is asked all the same when there is no other
		if got := w.turbo(t, ""); got.status != 429 || got.header.Get("Retry-After") != "7" {
			t.Fatal(got.status, got.header)
		}
	}
	if w.mock.Calls() != 3 {
		t.Error(w.mock.Calls())
	}
}
