package mockserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Chat is one answer to a chat completion, for whole and streamed requests alike.
type Chat struct {
	Words     []string // the answer; a stream sends one at a time
	Reasoning []string
	Reason    string // empty: "stop"
	Input     int    // tokens; the answer counts one a word
	NoUsage   bool
}

type asked struct {
	Model         string `json:"model"`
	Stream        bool   `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// Missing is the answer at a path that is not there.
func Missing() Reply {
	return JSON(http.StatusNotFound, `{"error":{"message":"no such path","type":"invalid_request_error","code":"not_found"}}`)
}

// Default answers "Hello, world!", lists one model, gives vectors and rankings,
// and knows no other path.
func Default(r Received) Reply {
	return Chat{Words: []string{"Hello", ",", " world", "!"}, Input: 7}.Answer(r)
}

// Answer answers as a model server would.
func (c Chat) Answer(r Received) Reply {
	if strings.HasSuffix(r.Path, "/models") {
		return Models("mock-model")
	}
	var q asked
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return Missing()
	}
	switch service := r.Path[strings.LastIndex(r.Path, "/")+1:]; {
	case service == "embeddings":
		return vectors(r.Body)
	case service == "rerank":
		return ranking(r.Body)
	case service != "completions":
		return Missing()
	case !strings.HasSuffix(r.Path, "/chat/completions"):
		return c.goesOn(q)
	}
	if q.Stream {
		return Events(c.Stream(q.Model, q.StreamOptions.IncludeUsage)...)
	}
	return JSON(http.StatusOK, c.Whole(q.Model))
}

func (c Chat) reason() string {
	if c.Reason == "" {
		return "stop"
	}
	return c.Reason
}

func (c Chat) usage() string {
	out := len(c.Words) + len(c.Reasoning)
	return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":%d}}`, c.Input, out, c.Input+out, len(c.Reasoning))
}

// Whole is the answer in one piece.
func (c Chat) Whole(model string) string {
	message := fmt.Sprintf(`"role":"assistant","content":%s`, quote(strings.Join(c.Words, "")))
	if c.Reasoning != nil {
		message += `,"reasoning_content":` + quote(strings.Join(c.Reasoning, ""))
	}
	usage := ""
	if !c.NoUsage {
		usage = `,"usage":` + c.usage()
	}
	return fmt.Sprintf(`{"id":"chatcmpl-mock","object":"chat.completion","created":1700000000,"model":%s,"choices":[{"index":0,"message":{%s},"finish_reason":%q,"logprobs":null}]%s,"system_fingerprint":null}`,
		quote(model), message, c.reason(), usage)
}

// Stream is the answer as events; joined, they are the whole stream.
func (c Chat) Stream(model string, usage bool) (events []string) {
	event := func(choices, rest string) {
		events = append(events, fmt.Sprintf("data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":%s,\"choices\":[%s]%s}\n\n", quote(model), choices, rest))
	}
	piece := func(delta, reason string) {
		event(fmt.Sprintf(`{"index":0,"delta":{%s},"finish_reason":%s,"logprobs":null}`, delta, reason), "")
	}
	piece(`"role":"assistant","content":""`, "null")
	for _, w := range c.Reasoning {
		piece(`"reasoning_content":`+quote(w), "null")
	}
	for _, w := range c.Words {
		piece(`"content":`+quote(w), "null")
	}
	piece("", `"`+c.reason()+`"`)
	if usage && !c.NoUsage {
		event("", `,"usage":`+c.usage())
	}
	return append(events, "data: [DONE]\n\n")
}

func quote(s string) string {
	b, _ := json.Marshal(s) // strings can be written
	return string(b)
}
