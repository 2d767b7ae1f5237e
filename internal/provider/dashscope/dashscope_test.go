package dashscope_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/dashscope"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/secret"
)

func opened(t testing.TB) (provider.Server, *mockserver.Server) {
	t.Helper()
	mock, err := mockserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	g, err := guard.New([]string{mock.Addr})
	if err != nil {
		t.Fatal(err)
	}
	s, err := dashscope.Kind(g.DialContext)(provider.Target{BaseURL: "http://" + mock.Addr + "/api/v1", Credential: secret.NewText("sk-upstream-canary")})
	if err != nil {
		t.Fatal(err)
	}
	return s, mock
}

// call asks and reads the answer to its end.
func call(t testing.TB, s provider.Server, path, body string, stream bool) (int, string, error) {
	t.Helper()
	a, err := s.Call(t.Context(), provider.Request{Path: path, Body: []byte(body), Stream: stream, Call: "call-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	return a.Status, string(text), err
}

// same compares JSON without regard to the order of members.
func same(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		t.Errorf("got  %s\nwant %s", x, y)
	}
}

func TestAChatIsSaidNatively(t *testing.T) {
	s, mock := opened(t)
	for name, c := range map[string]struct{ openAI, path, native string }{
		"text": {
			`{"model":"qwen-plus","messages":[{"role":"user","content":"Hi"}],"temperature":0.5,"max_tokens":9,"user":"u","stream":false}`, "text-generation",
			`{"model":"qwen-plus","input":{"messages":[{"role":"user","content":"Hi"}]},"parameters":{"result_format":"message","temperature":0.5,"max_tokens":9}}`,
		},
		"parts of text": {
			`{"model":"qwen-plus","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}`, "text-generation",
			`{"model":"qwen-plus","input":{"messages":[{"role":"user","content":"ab"}]},"parameters":{"result_format":"message"}}`,
		},
		"a picture": {
			`{"model":"qwen-plus","messages":[{"role":"system","content":"See."},{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}},{"type":"text","text":"What?"}]}]}`, "multimodal-generation",
			`{"model":"qwen-plus","input":{"messages":[{"role":"system","content":[{"text":"See."}]},{"role":"user","content":[{"image":"https://x/y.png"},{"text":"What?"}]}]},"parameters":{"result_format":"message"}}`,
		},
		"a model that sees, asked in text": {
			`{"model":"qwen-vl-max","messages":[{"role":"user","content":"Hi"}]}`, "multimodal-generation",
			`{"model":"qwen-vl-max","input":{"messages":[{"role":"user","content":[{"text":"Hi"}]}]},"parameters":{"result_format":"message"}}`,
		},
		"tools": {
			`{"model":"qwen-plus","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"42"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto","n":2,"logprobs":true,"top_logprobs":3,"response_format":{"type":"json_object"}}`, "text-generation",
			`{"model":"qwen-plus","input":{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"42"}]},"parameters":{"result_format":"message","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto","n":2,"logprobs":true,"top_logprobs":3,"response_format":{"type":"json_object"}}}`,
		},
	} {
		mock.Always(mockserver.JSON(200, `{"output":{"choices":[]}}`))
		if status, text, _ := call(t, s, "chat/completions", c.openAI, false); status != 200 {
			t.Fatalf("%s: %d %s", name, status, text)
		}
		got := mock.Last()
		if got.Path != "/api/v1/services/aigc/"+c.path+"/generation" || got.Header.Get("Authorization") != "Bearer sk-upstream-canary" || got.Header.Get("X-Dashscope-Sse") != "" {
			t.Errorf("%s: sent to %s with %v", name, got.Path, got.Header)
		}
		same(t, string(got.Body), c.native)
	}
}

func TestWhatTheNativeProtocolLacksIsRefusedByNameAndNothingIsSent(t *testing.T) {
	s, mock := opened(t)
	for path, bodies := range map[string][]string{
		"chat/completions": {`"frequency_penalty":1`, `"logit_bias":{}`, `"modalities":["text"]`, `"strange":1`},
		"embeddings":       {`"strange":1`},
		"rerank":           {`"strange":1`},
	} {
		for _, rest := range bodies {
			name := strings.Trim(strings.SplitN(rest, ":", 2)[0], `"`)
			status, text, _ := call(t, s, path, `{"model":"m",`+rest+`}`, false)
			if status != 400 || !strings.Contains(text, `"param":"`+name+`"`) {
				t.Errorf("%s: %d %s", rest, status, text)
			}
		}
	}
	if status, text, _ := call(t, s, "images/generations", `{}`, false); status != 400 || !strings.Contains(text, "images/generations") {
		t.Error(status, text)
	}
	if mock.Calls() != 0 {
		t.Error("something was sent")
	}
}

func TestAWholeAnswerIsTranslated(t *testing.T) {
	s, mock := opened(t)
	ask := `{"model":"qwen-plus","messages":[]}`
	for native, want := range map[string]string{
		`{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"Hi","reasoning_content":"hm"}}]},"usage":{"input_tokens":3,"output_tokens":5,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":1},"output_tokens_details":{"reasoning_tokens":2}},"request_id":"r"}`: `{"choices":[{"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"Hi","reasoning_content":"hm"}}],
				"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":{"reasoning_tokens":2}}}`,
		`{"output":{"text":"Hi","finish_reason":"length"},"request_id":"r"}`: `{"choices":[{"index":0,"finish_reason":"length","logprobs":null,"message":{"role":"assistant","content":"Hi"}}]}`,
		`{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":[{"text":"H"},{"text":"i"}]}},{"finish_reason":"tool_calls","message":{"role":"assistant","content":"","tool_calls":[{"id":"c"}]}}]},"usage":{"input_tokens":1,"output_tokens":1},"request_id":"r"}`: `{"choices":[{"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"Hi"}},{"index":1,"finish_reason":"tool_calls","logprobs":null,"message":{"role":"assistant","content":"","tool_calls":[{"id":"c"}]}}],
				"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`,
	} {
		mock.Always(mockserver.JSON(200, native))
		_, text, err := call(t, s, "chat/completions", ask, false)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if string(got["object"]) != `"chat.completion"` || string(got["model"]) != `"qwen-plus"` || string(got["id"]) != `"chatcmpl-r"` {
			t.Errorf("%s", text)
		}
		for _, name := range []string{"object", "model", "id", "created"} {
			delete(got, name)
		}
		left, _ := json.Marshal(got)
		same(t, string(left), want)
	}
	mock.Always(mockserver.JSON(429, `{"code":"Throttling.RateQuota","message":"slow","request_id":"r"}`))
	if status, text, _ := call(t, s, "chat/completions", ask, false); status != 429 || !strings.Contains(text, "Throttling.RateQuota") {
		t.Error(status, text)
	}
}

const nativeStream = "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"choices\":[{\"message\":{\"content\":\"\",\"role\":\"assistant\",\"reasoning_content\":\"hm\"},\"finish_reason\":\"null\"}]},\"usage\":{\"input_tokens\":3,\"output_tokens\":1,\"total_tokens\":4},\"request_id\":\"r\"}\n\n" +
	"id:2\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"choices\":[{\"message\":{\"content\":\"Hi\",\"role\":\"assistant\"},\"finish_reason\":\"null\"}]},\"usage\":{\"input_tokens\":3,\"output_tokens\":2,\"total_tokens\":5},\"request_id\":\"r\"}\n\n" +
	"id:3\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"choices\":[{\"message\":{\"content\":\"\",\"role\":\"assistant\"},\"finish_reason\":\"stop\"}]},\"usage\":{\"input_tokens\":3,\"output_tokens\":3,\"total_tokens\":6},\"request_id\":\"r\"}\n\n"

func events(body string) mockserver.Reply { return mockserver.Events(body) }

func TestAStreamIsTranslatedEventByEvent(t *testing.T) {
	s, mock := opened(t)
	mock.Always(events(nativeStream))
	_, text, err := call(t, s, "chat/completions", `{"model":"qwen-plus","messages":[],"stream":true,"stream_options":{"include_usage":true}}`, true)
	if err != nil {
		t.Fatal(err)
	}
	if mock.Last().Header.Get("X-Dashscope-Sse") != "enable" || !strings.Contains(string(mock.Last().Body), `"incremental_output":true`) {
		t.Errorf("asked with %v: %s", mock.Last().Header, mock.Last().Body)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n\n"), "\n\n")
	if len(lines) != 5 || lines[4] != "data: [DONE]" {
		t.Fatalf("%q", lines)
	}
	for i, want := range []string{
		`"delta":{"content":"","reasoning_content":"hm","role":"assistant"},"finish_reason":null`,
		`"delta":{"content":"Hi"},"finish_reason":null`,
		`"delta":{"content":""},"finish_reason":"stop"`,
		`"usage":{"completion_tokens":3,"prompt_tokens":3,"total_tokens":6}`,
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("event %d: %s", i, lines[i])
		}
	}
}

func TestAStreamThatFailsSaysSo(t *testing.T) {
	s, mock := opened(t)
	ask := `{"model":"qwen-plus","messages":[],"stream":true}`
	mock.Always(events(nativeStream[:strings.Index(nativeStream, "id:3")] + "id:3\nevent:error\n:HTTP_STATUS/400\ndata:{\"code\":\"DataInspectionFailed\",\"message\":\"no\",\"request_id\":\"r\"}\n\n"))
	_, text, err := call(t, s, "chat/completions", ask, true)
	if err != nil || !strings.Contains(text, `"error":{"code":"DataInspectionFailed","message":"no"`) || strings.Contains(text, "[DONE]") {
		t.Error(err, text)
	}
	mock.Always(events("\n\n"))
	if _, _, err := call(t, s, "chat/completions", ask, true); err == nil {
		t.Error("a stream without a choice ended regularly")
	}
}

func TestEmbeddingsAndRankingsCross(t *testing.T) {
	s, mock := opened(t)
	mock.Always(mockserver.JSON(200, `{"output":{"embeddings":[{"embedding":[1,-0.5],"text_index":0}]},"usage":{"total_tokens":4},"request_id":"r"}`))
	_, text, _ := call(t, s, "embeddings", `{"model":"v","input":"Hi","dimensions":2}`, false)
	same(t, text, `{"object":"list","model":"v","data":[{"object":"embedding","index":0,"embedding":[1,-0.5]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
	same(t, string(mock.Last().Body), `{"model":"v","input":{"texts":["Hi"]},"parameters":{"dimension":2}}`)
	_, text, _ = call(t, s, "embeddings", `{"model":"v","input":["Hi"],"encoding_format":"base64"}`, false)
	if !strings.Contains(text, `"embedding":[1,-0.5]`) { // the gateway packs them
		t.Error(text)
	}
	mock.Always(mockserver.JSON(200, `{"output":{"results":[{"index":1,"relevance_score":0.9}]},"usage":{"total_tokens":4},"request_id":"r"}`))
	_, text, _ = call(t, s, "rerank", `{"model":"v","query":"q","documents":["a","b"],"top_n":1}`, false)
	same(t, text, `{"object":"list","model":"v","id":"r","results":[{"index":1,"relevance_score":0.9}],"usage":{"total_tokens":4}}`)
	same(t, string(mock.Last().Body), `{"model":"v","input":{"query":"q","documents":["a","b"]},"parameters":{"top_n":1}}`)
}

func TestModelsAreListedPageByPage(t *testing.T) {
	s, mock := opened(t)
	mock.Answer(func(r mockserver.Received) mockserver.Reply {
		if mock.Calls() == 1 {
			return mockserver.JSON(200, `{"output":{"total":3,"models":[{"model":"a"},{"model":"b"}]}}`)
		}
		return mockserver.JSON(200, `{"output":{"total":3,"models":[{"model":"c"}]}}`)
	})
	if names, err := s.Models(t.Context()); err != nil || !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Error(names, err)
	}
	mock.Always(mockserver.JSON(200, `{"data":[]}`))
	if _, err := s.Models(t.Context()); !strings.Contains(fault.Show(err), "/api/v1") {
		t.Error(err)
	}
	mock.Always(mockserver.Reply{Status: 401, Header: http.Header{}})
	if _, err := s.Models(t.Context()); !strings.Contains(fault.Show(err), "credential") {
		t.Error(err)
	}
}
