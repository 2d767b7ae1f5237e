package dashscope

import (
	"strconv"

	"github.com/go-json-experiment/json"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/wire"
)

// saying is what one choice has said, or what is new of it.
type saying struct {
	content, thinking []byte
	tools             []chat.Piece
	rawTools          []byte // as they came; used instead of tools when set
	logprobs          []byte // elements, separated by commas
	finish            string
}

// add puts a piece to what was said.
func (s *saying) add(c chat.Choice) error {
	s.content = append(s.content, c.Delta.Said()...)
	s.thinking = append(s.thinking, c.Delta.Thought()...)
	s.logprobs = chat.Probabilities(s.logprobs, c.Logprobs)
	if c.Finish != nil && *c.Finish != "" {
		s.finish = *c.Finish
	}
	if wire.Null(c.Delta.Tools) {
		return nil
	}
	var pieces []chat.Piece
	if err := json.Unmarshal(c.Delta.Tools, &pieces); err != nil {
		return err
	}
	for _, p := range pieces {
		s.addTool(p)
	}
	return nil
}

func (s *saying) addTool(p chat.Piece) {
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
