package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
)

// FuzzTheModelThatIsAuthorizedIsSentAndMetered sends bodies as an attacker
// might write them. Whatever passes, a lenient reader behind us (one that takes
// MODEL for model, and the last of two) sees the model that was granted.
func FuzzTheModelThatIsAuthorizedIsSentAndMetered(f *testing.F) {
	for _, seed := range []string{
		openAIBody("qwen-turbo", ""), openAIBody("qwen-plus", ""), `{"model":"qwen-turbo","MODEL":"qwen-plus","messages":[1]}`,
		`{"model":"qwen-turbo","model":"qwen-plus","messages":[1]}`, `{"mo\u0064el":"qwen-plus","model":"qwen-turbo","messages":[1]}`,
		`{"model":"qwen-tu\u0072bo","messages":[1],"stream":true}`, `{"model":"qwen-turbo\u0000","messages":[1]}`, "\ufeff" + openAIBody("qwen-turbo", ""),
		`{"model":["qwen-turbo"],"messages":[1]}`, `{"messages":[1],"stream_options":{"include_usage":false},"stream":true,"model":"qwen-aliased"}`,
		`{"model":"qwen-turbo","ſtream":true,"messages":[{"model":"qwen-plus"}],"extra_body":{"model":"qwen-plus"}}`,
	} {
		f.Add(seed, false)
	}
	for _, seed := range []string{nativeBody("qwen-turbo", ""), nativeBody("qwen-aliased", `"model":"qwen-plus"`), `{"model":"qwen-turbo","input":{"prompt":"\",\"model\":\"qwen-plus"}}`,
		`{"model":"qwen-turbo","input":{"messages":[{"model":"qwen-plus"}]},"parameters":{"stop":"x","Model":"qwen-plus"}}`} {
		f.Add(seed, true)
	}
	w := newWorld(f, nil)
	spy := &spy{}
	w.config.Open = func(provider.Provider) (provider.Server, error) { return spy, nil }
	g := gateway.New(w.config)
	granted := map[string]string{"qwen-turbo": "qwen-turbo", "qwen-aliased": "vendor/model-7b", "qwen-demo": "qwen-demo", "qwen-vl": "qwen-vl"}
	f.Fuzz(func(t *testing.T, body string, native bool) {
		path := chat
		if native {
			path = generation
		}
		r := httptest.NewRequest("POST", "/w/"+string(marketing)+path, strings.NewReader(body))
		r.Header.Set("x-api-key", w.keys["marketing"])
		spy.sent, w.books.list = nil, nil
		answer := httptest.NewRecorder()
		g.ServeHTTP(answer, r)
		rec := w.books.list[0]
		if answer.Code >= 500 && spy.sent == nil && rec.Code != "ModelUnavailable" {
			t.Fatalf("%q: %d %s", body, answer.Code, answer.Body)
		}
		if spy.sent == nil {
			return
		}
		var lenient struct {
			Model  string
			Stream bool
		}
		if err := json.Unmarshal(spy.sent, &lenient); err != nil {
			t.Fatalf("%q sent %q: %v", body, spy.sent, err)
		}
		if name, ok := granted[string(rec.Model)]; !ok || lenient.Model != name || lenient.Stream != rec.Stream {
			t.Fatalf("%q: metered %s, sent %q", body, rec.Model, spy.sent)
		}
	})
}

// spy is a provider that only looks.
type spy struct{ sent []byte }

func (s *spy) Call(_ context.Context, r provider.Request) (*provider.Answer, error) {
	s.sent = r.Body
	return &provider.Answer{Status: 500, Header: http.Header{}, Body: http.NoBody}, nil
}
func (s *spy) Has(string) bool                          { return true }
func (s *spy) Models(context.Context) ([]string, error) { return nil, nil }

// FuzzKey looks for something that is taken for a key and is none.
func FuzzKey(f *testing.F) {
	good := secret.NewKey().Reveal()
	for _, seed := range []string{good, good[:len(good)-1], good + "x", "sk-ws-", "", strings.ToUpper(good), good[:20] + "\x00" + good[21:], " " + good, strings.Repeat("sk-ws-", 12)} {
		f.Add(seed)
	}
	w := newWorld(f, nil)
	g := gateway.New(w.config)
	f.Fuzz(func(t *testing.T, key string) {
		if secret.WellFormed(key) && len(key) != len(good) {
			t.Fatalf("%q is taken for well-formed", key)
		}
		r := httptest.NewRequest("GET", "/v1/models", nil)
		r.Header["X-Api-Key"] = []string{key}
		answer := httptest.NewRecorder()
		g.ServeHTTP(answer, r)
		if answer.Code != http.StatusUnauthorized {
			t.Fatalf("%q: %d", key, answer.Code)
		}
	})
}

func TestSec11_EachRightOpensCallingOnlyForItself(t *testing.T) {
	w := newWorld(t, nil)
	for _, set := range []catalogue.Capabilities{0, catalogue.Of(catalogue.Train), catalogue.Of(catalogue.Deploy), catalogue.Of(catalogue.Call), catalogue.Of(catalogue.All...)} {
		w.now(func(f *policy.Facts) {
			f.Workspaces[2].Grants = policy.Pairs[ident.Model, catalogue.Capabilities]{{Key: "qwen-plus", Value: set}}
		})
		for _, a := range []ask{{path: chat, body: openAIBody("qwen-plus", "")}, {path: generation, body: nativeBody("qwen-plus", "")}} {
			a.key, a.ws = "research", research
			if got := w.call(a); (got.status == 200) != set.Has(catalogue.Call) {
				t.Errorf("%v: %s answered %d", set, a.path, got.status)
			}
		}
	}
}
