package dashscope

import (
	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// meanwhile stands for the finish reason while there is none: a string.
const meanwhile = "null"

// Event implements dialect.Exchange. The last frame of each choice waits for the
// stream's end, because it carries the provider's figures; figures before it are
// estimates unless the provider gave some.
func (x *exchange) Event(dst []byte, e *dialect.Event) ([]byte, *dialect.Refusal) {
	if len(e.Data) == 0 {
		return dst, nil // comments keep a connection alive; they are not part of this protocol
	}
	c, err := chat.Read(e.Data)
	if err != nil {
		return dst, &dialect.ProviderBabbles
	}
	if e.HasUsage {
		x.tokens = e.Tokens
	}
	for _, piece := range c.Choices {
		if piece.Index < 0 || piece.Index >= x.choices {
			return dst, &dialect.ProviderBabbles
		}
		x.spoken += piece.Size()
		news, err := x.hear(piece)
		if err != nil {
			return dst, &dialect.ProviderBabbles
		}
		if news {
			dst = x.appendResult(dst, piece.Index, meanwhile)
		}
	}
	return dst, nil
}

// hear takes in a piece, and reports whether there is something to say before
// the choice's last frame. With incremental output a choice forgets what it
// has handed out.
func (x *exchange) hear(piece chat.Choice) (news bool, err error) {
	for len(x.said) < x.choices {
		x.said = append(x.said, saying{})
	}
	s := &x.said[piece.Index]
	before := s.finish
	if x.incremental && before == "" {
		*s = saying{}
	}
	if err := s.add(piece); err != nil {
		return false, err
	}
	if x.incremental && !wire.Null(piece.Delta.Tools) {
		s.rawTools = append([]byte(nil), piece.Delta.Tools...)
	}
	return s.finish == "" && (piece.Size() > 0 || !wire.Null(piece.Delta.Tools)), nil
}

// Done implements dialect.Exchange: the last frame of each choice.
func (x *exchange) Done(dst, _ []byte) []byte {
	for i := range x.choices {
		reason := "stop"
		if i < len(x.said) && x.said[i].finish != "" {
			reason = x.said[i].finish
		} else if i < len(x.said) && x.incremental {
			x.said[i] = saying{} // was handed out
		}
		dst = x.appendResult(dst, i, reason)
	}
	return dst
}

// Fail implements dialect.Exchange.
func (x *exchange) Fail(dst []byte, r dialect.Refusal) ([]byte, string) {
	dst = x.appendHead(dst, "error", r.Status)
	dst = appendRefusal(dst, r, x.id)
	return append(dst, "\n\n"...), r.Native.Code
}

// appendHead begins a frame: no space after the colons.
func (x *exchange) appendHead(b []byte, event string, status int) []byte {
	x.frames++
	b = appendFigure(append(b, "id:"...), x.frames)
	b = append(append(b, "\nevent:"...), event...)
	b = appendFigure(append(b, "\n:HTTP_STATUS/"...), status)
	return append(b, "\ndata:"...)
}

// appendResult writes the frame of one choice.
func (x *exchange) appendResult(b []byte, index int, reason string) []byte {
	var s saying
	if index < len(x.said) {
		s = x.said[index]
	}
	b = append(x.appendHead(b, "result", 200), `{"output":{`...)
	if x.message {
		b = append(b, `"choices":[{"message":{"content":`...)
		b = append(x.appendMessage(b, &s), `,"role":"assistant"}`...)
		if x.choices > 1 {
			b = appendFigure(append(b, `,"index":`...), index)
		}
		if len(s.logprobs) > 0 {
			b = append(append(append(b, `,"logprobs":{"content":[`...), s.logprobs...), `]}`...)
		}
		b = append(wire.Quote(append(b, `,"finish_reason":`...), reason), `}]}`...)
	} else {
		b = wire.Quote(append(b, `"text":`...), string(s.content))
		b = append(wire.Quote(append(b, `,"finish_reason":`...), reason), '}')
	}
	b = x.appendUsage(append(b, `,"usage":`...), x.tokens, false)
	return append(append(append(b, `,"request_id":"`...), x.id...), "\"}\n\n"...)
}
