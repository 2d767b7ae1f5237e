package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/usage"
)

// wellFormedOpenAI reports what is wrong with a stream or an answer that was not
// to come to its end; empty: nothing.
func wellFormedOpenAI(r reply) string {
	if !strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
		if !json.Valid([]byte(r.body)) || r.status < 500 || !strings.Contains(r.body, `"code":"ModelServingError"`) {
			return "an answer that is neither stream nor refusal"
		}
		return ""
	}
	events := strings.Split(strings.TrimSuffix(r.body, "\n\n"), "\n\n")
	for i, e := range events {
		data, ok := strings.CutPrefix(e, "data: ")
		last := i == len(events)-1
		switch {
		case last && data == "[DONE]":
			return ""
		case !ok || !json.Valid([]byte(data)):
			return "an event that is no JSON: " + e
		case last && !strings.HasPrefix(data, `{"error":{"message":`):
			return "an end that is no error: " + e
		case !last && strings.Contains(data, `"error"`):
			return "an error before the end: " + e
		}
	}
	return ""
}

func wellFormedNative(r reply) string {
	if !strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
		if !json.Valid([]byte(r.body)) || r.status < 500 || !strings.HasPrefix(r.body, `{"code":"ModelServingError"`) {
			return "an answer that is neither stream nor refusal"
		}
		return ""
	}
	frames := strings.Split(strings.TrimSuffix(r.body, "\n\n"), "\n\n")
	for i, f := range frames {
		lines := strings.Split(f, "\n")
		if len(lines) != 4 || lines[0] != fmt.Sprint("id:", i+1) || !json.Valid([]byte(strings.TrimPrefix(lines[3], "data:"))) {
			return "a frame that is none: " + f
		}
		head := lines[1] + lines[2]
		if i == len(frames)-1 {
			if head == "event:result:HTTP_STATUS/200" && strings.Contains(f, `"finish_reason":"stop"`) || head == "event:error:HTTP_STATUS/503" {
				return ""
			}
			return "an end that is none: " + f
		}
		if head != "event:result:HTTP_STATUS/200" {
			return "a frame before the end: " + f
		}
	}
	return "nothing"
}

func TestAProviderMayDieAtEveryByteOfAStream(t *testing.T) {
	w := newWorld(t, nil)
	stream := []byte(strings.Join(mockserver.Chat{Words: []string{"Hé\n", "llo"}, Input: 3}.Stream("qwen-turbo", true), ""))
	for cut := range len(stream) + 1 {
		w.mock.Always(mockserver.Reply{Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: stream, Dies: true, CutAt: cut})
		ended := cut >= len(stream)-2 // [DONE] is there
		got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true`)})
		if wrong := wellFormedOpenAI(got); wrong != "" || strings.Contains(got.body, "[DONE]") != ended {
			t.Fatalf("cut at %d: %s\n%s", cut, wrong, got.body)
		}
		text, native := w.native("qwen-turbo", `"result_format":"message"`, true)
		if wrong := wellFormedNative(native); wrong != "" || strings.Contains(text, "event:error") && ended {
			t.Fatalf("cut at %d: %s\n%s", cut, wrong, text)
		}
		got = w.anthropic(anthropicBody("qwen-turbo", `,"stream":true`))
		if wrong := wellFormedAnthropic(t, got); wrong != "" || strings.Contains(got.body, "message_stop") != ended {
			t.Fatalf("cut at %d: %s\n%s", cut, wrong, got.body)
		}
		w.balance(3*cut+3, func(r usage.Record) bool {
			return r.Source == usage.FromProvider && r.Input == 3 || r.Source == usage.Estimated && r.Input > 0
		})
	}
}

// balance makes sure that every request that reached the provider was begun and
// ended once in the books, with figures that cannot be nothing.
func (w *world) balance(calls int, figures func(usage.Record) bool) {
	w.t.Helper()
	w.books.number(w.t, calls)
	w.books.mu.Lock()
	defer w.books.mu.Unlock()
	if n := w.mock.Calls(); n != calls || len(w.books.begun) != calls || len(w.books.list) != calls {
		w.t.Fatalf("%d requests reached the provider, %d were begun and %d ended in the books, of %d", n, len(w.books.begun), len(w.books.list), calls)
	}
	ended := map[ident.Call]bool{}
	for i, r := range w.books.list {
		ended[r.Call] = true
		if i >= calls-3 && !figures(r) {
			w.t.Fatalf("call %d: record %+v", i, r)
		}
	}
	for _, r := range w.books.begun {
		if !ended[r.Call] || r.Source != usage.Estimated || r.Code != usage.Interrupted || r.Input == 0 || r.Output == 0 || r.Account == "" || r.Member == "" {
			w.t.Fatalf("begun as %+v", r)
		}
	}
}

func TestAProviderMayEndAStreamCleanlyBeforeItIsDone(t *testing.T) {
	w := newWorld(t, nil)
	events := mockserver.Chat{Words: []string{"Hello there, caller"}, NoUsage: true}.Stream("qwen-turbo", false)
	w.mock.Always(mockserver.Events(events[:2]...))
	got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true`)})
	if wrong := wellFormedOpenAI(got); wrong != "" || strings.Contains(got.body, "[DONE]") {
		t.Errorf("%s\n%s", wrong, got.body)
	}
	if r := w.books.number(t, 1); r.Code != "ModelServingError" || r.Source != "estimated" || r.Output != (len("Hello there, caller")+2)/3 || r.Input == 0 || r.Status != 200 {
		t.Errorf("what was streamed is booked: %+v", r)
	}
}

func TestAStreamThatMisbehavesIsCutAtItsBounds(t *testing.T) {
	event := `data: {"choices":[{"index":0,"delta":{"content":"x"}}]}` + "\n\n"
	stream := func(pieces ...string) mockserver.Reply { return mockserver.Events(pieces...) }
	slow := stream(event, strings.Repeat("x", 1), strings.Repeat("x", 1))
	slow.Pieces = append(slow.Pieces, bytes.Repeat([]byte("x"), 1))
	slow.Pause = 150 * time.Millisecond
	for name, c := range map[string]struct {
		reply mockserver.Reply
		code  string
	}{
		"an endless line":     {stream(event, "data: {"+strings.Repeat("x", 100_000)), "ModelServingError"},
		"endless events":      {stream(event, strings.Repeat(event, 10_000)), "ModelServingError"},
		"endless comments":    {stream(event, strings.Repeat(":\n", 200_000)), "ModelServingError"},
		"silence":             {slow, "RequestTimeOut"},
		"no JSON":             {stream(event, "data: hello\n\n"), "ModelServingError"},
		"a bare return":       {stream(event, "data: {}\rdata: {}\n\n"), "ModelServingError"},
		"an error":            {stream(event, `data: {"error":{"message":"secret at `+credential+`","code":500}}`+"\n\n"), "ModelServingError"},
		"an error of filters": {stream(event, `data: {"error":{"code":"data_inspection_failed","message":"Output data may contain inappropriate content."}}`+"\n\n"), "data_inspection_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) {
				w.config.Bounds = gateway.Bounds{Event: 32 << 10, Stream: 256 << 10, Silence: 100 * time.Millisecond}
			})
			w.mock.Always(c.reply)
			got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true`)})
			if !strings.HasPrefix(got.body, event) || !strings.Contains(got.body, `"code":"`+c.code+`"`) || strings.Contains(got.body, "[DONE]") || strings.Contains(got.body, credential) {
				t.Errorf("…%s", got.body[max(0, len(got.body)-500):])
			}
			if r := w.books.number(t, 1); r.Source != "estimated" || r.Code != c.code {
				t.Errorf("record %+v", r)
			}
		})
	}
}

func TestFiguresThatCannotBeTrueAreEstimatedAndNeverLessThanTheText(t *testing.T) {
	w := newWorld(t, nil)
	answer := func(usage string) string {
		return `{"choices":[{"index":0,"message":{"content":"` + strings.Repeat("x", 90) + `"}}]` + usage + `}`
	}
	for i, c := range []struct {
		usage  string
		source string
		out    int
	}{
		{``, "estimated", 30},
		{`,"usage":null`, "estimated", 30},
		{`,"usage":{"prompt_tokens":1,"completion_tokens":-5}`, "estimated", 30},
		{`,"usage":{"prompt_tokens":1,"completion_tokens":1000000000000000000}`, "estimated", 30},
		{`,"usage":{"prompt_tokens":1,"completion_tokens":2.5}`, "estimated", 30},
		{`,"usage":{"prompt_tokens":1,"completion_tokens":99999999999999999999}`, "estimated", 30},
		{`,"usage":{"prompt_tokens":-1,"completion_tokens":44}`, "estimated", 44},
		{`,"usage":"none"`, "estimated", 30},
		{`,"usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":50}}`, "provider", 2},
	} {
		w.mock.Always(mockserver.JSON(200, answer(c.usage)))
		w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")})
		if r := w.books.number(t, i+1); string(r.Source) != c.source || r.Output != c.out || r.Input < 1 || r.Cached > r.Input {
			t.Errorf("%s: %+v", c.usage, r)
		}
	}
	w.mock.Always(mockserver.Events(`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":50}}`+"\n\n", `data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}`+"\n\n", "data: [DONE]\n\n"))
	w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true`)})
	if r := w.books.number(t, 10); r.Input != 9 || r.Output != 50 {
		t.Errorf("a second figure took back the first: %+v", r)
	}
}

// leave begins a call and hangs up after reading some bytes of the answer.
func (w *world) leave(stream bool, read int) {
	w.t.Helper()
	more := ""
	if stream {
		more = `,"stream":true`
	}
	r, _ := http.NewRequest("POST", w.http.URL+"/w/"+string(marketing)+chat, strings.NewReader(openAIBody("qwen-turbo", more)))
	r.Header.Set("x-api-key", w.keys["marketing"])
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	if read == 0 {
		c := http.Client{Transport: tr, Timeout: 100 * time.Millisecond}
		if _, err := c.Do(r); err == nil {
			w.t.Error("an answer came that was not to come")
		}
		return
	}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, read))
	resp.Body.Close()
}

func TestAnchor_HangUpBillsUpstreamTruth_WhoHangsUpStillPays(t *testing.T) {
	paced := func(words int) func(mockserver.Received) mockserver.Reply {
		return func(r mockserver.Received) mockserver.Reply {
			reply := mockserver.Chat{Words: strings.Split(strings.Repeat("word ", words), " "), Input: 7}.Answer(r)
			reply.Pause = 5 * time.Millisecond
			return reply
		}
	}
	t.Run("of a stream, with the provider's figures", func(t *testing.T) {
		w := newWorld(t, nil)
		w.mock.Answer(paced(40))
		w.leave(true, 200)
		if r := w.books.number(t, 1); r.Code != "ClientDisconnect" || r.Source != "provider" || r.Output != 41 || r.Status != 200 {
			t.Errorf("record %+v", r)
		}
	})
	t.Run("of a stream, estimated when it takes too long", func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.config.Bounds.Drain = 50 * time.Millisecond })
		w.mock.Answer(paced(400))
		w.leave(true, 200)
		if r := w.books.number(t, 1); r.Code != "ClientDisconnect" || r.Source != "estimated" || r.Output == 0 || r.Output > 400 {
			t.Errorf("record %+v", r)
		}
	})
	t.Run("of a whole answer", func(t *testing.T) {
		w := newWorld(t, nil)
		hold := make(chan struct{})
		w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
			reply := mockserver.Default(r)
			reply.Hold = hold
			return reply
		})
		w.leave(false, 0)
		time.Sleep(50 * time.Millisecond) // the server notices
		close(hold)
		if r := w.books.number(t, 1); r.Code != "ClientDisconnect" || r.Source != "provider" || r.Output != 4 || r.Status != 400 {
			t.Errorf("record %+v", r)
		}
	})
	t.Run("of a whole answer that never comes", func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.config.Bounds.Drain = 50 * time.Millisecond })
		hold := make(chan struct{})
		defer close(hold)
		w.mock.Always(mockserver.Reply{Hold: hold})
		w.leave(false, 0)
		if r := w.books.number(t, 1); r.Code != "ClientDisconnect" || r.Source != "estimated" || r.Input == 0 || r.Output != 0 {
			t.Errorf("record %+v", r)
		}
	})
}
