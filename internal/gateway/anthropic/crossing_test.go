package anthropic

import (
	"reflect"
	"testing"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/dialect/crossing"
)

// body is a request with something more in it.
func body(more string) string {
	return `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]` + more + `}`
}

// saying is a request in which a user says some blocks.
func saying(blocks string) string {
	return `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[` + blocks + `]}]}`
}

// replying is a request in which the model said some blocks before.
func replying(blocks string) string {
	return `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[` + blocks + `]},{"role":"user","content":"Go on"}]}`
}

const ephemeral = `"cache_control":{"type":"ephemeral","ttl":"1h"}`

var fates = []crossing.Case{
	{Member: "model", Body: body(""), Says: `"model":"m"`},
	{Member: "messages", Body: body(""), Says: `"messages":[{"role":"user","content":"Hi"}]`},
	{Member: "max_tokens", Body: body(""), Says: `"max_tokens":9`},
	{Member: "system", Body: body(`,"system":"Be brief"`), Says: `{"role":"system","content":"Be brief"}`},
	{Member: "stop_sequences", Body: body(`,"stop_sequences":["x"]`), Says: `"stop":["x"]`},
	{Member: "stream", Body: body(`,"stream":true`), Says: `"stream":true`},
	{Member: "temperature", Body: body(`,"temperature":0.5`), Says: `"temperature":0.5`},
	{Member: "top_p", Body: body(`,"top_p":0.5`), Says: `"top_p":0.5`},
	{Member: "top_k", Body: body(`,"top_k":5`), Says: `"top_k":5`},
	{Member: "metadata.user_id", Body: body(`,"metadata":{"user_id":"u"}`), Says: `"user":"u"`},
	{Member: "metadata with more", Body: body(`,"metadata":{"team":"u"}`), Refused: "metadata.team"},
	{Member: "service_tier auto", Body: body(`,"service_tier":"auto"`)},
	{Member: "service_tier", Body: body(`,"service_tier":"standard_only"`), LeftOut: "service_tier"},
	{Member: "cache_control", Body: body(`,"cache_control":{"type":"ephemeral"}`), LeftOut: "cache_control"},
	{Member: "container", Body: body(`,"container":"c"`), Refused: "container"},
	{Member: "mcp_servers", Body: body(`,"mcp_servers":[]`), Refused: "mcp_servers"},
	{Member: "context_management", Body: body(`,"context_management":{}`), Refused: "context_management"},

	{Member: "tools.type", Body: body(`,"tools":[{"type":"custom","name":"f","input_schema":{}}]`), Says: `"function":{"name":"f"`},
	{Member: "tools.type of others", Body: body(`,"tools":[{"type":"web_search_20250305","name":"web_search"}]`), Refused: "tools.0.type"},
	{Member: "tools.name", Body: body(`,"tools":[{"name":"f","input_schema":{}}]`), Says: `"name":"f"`},
	{Member: "tools.description", Body: body(`,"tools":[{"name":"f","description":"d","input_schema":{}}]`), Says: `"description":"d"`},
	{Member: "tools.input_schema", Body: body(`,"tools":[{"name":"f","input_schema":{"type":"object"}}]`), Says: `"parameters":{"type":"object"}`},
	{Member: "tools.strict", Body: body(`,"tools":[{"name":"f","input_schema":{},"strict":true}]`), Says: `"strict":true`},
	{Member: "tools.cache_control", Body: body(`,"tools":[{"name":"f","input_schema":{},` + ephemeral + `}]`), LeftOut: "tools.cache_control"},
	{Member: "tools.defer_loading", Body: body(`,"tools":[{"name":"f","input_schema":{},"defer_loading":true}]`), Refused: "tools.0.defer_loading"},
	{Member: "tool_choice.type", Body: body(`,"tool_choice":{"type":"any"}`), Says: `"tool_choice":"required"`},
	{Member: "tool_choice.name", Body: body(`,"tool_choice":{"type":"tool","name":"f"}`), Says: `"tool_choice":{"type":"function","function":{"name":"f"}}`},
	{Member: "tool_choice.name of none", Body: body(`,"tool_choice":{"type":"auto","name":"f"}`), Refused: "tool_choice.name"},
	{Member: "tool_choice.disable_parallel_tool_use", Body: body(`,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`), Says: `"parallel_tool_calls":false`},
	{Member: "thinking.type", Body: body(`,"thinking":{"type":"adaptive"}`), Says: `"enable_thinking":true`},
	{Member: "thinking.budget_tokens", Body: body(`,"thinking":{"type":"enabled","budget_tokens":2000}`), Says: `"thinking_budget":2000`},
	{Member: "thinking.budget_tokens of none", Body: body(`,"thinking":{"type":"adaptive","budget_tokens":2000}`), Refused: "thinking.budget_tokens"},
	{Member: "thinking.display", Body: body(`,"thinking":{"type":"adaptive","display":"summarized"}`), LeftOut: "thinking.display"},
	{Member: "thinking.display omitted", Body: body(`,"thinking":{"type":"adaptive","display":"omitted"}`), Says: `"enable_thinking":true`},
	{Member: "thinking.display of none", Body: body(`,"thinking":{"type":"adaptive","display":"loud"}`), Refused: "thinking.display"},
	{Member: "output_config.effort", Body: body(`,"output_config":{"effort":"low"}`), Says: `"reasoning_effort":"low"`},
	{Member: "output_config.format", Body: body(`,"output_config":{"format":{"type":"json_schema","schema":{"a":1}}}`), Says: `"schema":{"a":1}`},
	{Member: "output_config.task_budget", Body: body(`,"output_config":{"task_budget":1}`), Refused: "output_config.task_budget"},

	{Member: "block.type", Body: saying(`{"type":"redacted_thinking"}`), Refused: "messages.0.content.0.type"},
	{Member: "block.text", Body: saying(`{"type":"text","text":"Hi"}`), Says: `"content":"Hi"`},
	{Member: "block.text of a picture", Body: saying(`{"type":"image","text":"Hi","source":{"type":"url","url":"https://a"}}`), Refused: "messages.0.content.0.text"},
	{Member: "block.source", Body: saying(`{"type":"text","text":"Hi","source":{"type":"url","url":"https://a"}}`), Refused: "messages.0.content.0.source"},
	{Member: "block.id", Body: replying(`{"type":"tool_use","id":"t","name":"f","input":{}}`), Says: `"id":"t"`},
	{Member: "block.name", Body: replying(`{"type":"tool_use","id":"t","name":"f","input":{}}`), Says: `"name":"f"`},
	{Member: "block.input", Body: replying(`{"type":"tool_use","id":"t","name":"f","input":{"a":1}}`), Says: `"arguments":"{\"a\":1}"`},
	{Member: "block.caller", Body: replying(`{"type":"tool_use","id":"t","name":"f","input":{},"caller":{"type":"direct"}}`), Says: `"id":"t"`},
	{Member: "block.caller that is a program", Body: replying(`{"type":"tool_use","id":"t","name":"f","input":{},"caller":{"type":"code_execution_20250825","tool_id":"x"}}`), Refused: "messages.1.content.0.caller"},
	{Member: "block.tool_use_id", Body: saying(`{"type":"tool_result","tool_use_id":"t","content":"42"}`), Says: `"tool_call_id":"t"`},
	{Member: "block.content", Body: saying(`{"type":"tool_result","tool_use_id":"t","content":"42"}`), Says: `"content":"42"`},
	{Member: "block.is_error", Body: saying(`{"type":"tool_result","tool_use_id":"t","content":"no","is_error":true}`), Says: `The tool failed:\nno`},
	{Member: "block.thinking", Body: replying(`{"type":"thinking","thinking":"Hm","signature":""},{"type":"text","text":"So"}`), Says: `"reasoning_content":"Hm"`},
	{Member: "block.signature", Body: replying(`{"type":"thinking","thinking":"Hm","signature":"EqQB"},{"type":"text","text":"So"}`), Says: `"reasoning_content":"Hm"`, LeftOut: "signature"},
	{Member: "block.citations", Body: replying(`{"type":"text","text":"So","citations":[]}`), Says: `"content":"So"`},
	{Member: "block.citations of something", Body: replying(`{"type":"text","text":"So","citations":[{"type":"char_location"}]}`), Refused: "messages.1.content.0.citations"},
	{Member: "block.title", Body: saying(`{"type":"document","title":"T","source":{"type":"text","media_type":"text/plain","data":"D"}}`), Refused: "messages.0.content.0.title"},
	{Member: "source.type", Body: saying(`{"type":"image","source":{"type":"file","file_id":"f"}}`), Refused: "messages.0.content.0.source.file_id"},
	{Member: "source.media_type", Body: saying(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}`), Says: `"data:image/png;base64,AAAA"`},
	{Member: "source.media_type of a text", Body: saying(`{"type":"document","source":{"type":"text","media_type":"text/html","data":"D"}}`), Refused: "messages.0.content.0.type"},
	{Member: "source.data", Body: saying(`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"D"}}`), Says: `"content":"D"`},
	{Member: "source.url", Body: saying(`{"type":"image","source":{"type":"url","url":"https://a"}}`), Says: `"url":"https://a"`},
	{Member: "source.url of bytes", Body: saying(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA","url":"https://a"}}`), Refused: "messages.0.content.0.source.url"},

	{Member: "block.cache_control", Body: saying(`{"type":"text","text":"Hi",` + ephemeral + `}`), Says: `"content":"Hi"}`, LeftOut: "cache_control",
		Marks: `"content":[{"type":"text","text":"Hi",` + ephemeral + `}]`},
	{Member: "block.cache_control of a picture", Body: saying(`{"type":"image","source":{"type":"url","url":"https://a"},` + ephemeral + `}`), Says: `"url":"https://a"}}]`, LeftOut: "cache_control",
		Marks: `"url":"https://a"},` + ephemeral + `}]`},
	{Member: "block.cache_control of the system", Body: body(`,"system":[{"type":"text","text":"Be",` + ephemeral + `},{"type":"text","text":"brief"}]`), Says: `"content":"Be\n\nbrief"}`, LeftOut: "cache_control",
		Marks: `"content":[{"type":"text","text":"Be\n\n",` + ephemeral + `},{"type":"text","text":"brief"}]`},
	{Member: "block.cache_control of a result", Body: saying(`{"type":"tool_result","tool_use_id":"t","content":"42",` + ephemeral + `}`), Says: `"content":"42"`, LeftOut: "cache_control",
		Marks: `"content":[{"type":"text","text":"42",` + ephemeral + `}],"tool_call_id":"t"`},
	{Member: "block.cache_control of an empty result", Body: saying(`{"type":"tool_result","tool_use_id":"t",` + ephemeral + `}`), Says: `"content":""`, LeftOut: "cache_control",
		Marks: `"content":[{"type":"text","text":"",` + ephemeral + `}]`},
	{Member: "block.cache_control of an answer", Body: replying(`{"type":"text","text":"So",` + ephemeral + `}`), Says: `"content":"So"`, LeftOut: "cache_control",
		Marks: `"content":[{"type":"text","text":"So",` + ephemeral + `}]`},
	{Member: "block.cache_control of a tool call", Body: replying(`{"type":"tool_use","id":"t","name":"f","input":{},` + ephemeral + `}`), Says: `"id":"t"`, LeftOut: "cache_control"},
	{Member: "block.cache_control null", Body: saying(`{"type":"text","text":"Hi","cache_control":null}`), Says: `"content":"Hi"`, Marks: `"content":"Hi"`},
}

func TestEveryMemberSurvivesIsRefusedByNameOrIsNamedAsLeftOut(t *testing.T) {
	crossing.Run(t, Dialect{}, dialect.Chat, "chat/completions", fates)
	crossing.Cover(t, fates, map[string]reflect.Type{
		"": reflect.TypeFor[request](), "tools.": reflect.TypeFor[tool](), "tool_choice.": reflect.TypeFor[choice](), "thinking.": reflect.TypeFor[thinking](),
		"output_config.": reflect.TypeFor[outputting](), "block.": reflect.TypeFor[block](), "source.": reflect.TypeFor[source](),
	})
}
