package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

const responses = "/v1/responses"

func (w *world) respond(body string) reply {
	w.t.Helper()
	return w.call(ask{path: responses, key: "marketing", ws: marketing, body: body})
}

// lacksResponses makes the model server answer chat completions only.
func (w *world) lacksResponses(events ...string) {
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		if strings.HasSuffix(r.Path, "/responses") {
			return mockserver.Missing()
		}
		return mockserver.Events(events...)
	})
}

func TestResponsesAreTranslatedForAProviderWithoutThem(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct{ name, body, sent string }{
		{"text", `{"model":"qwen-turbo","input":"Hi"}`, `{"model":"qwen-turbo","messages":[{"role":"user","content":"Hi"}]}`},
		{"everything that has a name", `{"model":"qwen-aliased","instructions":"Be brief","input":[{"role":"developer","content":"Rule"},{"type":"message","role":"user","content":[{"type":"input_text","text":"What?"},{"type":"input_image","image_url":"https://example.com/a.png","detail":"low"}]}],"max_output_tokens":9,"temperature":0.5,"top_p":0.9,"user":"u","reasoning":{"effort":"low","summary":"auto"},"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"low"},"include":["message.output_text.logprobs"],"top_logprobs":2,"store":false,"truncation":"disabled","metadata":{"a":"b"},"parallel_tool_calls":true,"enable_thinking":true}`,
			`{"model":"vendor/model-7b","messages":[{"role":"system","content":"Be brief"},{"role":"system","content":"Rule"},{"role":"user","content":[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}}]}],"max_tokens":9,"temperature":0.5,"top_p":0.9,"user":"u","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}},"logprobs":true,"top_logprobs":2,"reasoning_effort":"low","verbosity":"low","enable_thinking":true}`},
		{"turns with tools", `{"model":"qwen-turbo","tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false}],"tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,"input":[{"role":"user","content":"Hi"},{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"Hm"}]},{"type":"message","role":"assistant","id":"m","status":"completed","content":[{"type":"output_text","text":"So","annotations":[]}]},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call","call_id":"c2","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"1"},{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"2"}]}]}`,
			`{"model":"qwen-turbo","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"So","reasoning_content":"Hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"1","tool_call_id":"c1"},{"role":"tool","content":"2","tool_call_id":"c2"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":false}}],"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false}`},
		{"stream", `{"model":"qwen-turbo","input":"Hi","stream":true,"text":{"format":{"type":"json_object"}}}`,
			`{"model":"qwen-turbo","messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_object"},"stream":true,"stream_options":{"include_usage":true}}`},
	} {
		if got := w.respond(c.body); got.status != 200 || strings.Contains(got.body, "vendor") {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
		if sent := string(w.mock.Last().Body); sent != c.sent {
			t.Errorf("%s: sent\n%s\nwant\n%s", c.name, sent, c.sent)
		}
	}
	got := w.respond(`{"model":"qwen-turbo","input":"Hi","instructions":"Be","metadata":{"a":"b"}}`)
	if want := `{"id":"resp_ID","object":"response","created_at":1700000000,"status":"completed","background":false,"error":null,"incomplete_details":null,"instructions":"Be","max_output_tokens":null,"model":"qwen-turbo","output":[{"id":"msg_ID","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello, world!","annotations":[],"logprobs":[]}]}],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":2},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":11},"user":null,"metadata":{"a":"b"}}`; got.said() != want {
		t.Errorf("got\n%s\nwant\n%s", got.said(), want)
	}
	if r := w.books.number(t, 5); r.Input != 7 || r.Output != 4 || r.Source != "provider" || r.Dialect != "openai" {
		t.Errorf("booked %+v", r)
	}
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		return mockserver.JSON(200, `{"choices":[{"index":0,"finish_reason":"length","message":{"content":null,"reasoning_content":"Hm","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{"}}]}}]}`)
	})
	got = w.respond(`{"model":"qwen-turbo","input":"Hi"}`)
	for _, part := range []string{`"status":"incomplete"`, `"incomplete_details":{"reason":"max_output_tokens"}`, `{"id":"rs_ID","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"Hm"}],"status":"completed"}`,
		`{"id":"fc_ID_0","type":"function_call","status":"incomplete","call_id":"c","name":"f","arguments":"{"}`} {
		if !strings.Contains(got.said(), part) {
			t.Errorf("%s is missing in %s", part, got.said())
		}
	}
}

// kinds lists the types of a stream's events and makes sure that they are numbered.
func kinds(t *testing.T, stream string) (list []string) {
	t.Helper()
	for i, e := range strings.Split(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		head, data, ok := strings.Cut(e, "\ndata: ")
		v := struct {
			Type   string
			Number int `json:"sequence_number"`
		}{Number: -1}
		if !ok || json.Unmarshal([]byte(data), &v) != nil || head != "event: "+v.Type || v.Number != i {
			t.Fatalf("event %d is none: %q", i, e)
		}
		list = append(list, strings.TrimPrefix(v.Type, "response."))
	}
	return list
}

func TestResponsesStreamInOrder(t *testing.T) {
	w := newWorld(t, nil)
	w.lacksResponses(thinking...)
	got := w.respond(`{"model":"qwen-turbo","input":"Hi","stream":true}`)
	want := []string{"created", "in_progress",
		"output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done", "output_item.done",
		"output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done", "output_item.done",
		"output_item.added", "function_call_arguments.delta", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
		"completed"}
	if list := kinds(t, got.body); !slices.Equal(list, want) {
		t.Errorf("got  %q\nwant %q", list, want)
	}
	for _, part := range []string{
		`"item_id":"rs_ID","output_index":0,"content_index":0,"delta":"Hm"`, `"item_id":"msg_ID","output_index":1,"content_index":0,"delta":"So","logprobs":[{"token":"So","logprob":-0.1}]`,
		`"item_id":"fc_ID_0","output_index":2,"name":"f","arguments":"{\"a\":1}"`,
		`"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":0},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":12}`,
		`"output":[{"id":"rs_ID","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"Hm"}],"status":"completed"},{"id":"msg_ID","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"So","annotations":[],"logprobs":[{"token":"So","logprob":-0.1}]}]},{"id":"fc_ID_0","type":"function_call","status":"completed","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}]`,
	} {
		if strings.Count(got.said(), part) != 1 {
			t.Errorf("%s stands %d times in\n%s", part, strings.Count(got.said(), part), got.said())
		}
	}
	if r := w.books.number(t, 1); r.Input != 3 || r.Output != 9 || r.Reasoning != 2 || r.Source != "provider" {
		t.Errorf("booked %+v", r)
	}
}

// recorded is a stream of a provider that has the API.
var recorded = []string{
	"event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_x\",\"model\":\"vendor/model-7b\",\"status\":\"in_progress\",\"usage\":null,\"error\":null}}\n\n",
	"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"Hello\",\"item_id\":\"m\"}\n\n",
	"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"id\":\"resp_x\",\"model\":\"vendor/model-7b\",\"status\":\"completed\",\"error\":null,\"usage\":{\"input_tokens\":5,\"input_tokens_details\":{\"cached_tokens\":1},\"output_tokens\":8,\"output_tokens_details\":{\"reasoning_tokens\":3},\"total_tokens\":13}}}\n\n",
}

func TestResponsesPassAsTheyAreWhereTheProviderHasThem(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Always(mockserver.JSON(200, `{"id":"resp_x","model":"vendor/model-7b","error":null,"output":[{"type":"web_search_call"}],"usage":{"input_tokens":5,"output_tokens":8,"input_tokens_details":{"cached_tokens":1}},"vendor_field":[1.0]}`))
	got := w.respond(`{"model":"qwen-aliased","input":"Hi","tools":[{"type":"web_search"}],"include":["reasoning.encrypted_content"],"vendor_field":1.50}`)
	if want := `{"id":"resp_x","model":"qwen-aliased","error":null,"output":[{"type":"web_search_call"}],"usage":{"input_tokens":5,"output_tokens":8,"input_tokens_details":{"cached_tokens":1}},"vendor_field":[1.0]}`; got.body != want {
		t.Errorf("%d %s", got.status, got.body)
	}
	if sent := string(w.mock.Last().Body); sent != `{"model":"vendor/model-7b","input":"Hi","tools":[{"type":"web_search"}],"include":["reasoning.encrypted_content"],"vendor_field":1.50,"store":false}` || !strings.HasSuffix(w.mock.Last().Path, "/v1/responses") {
		t.Errorf("sent %s", sent)
	}
	w.mock.Always(mockserver.Events(recorded...)) // which ends without [DONE]
	got = w.respond(`{"store":null,"model":"qwen-aliased","input":"Hi","stream":true}`)
	if want := strings.ReplaceAll(strings.Join(recorded, ""), "vendor/model-7b", "qwen-aliased"); got.body != want {
		t.Errorf("got\n%s\nwant\n%s", got.body, want)
	}
	if sent := string(w.mock.Last().Body); !strings.HasPrefix(sent, `{"store":false,`) {
		t.Errorf("sent %s", sent)
	}
	for i := range 2 {
		if r := w.books.number(t, i+1); r.Input != 5 || r.Output != 8 || r.Cached != 1 || r.Source != "provider" || r.Code != "" {
			t.Errorf("booked %+v", r)
		}
	}
}

// A stream that ends incomplete is booked.
func TestAnchor_IncompleteStreamBills(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Always(mockserver.Events(recorded[0], recorded[1], strings.ReplaceAll(recorded[2], "completed", "incomplete")))
	w.respond(`{"model":"qwen-turbo","input":"Hi","stream":true}`)
	if r := w.books.number(t, 1); r.Input != 5 || r.Output != 8 || r.Source != "provider" || r.Code != "" {
		t.Errorf("booked %+v", r)
	}
	w.lacksResponses(thinking[1], `data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":5}}`+"\n\n", "data: [DONE]\n\n")
	got := w.call(ask{path: responses, key: "root", ws: home, body: `{"model":"qwen-turbo","input":"Hi","stream":true}`})
	if list := kinds(t, got.body); list[len(list)-1] != "incomplete" || !strings.Contains(got.body, `"incomplete_details":{"reason":"max_output_tokens"}`) {
		t.Errorf("%s", got.body)
	}
	if r := w.books.number(t, 2); r.Input != 3 || r.Output != 5 {
		t.Errorf("booked %+v", r)
	}
}

func TestAnErrorInResponsesIsOursAndKeepsTheirsToItself(t *testing.T) {
	w := newWorld(t, nil)
	for _, last := range []string{
		"event: error\ndata: {\"type\":\"error\",\"code\":\"x\",\"message\":\"secret " + credential + "\",\"sequence_number\":2}\n\n",
		"event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"x\",\"message\":\"secret " + credential + "\"},\"usage\":null}}\n\n",
	} {
		w.mock.Always(mockserver.Events(recorded[0], recorded[1], last))
		got := w.respond(`{"model":"qwen-turbo","input":"Hi","stream":true}`)
		if list := kinds(t, got.body); list[len(list)-1] != "error" || strings.Contains(got.body, "secret") || !strings.Contains(got.body, `"error":{"type":"ModelServingError","code":"ModelServingError"`) {
			t.Errorf("%s", got.body)
		}
	}
}

func TestAProviderMayDieAtEveryByteOfResponses(t *testing.T) {
	w := newWorld(t, nil)
	try := func(stream []byte, chat bool) {
		for cut := range len(stream) + 1 {
			w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
				if chat && strings.HasSuffix(r.Path, "/responses") {
					return mockserver.Missing()
				}
				return mockserver.Reply{Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: stream, Dies: true, CutAt: cut}
			})
			n := len(w.books.all())
			got := w.respond(`{"model":"qwen-turbo","input":"Hi","stream":true}`)
			if rec := w.books.number(t, n+1); len(w.books.all()) != n+1 || (rec.Code == "") != strings.Contains(got.body, "event: response.completed") {
				t.Fatalf("cut at %d: booked %+v\n%s", cut, rec, got.body)
			}
			if !strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") {
				if got.status < 500 || !json.Valid([]byte(got.body)) {
					t.Fatalf("cut at %d: %d %s", cut, got.status, got.body)
				}
				continue
			}
			list := kinds(t, got.body)
			if end := list[len(list)-1]; list[0] != "created" && list[0] != "error" || end != "completed" && end != "error" || slices.Contains(list[:len(list)-1], "error") {
				t.Fatalf("cut at %d: %q", cut, list)
			}
		}
	}
	try([]byte(strings.Join(recorded, "")), false)
	try([]byte(strings.Join(mockserver.Chat{Words: []string{"Hé\n", "llo"}, Input: 3}.Stream("qwen-turbo", true), "")), true)
}

func TestSec04_WhatIsKeptElsewhereIsMissingAndNoProviderIsAsked(t *testing.T) {
	w := newWorld(t, nil)
	for param, rest := range map[string]string{
		"previous_response_id": `"input":"Hi","previous_response_id":"resp_of_another"`, "conversation": `"input":"Hi","conversation":{"id":"conv_1"}`, "prompt": `"input":"Hi","prompt":{"id":"pmpt_1"}`,
		"input": `"input":[{"type":"item_reference","id":"msg_1"}]`,
	} {
		var answers []string
		for _, other := range []string{rest, strings.ReplaceAll(rest, "1", "2")} {
			got := w.respond(`{"model":"qwen-turbo",` + other + `}`)
			answers = append(answers, fmt.Sprint(got.status, got.said()))
		}
		want := "404" + openAIRefusal("NotFound", "invalid_request_error", param+" refers to something that does not exist. Nothing is kept here between calls: send it as input.", param)
		if answers[0] != want || answers[1] != want {
			t.Errorf("%s: %q", param, answers)
		}
	}
	for _, part := range []string{`{"type":"input_file","file_id":"file_1"}`, `{"type":"input_image","file_id":"file_1"}`} {
		if got := w.respond(`{"model":"qwen-turbo","input":[{"role":"user","content":[` + part + `]}]}`); got.status != 404 {
			t.Errorf("%s: %d %s", part, got.status, got.body)
		}
	}
	if w.mock.Calls() != 0 {
		t.Error("the provider was called")
	}
}

func TestResponsesRefuseByNameWhatCannotBe(t *testing.T) {
	w := newWorld(t, nil)
	w.lacksResponses()
	w.respond(`{"model":"qwen-turbo","input":"Hi"}`) // so that it is known
	calls := w.mock.Calls()
	for _, c := range []struct{ rest, param string }{
		{`"x":1`, "input"}, {`"input":[]`, "input"}, {`"input":""`, "input"}, {`"input":7`, "input"},
		{`"input":"Hi","store":true`, "store"}, {`"input":"Hi","background":true`, "background"},
		{`"input":"Hi","stream":"yes"`, "stream"}, {`"input":"Hi","service_tier":"priority"`, "service_tier"}, {`"input":"Hi","max_output_tokens":0`, "max_output_tokens"},
		{`"input":"Hi","tools":[{"type":"file_search","vector_store_ids":["vs_of_another"]}]`, "tools"}, {`"input":"Hi","tools":[{"type":"image_generation"}]`, "tools"}, {`"input":"Hi","tools":[{"type":"code_interpreter","container":"c"}]`, "tools"},
		{`"input":"Hi","tools":[{"type":"web_search"}]`, "tools"}, {`"input":"Hi","tool_choice":{"type":"allowed_tools","tools":[]}`, "tool_choice"},
		{`"input":"Hi","max_tool_calls":3`, "max_tool_calls"}, {`"input":"Hi","truncation":"auto"`, "truncation"}, {`"input":"Hi","include":["reasoning.encrypted_content"]`, "include"},
		{`"input":"Hi","vendor_field":1`, "vendor_field"}, {`"input":"Hi","text":{"format":{"type":"grammar"}}`, "text.format.type"}, {`"input":"Hi","reasoning":{"effort":"low","x":1}`, "reasoning.x"},
		{`"input":[{"role":"robot","content":"x"}]`, "input.0.role"}, {`"input":[{"role":"user","content":[{"type":"input_file","file_data":"x"}]}]`, "input.0.content.0.file_data"}, {`"input":[{"role":"user","content":[{"type":"input_audio"}]}]`, "input.0.content.0.type"},
		{`"input":[{"type":"web_search_call","id":"x"}]`, "input.0.type"}, {`"input":[{"type":"reasoning","encrypted_content":"x"}]`, "input.0.encrypted_content"}, {`"input":[{"type":"function_call_output","output":"x"}]`, "input.0.call_id"},
	} {
		got := w.respond(`{"model":"qwen-turbo",` + c.rest + `}`)
		var e struct{ Error struct{ Param string } }
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != 400 || e.Error.Param != c.param {
			t.Errorf("%s: %d %s", c.rest, got.status, got.body)
		}
	}
	if w.mock.Calls() != calls {
		t.Error("the provider was called")
	}
	w.now(func(f *policy.Facts) { f.Workspaces[1].Grants = nil })
	if got := w.respond(`{"model":"qwen-turbo","input":"Hi"}`); got.status != 403 || !strings.Contains(got.body, `"code":"Model.AccessDenied"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
