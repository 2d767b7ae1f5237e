package responses_test

import (
	"testing"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/dialect/crossing"
	"bailiwick/internal/gateway/openai"
	"bailiwick/internal/gateway/responses"
)

func body(more string) string { return `{"model":"m","input":"Hi"` + more + `}` }

func items(list string) string { return `{"model":"m","input":[` + list + `]}` }

func saying(part string) string { return items(`{"role":"user","content":[` + part + `]}`) }

func said(part string) string {
	return items(`{"role":"assistant","content":[` + part + `]},{"role":"user","content":"Go on"}`)
}

var fates = []crossing.Case{
	{Member: "model", Body: body(""), Says: `"model":"m"`},
	{Member: "input", Body: body(""), Says: `"content":"Hi"`},
	{Member: "instructions", Body: body(`,"instructions":"Be brief"`), Says: `{"role":"system","content":"Be brief"}`},
	{Member: "max_output_tokens", Body: body(`,"max_output_tokens":9`), Says: `"max_tokens":9`},
	{Member: "temperature", Body: body(`,"temperature":0.5`), Says: `"temperature":0.5`},
	{Member: "top_p", Body: body(`,"top_p":0.5`), Says: `"top_p":0.5`},
	{Member: "top_logprobs", Body: body(`,"top_logprobs":2`), Says: `"logprobs":true,"top_logprobs":2`},
	{Member: "tool_choice", Body: body(`,"tool_choice":"none"`), Says: `"tool_choice":"none"`},
	{Member: "tools", Body: body(`,"tools":[{"type":"function","name":"f"}],"parallel_tool_calls":false`), Says: `"parallel_tool_calls":false`},
	{Member: "parallel_tool_calls without tools", Body: body(`,"parallel_tool_calls":false`)}, // of none there are none at once
	{Member: "text.format", Body: body(`,"text":{"format":{"type":"json_schema","name":"n","schema":{"a":1}}}`), Says: `"schema":{"a":1}`},
	{Member: "text.format.schema of none", Body: body(`,"text":{"format":{"type":"json_object","schema":{"a":1}}}`), Refused: "text.format.schema"},
	{Member: "text.verbosity", Body: body(`,"text":{"verbosity":"low"}`), Says: `"verbosity":"low"`},
	{Member: "reasoning.effort", Body: body(`,"reasoning":{"effort":"low"}`), Says: `"reasoning_effort":"low"`},
	{Member: "reasoning.summary", Body: body(`,"reasoning":{"summary":"concise"}`), LeftOut: "reasoning.summary"},
	{Member: "reasoning.summary auto", Body: body(`,"reasoning":{"summary":"auto"}`)},
	{Member: "stream", Body: body(`,"stream":true`), Says: `"stream":true`},
	{Member: "stream_options", Body: body(`,"stream_options":{"include_obfuscation":true}`), Refused: "stream_options.include_obfuscation"},
	{Member: "include", Body: body(`,"include":["message.output_text.logprobs"]`), Says: `"logprobs":true`},
	{Member: "include of others", Body: body(`,"include":["reasoning.encrypted_content"]`), Refused: "include"},
	{Member: "metadata", Body: body(`,"metadata":{"a":"b"}`)}, // repeated in the answer
	{Member: "user", Body: body(`,"user":"u"`), Says: `"user":"u"`},
	{Member: "safety_identifier", Body: body(`,"safety_identifier":"s"`), Says: `"safety_identifier":"s"`},
	{Member: "prompt_cache_key", Body: body(`,"prompt_cache_key":"k"`), Says: `"prompt_cache_key":"k"`},
	{Member: "prompt_cache_retention", Body: body(`,"prompt_cache_retention":"24h"`), Refused: "prompt_cache_retention"},
	{Member: "service_tier", Body: body(`,"service_tier":"auto"`)}, // there is no other
	{Member: "service_tier of others", Body: body(`,"service_tier":"flex"`), Refused: "service_tier"},
	{Member: "truncation", Body: body(`,"truncation":"auto"`), Refused: "truncation"},
	{Member: "enable_thinking", Body: body(`,"enable_thinking":true`), Says: `"enable_thinking":true`},
	{Member: "thinking_budget", Body: body(`,"thinking_budget":9`), Says: `"thinking_budget":9`},
	{Member: "store", Body: body(`,"store":true`), Refused: "store"},
	{Member: "background", Body: body(`,"background":true`), Refused: "background"},
	{Member: "previous_response_id", Body: body(`,"previous_response_id":"r"`), Refused: "previous_response_id"},
	{Member: "conversation", Body: body(`,"conversation":"c"`), Refused: "conversation"},
	{Member: "prompt", Body: body(`,"prompt":{"id":"p"}`), Refused: "prompt"},
	{Member: "max_tool_calls", Body: body(`,"max_tool_calls":1`), Refused: "max_tool_calls"},

	{Member: "tool.type", Body: body(`,"tools":[{"type":"web_search"}]`), Refused: "tools"},
	{Member: "tool.name", Body: body(`,"tools":[{"type":"function","name":"f"}]`), Says: `"name":"f"`},
	{Member: "tool.description", Body: body(`,"tools":[{"type":"function","name":"f","description":"d"}]`), Says: `"description":"d"`},
	{Member: "tool.parameters", Body: body(`,"tools":[{"type":"function","name":"f","parameters":{"a":1}}]`), Says: `"parameters":{"a":1}`},
	{Member: "tool.strict", Body: body(`,"tools":[{"type":"function","name":"f","strict":true}]`), Says: `"strict":true`},

	{Member: "item.type", Body: items(`{"type":"web_search_call"}`), Refused: "input.0.type"},
	{Member: "item.role", Body: items(`{"role":"developer","content":"Hi"}`), Says: `"role":"system"`},
	{Member: "item.content", Body: items(`{"role":"user","content":"Hi"}`), Says: `"content":"Hi"`},
	{Member: "item.id", Body: items(`{"type":"message","id":"msg_1","role":"user","content":"Hi"}`)},             // only a name
	{Member: "item.status", Body: items(`{"type":"message","status":"completed","role":"user","content":"Hi"}`)}, // of what is over
	{Member: "item.phase", Body: items(`{"role":"assistant","phase":"commentary","content":"So"},{"role":"user","content":"Go on"}`), Says: `"content":"So"`, LeftOut: "phase"},
	{Member: "item.call_id", Body: items(`{"type":"function_call_output","call_id":"c","output":"42"}`), Says: `"tool_call_id":"c"`},
	{Member: "item.call_id of a message", Body: items(`{"role":"user","content":"Hi","call_id":"c"}`), Refused: "input.0.call_id"},
	{Member: "item.name", Body: items(`{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}`), Says: `"name":"f"`},
	{Member: "item.arguments", Body: items(`{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}`), Says: `"arguments":"{}"`},
	{Member: "item.output", Body: items(`{"type":"function_call_output","call_id":"c","output":"42"}`), Says: `"content":"42"`},
	{Member: "item.summary", Body: items(`{"type":"reasoning","summary":[{"type":"summary_text","text":"Hm"}]},{"role":"assistant","content":"So"},{"role":"user","content":"Hi"}`), Says: `"reasoning_content":"Hm"`},
	{Member: "item.encrypted_content", Body: items(`{"type":"reasoning","summary":[],"encrypted_content":"x"}`), Refused: "input.0.encrypted_content"},

	{Member: "part.type", Body: saying(`{"type":"input_audio"}`), Refused: "input.0.content.0.type"},
	{Member: "part.text", Body: saying(`{"type":"input_text","text":"Hi"}`), Says: `"content":"Hi"`},
	{Member: "part.refusal", Body: said(`{"type":"refusal","refusal":"No"}`), Says: `"content":"No"`},
	{Member: "part.image_url", Body: saying(`{"type":"input_image","image_url":"https://a"}`), Says: `"url":"https://a"`},
	{Member: "part.image_url of a text", Body: saying(`{"type":"input_text","text":"Hi","image_url":"https://a"}`), Refused: "input.0.content.0.image_url"},
	{Member: "part.detail", Body: saying(`{"type":"input_image","image_url":"https://a","detail":"low"}`), Says: `"detail":"low"`},
	{Member: "part.file_id", Body: saying(`{"type":"input_image","file_id":"f"}`), Refused: "input"},
	{Member: "part.annotations", Body: said(`{"type":"output_text","text":"So","annotations":[{"type":"url_citation"}]}`), Says: `"content":"So"`, LeftOut: "annotations"},
	{Member: "part.logprobs", Body: said(`{"type":"output_text","text":"So","logprobs":[{}]}`), Says: `"content":"So"`, LeftOut: "logprobs"},
	{Member: "part.annotations of none", Body: said(`{"type":"output_text","text":"So","annotations":[],"logprobs":[]}`), Says: `"content":"So"`},
}

func TestEveryMemberSurvivesIsRefusedByNameOrIsNamedAsLeftOut(t *testing.T) {
	crossing.Run(t, openai.Dialect{}, dialect.Responses, "chat/completions", fates)
	crossing.Cover(t, fates, responses.Types)
}
