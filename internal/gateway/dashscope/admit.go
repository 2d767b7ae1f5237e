package dashscope

import (
	"net/http"
	"slices"
	"strings"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
)

// crossingParameters are the parameters that have the same name and meaning in the
// OpenAI protocol, or in what the original's own compatible mode adds to it.
var crossingParameters = []string{
	"temperature", "top_p", "top_k", "seed", "n", "stop", "max_tokens", "max_completion_tokens", "presence_penalty", "frequency_penalty",
	"repetition_penalty", "response_format", "tools", "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs",
	"enable_search", "search_options", "enable_thinking", "thinking_budget", "reasoning_effort",
}

// Admit implements dialect.Dialect.
func (Dialect) Admit(r *http.Request, s dialect.Service, body []byte, id ident.Call) (dialect.Exchange, *dialect.Refusal) {
	o, err := wire.Parse(body)
	switch {
	case err == wire.ErrTwice:
		return nil, &dialect.TwiceInBody
	case err != nil:
		return nil, &dialect.BadBody
	}
	if s == dialect.Embeddings || s == dialect.Rerank {
		return admitWhole(s, o, id)
	}
	x := &exchange{id: id, parts: s == dialect.Multimodal, stream: wantsEvents(r), choices: 1}
	m, refusal := readModel(o)
	if refusal != nil {
		return nil, refusal
	}
	x.model = m
	if r := onlyKnown(o, "model", "input", "parameters"); r != nil {
		return nil, r
	}
	if r := x.readParameters(o.Get("parameters")); r != nil {
		return nil, r
	}
	if r := x.readInput(o.Get("input")); r != nil {
		return nil, r
	}
	return x, nil
}

// onlyKnown refuses members that are none of the names, by name. One that
// differs only in case is refused as a name that stands twice.
func onlyKnown(o wire.Object, names ...string) *dialect.Refusal {
	if r := clear(o, names...); r != nil {
		return r
	}
	for _, m := range o.Members {
		if !slices.Contains(names, m.Name) {
			return dialect.Unknown(m.Name)
		}
	}
	return nil
}

// clear refuses members that somebody could take for one of the names.
func clear(o wire.Object, names ...string) *dialect.Refusal {
	for _, m := range o.Members {
		if m.Escaped || !slices.Contains(names, m.Name) && slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, m.Name) }) {
			return &dialect.TwiceInBody
		}
	}
	return nil
}

func readModel(o wire.Object) (ident.Model, *dialect.Refusal) {
	raw := o.Get("model")
	name, isText := wire.String(raw)
	switch {
	case wire.Null(raw), isText && name == "":
		return "", &dialect.EmptyModel
	case !isText:
		return "", &dialect.BadParameters
	}
	m, err := ident.ParseModel(name)
	if err != nil {
		return "", &dialect.OddModel
	}
	return m, nil
}

func (x *exchange) readParameters(raw []byte) *dialect.Refusal {
	x.message, x.incremental = x.parts || saysMessage(x.model), saysPieces(x.model)
	if wire.Null(raw) {
		return nil
	}
	o, err := wire.Parse(raw)
	if err != nil {
		return &dialect.BadParameters
	}
	if r := onlyKnown(o, append([]string{"result_format", "incremental_output", "stream"}, crossingParameters...)...); r != nil {
		return r
	}
	for _, m := range o.Members {
		if r := dialect.InRange(m.Name, raw[m.Start:m.End]); r != nil {
			return r
		}
	}
	x.parameters = o
	return x.readShape(o)
}

// readShape reads what the answer is to look like.
func (x *exchange) readShape(o wire.Object) *dialect.Refusal {
	if raw := o.Get("result_format"); !wire.Null(raw) {
		switch s, _ := wire.String(raw); {
		case s == "message":
			x.message = true
		case s == "text" && !x.parts:
			x.message = false
		default:
			return dialect.Range("result_format", `result_format should be "text" or "message"`)
		}
	}
	if raw := o.Get("incremental_output"); !wire.Null(raw) {
		pieces, ok := wire.Bool(raw)
		if !ok {
			return dialect.Range("incremental_output", "incremental_output should be true or false")
		}
		x.incremental = pieces
	}
	if raw := o.Get("stream"); !wire.Null(raw) { // the official Python SDK says it here too
		if stream, ok := wire.Bool(raw); !ok || stream != x.stream {
			return dialect.Range("stream", `"stream" should be true or false and say the same as the header X-DashScope-SSE`)
		}
	}
	if n, ok := wire.Int(o.Get("n")); ok {
		x.choices = int(n)
	}
	for _, param := range []string{"tools", "logprobs"} {
		if raw := o.Get(param); !x.message && !wire.Null(raw) && string(raw) != "false" {
			return dialect.Range(param, `The parameter %q needs "result_format": "message".`, param)
		}
	}
	if x.choices > 1 && !x.message {
		return dialect.Range("n", `The parameter "n" above 1 needs "result_format": "message".`)
	}
	return nil
}

// saysMessage reports whether a model answers in message form by default: the
// newer ones do.
func saysMessage(m ident.Model) bool {
	return begins(m, "qwen3", "qwq", "qvq", "deepseek-", "kimi-", "glm-", "MiniMax-")
}

// saysPieces reports whether a model streams only what is new by default.
func saysPieces(m ident.Model) bool { return begins(m, "qwen3", "qwq", "qvq") }

func begins(m ident.Model, beginnings ...string) bool {
	return slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(string(m), b) })
}
