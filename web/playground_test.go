package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
)

// heard is what the gateway was handed.
type heard struct {
	by   access.Actor
	ws   ident.Workspace
	body map[string]any
	head http.Header
}

// line puts a model behind the playground that says what it is told to.
func (o *company) line(says string, status int) *heard {
	h := &heard{}
	o.config.Call = func(w http.ResponseWriter, r *http.Request, by access.Actor, ws ident.Workspace) {
		text, err := io.ReadAll(r.Body)
		o.must(err)
		*h = heard{by: by, ws: ws, head: r.Header}
		o.must(json.Unmarshal(text, &h.body))
		quoted, _ := json.Marshal(says)
		switch {
		case status != 200:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":{"message":%s},"request_id":"0a1b2c3d-0000-4000-8000-000000000000"}`, quoted)
		case h.body["stream"] == true:
			w.Header().Set("Content-Type", "text/event-stream;charset=UTF-8")
			fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%s}}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n", quoted)
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"choices":[{"message":{"content":%s}}],"usage":{"prompt_tokens":7,"completion_tokens":3}}`, quoted)
		}
	}
	o.serve()
	return h
}

// evil is what a model may say to harm whoever reads it.
const evil = `<img src=x onerror="alert(1)"><div hx-get="/logoff" hx-trigger="load">x</div><a href="javascript:alert(2)">y</a>![z](https://evil.example/z.png)`

func TestThePlaygroundTalksWithoutScripts(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	h := o.line("I am a model.", 200)
	path := o.at(o.a, "/playground")
	page := o.get("alice", path).is(200).says("Playground", "Qwen-Turbo (not served)", "Nothing was said yet", "Temperature")
	page.hides(`value="qwen-max"`)
	first := o.post("alice", path, "model", "qwen-turbo", "system", "Be brief.", "temperature", "0.5", "max_tokens", "20", "message", "Who are you?").is(200)
	first.says("I am a model.", "7 tokens in, 3 out", "¥")
	if h.ws != o.a || h.by.User != o.actor("alice").User || h.body["model"] != "qwen-turbo" || h.body["temperature"] != 0.5 || h.body["max_tokens"] != 20.0 || h.body["top_p"] != nil {
		t.Errorf("the gateway was handed %+v", h)
	}
	if len(h.head) != 1 {
		t.Errorf("headers of the browser reach the gateway: %v", h.head)
	}
	o.post("alice", path, "model", "qwen-turbo", "role", "user", "text", "Who are you?", "role", "assistant", "text", "I am a model.", "message", "Truly?").is(200).says("Who are you?", "Truly?")
	if said := fmt.Sprint(h.body["messages"]); !strings.Contains(said, "I am a model.") || !strings.Contains(said, "Truly?") || len(h.body["messages"].([]any)) != 3 {
		t.Errorf("not all of the conversation is sent: %s", said)
	}
}

func TestThePlaygroundStreamsThroughTheGateway(t *testing.T) {
	o := start(t)
	h := o.line("hello", 200)
	got := o.post("alice", o.at(o.a, "/playground/stream"), "model", "qwen-turbo", "message", "hi").is(200).holds(`"content":"hello"`, "[DONE]")
	if !strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") || h.body["stream"] != true {
		t.Errorf("%v %v", got.header, h.body)
	}
	for query, says := range map[string]string{ // of qwen-turbo a million in costs 0.3, out 0.6, and out after reasoning 3
		"input=1000000&output=0":                            "1,000,000 tokens in, 0 out · ¥0.3",
		"input=0&output=1000000&cached=0&reasoning=0":       "0 tokens in, 1,000,000 out · ¥0.6",
		"input=0&output=1000000&reasoning=900000":           "0 tokens in, 1,000,000 out · ¥3",
		"input=1000000&output=0&cached=1000000&reasoning=0": "1,000,000 tokens in, 0 out · ¥0.06",
	} {
		o.get("alice", o.at(o.a, "/playground/cost?model=qwen-turbo&"+query)).is(200).says(says)
	}
	for _, query := range []string{"input=1&output=-1", "input=1", "input=1&output=1&cached=x", "input=1&output=1&reasoning=-1"} {
		o.get("alice", o.at(o.a, "/playground/cost?model=qwen-turbo&"+query)).is(422)
	}
}

func TestThePlaygroundKeepsWhatWasTypedAndNamesTheLimit(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	o.line("never", 200)
	for field, c := range map[string][2]string{"temperature": {"2", "less than 2"}, "top_p": {"0", "at most 1"}, "max_tokens": {"1.5", "whole number"}, "presence_penalty": {"NaN", "From −2 to 2"}} {
		o.post("alice", o.at(o.a, "/playground"), "model", "qwen-turbo", "message", "keep me", field, c[0]).is(422).says(c[1], "keep me").holds(`value="` + c[0] + `"`).hides("never")
		o.post("alice", o.at(o.a, "/playground/stream"), "model", "qwen-turbo", "message", "x", field, c[0]).is(422).holds(`"error"`)
	}
	o.post("alice", o.at(o.a, "/playground"), "model", "qwen-turbo", "message", "  ").is(422).says("Write something to the model.")
}

func TestARefusalInThePlaygroundSaysWhyAndLeadsThere(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	o.line("Model access denied.", 403)
	path := o.at(o.a, "/playground")
	refused := o.post("alice", path, "model", "qwen-max", "message", "keep me").is(403).says("Model access denied.", "keep me", "0a1b2c3d-0000-4000-8000-000000000000")
	if linkTo(t, refused, "Why?") == "" || !strings.Contains(refused.body, "/why?request=0a1b2c3d-0000-4000-8000-000000000000") {
		t.Error("no link to Why?")
	}
	// Who may not read keys is not led to a page that refuses them.
	o.hire("eve", access.Regular, o.a, access.Regular, []access.Page{access.PagePlayground})
	o.post("eve", path, "model", "qwen-max", "message", "x").is(403).hides("/why?request=")
	o.get("bob", path).is(403).says("may not open this page")
}

func TestSec28_WhatAModelSaysIsTextInThePlayground(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	o.line(evil, 200)
	path := o.at(o.a, "/playground")
	o.post("alice", path, "model", "qwen-turbo", "message", evil, "system", evil).is(200).says(`onerror="alert(1)"`).hides("<img src=x", "<div hx-get", `href="javascript:`)
	o.line(evil, 403)
	o.post("alice", path, "model", "qwen-turbo", "message", "x").is(403).hides("<img src=x", "<div hx-get", `href="javascript:`)
}

func TestViewCodeShowsTheCallInBothDialects(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	got := o.post("alice", o.at(o.a, "/playground/code"), "model", "qwen-turbo", "system", "It's brief.", "message", `Say "MODEL" & <b>`, "temperature", "0.5").is(200)
	code := words(got.body)
	for _, want := range []string{
		`-d '{"model": "qwen-turbo", "messages": [{"role":"system","content":"It'\''s brief."},{"role":"user","content":"Say \"MODEL\" & <b>"}], "temperature":0.5}'`,
		`messages=[{"role":"system","content":"It's brief."},{"role":"user","content":"Say \"MODEL\" & <b>"}], temperature=0.5,`,
		`temperature: 0.5,`, `"parameters": {"result_format":"message","temperature":0.5}}'`, "dashscope.Generation.call", string(o.a),
	} {
		if !strings.Contains(code, want) {
			t.Errorf("no sample holds %s: %s", want, code)
		}
	}
	o.ask("alice", "POST", o.at(o.a, "/playground/code"), fieldsOf([]string{"model", "x'; rm -rf /"}), part).is(200).says("YOUR_MODEL").hides("rm -rf", "<html")
}
