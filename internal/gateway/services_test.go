package gateway_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

const (
	completions   = "/v1/completions"
	embeddings    = "/compatible-mode/v1/embeddings"
	reranks       = "/compatible-api/v1/reranks"
	nativeVectors = "/api/v1/services/embeddings/text-embedding/text-embedding"
	nativeRanking = "/api/v1/services/rerank/text-rerank/text-rerank"
)

// said takes the id of a call out of its answer.
func (r reply) said() string {
	return strings.ReplaceAll(r.body, r.header.Get("X-Request-Id"), "ID")
}

func TestEveryServiceIsAskedAnsweredAndMetered(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct {
		name, path, body string
		sent, answer     string
		in, out          int
	}{
		{"completions", completions, `{"model":"qwen-turbo","prompt":"Once","max_tokens":9}`,
			`{"model":"qwen-turbo","prompt":"Once","max_tokens":9}`, `"text":"Hello, world!"`, 7, 4},
		{"completions as a stream", completions, `{"model":"qwen-aliased","prompt":["a"],"stream":true}`,
			`{"model":"vendor/model-7b","prompt":["a"],"stream":true,"stream_options":{"include_usage":true}}`, `"text":" world"`, 7, 4},
		{"embeddings", embeddings, `{"model":"text-embedding","input":["a","b"],"dimensions":3}`,
			`{"model":"text-embedding","input":["a","b"],"dimensions":3}`, `"index":1,"embedding":[0.5,-0.25,0]`, 6, 0},
		{"embeddings of tokens, packed", "/v1/embeddings", `{"model":"text-embedding","input":[1,2],"encoding_format":"base64"}`,
			`{"model":"text-embedding","input":[1,2],"encoding_format":"base64"}`, `"embedding":"AAAAPwAAgL4AAAAA"`, 6, 0},
		{"rerank", reranks, `{"model":"text-rerank","query":"q","documents":["x","y"],"top_n":1}`,
			`{"model":"text-rerank","query":"q","documents":["x","y"],"top_n":1}`, `"results":[{"index":1,"relevance_score":1.00,"document":{"text":"y"}}]`, 10, 0},
		{"native embeddings", nativeVectors, `{"model":"text-embedding","input":{"texts":["a","b"]},"parameters":{"dimension":3,"text_type":"document","output_type":"dense"}}`,
			`{"model":"text-embedding","input":["a","b"],"dimensions":3,"encoding_format":"float"}`,
			`{"output":{"embeddings":[{"text_index":0,"embedding":[0.5,-0.25,0]},{"text_index":1,"embedding":[0.5,-0.25,0]}]},"usage":{"total_tokens":6},"request_id":"ID"}`, 6, 0},
		{"native rerank", nativeRanking, `{"model":"text-rerank","input":{"query":"q","documents":["x","y"]},"parameters":{"top_n":1}}`,
			`{"model":"text-rerank","query":"q","documents":["x","y"],"top_n":1}`, `{"output":{"results":[{"index":1,"relevance_score":1}]},"usage":{"total_tokens":10},"request_id":"ID"}`, 10, 0},
		{"native rerank with documents", nativeRanking, `{"model":"text-rerank","input":{"query":"q","documents":["x","y"]},"parameters":{"return_documents":true}}`,
			`{"model":"text-rerank","query":"q","documents":["x","y"]}`, `{"index":0,"relevance_score":0.5,"document":{"text":"x"}}`, 10, 0},
	} {
		n := len(w.books.all())
		got := w.call(ask{path: c.path, key: "root", ws: home, body: c.body})
		if got.status != 200 || !strings.Contains(got.said(), c.answer) || strings.Contains(got.body, "vendor") {
			t.Errorf("%s: %d %s\nwant %s", c.name, got.status, got.said(), c.answer)
			continue
		}
		if sent := string(w.mock.Last().Body); sent != c.sent {
			t.Errorf("%s: sent %s\nwant %s", c.name, sent, c.sent)
		}
		if r := w.books.number(t, n+1); r.Input != c.in || r.Output != c.out || r.Source != "provider" || r.Code != "" || r.Status != 200 {
			t.Errorf("%s: booked %+v", c.name, r)
		}
	}
}

func TestFiguresThatAreMissingOfVectorsAreEstimatedFromWhatWasSent(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Always(mockserver.JSON(200, `{"data":[{"index":0,"embedding":[1]}]}`))
	w.call(ask{path: embeddings, key: "root", ws: home, body: `{"model":"text-embedding","input":"0123456789"}`})
	if r := w.books.number(t, 1); r.Source != "estimated" || r.Input != 4 || r.Output != 0 {
		t.Errorf("booked %+v", r)
	}
}

func TestVectorsArePackedIfTheyWereAskedForSoAndCameOtherwise(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Always(mockserver.JSON(200, `{"data":[{"embedding": [0.5,-0.25,0] ,"index":0},{"index":1,"embedding":"AAAAPw=="}],"model":"x","usage":{"total_tokens":2}}`))
	got := w.call(ask{path: embeddings, key: "root", ws: home, body: `{"model":"text-embedding","input":["a","b"],"encoding_format":"base64"}`})
	if want := `{"data":[{"embedding": "AAAAPwAAgL4AAAAA" ,"index":0},{"index":1,"embedding":"AAAAPw=="}],"model":"x","usage":{"total_tokens":2}}`; got.body != want {
		t.Errorf("got %s", got.body)
	}
}

func TestTheDemoEnginesVectorsArePackedToo(t *testing.T) {
	w := newWorld(t, nil)
	w.now(func(f *policy.Facts) {
		for i := range f.Models {
			f.Models[i].Servings = []policy.Serving{{Provider: demo, Name: "x"}}
		}
	})
	for format, begins := range map[string]string{"base64": `"embedding":"`, "float": `"embedding":[`} {
		got := w.call(ask{path: embeddings, key: "root", ws: home, body: `{"model":"text-embedding","input":["a","b"],"dimensions":8,"encoding_format":"` + format + `"}`})
		if got.status != 200 || strings.Count(got.body, begins) != 2 || !strings.Contains(got.body, "demo engine") {
			t.Errorf("%s: %d %s", format, got.status, got.body)
		}
	}
}

func TestAModelIsAskedOnlyForWhatItsKindDoes(t *testing.T) {
	w := newWorld(t, nil)
	bodies := map[string]string{
		chat: `"messages":[{"role":"user","content":"x"}]`, completions: `"prompt":"x"`, embeddings: `"input":"x"`, reranks: `"query":"x","documents":["y"]`,
		generation: `"input":{"prompt":"x"}`, seeing: `"input":{"messages":[{"role":"user","content":[{"text":"x"}]}]}`,
		nativeVectors: `"input":{"texts":["x"]}`, nativeRanking: `"input":{"query":"x","documents":["y"]}`,
	}
	does := map[string]string{
		"qwen-turbo":     chat + " " + completions + " " + generation,
		"qwen-vl":        chat + " " + completions + " " + seeing,
		"text-embedding": embeddings + " " + nativeVectors,
		"text-rerank":    reranks + " " + nativeRanking,
	}
	for model, paths := range does {
		for path, body := range bodies {
			got := w.call(ask{path: path, key: "root", ws: home, body: `{"model":"` + model + `",` + body + `}`})
			switch allowed := strings.Contains(" "+paths+" ", " "+path+" "); {
			case allowed && got.status != 200:
				t.Errorf("%s at %s: %d %s", model, path, got.status, got.body)
			case !allowed && strings.HasPrefix(path, "/api/"):
				if want := nativeRefusal("InvalidParameter", "url error, please check url！"); got.status != 400 || got.said() != want {
					t.Errorf("%s at %s: %d %s", model, path, got.status, got.body)
				}
			case !allowed:
				if got.status != 404 || !strings.Contains(got.body, `"code":"model_not_supported"`) {
					t.Errorf("%s at %s: %d %s", model, path, got.status, got.body)
				}
			}
		}
	}
}

// Every path to a model makes the same check.
func TestAnchor_AltPathSameCheck(t *testing.T) {
	w := newWorld(t, nil)
	w.now(func(f *policy.Facts) { f.Workspaces[1].Grants = f.Workspaces[1].Grants.With("text-embedding", 0) })
	for path, body := range map[string]string{
		"/v1/completions": `"prompt":"x"`, "/v1/embeddings": `"input":"x"`, "/v1/rerank": `"query":"x","documents":["y"]`, embeddings: `"input":"x"`, reranks: `"query":"x","documents":["y"]`,
		"/compatible-mode/v1/completions": `"prompt":"x"`, nativeVectors: `"input":{"texts":["x"]}`, nativeRanking: `"input":{"query":"x","documents":["y"]}`,
		chat: `"messages":[{}]`, generation: `"input":{"prompt":"x"}`, seeing: `"input":{"messages":[{}]}`,
	} {
		for _, model := range []string{"qwen-plus", "text-embedding", "text-rerank"} {
			got := w.call(ask{path: path, key: "marketing", ws: marketing, body: `{"model":"` + model + `",` + body + `}`})
			if got.status != 403 || !strings.Contains(got.body, `"Model.AccessDenied"`) || got.header.Get("X-Bailiwick-Refused") != "workspace-authorized" {
				t.Errorf("%s at %s: %d %s", model, path, got.status, got.body)
			}
		}
	}
	if w.mock.Calls() != 0 {
		t.Errorf("the provider was called %d times", w.mock.Calls())
	}
}

func TestSec12_WhatServicesRefuseIsNamed(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct{ path, body, param, message string }{
		{completions, `{"model":"qwen-turbo"}`, "", "must exist"},
		{completions, `{"model":"qwen-turbo","prompt":[]}`, "prompt", "too short"},
		{completions, `{"model":"qwen-turbo","prompt":{}}`, "prompt", "missing or invalid"},
		{completions, `{"model":"qwen-turbo","prompt":"x","PROMPT":"y"}`, "", "stands twice"},
		{completions, `{"model":"qwen-turbo","prompt":"x","best_of":1000}`, "best_of", "[1, 128]"},
		{completions, `{"model":"qwen-turbo","prompt":"x","max_tokens":-1}`, "max_tokens", "[1, 32768]"},
		{chat, `{"model":"qwen-turbo","messages":[{}],"service_tier":"priority"}`, "service_tier", "auto"},
		{embeddings, `{"model":"text-embedding"}`, "input", "missing"},
		{embeddings, `{"model":"text-embedding","input":[]}`, "input", "too short"},
		{embeddings, `{"model":"text-embedding","input":7}`, "input", "invalid"},
		{embeddings, `{"model":"text-embedding","input":[` + strings.Repeat(`"x",`, 2048) + `"x"]}`, "input", "[1, 2048]"},
		{embeddings, `{"model":"text-embedding","input":"x","dimensions":0}`, "dimensions", "[1, 65536]"},
		{embeddings, `{"model":"text-embedding","input":"x","encoding_format":"hex"}`, "encoding_format", "base64"},
		{reranks, `{"model":"text-rerank","documents":["x"]}`, "query", "invalid"},
		{reranks, `{"model":"text-rerank","query":"x"}`, "documents", "invalid"},
		{reranks, `{"model":"text-rerank","query":"x","documents":[]}`, "documents", "too short"},
		{reranks, `{"model":"text-rerank","query":"x","documents":["y"],"top_n":0}`, "top_n", "[1, 1000]"},
		{nativeVectors, `{"model":"text-embedding","parameters":{}}`, "", "Required input"},
		{nativeVectors, `{"model":"text-embedding","input":{}}`, "", "Required input"},
		{nativeVectors, `{"model":"text-embedding","input":{"texts":"x"}}`, "", "invalid"},
		{nativeVectors, `{"model":"text-embedding","input":{"texts":[]}}`, "", "too short"},
		{nativeVectors, `{"model":"text-embedding","input":{"texts":["x"],"Texts":["y"]}}`, "", "stands twice"},
		{nativeVectors, `{"model":"text-embedding","input":{"texts":["x"]},"parameters":{"text_type":"query"}}`, "", `"text_type" is not supported`},
		{nativeVectors, `{"model":"text-embedding","input":{"texts":["x"]},"parameters":{"output_type":"sparse"}}`, "", `"output_type" is not supported`},
		{nativeVectors, `{"model":"text-embedding","input":{"texts":["x"]},"more":1}`, "", `"more" is not supported`},
		{nativeRanking, `{"model":"text-rerank","input":{"documents":["x"]}}`, "", "Required input"},
		{nativeRanking, `{"model":"text-rerank","input":{"query":"q","documents":["x"]},"parameters":{"x":1}}`, "", `"x" is not supported`},
	} {
		got := w.call(ask{path: c.path, key: "root", ws: home, body: c.body})
		var e struct {
			Error   struct{ Message, Param string }
			Message string
		}
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != 400 || !strings.Contains(e.Message+e.Error.Message, c.message) || e.Error.Param != c.param {
			t.Errorf("%s: %d %s, want %q about %q", c.body[:min(len(c.body), 90)], got.status, got.body, c.message, c.param)
		}
	}
	if w.mock.Calls() > 0 {
		t.Error("the provider was called")
	}
}

func TestAProviderThatSpeaksTheNativeProtocolGetsVectorsAndRankingsAsTheyWereSaid(t *testing.T) {
	near, far := behind(t)
	far.now(func(f *policy.Facts) {
		f.Workspaces[1].Grants = f.Workspaces[1].Grants.With("text-rerank", f.Workspaces[1].Grants.Get("qwen-turbo"))
	})
	got := near.call(ask{path: nativeVectors, key: "root", ws: home, body: `{"model":"text-embedding","input":{"texts":["a"]},"parameters":{"dimension":3}}`})
	if want := `{"output":{"embeddings":[{"text_index":0,"embedding":[0.5,-0.25,0]}]},"usage":{"total_tokens":3},"request_id":"ID"}`; got.said() != want {
		t.Errorf("%s", got.said())
	}
	got = near.call(ask{path: nativeVectors, key: "root", ws: home, body: `{"model":"text-embedding","input":{"texts":["a"]},"parameters":{"text_type":"query"}}`})
	if got.status != 400 || !strings.Contains(got.body, "text_type") { // the far one is before a provider that cannot
		t.Errorf("%d %s", got.status, got.body)
	}
	got = near.call(ask{path: embeddings, key: "root", ws: home, body: `{"model":"text-embedding","input":"a"}`})
	if got.status != 200 || !strings.Contains(got.body, `[0.5,-0.25,0]`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	got = near.call(ask{path: nativeRanking, key: "root", ws: home, body: `{"model":"text-rerank","input":{"query":"q","documents":["x","y"]},"parameters":{"return_documents":true,"top_n":1}}`})
	if want := `{"output":{"results":[{"index":1,"relevance_score":1,"document":{"text":"y"}}]},"usage":{"total_tokens":10},"request_id":"ID"}`; got.said() != want {
		t.Errorf("%s", got.said())
	}
	got = near.call(ask{path: completions, key: "root", ws: home, body: `{"model":"qwen-turbo","prompt":"x"}`})
	if got.status != 400 || !strings.Contains(got.body, "it has no completions") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if r := near.books.number(t, 1); r.Input != 3 || r.Source != "provider" {
		t.Errorf("booked %+v", r)
	}
}

func TestAWayThatAProviderLacksIsTriedOnceAndRemembered(t *testing.T) {
	w := newWorld(t, nil)
	var asked []string
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		asked = append(asked, r.Path)
		if strings.HasSuffix(r.Path, "/rerank") {
			return mockserver.Missing()
		}
		r.Path = "/v1/rerank"
		return mockserver.Default(r)
	})
	for range 2 {
		if got := w.call(ask{path: reranks, key: "root", ws: home, body: `{"model":"text-rerank","query":"x","documents":["y"]}`}); got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if got := strings.Join(asked, " "); got != "/v1/rerank /v1/reranks /v1/reranks" {
		t.Errorf("asked %s", got)
	}
	if n := len(w.books.all()); n != 2 {
		t.Errorf("%d records", n)
	}
}

// Check 20: vectors have no answer to hold room for, and a picture is not as
// many tokens as its bytes would be.
func TestSec20_WhatIsHeldBackFitsTheService(t *testing.T) {
	picture := strings.Repeat("A", 300_000)
	for _, c := range []struct {
		path, body string
		least      int
		most       int
	}{
		{embeddings, `{"model":"text-embedding","input":"0123456789"}`, 1, 10},
		{nativeVectors, `{"model":"text-embedding","input":{"texts":["0123456789"]}}`, 1, 10},
		{"/v1/rerank", `{"model":"text-rerank","query":"q","documents":["0123456789"]}`, 1, 10},
		{completions, `{"model":"qwen-turbo","prompt":["a","b","c"],"n":2,"max_tokens":100}`, 600, 610},
		{responses, `{"model":"qwen-turbo","input":"x","max_output_tokens":100}`, 100, 110},
		{messages, anthropicBody("qwen-turbo", ""), 99, 130},
		{messages + "/count_tokens", anthropicBody("qwen-turbo", ""), 0, 1},
		{chat, `{"model":"qwen-vl","max_tokens":10,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + picture + `"}}]}]}`, 1000, 1200},
		{responses, `{"model":"qwen-vl","max_output_tokens":10,"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,` + picture + `"}]}]}`, 1000, 1200},
		{seeing, `{"model":"qwen-vl","parameters":{"max_tokens":10},"input":{"messages":[{"role":"user","content":[{"image":"data:image/png;base64,` + picture + `"}]}]}}`, 1000, 1200},
		{messages, `{"model":"qwen-vl","max_tokens":10,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + picture + `"}}]}]}`, 1000, 1200},
	} {
		w, _ := limitedWorld(t, limit.Limit{}, catalogue.Limit{Requests: 99, RequestPeriod: 1, Usage: 100_000, UsagePeriod: 60}, func(w *world) {
			for i := range w.facts.Models {
				w.facts.Models[i].Limit = catalogue.Limit{Requests: 99, RequestPeriod: 1, Usage: 100_000, UsagePeriod: 60}
			}
		})
		got := w.call(ask{path: c.path, key: "root", ws: home, body: c.body})
		left, err := strconv.Atoi(got.header.Get("X-Ratelimit-Remaining-Tokens"))
		if held := 100_000 - left; err != nil || held < c.least || held > c.most {
			t.Errorf("%s %.60s: %d, %d tokens are held back, want %d to %d", c.path, c.body, got.status, held, c.least, c.most)
		}
	}
}
