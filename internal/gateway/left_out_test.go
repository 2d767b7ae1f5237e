package gateway_test

import (
	"strings"
	"testing"

	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

const (
	ephemeral = `"cache_control":{"type":"ephemeral"}`
	leftOut   = "X-Bailiwick-Left-Out"
)

// marked asks in Anthropic's protocol with a mark for a cache.
func marked(rest string) string {
	return `{"model":"qwen-turbo","max_tokens":9,"system":[{"type":"text","text":"Be brief",` + ephemeral + `}],"messages":[{"role":"user","content":"Hi"}]` + rest + `}`
}

func TestMarksForACacheGoToDashScopesCompatibleModeAndAreNamedWhereTheyCannotGo(t *testing.T) {
	w := newWorld(t, nil)
	for _, stream := range []string{"", `,"stream":true`} {
		got := w.anthropic(marked(stream))
		if got.status != 200 || got.header.Get(leftOut) != "cache_control" || strings.Contains(string(w.mock.Last().Body), "cache_control") {
			t.Errorf("%d %v, sent %s", got.status, got.header, w.mock.Last().Body)
		}
	}
	w.now(func(f *policy.Facts) {
		f.Providers[0].BaseURL, f.Providers[0].Version = w.mock.URL[:strings.LastIndex(w.mock.URL, "/v1")]+"/compatible-mode/v1", 2
	})
	w.mock.Always(mockserver.JSON(200, `{"choices":[{"index":0,"message":{"content":"x"}}],"usage":{"prompt_tokens":50,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":8,"cache_creation_input_tokens":30}}}`))
	got := w.anthropic(marked(`,"service_tier":"standard_only"`))
	if sent := string(w.mock.Last().Body); got.header.Get(leftOut) != "service_tier" || !strings.Contains(sent, `{"role":"system","content":[{"type":"text","text":"Be brief",`+ephemeral+`}]}`) {
		t.Errorf("%d %v, sent %s", got.status, got.header, sent)
	}
	if !strings.Contains(got.body, `"usage":{"input_tokens":12,"cache_creation_input_tokens":30,"cache_read_input_tokens":8,"output_tokens":2}`) {
		t.Errorf("what was written to the cache is not told: %s", got.body)
	}
	if r := w.books.number(t, 3); r.Input != 50 || r.Cached != 8 || r.Output != 2 {
		t.Errorf("booked %+v", r)
	}
	if got := w.anthropic(anthropicBody("qwen-turbo", "")); got.header.Get(leftOut) != "" {
		t.Errorf("nothing was left out: %v", got.header)
	}
}

func TestMarksOfTheNativeProtocolCrossLikewise(t *testing.T) {
	w := newWorld(t, nil)
	body := `{"model":"qwen-vl","input":{"messages":[{"role":"user","content":[{"text":"Look",` + ephemeral + `},{"image":"https://example.com/a.png"}]}]}}`
	w.call(ask{path: seeing, key: "marketing", ws: marketing, body: body})
	if got := w.call(ask{path: seeing, key: "marketing", ws: marketing, body: body}); got.status != 200 || got.header.Get(leftOut) != "cache_control" || strings.Contains(string(w.mock.Last().Body), "cache_control") {
		t.Errorf("%d %v, sent %s", got.status, got.header, w.mock.Last().Body)
	}
	near, far := behind(t)
	if got := near.anthropic(marked("")); got.status != 200 || got.header.Get(leftOut) != "" {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
	if sent := string(far.mock.Last().Body); !strings.Contains(sent, ephemeral) || !strings.Contains(sent, `"text":"Be brief"`) {
		t.Errorf("behind the native protocol it is %s", sent)
	}
}

func TestHintsThatTheNativeProtocolLacksAreNamed(t *testing.T) {
	near, _ := behind(t)
	for _, stream := range []string{"", `,"stream":true`} {
		got := near.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"user":"u","metadata":{"a":"b"},"store":false,"safety_identifier":null`+stream)})
		if got.status != 200 || got.header.Get(leftOut) != "metadata, user" {
			t.Errorf("%d %v %s", got.status, got.header, got.body)
		}
	}
}

func TestThoughtsThatWereNotToBeShownAreNot(t *testing.T) {
	w := newWorld(t, nil)
	w.now(func(f *policy.Facts) { f.Models[0].Kinds = []string{"TG", "Reasoning"} })
	w.mock.Always(mockserver.JSON(200, `{"choices":[{"index":0,"message":{"content":"x","reasoning_content":"secret"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`))
	quiet := `,"thinking":{"type":"adaptive","display":"omitted"}`
	if got := w.anthropic(anthropicBody("qwen-turbo", quiet)); strings.Contains(got.body, "secret") || !strings.Contains(got.body, `{"type":"thinking","thinking":"","signature":""}`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	w.mock.Always(mockserver.Events("data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"secret\"}}]}\n\n", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\n", "data: [DONE]\n\n"))
	if got := w.anthropic(anthropicBody("qwen-turbo", quiet+`,"stream":true`)); strings.Contains(got.body, "secret") || !strings.Contains(got.body, `"text":"x"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
