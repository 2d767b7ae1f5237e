package dashscope

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/wire"
)

// turn is a message of the OpenAI protocol, or the piece of one.
type turn struct {
	Content   *string        `json:"content"`
	Thinking  *string        `json:"reasoning_content"`
	Reasoning *string        `json:"reasoning"` // the same under vLLM's newer name
	Refusal   *string        `json:"refusal"`
	Tools     jsontext.Value `json:"tool_calls"`
}

// choice is one choice of an answer, or of an event.
type choice struct {
	Index    int            `json:"index"`
	Message  turn           `json:"message"`
	Delta    turn           `json:"delta"`
	Finish   *string        `json:"finish_reason"`
	Logprobs jsontext.Value `json:"logprobs"`
}

type completion struct {
	Choices []choice `json:"choices"`
}

func (t turn) content() string {
	switch {
	case t.Content != nil && *t.Content != "":
		return *t.Content
	case t.Refusal != nil:
		return *t.Refusal
	}
	return ""
}

func (t turn) thinking() string {
	switch {
	case t.Thinking != nil:
		return *t.Thinking
	case t.Reasoning != nil:
		return *t.Reasoning
	}
	return ""
}

// saying is what one choice has said, or what is new of it.
type saying struct {
	content, thinking []byte
	tools             []tool
	rawTools          []byte // as they came; used instead of tools when set
	logprobs          []byte // elements, separated by commas
	finish            string
}

// tool is a call of a tool, put together from its pieces.
type tool struct {
	Index    int    `json:"index"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// add puts a piece to what was said.
func (s *saying) add(c choice) error {
	s.content = append(s.content, c.Delta.content()...)
	s.thinking = append(s.thinking, c.Delta.thinking()...)
	s.logprobs = addProbabilities(s.logprobs, c.Logprobs)
	if c.Finish != nil && *c.Finish != "" {
		s.finish = *c.Finish
	}
	if wire.Null(c.Delta.Tools) {
		return nil
	}
	var pieces []tool
	if err := json.Unmarshal(c.Delta.Tools, &pieces); err != nil {
		return err
	}
	for _, p := range pieces {
		s.addTool(p)
	}
	return nil
}

func (s *saying) addTool(p tool) {
	for i := range s.tools {
		if t := &s.tools[i]; t.Index == p.Index {
			t.Function.Arguments += p.Function.Arguments
			t.Function.Name += p.Function.Name
			if p.ID != "" {
				t.ID = p.ID
			}
			return
		}
	}
	s.tools = append(s.tools, p)
}

// addProbabilities joins the content of {"content":[…]} to what there is.
func addProbabilities(have []byte, raw jsontext.Value) []byte {
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

// size is how many bytes of text a piece holds.
func (c choice) size() int {
	return len(c.Delta.content()) + len(c.Delta.thinking()) + wire.Spoken(c.Delta.Tools)
}

func (s *saying) appendTools(b []byte) []byte {
	switch {
	case s.rawTools != nil:
		return append(append(b, `,"tool_calls":`...), s.rawTools...)
	case len(s.tools) == 0:
		return b
	}
	text, err := json.Marshal(s.tools)
	if err != nil {
		return b // cannot be: strings and numbers, as they were read
	}
	return append(append(b, `,"tool_calls":`...), text...)
}

func appendFigure(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
