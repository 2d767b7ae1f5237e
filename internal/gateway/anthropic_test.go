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

const messages = "/apps/anthropic/v1/messages"

func anthropicBody(model, rest string) string {
	return `{"model":"` + model + `","max_tokens":99,"messages":[{"role":"user","content":"Hello"}]` + rest + `}`
}

// anthropic asks qwen-turbo in Anthropic's protocol.
func (w *world) anthropic(body string) reply {
	w.t.Helper()
	return w.call(ask{path: messages, ws: marketing, header: map[string]string{"X-Api-Key": w.keys["marketing"], "Anthropic-Version": "2023-06-01"}, body: body})
}

func TestAnthropicSaysTheSameToAProvider(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct{ name, body, sent string }{
		{"text", `{"model":"qwen-turbo","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`,
			`{"model":"qwen-turbo","messages":[{"role":"user","content":"Hi"}],"max_tokens":9}`},
		{"everything that has a name", `{"model":"qwen-turbo","max_tokens":9,"system":[{"type":"text","text":"Be","cache_control":{"type":"ephemeral"}},{"type":"text","text":"brief"}],"stop_sequences":["x"],"temperature":0.5,"top_p":0.9,"top_k":40,"metadata":{"user_id":"u1"},"service_tier":"auto","thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}},"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}`,
			`{"model":"qwen-turbo","messages":[{"role":"system","content":"Be\n\nbrief"},{"role":"user","content":"Hi"}],"max_tokens":9,"temperature":0.5,"top_p":0.9,"top_k":40,"stop":["x"],"user":"u1","response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}},"reasoning_effort":"low","enable_thinking":true,"thinking_budget":1024}`},
		{"vision", `{"model":"qwen-turbo","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}},{"type":"text","text":"What?"}]}]}`,
			`{"model":"qwen-turbo","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}},{"type":"text","text":"What?"}]}],"max_tokens":9}`},
		{"tools", `{"model":"qwen-turbo","max_tokens":9,"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":""},{"type":"text","text":"So"},{"type":"tool_use","id":"t1","name":"f","input":{"a": 1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"no"}]},{"type":"text","text":"Go on"}]}]}`,
			`{"model":"qwen-turbo","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"So","reasoning_content":"Hm","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]},{"role":"tool","content":"The tool failed:\nno","tool_call_id":"t1"},{"role":"user","content":"Go on"}],"max_tokens":9,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false}`},
		{"any tool", anthropicBody("qwen-turbo", `,"tool_choice":{"type":"any"},"stream":true`),
			`{"model":"qwen-turbo","messages":[{"role":"user","content":"Hello"}],"max_tokens":99,"tool_choice":"required","stream":true,"stream_options":{"include_usage":true}}`},
		{"another name inside", anthropicBody("qwen-aliased", `,"thinking":{"type":"disabled"}`),
			`{"model":"vendor/model-7b","messages":[{"role":"user","content":"Hello"}],"max_tokens":99}`},
	} {
		w.now(func(f *policy.Facts) { f.Models[0].Kinds = []string{"TG", "Reasoning"} })
		if got := w.anthropic(c.body); got.status != 200 || strings.Contains(got.body, "vendor") {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
		if sent := string(w.mock.Last().Body); sent != c.sent {
			t.Errorf("%s: sent\n%s\nwant\n%s", c.name, sent, c.sent)
		}
		if !json.Valid(w.mock.Last().Body) {
			t.Errorf("%s: sent no JSON", c.name)
		}
	}
}

func TestAnthropicAnswersWhole(t *testing.T) {
	w := newWorld(t, nil)
	got := w.anthropic(anthropicBody("qwen-turbo", ""))
	if want := `{"id":"msg_ID","type":"message","role":"assistant","model":"qwen-turbo","content":[{"type":"text","text":"Hello, world!"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":2,"output_tokens":4}}`; got.said() != want {
		t.Errorf("got\n%s\nwant\n%s", got.said(), want)
	}
	if got.header.Get("Request-Id") != got.header.Get("X-Request-Id") || got.header.Get("Request-Id") == "" {
		t.Errorf("headers %v", got.header)
	}
	if r := w.books.number(t, 1); r.Dialect != "anthropic" || r.Input != 7 || r.Output != 4 || r.Cached != 2 || r.Source != "provider" {
		t.Errorf("booked %+v", r)
	}
	for _, c := range []struct{ message, rest, want string }{
		{`"content":null,"reasoning_content":"Hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":""}},{"id":"c3","type":"function","function":{"name":"h","arguments":"{\"a"}}]`, `"finish_reason":"tool_calls"`,
			`"content":[{"type":"thinking","thinking":"Hm","signature":""},{"type":"tool_use","id":"c1","name":"f","input":{"a":1}},{"type":"tool_use","id":"c2","name":"g","input":{}},{"type":"tool_use","id":"c3","name":"h","input":{"INVALID_JSON":"{\"a"}}],"stop_reason":"tool_use"`},
		{`"content":"x"`, `"finish_reason":"length"`, `"stop_reason":"max_tokens"`},
		{`"content":"x"`, `"finish_reason":"content_filter"`, `"stop_reason":"refusal"`},
		{`"content":"x"`, `"finish_reason":"stop","stop_reason":"END"`, `"stop_reason":"stop_sequence","stop_sequence":"END"`},
	} {
		w.mock.Always(mockserver.JSON(200, `{"choices":[{"index":0,"message":{`+c.message+`},`+c.rest+`}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`))
		if got := w.anthropic(anthropicBody("qwen-turbo", "")); !strings.Contains(got.body, c.want) {
			t.Errorf("got %s\nwant %s", got.body, c.want)
		}
	}
}

// names lists the events of a stream in Anthropic's protocol, blocks with their types.
func names(t *testing.T, stream string) (list []string) {
	t.Helper()
	for _, e := range strings.Split(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		head, data, ok := strings.Cut(e, "\ndata: ")
		var v struct {
			Type  string
			Delta struct{ Type string }
			Block struct{ Type string } `json:"content_block"`
		}
		if !ok || json.Unmarshal([]byte(data), &v) != nil || head != "event: "+v.Type {
			t.Fatalf("an event that is none: %q", e)
		}
		list = append(list, strings.TrimSpace(v.Type+" "+v.Delta.Type+v.Block.Type))
	}
	return list
}

func TestAnthropicStreamsInOrder(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Always(mockserver.Events(append([]string{thinking[0], ": keep-alive\n\n"}, thinking[1:]...)...))
	got := w.anthropic(anthropicBody("qwen-turbo", `,"stream":true`))
	want := []string{"message_start", "content_block_start thinking", "content_block_delta thinking_delta", "ping", "content_block_stop",
		"content_block_start text", "content_block_delta text_delta", "content_block_stop",
		"content_block_start tool_use", "content_block_delta input_json_delta", "content_block_delta input_json_delta", "content_block_stop",
		"message_delta", "message_stop"}
	if list := names(t, got.body); !slices.Equal(list, want) {
		t.Errorf("got  %q\nwant %q", list, want)
	}
	for _, part := range []string{`"message":{"id":"msg_ID","type":"message","role":"assistant","model":"qwen-turbo","content":[],"stop_reason":null,`, `"index":1,"content_block":{"type":"text","text":""}`,
		`"content_block":{"type":"tool_use","id":"call_1","name":"f","input":{}}`, `"partial_json":"{\"a\""`, `"partial_json":":1}"`,
		`"delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":9}`} {
		if strings.Count(got.said(), part) != 1 {
			t.Errorf("%s stands %d times in\n%s", part, strings.Count(got.said(), part), got.said())
		}
	}
	if r := w.books.number(t, 1); r.Input != 3 || r.Output != 9 || r.Reasoning != 2 || r.Source != "provider" {
		t.Errorf("booked %+v", r)
	}
	two := func(second string) {
		w.mock.Always(mockserver.Events(
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}}]}`+"\n\n",
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[`+second+`]}}]}`+"\n\n", "data: [DONE]\n\n"))
		got = w.anthropic(anthropicBody("qwen-turbo", `,"stream":true`))
	}
	if two(`{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}`); strings.Count(got.body, `"type":"tool_use"`) != 2 || !strings.Contains(got.body, "message_stop") {
		t.Errorf("two tools under one index: %s", got.body)
	}
	if two(`{"index":1,"function":{"arguments":"{}"}}`); !strings.Contains(got.body, "event: error\n") || strings.Contains(got.body, "message_stop") {
		t.Errorf("a piece of a tool that never began: %s", got.body)
	}
}

// wellFormedAnthropic reports what is wrong with a stream or an answer that was
// not to come to its end; empty: nothing.
func wellFormedAnthropic(t *testing.T, r reply) string {
	if !strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
		if r.status < 500 || !strings.HasPrefix(r.body, `{"type":"error","error":{"type":"`) {
			return "an answer that is neither stream nor refusal"
		}
		return ""
	}
	list := names(t, r.body)
	open := false
	for i, n := range list {
		kind, _, _ := strings.Cut(n, " ")
		last := i == len(list)-1
		switch {
		case (i == 0) != (kind == "message_start") && kind != "error":
			return "a stream that does not begin once: " + n
		case kind == "content_block_start" && open, kind == "content_block_stop" && !open, kind == "content_block_delta" && !open, kind == "message_delta" && open:
			return fmt.Sprintf("a block out of order: %q", list)
		case last != (kind == "message_stop" || kind == "error"):
			return fmt.Sprintf("an end that is none: %q", list)
		}
		open = open && kind != "content_block_stop" || kind == "content_block_start"
	}
	return ""
}

func TestAnthropicRefusesByNameWhatCannotCross(t *testing.T) {
	w := newWorld(t, nil)
	in := func(content string) string {
		return `{"model":"qwen-turbo","max_tokens":9,"messages":[{"role":"user","content":` + content + `}]}`
	}
	for _, c := range []struct{ body, message string }{
		{`{"max_tokens":9,"messages":[]}`, "you must provide a model parameter."},
		{`{"model":7,"max_tokens":9,"messages":[]}`, "model: Required parameter(s) missing"},
		{`{"model":"qwen-turbo","MODEL":"qwen-plus","max_tokens":9,"messages":[]}`, `MODEL: The parameter "MODEL" is not supported`},
		{`{"mo\u0064el":"qwen-turbo","max_tokens":9,"messages":[]}`, "stands twice"},
		{`{"model":"qwen-turbo","model":"qwen-plus"}`, "stands twice"},
		{`{"model":"qwen-turbo","messages":[{"role":"user","content":"x"}]}`, "max_tokens: Field required"},
		{`{"model":"qwen-turbo","max_tokens":9}`, "messages: Field required"},
		{`{"model":"qwen-turbo","max_tokens":9,"messages":[]}`, "messages: [] is too short"},
		{`{"model":"qwen-turbo","max_tokens":9,"messages":{}}`, "messages: Required parameter(s)"},
		{`{"model":"qwen-turbo","max_tokens":9,"messages":[{"role":"robot","content":"x"}]}`, "messages.0.role:"},
		{`{"model":"qwen-turbo","max_tokens":9,"messages":[{"role":"user","content":"x","name":"y"}]}`, "messages.0.name: "},
		{`{"model":"qwen-turbo","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"{"}]}`, "messages.1: The last message"},
		{anthropicBody("qwen-turbo", `,"max_token":1`), `max_token: The parameter "max_token" is not supported here. It was not dropped in silence`},
		{anthropicBody("qwen-turbo", `,"mcp_servers":[]`), "mcp_servers: "},
		{anthropicBody("qwen-turbo", `,"container":"c"`), "container: "},
		{anthropicBody("qwen-turbo", `,"stream":"yes"`), "stream: "},
		{anthropicBody("qwen-turbo", `,"temperature":2`), "temperature: Temperature should be in [0.0, 2.0)"},
		{anthropicBody("qwen-turbo", `,"top_k":-1`), "top_k: "},
		{anthropicBody("qwen-turbo", `,"service_tier":"priority"`), "service_tier: "},
		{anthropicBody("qwen-turbo", `,"thinking":{"type":"enabled","budget_tokens":2000}`), "thinking: The model qwen-turbo does not reason."},
		{anthropicBody("qwen-turbo", `,"thinking":{"type":"enabled","budget_tokens":1}`), "thinking.budget_tokens: "},
		{anthropicBody("qwen-turbo", `,"thinking":{"type":"on"}`), "thinking.type: "},
		{anthropicBody("qwen-turbo", `,"tools":[{"type":"web_search_20250305","name":"web_search"}]`), "tools.0.type: "},
		{anthropicBody("qwen-turbo", `,"tools":[{"name":"f"}]`), "tools.0.input_schema: "},
		{anthropicBody("qwen-turbo", `,"tool_choice":{"type":"some"}`), "tool_choice.type: "},
		{anthropicBody("qwen-turbo", `,"output_config":{"format":{"type":"text"}}`), "output_config.format: "},
		{in(`7`), "messages.0.content: "},
		{in(`[]`), "messages.0.content: [] is too short"},
		{in(`[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA"}}]`), "messages.0.content.0.type: "},
		{in(`[{"type":"image","source":{"type":"file","file_id":"file-of-another"}}]`), "messages.0.content.0.source.file_id: "},
		{in(`[{"type":"image","source":{"type":"url","url":"file:///etc/passwd"}}]`), "messages.0.content.0.source.url: "},
		{in(`[{"type":"text","text":"x"},{"type":"tool_result","tool_use_id":"t"}]`), "messages.0.content.1: "},
		{in(`[{"type":"tool_result","content":"x"}]`), "messages.0.content.0.tool_use_id: "},
		{in(`[{"type":"text","text":"x","citations":[{"a":1}]}]`), "messages.0.content.0.citations: "},
	} {
		got := w.anthropic(c.body)
		var e struct {
			Type  string
			Error struct{ Type, Message string }
		}
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != 400 || e.Type != "error" || e.Error.Type != "invalid_request_error" || !strings.Contains(e.Error.Message, c.message) {
			t.Errorf("%s:\n%d %s\nwant %s", c.body, got.status, got.body, c.message)
		}
	}
	if w.mock.Calls() > 0 {
		t.Error("the provider was called")
	}
	if got := w.anthropic(anthropicBody("text-embedding", "")); got.status != 404 || !strings.Contains(got.body, "does not answer messages") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestAnthropicCountsTokensWhereTheProviderCan(t *testing.T) {
	w := newWorld(t, nil)
	count := func(model string) reply {
		return w.call(ask{path: messages + "/count_tokens", key: "marketing", ws: marketing, body: `{"model":"` + model + `","messages":[{"role":"user","content":"two words"}]}`})
	}
	if got := count("qwen-turbo"); got.status != 400 || got.said() != anthropicRefusal(400, "The provider of this model cannot count tokens.") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := count("qwen-demo"); got.status != 200 || got.body != `{"input_tokens":25}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	w.mock.Always(mockserver.JSON(200, `{"input_tokens":7,"x":"y"}`))
	if got := count("qwen-aliased"); got.status != 200 || got.body != `{"input_tokens":7}` || !strings.Contains(string(w.mock.Last().Body), `"model":"vendor/model-7b"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := count("qwen-plus"); got.status != 403 {
		t.Errorf("%d %s", got.status, got.body)
	}
	for i, r := range w.books.all() {
		if r.Input != 0 || r.Output != 0 || r.Source == "estimated" {
			t.Errorf("record %d: %+v", i, r)
		}
	}
}

func TestAnthropicListsWhatTheKeyMayCall(t *testing.T) {
	w := newWorld(t, nil)
	for query, want := range map[string]string{
		"":                                "false qwen-aliased qwen-demo qwen-orphan qwen-turbo qwen-vl text-embedding",
		"?limit=2":                        "true qwen-aliased qwen-demo",
		"?limit=2&after_id=qwen-demo":     "true qwen-orphan qwen-turbo",
		"?limit=9&after_id=qwen-turbo":    "false qwen-vl text-embedding",
		"?limit=2&before_id=qwen-turbo":   "true qwen-demo qwen-orphan",
		"?limit=9&before_id=qwen-aliased": "false",
		"?after_id=zzz":                   "false",
	} {
		got := w.call(ask{path: "/apps/anthropic/v1/models" + query, key: "marketing", ws: marketing})
		var p struct {
			Data []struct{ ID, Type, Display string }
			More bool `json:"has_more"`
		}
		if err := json.Unmarshal([]byte(got.body), &p); err != nil {
			t.Fatalf("%s: %v %s", query, err, got.body)
		}
		line := fmt.Sprint(p.More)
		for _, m := range p.Data {
			line += " " + m.ID
		}
		if line != want {
			t.Errorf("%s: %s, want %s", query, line, want)
		}
	}
	got := w.call(ask{path: "/apps/anthropic/v1/models/qwen-turbo", key: "marketing", ws: marketing})
	if want := `{"type":"model","id":"qwen-turbo","display_name":"QWEN-TURBO","created_at":"2025-06-23T00:00:00Z"}`; got.body != want {
		t.Errorf("%s", got.body)
	}
	for _, path := range []string{"models/qwen-plus", "models/none", "complete"} {
		if got := w.call(ask{path: "/apps/anthropic/v1/" + path, key: "marketing", ws: marketing}); got.status != http.StatusNotFound || !strings.Contains(got.body, `"type":"not_found_error"`) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}
