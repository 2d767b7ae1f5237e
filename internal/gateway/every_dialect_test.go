package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

// spoken are the ways to ask qwen-turbo the same thing, as streams or not.
func spoken(stream bool) map[string]ask {
	more, header := "", map[string]string{}
	if stream {
		more, header = `,"stream":true`, map[string]string{"X-DashScope-SSE": "enable"}
	}
	all := map[string]ask{
		"openai":    {path: chat, body: openAIBody("qwen-turbo", more)},
		"responses": {path: responses, body: `{"model":"qwen-turbo","input":"Hello"` + more + `}`},
		"anthropic": {path: messages, body: anthropicBody("qwen-turbo", more)},
		"native":    {path: generation, header: header, body: nativeBody("qwen-turbo", `"result_format":"message"`)},
	}
	for name, a := range all {
		a.key, a.ws = "marketing", marketing
		all[name] = a
	}
	return all
}

// onlyChat answers chat completions with a reply, and has no other service.
func (w *world) onlyChat(reply mockserver.Reply) {
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		if !strings.HasSuffix(r.Path, "/chat/completions") {
			return mockserver.Missing()
		}
		return reply
	})
}

func TestSec19_WhatCallersSendBesideTheBodyReachesNoProvider(t *testing.T) {
	w := newWorld(t, nil)
	answer := mockserver.JSON(200, mockserver.Chat{Words: []string{"x"}}.Whole("qwen-turbo"))
	for _, name := range []string{"Set-Cookie", "Location", "Server", "Alt-Svc", "X-Internal"} {
		answer.Header.Set(name, "cuckoo")
	}
	w.onlyChat(answer)
	for name, a := range spoken(false) {
		a.header = map[string]string{"Cookie": "c=cuckoo", "X-Forwarded-For": "cuckoo", "X-DashScope-DataInspection": "cuckoo", "X-DashScope-OssResourceResolve": "cuckoo",
			"Anthropic-Beta": "cuckoo", "OpenAI-Organization": "cuckoo", "Te": "trailers", "X-Request-Id": "cuckoo", "User-Agent": "cuckoo"}
		got := w.call(a)
		if got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		var sent []string
		for h, values := range w.mock.Last().Header {
			sent = append(sent, h)
			if strings.Contains(strings.Join(values, " "), "cuckoo") || strings.Contains(strings.Join(values, " "), w.keys["marketing"]) || strings.Contains(strings.Join(values, " "), string(marketing)) {
				t.Errorf("%s: the provider got %s: %s", name, h, values)
			}
		}
		slices.Sort(sent)
		if list := strings.Join(sent, " "); list != "Authorization Content-Length Content-Type User-Agent X-Request-Id" {
			t.Errorf("%s: the provider got %s", name, list)
		}
		for h, values := range got.header {
			if strings.Contains(strings.Join(values, " "), "cuckoo") {
				t.Errorf("%s: the caller got %s: %s", name, h, values)
			}
		}
	}
}

// Check 24: an address in a body is a text.
func TestSec24_Anchor_SsrfImageUrl_NoAddressInABodyIsFetched(t *testing.T) {
	var fetched atomic.Int64
	trap, err := mockserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	trap.Answer(func(mockserver.Received) mockserver.Reply { fetched.Add(1); return mockserver.JSON(200, `{}`) })
	at := "http://" + trap.Addr + "/a.png"
	w := newWorld(t, nil)
	for _, a := range []ask{
		{path: chat, body: `{"model":"qwen-vl","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + at + `"}}]}],"webhook_url":"` + at + `","file_url":"` + at + `"}`},
		{path: responses, body: `{"model":"qwen-vl","input":[{"role":"user","content":[{"type":"input_image","image_url":"` + at + `"}]}]}`},
		{path: messages, body: `{"model":"qwen-vl","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"` + at + `"}}]}]}`},
		{path: seeing, body: `{"model":"qwen-vl","input":{"messages":[{"role":"user","content":[{"image":"` + at + `"}]}]}}`},
	} {
		a.key, a.ws = "marketing", marketing
		if got := w.call(a); got.status != 200 || !strings.Contains(string(w.mock.Last().Body), at) {
			t.Errorf("%s: %d %s", a.path, got.status, got.body)
		}
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("%d addresses were fetched", n)
	}
}

func TestSec26_NoDialectShowsWhatAProviderSaysOfOurCredential(t *testing.T) {
	leak := `{"error":{"message":"bad key ` + credential + ` at http://10.0.0.1/v1?key=` + credential + `","code":"invalid_api_key"}}`
	for what, reply := range map[string]mockserver.Reply{
		"a refusal": mockserver.JSON(401, leak), "a complaint": mockserver.JSON(400, leak), "a failure": mockserver.JSON(500, leak), "an answer": mockserver.JSON(200, leak),
	} {
		w := newWorld(t, nil)
		w.onlyChat(reply)
		for name, a := range spoken(false) {
			if got := w.call(a); got.status < 400 || strings.Contains(got.body, credential) {
				t.Errorf("%s in %s: %d %s", what, name, got.status, got.body)
			}
		}
	}
	w := newWorld(t, nil)
	w.onlyChat(mockserver.Events(thinking[0], "data: "+leak+"\n\n"))
	for name, a := range spoken(true) {
		if got := w.call(a); got.status != 200 || strings.Contains(got.body, credential) || !strings.Contains(got.body, "ModelServingError") && !strings.Contains(got.body, "overloaded_error") {
			t.Errorf("a stream in %s: %d %s", name, got.status, got.body)
		}
	}
}

func TestSec28_WhatAModelWritesIsDataInEveryDialect(t *testing.T) {
	w := newWorld(t, nil)
	w.onlyChat(mockserver.JSON(200, mockserver.Chat{Words: []string{"<img src=x onerror=alert(1)>"}}.Whole("qwen-turbo")))
	for name, a := range spoken(false) {
		got := w.call(a)
		if got.status != 200 || got.header.Get("Content-Type") != "application/json" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
	}
}

func TestSec29_AStreamThatMisbehavesIsCutInEveryDialect(t *testing.T) {
	event := `data: {"choices":[{"index":0,"delta":{"content":"x"}}]}` + "\n\n"
	for what, reply := range map[string]mockserver.Reply{
		"an endless line":  mockserver.Events(event, "data: {"+strings.Repeat("x", 100_000)),
		"endless events":   mockserver.Events(event, strings.Repeat(event, 10_000)),
		"endless comments": mockserver.Events(event, strings.Repeat(":\n\n", 200_000)),
		"no end":           mockserver.Events(event),
		"a web page":       {Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<html>")},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t, func(w *world) {
				w.config.Bounds = gateway.Bounds{Event: 32 << 10, Stream: 256 << 10, Silence: 2 * time.Second}
			})
			w.onlyChat(reply)
			n := 0
			for name, a := range spoken(true) {
				got := w.call(a)
				n++
				if r := w.books.number(t, n); r.Code != "ModelServingError" || what != "a web page" && r.Output == 0 {
					t.Errorf("%s: booked %+v", name, r)
				}
				last := got.body[max(0, len(got.body)-300):]
				if !strings.Contains(last, "ModelServingError") && !strings.Contains(last, "overloaded_error") && !strings.Contains(last, "api_error") {
					t.Errorf("%s: …%s", name, last)
				}
			}
		})
	}
}

func TestSec30_FiguresThatCannotBeTrueAreEstimatedInEveryDialect(t *testing.T) {
	for _, usage := range []string{`null`, `"none"`, `{"prompt_tokens":-1,"completion_tokens":-5}`, `{"prompt_tokens":1,"completion_tokens":1000000000000000000}`, `{"prompt_tokens":1.5,"completion_tokens":2e3}`} {
		w := newWorld(t, nil)
		w.onlyChat(mockserver.JSON(200, `{"choices":[{"index":0,"message":{"content":"`+strings.Repeat("x", 90)+`"}}],"usage":`+usage+`}`))
		n := 0
		for name, a := range spoken(false) {
			got := w.call(a)
			n++
			if r := w.books.number(t, n); r.Source != "estimated" || r.Output != 30 || r.Input < 2 {
				t.Errorf("%s, %s: booked %+v", usage, name, r)
			}
			if name != "openai" && !strings.Contains(got.body, `"output_tokens":30`) { // the caller is told what is booked
				t.Errorf("%s, %s: %s", usage, name, got.body)
			}
		}
	}
}

// streamEnds makes sure of what is booked, in every dialect, when a stream ends so.
func streamEnds(t *testing.T, last string, in, out int) {
	w := newWorld(t, nil)
	w.onlyChat(mockserver.Events(thinking[1], last+"\n\n", "data: [DONE]\n\n"))
	n := 0
	for name, a := range spoken(true) {
		w.call(a)
		n++
		if r := w.books.number(t, n); r.Source != "provider" || r.Input != in || r.Output != out {
			t.Errorf("%s: booked %+v", name, r)
		}
	}
}

// A zero that was said is a zero.
func TestAnchor_ZeroUsageIsZero(t *testing.T) {
	streamEnds(t, `data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}`, 0, 0)
}

// Figures in a last chunk that still has choices are kept.
func TestAnchor_UsageInNonemptyFinalChunk(t *testing.T) {
	streamEnds(t, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}}`, 9, 5)
}

// Of what broke off, the text that came is charged as output and nothing else:
// not the prompt, however long, and nothing where nothing came.
func TestAnchor_NoOutputNoOutputCharge(t *testing.T) {
	w := newWorld(t, nil)
	prompt := strings.Repeat("a long question ", 1000)
	n := 0
	for text, most := range map[string]int{"": 0, "Hi": 1, "Hello, world": 4} {
		stream := []byte(`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"` + text + `"}}]}` + "\n\n")
		w.mock.Always(mockserver.Reply{Pieces: [][]byte{stream, []byte("data: {")}, Dies: true, CutAt: len(stream) + 3, Header: http.Header{"Content-Type": {"text/event-stream"}}})
		w.call(ask{path: chat, key: "marketing", ws: marketing, body: strings.Replace(openAIBody("qwen-turbo", `,"stream":true`), "Hello", prompt, 1)})
		n++
		if r := w.books.number(t, n); r.Source != "estimated" || r.Output != most || r.Input < len(prompt)/4 || r.Code == "" {
			t.Errorf("%q: booked %+v", text, r)
		}
	}
	for _, reply := range []mockserver.Reply{mockserver.JSON(500, `{}`), mockserver.JSON(429, `{}`), mockserver.JSON(400, `{"error":{"message":"no"}}`)} { // nothing was begun
		w.mock.Always(reply)
		w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true`)})
		n++
		if r := w.books.number(t, n); r.Input != 0 || r.Output != 0 || r.Cost != 0 {
			t.Errorf("booked %+v", r)
		}
	}
}

// What is listed is what can be called, in every dialect, and nothing else: no
// words for "all" or "none" either.
func TestAnchor_ListEqualsCall(t *testing.T) {
	w := newWorld(t, nil)
	w.now(func(f *policy.Facts) { f.Workspaces[2].CallAll = true })
	for key, ws := range map[string]ident.Workspace{"marketing": marketing, "narrow": marketing, "research": research, "root": home} {
		for list, call := range map[string]func(model string) ask{
			"/v1/models":                 func(m string) ask { return ask{path: chat, body: openAIBody(m, "")} },
			"/compatible-mode/v1/models": func(m string) ask { return ask{path: "/compatible-mode" + chat, body: openAIBody(m, "")} },
			"/apps/anthropic/v1/models":  func(m string) ask { return ask{path: messages, body: anthropicBody(m, "")} },
			"/api/v1/models":             func(m string) ask { return ask{path: generation, body: nativeBody(m, "")} },
		} {
			got, member := w.call(ask{path: list, key: key, ws: ws}), `"id":"`
			if strings.HasPrefix(list, "/api/") {
				member = `"model":"`
			}
			callable := 0
			for _, m := range w.facts.Models {
				a := call(string(m.ID))
				a.key, a.ws = key, ws
				listed, answer := strings.Contains(got.body, member+string(m.ID)+`"`), w.call(a)
				if denied := answer.status == 403; denied == listed {
					t.Errorf("%s, %s: %s is listed %t and answered %d", list, key, m.ID, listed, answer.status)
				}
				if answer.status != 403 {
					callable++
				}
			}
			if n := strings.Count(got.body, member); n != callable {
				t.Errorf("%s, %s: %d are listed, and %d can be called: %s", list, key, n, callable, got.body)
			}
		}
	}
}
