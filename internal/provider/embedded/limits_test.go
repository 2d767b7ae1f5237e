package embedded_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
)

func call(t *testing.T, body string) (int, string) {
	t.Helper()
	s, err := embedded.Open(provider.Target{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Call(t.Context(), provider.Request{Path: "chat/completions", Body: []byte(body), Call: "1"})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(a.Body)
	if a.Header.Get(embedded.Header) != "embedded-demo" {
		t.Errorf("unmarked: %v", a.Header)
	}
	return a.Status, string(text)
}

type wholeAnswer struct {
	Choices []struct {
		Message struct{ Content string }
		Finish  string `json:"finish_reason"`
	}
	Usage struct {
		In  int `json:"prompt_tokens"`
		Out int `json:"completion_tokens"`
	}
}

func answer(t *testing.T, rest string) (w wholeAnswer) {
	t.Helper()
	status, text := call(t, `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hello,  world"}]}]`+rest+`}`)
	if err := json.Unmarshal([]byte(text), &w); status != 200 || err != nil {
		t.Fatalf("%d %s", status, text)
	}
	return w
}

func TestTokensAreTheTextCutUp(t *testing.T) {
	for text, want := range map[string]string{
		"Hello, world!": "Hello|,| world|!", "a  b": "a|  b", "": "", " ": " ", "你好 x1": "你|好| x1", "“x”": "“|x|”",
	} {
		if got := strings.Join(embedded.Tokens(text), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestLimitsStopsAndChoicesAreKept(t *testing.T) {
	if w := answer(t, `,"max_tokens":3`); w.Usage.Out != 3 || w.Choices[0].Finish != "length" {
		t.Errorf("max_tokens: %+v", w)
	}
	if w := answer(t, `,"max_tokens":9,"max_completion_tokens":2`); w.Usage.Out != 2 {
		t.Errorf("max_completion_tokens: %+v", w)
	}
	if w := answer(t, `,"stop":["zzz","Bailiwick"]`); w.Choices[0].Message.Content != "This is " || w.Choices[0].Finish != "stop" {
		t.Errorf("stop: %+v", w)
	}
	if w := answer(t, `,"n":3,"max_tokens":2,"stop":"zzz"`); len(w.Choices) != 3 || w.Usage.Out != 6 {
		t.Errorf("n: %+v", w)
	}
	if w := answer(t, `,"response_format":{"type":"json_object"}`); !json.Valid([]byte(w.Choices[0].Message.Content)) {
		t.Errorf("json_object: %+v", w)
	}
}

func TestWhatTheEngineCannotDoIsRefusedByName(t *testing.T) {
	for rest, param := range map[string]string{
		`,"n":5`: "n", `,"n":0`: "n", `,"max_tokens":0`: "max_tokens", `,"logprobs":true`: "logprobs", `,"temperature":3`: "temperature", `,"top_p":0`: "top_p", `,"tool_choice":"required"`: "tool_choice", `,"response_format":{"type":"json_schema"}`: "response_format",
	} {
		status, text := call(t, `{"model":"m","messages":[{"role":"user","content":"x"}]`+rest+`}`)
		if status != 400 || !strings.Contains(text, `"param":"`+param+`"`) {
			t.Errorf("%s: %d %s", rest, status, text)
		}
	}
	if status, _ := call(t, `{"model":"m","messages":[]}`); status != 400 {
		t.Error("no messages")
	}
	if status, _ := call(t, `{`); status != 400 {
		t.Error("no JSON")
	}
}
