package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/gateway"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/mockserver"
)

// canned is a provider without the Responses API that answers what it is told
// to and keeps what it was asked.
type canned struct {
	sent   []byte
	stream []byte // nil: refuses
}

func (s *canned) Call(_ context.Context, r provider.Request) (*provider.Answer, error) {
	s.sent = r.Body
	if s.stream == nil {
		return &provider.Answer{Status: 500, Header: http.Header{}, Body: http.NoBody}, nil
	}
	h := http.Header{"Content-Type": {"text/event-stream"}}
	return &provider.Answer{Status: 200, Header: h, Length: -1, Body: io.NopCloser(bytes.NewReader(s.stream))}, nil
}
func (s *canned) Has(path string) bool                     { return path != "responses" }
func (s *canned) Models(context.Context) ([]string, error) { return nil, nil }

// before makes a world in which it is every provider.
func (s *canned) before(t testing.TB) *world {
	w := newWorld(t, nil)
	w.config.Open = func(provider.Provider) (provider.Server, error) { return s, nil }
	w.config.Health = nil
	return w
}

// fresh is a gateway that has seen no provider fail.
func (w *world) fresh() *gateway.Gateway { return gateway.New(w.config) }

// fuzzRequests sends bodies as an attacker might write them. Whatever passes,
// what is sent is one JSON object of the model that was granted and metered, a
// refusal is one of the dialect, and no name of the caller's choosing gets
// through a translation.
func requests(t testing.TB, path string, names []string) func(t *testing.T, body string) {
	s := &canned{}
	w := s.before(t)
	granted := map[string]string{"qwen-turbo": "qwen-turbo", "qwen-aliased": "vendor/model-7b", "qwen-demo": "qwen-demo", "qwen-vl": "qwen-vl", "text-embedding": "text-embedding"}
	return func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/w/"+string(marketing)+path, strings.NewReader(body))
		r.Header.Set("x-api-key", w.keys["marketing"])
		s.sent, w.books.list = nil, nil
		answer := httptest.NewRecorder()
		w.fresh().ServeHTTP(answer, r)
		if len(w.books.list) != 1 || !json.Valid(answer.Body.Bytes()) {
			t.Fatalf("%q: %d records, %s", body, len(w.books.list), answer.Body)
		}
		rec := w.books.list[0]
		if s.sent == nil {
			if answer.Code >= 500 && rec.Code != "ModelUnavailable" {
				t.Fatalf("%q: %d %s", body, answer.Code, answer.Body)
			}
			return
		}
		var sent map[string]json.RawMessage
		if err := json.Unmarshal(s.sent, &sent); err != nil {
			t.Fatalf("%q sent %q: %v", body, s.sent, err)
		}
		name, _ := json.Marshal(granted[string(rec.Model)])
		if !bytes.Equal(sent["model"], name) || (string(sent["stream"]) == "true") != rec.Stream {
			t.Fatalf("%q: metered %s, sent %q", body, rec.Model, s.sent)
		}
		for n := range sent {
			if !passable(names, n) {
				t.Fatalf("%q: sent %q, which holds %q", body, s.sent, n)
			}
		}
	}
}

// passable reports whether what is sent may hold a name. Where names ends with
// "…", what is sent is not translated, and others pass too if nobody could take
// them for one of those before.
func passable(names []string, name string) bool {
	if slices.Contains(names, name) {
		return true
	}
	alike := func(known string) bool { return strings.EqualFold(known, name) }
	return slices.Contains(names, "…") && !slices.ContainsFunc(names, alike)
}

var chatNames = strings.Fields(`model messages max_tokens temperature top_p top_k stop user tools tool_choice parallel_tool_calls response_format logprobs
	top_logprobs reasoning_effort verbosity enable_thinking thinking_budget prompt_cache_key safety_identifier metadata stream stream_options`)

// The seeds of each dialect: what a fault was found with is among them.
var (
	anthropicSeeds = []string{
		anthropicBody("qwen-turbo", ""), anthropicBody("qwen-plus", ""), anthropicBody("qwen-aliased", `,"stream":true,"Model":"qwen-plus"`),
		`{"model":"qwen-turbo","max_tokens":9,"tools":[{"name":"f","input_schema":{}}],"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"model":"qwen-plus"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]}]}`,
		`{"model":"qwen-turbo","max_tokens":1e2,"system":"\",\"model\":\"qwen-plus","messages":[{"role":"user","content":""}]}`,
	}
	responsesSeeds = []string{
		`{"model":"qwen-turbo","input":"x"}`, `{"model":"qwen-turbo","MODEL":"qwen-plus","input":"x"}`, `{"model":"qwen-aliased","input":[{"role":"user","content":[{"type":"input_text","text":"x"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"}],"stream":true}`,
		`{"model":"qwen-turbo","input":"x","previous_response_id":"r"}`, `{"model":"qwen-turbo","input":"x","text":{"format":{"type":"json_schema","name":"n","schema":{}}},"tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"f"}}`,
	}
	vectorSeeds = []string{
		`{"model":"text-embedding","input":{"texts":["\",\"model\":\"qwen-plus"]},"parameters":{"dimension":{"model":1}}}`, `{"model":"text-embedding","input":{"texts":["a"]},"parameters":{"dimension":3}}`,
		`{"model":"text-embedding","input":{"texts":["a"],"Texts":["b"]}}`, `{"model":"text-embedding","input":{"texts":["a"]},"s":{"":{"model":1}}}`,
	}
	vectorNames = []string{"model", "input", "parameters", "dimensions", "encoding_format", "…"}
)

func FuzzAnthropicRequests(f *testing.F) {
	sow(f, anthropicSeeds)
	f.Fuzz(requests(f, messages, chatNames))
}

func FuzzResponsesRequests(f *testing.F) {
	sow(f, responsesSeeds)
	f.Fuzz(requests(f, responses, chatNames))
}

func FuzzNativeVectorsRequests(f *testing.F) {
	sow(f, vectorSeeds)
	f.Fuzz(requests(f, nativeVectors, vectorNames))
}

func sow(f *testing.F, seeds []string) {
	for _, s := range seeds {
		f.Add(s)
	}
}

// FuzzStreams lets a provider stream what it likes. Whatever it is, the caller
// gets whole events in every dialect that is translated, with one end, and the
// call is booked once.
func FuzzStreams(f *testing.F) {
	sow(f, streamSeeds)
	f.Fuzz(streams(f))
}

var streamSeeds = []string{
	strings.Join(thinking, ""), strings.Join(unusual, ""), strings.Join(mockserver.Chat{Words: []string{"Hé\n", "llo"}, Input: 3}.Stream("qwen-turbo", true), ""), "data: [DONE]\n\n", "\n", ": x\n\ndata: {}\n\n",
	`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"a","function":{"name":"f"}},{"index":0,"id":"a","function":{"arguments":"x"}}]}}]}` + "\n\n",
}

func streams(t testing.TB) func(t *testing.T, stream string) {
	s := &canned{}
	w := s.before(t)
	return func(t *testing.T, stream string) {
		s.stream = append([]byte{}, stream...)
		for path, body := range map[string]string{messages: anthropicBody("qwen-turbo", `,"stream":true`), responses: `{"model":"qwen-turbo","input":"x","stream":true}`,
			generation: nativeBody("qwen-turbo", `"result_format":"message"`), chat: openAIBody("qwen-turbo", `,"stream":true`)} {
			r := httptest.NewRequest("POST", "/w/"+string(marketing)+path, strings.NewReader(body))
			r.Header.Set("x-api-key", w.keys["marketing"])
			if path == generation {
				r.Header.Set("X-DashScope-SSE", "enable")
			}
			w.books.list = nil
			answer := httptest.NewRecorder()
			w.fresh().ServeHTTP(answer, r)
			if len(w.books.list) != 1 {
				t.Fatalf("%d records", len(w.books.list))
			}
			got := reply{answer.Code, answer.Header(), answer.Body.String()}
			if !strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") {
				if !json.Valid(answer.Body.Bytes()) || answer.Code < 400 {
					t.Fatalf("%s: %d %s", path, got.status, got.body)
				}
				continue
			}
			ended := w.books.list[0].Code == ""
			switch path {
			case messages:
				if wrong := wellFormedAnthropic(t, got); wrong != "" || strings.Contains(got.body, "event: message_stop\n") != ended {
					t.Fatalf("%s\n%s", wrong, got.body)
				}
			case responses:
				if list := kinds(t, strings.TrimLeft(withoutComments(got.body), "\n")); ended == (list[len(list)-1] == "error") {
					t.Fatalf("%q", list)
				}
			case generation:
				frames := strings.Split(strings.TrimSuffix(got.body, "\n\n"), "\n\n")
				for _, frame := range frames {
					if lines := strings.Split(frame, "\n"); len(lines) != 4 || !json.Valid([]byte(strings.TrimPrefix(lines[3], "data:"))) {
						t.Fatalf("a frame that is none: %q", frame)
					}
				}
				if strings.Contains(frames[len(frames)-1], "\nevent:error\n") == ended {
					t.Fatalf("%s", got.body)
				}
			}
		}
	}
}

// withoutComments takes out what keeps a connection alive.
func withoutComments(stream string) string {
	var kept []string
	for _, e := range strings.Split(stream, "\n\n") {
		if strings.HasPrefix(e, "event: ") || e == "" {
			kept = append(kept, e)
		}
	}
	return strings.Join(kept, "\n\n")
}
