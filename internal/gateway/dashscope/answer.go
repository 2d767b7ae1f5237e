package dashscope

import (
	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// Whole implements dialect.Exchange.
func (x *exchange) Whole(answer wire.Object) ([]byte, *dialect.Refusal) {
	c, err := chat.Read(answer.Text)
	if err != nil || len(c.Choices) == 0 {
		return nil, &dialect.ProviderBabbles
	}
	b := append(make([]byte, 0, len(answer.Text)+256), `{"output":`...)
	if x.message {
		b = x.appendChoices(b, c.Choices)
	} else {
		b = wire.Quote(append(b, `{"text":`...), c.Choices[0].Message.Said())
		b = append(wire.Quote(append(b, `,"finish_reason":`...), c.Choices[0].Reason()), '}')
	}
	tokens := wire.ReadTokens(answer.Get("usage"), true)
	x.spoken = wire.Spoken(answer.Text)
	b = x.appendUsage(append(b, `,"usage":`...), tokens, true)
	return append(append(append(b, `,"request_id":"`...), x.id...), `"}`...), nil
}

func (x *exchange) appendChoices(b []byte, choices []chat.Choice) []byte {
	b = append(b, `{"choices":[`...)
	for i, c := range choices {
		if i > 0 {
			b = append(b, ',')
		}
		b = wire.Quote(append(b, `{"finish_reason":`...), c.Reason())
		if x.choices > 1 {
			b = appendFigure(append(b, `,"index":`...), c.Index)
		}
		s := saying{content: []byte(c.Message.Said()), thinking: []byte(c.Message.Thought())}
		if !wire.Null(c.Message.Tools) && !wire.EmptyArray(c.Message.Tools) {
			s.rawTools = c.Message.Tools
		}
		b = append(b, `,"message":{"role":"assistant","content":`...)
		b = append(x.appendMessage(b, &s), '}')
		if !wire.Null(c.Logprobs) {
			b = append(append(b, `,"logprobs":`...), c.Logprobs...)
		}
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

// appendMessage writes the value of content, and the members after it.
func (x *exchange) appendMessage(b []byte, s *saying) []byte {
	b = x.appendContent(b, s.content)
	if len(s.thinking) > 0 {
		b = wire.Quote(append(b, `,"reasoning_content":`...), string(s.thinking))
	}
	return s.appendTools(b)
}

func (x *exchange) appendContent(b, content []byte) []byte {
	switch {
	case !x.parts:
		return wire.Quote(b, string(content))
	case len(content) == 0:
		return append(b, "[]"...)
	}
	return append(wire.Quote(append(b, `[{"text":`...), string(content)), `}]`...)
}
