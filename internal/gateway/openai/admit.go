package openai

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/responses"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
)

// known are the members that mean something to somebody on the way: the OpenAI
// protocol's and those the original adds. Other members pass as well; a name
// that differs from one of these only in case does not, because readers differ
// in whether they take it for the same.
var known = []string{
	"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "best_of",
	"temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
	"stop", "seed", "logprobs", "top_logprobs", "logit_bias", "response_format", "tools", "tool_choice",
	"parallel_tool_calls", "functions", "function_call", "user", "metadata", "store", "service_tier",
	"reasoning_effort", "verbosity", "modalities", "audio", "prediction", "web_search_options", "safety_identifier",
	"prompt_cache_key", "prompt", "suffix", "echo", "input", "dimensions", "encoding_format", "query", "documents", "top_n", "return_documents", "instruct",
	"instructions", "max_output_tokens", "max_tool_calls", "text", "reasoning", "include", "truncation", "previous_response_id", "conversation", "background", "enable_thinking", "thinking_budget", "enable_search", "search_options", "chat_template_kwargs", "extra_body",
}

var exactly = func() map[string]bool {
	m := make(map[string]bool, len(known))
	for _, k := range known {
		m[k] = true
	}
	return m
}()

// mostChoices bounds n and best_of.
const mostChoices = 128

// Admit implements dialect.Dialect.
func (Dialect) Admit(_ *http.Request, s dialect.Service, body []byte, id ident.Call) (dialect.Exchange, *dialect.Refusal) {
	o, err := wire.Parse(body)
	switch {
	case err == wire.ErrTwice:
		return nil, &dialect.TwiceInBody
	case err != nil:
		return nil, &dialect.BadBody
	}
	if clash(o) {
		return nil, &dialect.TwiceInBody
	}
	x := &exchange{service: s, body: o, id: id}
	if r := x.readModel(); r != nil {
		return nil, r
	}
	var r *dialect.Refusal
	switch s {
	case dialect.Responses:
		return responses.Admit(o, x.model, id)
	case dialect.Embeddings:
		r = x.readVectors()
	case dialect.Rerank:
		r = x.readRanking()
	default:
		r = x.readTalk()
	}
	if r != nil {
		return nil, r
	}
	return x, nil
}

// readTalk reads what chat completions and completions have in common.
func (x *exchange) readTalk() *dialect.Refusal {
	for _, check := range [...]func() *dialect.Refusal{x.readSaid, x.readStream, x.readCounts, x.readTier} {
		if r := check(); r != nil {
			return r
		}
	}
	return nil
}

// clash reports whether a name could be taken for another.
func clash(o wire.Object) bool {
	return slices.ContainsFunc(o.Members, func(m wire.Member) bool {
		if m.Escaped {
			return true
		}
		return !exactly[m.Name] && slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, m.Name) })
	})
}

func (x *exchange) readModel() *dialect.Refusal {
	raw := x.body.Get("model")
	name, isText := wire.String(raw)
	switch {
	case wire.Null(raw), isText && name == "":
		return &dialect.EmptyModel
	case !isText:
		return dialect.Range("model", "%s", dialect.BadParameters.OpenAI.Message)
	}
	m, err := ident.ParseModel(name)
	if err != nil {
		return dialect.Range("model", "%s", dialect.OddModel.OpenAI.Message)
	}
	x.model = m
	return nil
}

func (x *exchange) readSaid() *dialect.Refusal {
	if x.service == dialect.Completion {
		return x.readPrompt()
	}
	raw := x.body.Get("messages")
	switch {
	case wire.Null(raw):
		return &dialect.NoMessages
	case raw[0] != '[':
		return dialect.Range("messages", "%s", dialect.BadParameters.OpenAI.Message)
	case wire.EmptyArray(raw):
		return dialect.Range("messages", "%s", dialect.TooShort.OpenAI.Message)
	}
	return nil
}

func (x *exchange) readStream() *dialect.Refusal {
	if raw := x.body.Get("stream"); !wire.Null(raw) {
		stream, ok := wire.Bool(raw)
		if !ok {
			return dialect.Range("stream", "%s", dialect.BadParameters.OpenAI.Message)
		}
		x.stream = stream
	}
	raw := x.body.Get("stream_options")
	if wire.Null(raw) {
		return nil
	}
	options, err := wire.Parse(raw)
	asked := options.Get("include_usage")
	_, isBool := wire.Bool(asked)
	if err != nil || !wire.Null(asked) && !isBool || clashing(options, "include_usage") {
		return dialect.Range("stream_options", "%s", dialect.BadParameters.OpenAI.Message)
	}
	x.wantsUsage, _ = wire.Bool(asked)
	return nil
}

func clashing(o wire.Object, name string) bool {
	return slices.ContainsFunc(o.Members, func(m wire.Member) bool {
		return m.Escaped || m.Name != name && strings.EqualFold(m.Name, name)
	})
}

func (x *exchange) readCounts() *dialect.Refusal {
	for _, param := range []string{"n", "best_of"} {
		raw := x.body.Get(param)
		if n, ok := wire.Int(raw); !wire.Null(raw) && (!ok || n < 1 || n > mostChoices) {
			return dialect.Range(param, "Range of %s should be [1, %d]", param, mostChoices)
		}
	}
	return nil
}

// readTier takes the ordinary service tiers only: what others cost is in no catalogue.
func (x *exchange) readTier() *dialect.Refusal {
	raw := x.body.Get("service_tier")
	if tier, _ := wire.String(raw); !wire.Null(raw) && tier != "auto" && tier != "default" {
		return dialect.Range("service_tier", `service_tier should be "auto" or "default"`)
	}
	return nil
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }
