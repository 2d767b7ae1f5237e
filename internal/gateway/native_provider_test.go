package gateway_test

import (
	"strings"
	"testing"

	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/dashscope"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/secret"
)

// behind puts a gateway before another one, which it asks in DashScope's native
// protocol. What the far one is asked ends at its mock model server.
func behind(t *testing.T) (near, far *world) {
	t.Helper()
	far = newWorld(t, nil)
	addr := strings.TrimPrefix(far.http.URL, "http://")
	near = newWorld(t, func(w *world) {
		w.facts.Providers[0].Kind = provider.DashScope
		w.facts.Providers[0].BaseURL = far.http.URL + "/w/" + string(marketing) + "/api/v1"
		w.config.Open = func(p provider.Provider) (provider.Server, error) {
			g, err := guard.New([]string{addr})
			if err != nil {
				return nil, err
			}
			return dashscope.Kind(g.DialContext)(provider.Target{BaseURL: p.BaseURL, Credential: secret.NewText(far.keys["marketing"])})
		}
	})
	return near, far
}

func TestAnAnswerCrossesTheNativeProtocolAndBack(t *testing.T) {
	near, far := behind(t)
	for _, c := range []struct{ path, body, want string }{
		{chat, openAIBody("qwen-turbo", ""), `"content":"Hello, world!"`},
		{generation, nativeBody("qwen-turbo", `"result_format":"message"`), `"content":"Hello, world!"`},
		{chat, openAIBody("qwen-turbo", `,"stream":true,"stream_options":{"include_usage":true}`), `"prompt_tokens":7`},
	} {
		before := far.mock.Calls()
		got := near.call(ask{path: c.path, key: "marketing", ws: marketing, body: c.body})
		if got.status != 200 || !strings.Contains(got.body, c.want) || far.mock.Calls() != before+1 {
			t.Fatalf("%s: %d %s", c.path, got.status, got.body)
		}
		if strings.Contains(c.body, "stream") && (strings.Count(got.body, `"content":`) < 4 || !strings.HasSuffix(strings.TrimSpace(got.body), "data: [DONE]")) {
			t.Errorf("a stream in %d pieces: %s", strings.Count(got.body, `"content":`), got.body)
		}
	}
	for i, b := range []*books{near.books, far.books} {
		if r := b.number(t, 3); r.Input != 7 || r.Output != 4 || r.Source != "provider" || len(b.all()) != 3 {
			t.Errorf("gateway %d booked %+v", i, r)
		}
	}
}

func TestARefusalCrossesTheNativeProtocolAndBack(t *testing.T) {
	near, far := behind(t)
	got := near.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"frequency_penalty":1`)})
	if got.status != 400 || !strings.Contains(got.body, "frequency_penalty") || far.mock.Calls() != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
	far.now(func(f *policy.Facts) { f.Workspaces[1].Grants = f.Workspaces[1].Grants.With("qwen-turbo", 0) })
	got = near.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")})
	if got.status != 503 || strings.Contains(got.body, "authorized") { // what the far side thinks of us is not the caller's to know
		t.Errorf("%d %s", got.status, got.body)
	}
}
