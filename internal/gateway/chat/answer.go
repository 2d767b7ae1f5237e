// Package chat has the words of chat completions, the protocol between the
// gateway and providers: what other dialects translate to and from.
package chat

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/wire"
)

// Completion is an answer, or one event of it.
type Completion struct {
	Created int64    `json:"created"`
	Choices []Choice `json:"choices"`
}

// Choice is one choice of an answer, or of an event.
type Choice struct {
	Index    int            `json:"index"`
	Message  Turn           `json:"message"`
	Delta    Turn           `json:"delta"`
	Finish   *string        `json:"finish_reason"`
	Stop     jsontext.Value `json:"stop_reason"` // vLLM: the text that ended it
	Logprobs jsontext.Value `json:"logprobs"`
}

// Turn is a message, or the piece of one.
type Turn struct {
	Content   *string        `json:"content"`
	Thinking  *string        `json:"reasoning_content"`
	Reasoning *string        `json:"reasoning"` // the same under vLLM's newer name
	Refusal   *string        `json:"refusal"`
	Tools     jsontext.Value `json:"tool_calls"`
}

// Piece is a call of a tool, or the piece of one.
type Piece struct {
	Index    int    `json:"index"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// Read reads an answer or an event.
func Read(text []byte) (c Completion, err error) {
	if err := json.Unmarshal(text, &c); err != nil {
		return c, wire.ErrMalformed
	}
	return c, nil
}

// Said is what a turn says aloud; a refusal of the model's own counts as that.
func (t Turn) Said() string {
	switch {
	case t.Content != nil && *t.Content != "":
		return *t.Content
	case t.Refusal != nil:
		return *t.Refusal
	}
	return ""
}

// Thought is what a turn says of its reasoning.
func (t Turn) Thought() string {
	switch {
	case t.Thinking != nil:
		return *t.Thinking
	case t.Reasoning != nil:
		return *t.Reasoning
	}
	return ""
}

// Pieces are the calls of tools in a turn.
func (t Turn) Pieces() (pieces []Piece, err error) {
	if wire.Null(t.Tools) {
		return nil, nil
	}
	if err := json.Unmarshal(t.Tools, &pieces); err != nil {
		return nil, wire.ErrMalformed
	}
	return pieces, nil
}

// Reason is why a whole answer ended.
func (c Choice) Reason() string {
	if c.Finish == nil || *c.Finish == "" {
		return "stop"
	}
	return *c.Finish
}

// Size is how many bytes of text an event's piece holds.
func (c Choice) Size() int {
	return len(c.Delta.Said()) + len(c.Delta.Thought()) + wire.Spoken(c.Delta.Tools)
}

// Probabilities joins the content of {"content":[…]} to what there is.
func Probabilities(have []byte, raw jsontext.Value) []byte {
	if wire.Null(raw) {
		return have
	}
	o, err := wire.Parse(raw)
	content := o.Get("content")
	if err != nil || wire.Null(content) || wire.EmptyArray(content) || content[0] != '[' {
		return have
	}
	if len(have) > 0 {
		have = append(have, ',')
	}
	return append(have, bytes.TrimSpace(content[1:len(content)-1])...)
}
