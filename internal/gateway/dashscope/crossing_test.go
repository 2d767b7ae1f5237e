package dashscope

import (
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/dialect/crossing"
)

func said(part string) string {
	return `{"model":"qwen-vl","input":{"messages":[{"role":"user","content":[` + part + `]}]}}`
}

func with(parameter string) string {
	return `{"model":"qwen-vl","input":{"messages":[{"role":"user","content":[{"text":"Hi"}]}]},"parameters":{` + parameter + `}}`
}

const ephemeral = `"cache_control":{"type":"ephemeral"}`

var fates = []crossing.Case{
	{Member: "model", Body: said(`{"text":"Hi"}`), Says: `"model":"m"`},
	{Member: "task", Body: strings.Replace(said(`{"text":"Hi"}`), `{"model"`, `{"task":"x","model"`, 1), Refused: "task"},
	{Member: "input.messages", Body: said(`{"text":"Hi"}`), Says: `"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]`},
	{Member: "input.prompt", Body: `{"model":"qwen-vl","input":{"prompt":"Hi"}}`, Says: `"content":"Hi"`},
	{Member: "input.history", Body: `{"model":"qwen-vl","input":{"prompt":"Hi","history":[]}}`, Refused: "history"},
	{Member: "part.text", Body: said(`{"text":"Hi"}`), Says: `"text":"Hi"`},
	{Member: "part.type", Body: said(`{"type":"text","text":"Hi"}`), Says: `{"type":"text","text":"Hi"}`},
	{Member: "part.type of others", Body: said(`{"type":"image","text":"Hi"}`), Refused: "input.messages.0.content.0.type"},
	{Member: "part.image", Body: said(`{"image":"https://a"}`), Says: `"image_url":{"url":"https://a"}`},
	{Member: "part.image and text", Body: said(`{"image":"https://a","text":"Hi"}`), Refused: "input.messages.0.content.0"},
	{Member: "part.min_pixels", Body: said(`{"image":"https://a","min_pixels":9}`), Refused: "input.messages.0.content.0.min_pixels"},
	{Member: "part.video", Body: said(`{"video":"https://a"}`), Refused: "input.messages.0.content.0.video"},
	{Member: "part.cache_control", Body: said(`{"text":"Hi",` + ephemeral + `}`), Says: `{"type":"text","text":"Hi"}]`, LeftOut: "cache_control", Marks: `{"type":"text","text":"Hi",` + ephemeral + `}]`},
	{Member: "part.cache_control of a picture", Body: said(`{"image":"https://a",` + ephemeral + `}`), Says: `"https://a"}}]`, LeftOut: "cache_control", Marks: `"https://a"},` + ephemeral + `}]`},
	{Member: "message.tool_calls", Body: `{"model":"qwen-vl","input":{"messages":[{"role":"assistant","content":"","tool_calls":[1]}]}}`, Says: `"tool_calls":[1]`},

	{Member: "result_format", Body: with(`"result_format":"message"`)}, // the answer's form, which is made here
	{Member: "result_format of others", Body: with(`"result_format":"loud"`), Refused: "result_format"},
	{Member: "incremental_output", Body: with(`"incremental_output":true`)}, // likewise
	{Member: "stream", Body: with(`"stream":false`)},                        // says what the header says
	{Member: "stream otherwise", Body: with(`"stream":true`), Refused: "stream"},
	{Member: "vl_high_resolution_images", Body: with(`"vl_high_resolution_images":true`), Refused: "vl_high_resolution_images"},
	{Member: "translation_options", Body: with(`"translation_options":{}`), Refused: "translation_options"},
}

func TestEveryMemberSurvivesIsRefusedByNameOrIsNamedAsLeftOut(t *testing.T) {
	values := map[string]string{"temperature": "0.5", "top_p": "0.5", "stop": `["x"]`, "response_format": "{}", "tools": "[]", "tool_choice": `"auto"`, "search_options": "{}", "reasoning_effort": `"low"`}
	for _, name := range crossingParameters {
		value := values[name]
		if value == "" {
			value = "1"
		}
		if slices.Contains([]string{"parallel_tool_calls", "logprobs", "enable_search", "enable_thinking"}, name) {
			value = "true"
		}
		fates = append(fates, crossing.Case{Member: "parameters." + name, Body: with(`"` + name + `":` + value), Says: `"` + name + `":` + value})
	}
	crossing.Run(t, Dialect{}, dialect.Multimodal, "chat/completions", fates)
}
