package dashscope

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

var sse = http.Header{"X-Dashscope-Sse": {"enable"}}

// chat asks for a chat completion.
func (s *Server) chat(ctx context.Context, r provider.Request) (*provider.Answer, error) {
	q, err := askChat(r.Body)
	if err != nil {
		return refuse(refusalOf(err)), nil
	}
	send := line.Request{Method: http.MethodPost, Path: textPath, Body: q.body, Call: r.Call, Stream: r.Stream}
	if q.media {
		send.Path = mediaPath
	}
	if r.Stream {
		send.Header = sse
	}
	resp, err := s.Send(ctx, send)
	if err != nil {
		return nil, err
	}
	if !r.Stream || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		a, err := whole(resp, func(native []byte) ([]byte, error) { return readChat(q, native) })
		if err == nil {
			a.LeftOut = q.leftOut
		}
		return a, err
	}
	return &provider.Answer{Status: resp.StatusCode, Header: resp.Header, Length: -1, Body: newEvents(q, resp.Body), LeftOut: q.leftOut}, nil
}

// chatQuestion is a request as it is said natively.
type chatQuestion struct {
	model    string
	body     []byte
	media    bool // asked at the multimodal service
	usage    bool // a stream ends with usage
	choices  int
	streamed bool
	leftOut  []string // hints that were given
}

// passed are the parameters that both protocols have under one name.
var passed = []string{
	"temperature", "top_p", "top_k", "seed", "n", "stop", "max_tokens", "max_completion_tokens", "repetition_penalty", "presence_penalty",
	"enable_search", "search_options", "enable_thinking", "thinking_budget", "reasoning_effort", "response_format",
	"tools", "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs", "vl_high_resolution_images",
}

// apart are members that are said otherwise, and hints those that the native
// protocol has no word for and that change no answer: the caller is told.
var (
	apart = []string{"model", "messages", "stream", "stream_options"}
	hints = []string{"user", "metadata", "store", "safety_identifier", "prompt_cache_key"}
)

func askChat(body []byte) (*chatQuestion, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	q := &chatQuestion{choices: 1}
	var messages []map[string]json.RawMessage
	var options struct {
		IncludeUsage bool `json:"include_usage"`
	}
	for name, to := range map[string]any{"model": &q.model, "stream": &q.streamed, "messages": &messages, "stream_options": &options, "n": &q.choices} {
		if text, ok := members[name]; ok {
			if err := json.Unmarshal(text, to); err != nil {
				return nil, refusal{"The parameter \"" + name + "\" is of the wrong type.", name, "invalid_type"}
			}
		}
	}
	q.usage = options.IncludeUsage
	if err := only(members["stream_options"], "include_usage"); members["stream_options"] != nil && err != nil {
		return nil, cannot("stream_options")
	}
	parameters := map[string]any{"result_format": "message"}
	if q.streamed {
		parameters["incremental_output"] = true
	}
	for name, value := range members {
		switch {
		case slices.Contains(apart, name) || string(value) == "null":
		case slices.Contains(hints, name):
			if string(value) != "false" {
				q.leftOut = append(q.leftOut, name)
			}
		case slices.Contains(passed, name):
			parameters[name] = value
		default:
			return nil, cannot(name)
		}
	}
	q.media = sees(q.model) || slices.ContainsFunc(messages, hasMedia)
	for i, m := range messages {
		if err := content(m, q.media); err != nil {
			return nil, err
		}
		messages[i] = m
	}
	var err error
	q.body, err = json.Marshal(map[string]any{"model": q.model, "input": map[string]any{"messages": messages}, "parameters": parameters})
	return q, err
}

// sees reports whether a model is asked at the multimodal service even for
// text: those that see or hear, by the names that DashScope gives them.
func sees(model string) bool {
	for _, part := range strings.FieldsFunc(strings.ToLower(model), func(r rune) bool { return r == '-' || r == '/' || r == '.' }) {
		if strings.HasPrefix(part, "vl") || part == "omni" || part == "qvq" || part == "ocr" {
			return true
		}
	}
	return false
}

// parts reads a content that is a list.
func parts(m map[string]json.RawMessage) (list []part, ok bool) {
	text := bytes.TrimSpace(m["content"])
	if len(text) == 0 || text[0] != '[' {
		return nil, false
	}
	return list, json.Unmarshal(text, &list) == nil
}

func hasMedia(m map[string]json.RawMessage) bool {
	list, _ := parts(m)
	return slices.ContainsFunc(list, func(p part) bool { return p["text"] == nil })
}

// content rewrites a message's content: text for the text service, a list of
// {text}, {image}, {video}, {audio} for the multimodal one. Marks for a cache need
// a list at both.
func content(m map[string]json.RawMessage, media bool) error {
	list, ok := parts(m)
	switch {
	case !ok && media:
		var text string
		if json.Unmarshal(m["content"], &text) != nil {
			return nil
		}
		m["content"], _ = json.Marshal([]map[string]any{{"text": text}})
		return nil
	case !ok:
		return nil
	}
	marked := slices.ContainsFunc(list, func(p part) bool { return p["cache_control"] != nil })
	var text strings.Builder
	var out []map[string]any
	for _, p := range list {
		native, err := p.native(media)
		if err != nil {
			return err
		}
		if s, said := native["text"].(string); said {
			text.WriteString(s)
		}
		out = append(out, native)
	}
	if media || marked {
		m["content"], _ = json.Marshal(out)
	} else {
		m["content"], _ = json.Marshal(text.String())
	}
	return nil
}
