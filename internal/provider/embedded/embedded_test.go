package embedded_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
)

var engine = embedded.Server{Now: func() time.Time { return time.Unix(1, 0) }}

func ask(t *testing.T, body string) (status int, text string) {
	t.Helper()
	a, err := engine.Call(context.Background(), provider.Request{Path: "chat/completions", Body: []byte(body), Call: "c"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status == 200 && a.Header.Get(embedded.Header) != "embedded-demo" {
		t.Error("the answer does not say that it is the demo engine's")
	}
	return a.Status, string(b)
}

type whole struct {
	Choices []struct {
		FinishReason string `json:"finish_reason"`
		Message      struct{ Content string }
		Delta        struct{ Content string }
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
}

func read(t *testing.T, text string) (w whole) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return w
}

func TestTheEngineSaysWhatItIsAndAlwaysTheSame(t *testing.T) {
	const body = `{"model":"m","messages":[{"role":"user","content":"What is seven times six?"}]}`
	_, one := ask(t, body)
	_, two := ask(t, body)
	if one != two {
		t.Errorf("two answers differ:\n%s\n%s", one, two)
	}
	w := read(t, one)
	if says := w.Choices[0].Message.Content; !strings.Contains(says, "demo engine") || !strings.Contains(says, "does not know") {
		t.Errorf("it says %q", says)
	}
	m, err := desk.Load()
	if err != nil {
		t.Fatal(err)
	}
	prompt := llama.Prompt(m.Words, llama.Dialogue{{Role: "system", Content: desk.System}, {Role: "user", Content: "What is seven times six?"}}, 256)
	if w.Usage.Prompt != len(prompt) || w.Usage.Completion != len(m.Words.Encode(w.Choices[0].Message.Content)) || w.Usage.Total != w.Usage.Prompt+w.Usage.Completion {
		t.Errorf("it counts %+v", *w.Usage)
	}
}

func TestTheEngineKeepsToLengthAndStop(t *testing.T) {
	_, text := ask(t, `{"model":"m","max_tokens":3,"messages":[{"role":"user","content":"x"}]}`)
	if w := read(t, text); w.Choices[0].FinishReason != "length" || w.Usage.Completion != 3 {
		t.Errorf("three tokens: %s", text)
	}
	_, text = ask(t, `{"model":"m","stop":"demo","messages":[{"role":"user","content":"x"}]}`)
	if w := read(t, text); strings.Contains(w.Choices[0].Message.Content, "demo") || w.Choices[0].FinishReason != "stop" {
		t.Errorf("stopped before: %s", text)
	}
	_, text = ask(t, `{"model":"m","n":2,"messages":[{"role":"user","content":"x"}]}`)
	if w := read(t, text); len(w.Choices) != 2 {
		t.Errorf("two choices: %s", text)
	}
}

func TestAStreamSaysTheSameAsTheWhole(t *testing.T) {
	const messages = `"messages":[{"role":"user","content":"Tell me something"}]`
	_, text := ask(t, `{"model":"m",`+messages+`}`)
	want := read(t, text).Choices[0].Message.Content
	_, stream := ask(t, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+messages+`}`)
	var said strings.Builder
	used := false
	for _, frame := range strings.Split(strings.TrimSuffix(stream, "data: [DONE]\n\n"), "\n\n") {
		if frame == "" {
			continue
		}
		w := read(t, strings.TrimPrefix(frame, "data: "))
		for _, c := range w.Choices {
			said.WriteString(c.Delta.Content)
		}
		used = used || w.Usage != nil
	}
	if said.String() != want || !used || !strings.HasSuffix(stream, "data: [DONE]\n\n") {
		t.Errorf("the stream says %q, usage %v", said.String(), used)
	}
}

func TestTokensLoseNothing(t *testing.T) {
	for _, s := range []string{"", "a", "Hello, world!", "  two  spaces ", "你好，世界", "tab\tand\nline", "naïve café 42"} {
		if got := strings.Join(embedded.Tokens(s), ""); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestTheEngineAnswersWithItsModelOrSaysThatItDoesNotKnow(t *testing.T) {
	_, text := ask(t, `{"model":"m","messages":[{"role":"user","content":"How do I cancel my order?"}]}`)
	if says := read(t, text).Choices[0].Message.Content; !strings.Contains(says, "order") || strings.Contains(says, "not know") {
		t.Errorf("it says %q", says)
	}
	_, text = ask(t, `{"model":"m","messages":[{"role":"user","content":"Explain the Krebs cycle in Sanskrit."}]}`)
	if says := read(t, text).Choices[0].Message.Content; !strings.Contains(says, "does not know") {
		t.Errorf("it says %q", says)
	}
}
