package gateway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"bailiwick/internal/provider/mockserver"
)

// frame is one frame of the native protocol, for the request id "ID".
func frame(id int, output, usage string) string {
	return fmt.Sprintf("id:%d\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":%s,\"usage\":%s,\"request_id\":\"ID\"}\n\n", id, output, usage)
}

func figures(in, out int) string {
	return fmt.Sprintf(`{"total_tokens":%d,"output_tokens":%d,"input_tokens":%d}`, in+out, out, in)
}

func piece(content, reason string) string {
	return fmt.Sprintf(`{"choices":[{"message":{"content":%q,"role":"assistant"},"finish_reason":%q}]}`, content, reason)
}

func textPiece(text, reason string) string {
	return fmt.Sprintf(`{"text":%q,"finish_reason":%q}`, text, reason)
}

const streaming = "X-DashScope-SSE"

func (w *world) native(model, parameters string, stream bool) (string, reply) {
	w.t.Helper()
	a := ask{path: generation, key: "marketing", ws: marketing, body: nativeBody(model, parameters), header: map[string]string{}}
	if stream {
		a.header[streaming] = "enable"
	}
	got := w.call(a)
	return strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "ID"), got
}

const lastFigures = `{"total_tokens":11,"output_tokens":4,"input_tokens":7,"prompt_tokens_details":{"cached_tokens":2}}`

func TestNativeFramesAreByteForByteTheOriginals(t *testing.T) {
	w := newWorld(t, nil)
	in := (len(`[{"role":"user","content":"Hello"}]`) + 2) / 3 // estimated until the provider says
	for name, c := range map[string]struct{ parameters, want string }{
		"message, new pieces only": {`"result_format":"message","incremental_output":true`,
			frame(1, piece("Hello", "null"), figures(in, 2)) + frame(2, piece(",", "null"), figures(in, 2)) +
				frame(3, piece(" world", "null"), figures(in, 4)) + frame(4, piece("!", "null"), figures(in, 5)) +
				frame(5, piece("", "stop"), lastFigures)},
		"message, all so far": {`"result_format":"message"`,
			frame(1, piece("Hello", "null"), figures(in, 2)) + frame(2, piece("Hello,", "null"), figures(in, 2)) +
				frame(3, piece("Hello, world", "null"), figures(in, 4)) + frame(4, piece("Hello, world!", "null"), figures(in, 5)) +
				frame(5, piece("Hello, world!", "stop"), lastFigures)},
		"text, new pieces only": {`"incremental_output":true`,
			frame(1, textPiece("Hello", "null"), figures(in, 2)) + frame(2, textPiece(",", "null"), figures(in, 2)) +
				frame(3, textPiece(" world", "null"), figures(in, 4)) + frame(4, textPiece("!", "null"), figures(in, 5)) +
				frame(5, textPiece("", "stop"), lastFigures)},
		"text, all so far": {`"result_format":"text","incremental_output":false`,
			frame(1, textPiece("Hello", "null"), figures(in, 2)) + frame(2, textPiece("Hello,", "null"), figures(in, 2)) +
				frame(3, textPiece("Hello, world", "null"), figures(in, 4)) + frame(4, textPiece("Hello, world!", "null"), figures(in, 5)) +
				frame(5, textPiece("Hello, world!", "stop"), lastFigures)},
	} {
		got, r := w.native("qwen-turbo", c.parameters, true)
		if got != c.want {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, c.want)
		}
		if r.header.Get("Content-Type") != "text/event-stream;charset=UTF-8" {
			t.Errorf("%s: %v", name, r.header)
		}
	}
}

func TestNativeWholeAnswersAreTheOriginals(t *testing.T) {
	w := newWorld(t, nil)
	const usage = `{"input_tokens":7,"output_tokens":4,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":2}}`
	got, _ := w.native("qwen-turbo", `"result_format":"message"`, false)
	if want := `{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"Hello, world!"}}]},"usage":` + usage + `,"request_id":"ID"}`; got != want {
		t.Errorf("message form\n%s\n%s", got, want)
	}
	got, _ = w.native("qwen-turbo", ``, false)
	if want := `{"output":{"text":"Hello, world!","finish_reason":"stop"},"usage":` + usage + `,"request_id":"ID"}`; got != want {
		t.Errorf("text form\n%s\n%s", got, want)
	}
	if r := w.books.number(t, 2); r.Dialect != "dashscope" || r.Input != 7 || r.Output != 4 || r.Cached != 2 || r.Source != "provider" || r.Model != "qwen-turbo" {
		t.Errorf("record %+v", r)
	}
}

func TestNativeParametersCrossAndTheModelIsTheOneSent(t *testing.T) {
	w := newWorld(t, nil)
	w.native("qwen-aliased", `"result_format":"message","temperature":0.70,"top_k":5,"stop":["a","b"],"seed":1,"tools":[{"type":"function","function":{"name":"f"}}],"enable_thinking":false,"max_tokens":9,"n":null`, true)
	want := `{"model":"vendor/model-7b","messages":[{"role":"user","content":"Hello"}],"temperature":0.70,"top_k":5,"stop":["a","b"],"seed":1,"tools":[{"type":"function","function":{"name":"f"}}],"enable_thinking":false,"max_tokens":9,"stream":true,"stream_options":{"include_usage":true}}`
	if got := string(w.mock.Last().Body); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
	w.call(ask{path: generation, key: "marketing", ws: marketing, body: `{"model":"qwen-turbo","input":{"prompt":"Hi \"you\""}}`})
	if got := string(w.mock.Last().Body); got != `{"model":"qwen-turbo","messages":[{"role":"user","content":"Hi \"you\""}]}` {
		t.Errorf("prompt became %s", got)
	}
	w.call(ask{path: seeing, key: "marketing", ws: marketing, body: `{"model":"qwen-vl","input":{"messages":[{"role":"user","content":[{"image":"https://example.com/a.png"},{"text":"What?"}]}]}}`})
	if got := string(w.mock.Last().Body); got != `{"model":"qwen-vl","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}},{"type":"text","text":"What?"}]}]}` {
		t.Errorf("parts became %s", got)
	}
}

// thinking is a stream with reasoning, tool calls in pieces and probabilities.
var thinking = []string{
	`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Hm"}}]}` + "\n\n",
	`data: {"choices":[{"index":0,"delta":{"content":"So"},"logprobs":{"content":[{"token":"So","logprob":-0.1}]}}]}` + "\n\n",
	`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]}}]}` + "\n\n",
	`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}` + "\n\n",
	`data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\n",
	`data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":2}}}` + "\n\n",
	"data: [DONE]\n\n",
}

func lastData(t *testing.T, stream string) (f struct {
	Output struct {
		Choices []struct {
			Finish  string `json:"finish_reason"`
			Message struct {
				Content   string
				Reasoning string           `json:"reasoning_content"`
				Tools     []map[string]any `json:"tool_calls"`
			}
			Logprobs struct{ Content []any }
		}
	}
	Usage map[string]any
}) {
	t.Helper()
	frames := strings.Split(strings.TrimSpace(stream), "\n\n")
	_, data, _ := strings.Cut(frames[len(frames)-1], "data:")
	if err := json.Unmarshal([]byte(data), &f); err != nil {
		t.Fatalf("%v in %s", err, stream)
	}
	return f
}

func TestNativeKeepsReasoningToolCallsAndProbabilities(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Always(mockserver.Events(thinking...))
	got, _ := w.native("qwen-turbo", `"result_format":"message","logprobs":true`, true)
	f := lastData(t, got)
	c := f.Output.Choices[0]
	call, _ := json.Marshal(c.Message.Tools)
	if c.Finish != "tool_calls" || c.Message.Content != "So" || c.Message.Reasoning != "Hm" || len(c.Logprobs.Content) != 1 ||
		string(call) != `[{"function":{"arguments":"{\"a\":1}","name":"f"},"id":"call_1","index":0,"type":"function"}]` {
		t.Errorf("last frame of everything so far: %+v %s", f, call)
	}
	if f.Usage["output_tokens"] != 9.0 || fmt.Sprint(f.Usage["output_tokens_details"]) != "map[reasoning_tokens:2]" {
		t.Errorf("usage %v", f.Usage)
	}
	got, _ = w.native("qwen-turbo", `"result_format":"message","logprobs":true,"incremental_output":true`, true)
	for _, part := range []string{`"content":"","reasoning_content":"Hm","role"`, `"logprobs":{"content":[{"token":"So","logprob":-0.1}]}`,
		`"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]`, `"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]`} {
		if strings.Count(got, part) != 1 {
			t.Errorf("%s stands %d times in\n%s", part, strings.Count(got, part), got)
		}
	}
	w.mock.Always(mockserver.JSON(200, `{"choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"reasoning_content":"Hm","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`))
	got, _ = w.native("qwen-turbo", `"result_format":"message"`, false)
	if want := `{"output":{"choices":[{"finish_reason":"tool_calls","message":{"role":"assistant","content":"","reasoning_content":"Hm","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}}]},"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3},"request_id":"ID"}`; got != want {
		t.Errorf("whole\n%s\n%s", got, want)
	}
}

func TestNativeKeepsSeveralChoicesApart(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Always(mockserver.Events(
		`data: {"choices":[{"index":1,"delta":{"content":"B"}},{"index":0,"delta":{"content":"A"}}]}`+"\n\n",
		`data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}`+"\n\n",
		`data: {"choices":[{"index":1,"delta":{},"finish_reason":"length"}]}`+"\n\n", "data: [DONE]\n\n"))
	got, _ := w.native("qwen-turbo", `"result_format":"message","n":2`, true)
	for _, part := range []string{`{"content":"Aa","role":"assistant"},"index":0,"finish_reason":"stop"`, `{"content":"B","role":"assistant"},"index":1,"finish_reason":"length"`} {
		if strings.Count(got, part) != 1 {
			t.Errorf("%s is missing in\n%s", part, got)
		}
	}
}
