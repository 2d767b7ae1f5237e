package anthropic

import (
	"github.com/go-json-experiment/json"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// stream is how far a stream has come.
type stream struct {
	begun    bool
	open     string // the type of the block that is open; empty: none
	index    int    // of the open block, or of the next
	tool     int    // index of the latest tool at the provider
	call     string // its id
	reason   string
	sequence *string
	tokens   wire.Tokens
	spoken   int // bytes
}

// Event implements dialect.Exchange.
func (x *exchange) Event(dst []byte, e *dialect.Event) ([]byte, *dialect.Refusal) {
	s := &x.stream
	if len(e.Data) == 0 { // a comment that keeps the connection alive
		if s.begun {
			dst = append(dst, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
		}
		return dst, nil
	}
	c, err := chat.Read(e.Data)
	if err != nil {
		return dst, &dialect.ProviderBabbles
	}
	if e.HasUsage {
		s.tokens = e.Tokens
	}
	dst = x.begin(dst)
	for _, piece := range c.Choices {
		if piece.Index != 0 {
			return dst, &dialect.ProviderBabbles
		}
		s.spoken += piece.Size()
		var r *dialect.Refusal
		if dst, r = x.piece(dst, piece); r != nil {
			return dst, r
		}
	}
	return dst, nil
}

func (x *exchange) begin(dst []byte) []byte {
	if x.stream.begun {
		return dst
	}
	x.stream.begun = true
	a := x.begun()
	a.Usage = consumed{Input: wire.Estimate(x.said)} // until the provider says, at the end
	return appendEvent(dst, "message_start", struct {
		Type    string `json:"type"`
		Message answer `json:"message"`
	}{"message_start", a})
}

func appendEvent(dst []byte, name string, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return dst // cannot be: strings and numbers
	}
	dst = append(append(append(dst, "event: "...), name...), "\ndata: "...)
	return append(append(dst, b...), "\n\n"...)
}

// piece writes what is new of the choice.
func (x *exchange) piece(dst []byte, c chat.Choice) ([]byte, *dialect.Refusal) {
	if s := c.Delta.Thought(); s != "" {
		dst = x.turnTo(dst, "thinking", thoughtBlock{Type: "thinking"})
		if !x.hushed {
			dst = x.delta(dst, "thinking_delta", "thinking", s)
		}
	}
	if s := c.Delta.Said(); s != "" {
		dst = x.turnTo(dst, "text", textBlock{Type: "text"})
		dst = x.delta(dst, "text_delta", "text", s)
	}
	pieces, err := c.Delta.Pieces()
	if err != nil {
		return dst, &dialect.ProviderBabbles
	}
	for _, p := range pieces {
		var r *dialect.Refusal
		if dst, r = x.toolPiece(dst, p); r != nil {
			return dst, r
		}
	}
	if c.Finish != nil && *c.Finish != "" {
		x.stream.reason, x.stream.sequence = stopped(c)
	}
	return dst, nil
}

func (x *exchange) toolPiece(dst []byte, p chat.Piece) ([]byte, *dialect.Refusal) {
	s := &x.stream
	begins := p.ID != "" && p.Function.Name != "" && p.ID != s.call
	switch {
	case begins:
		dst = x.close(dst)
		s.tool, s.call = p.Index, p.ID
		dst = x.turnTo(dst, "tool_use", toolBlock{"tool_use", p.ID, p.Function.Name, []byte("{}")})
	case p.Function.Arguments == "":
		return dst, nil
	case s.open != "tool_use" || p.Index != s.tool: // to a block that is closed there is no way back
		return dst, &dialect.ProviderBabbles
	}
	if p.Function.Arguments != "" {
		dst = x.delta(dst, "input_json_delta", "partial_json", p.Function.Arguments)
	}
	return dst, nil
}

// turnTo makes the open block be one of the type.
func (x *exchange) turnTo(dst []byte, kind string, block any) []byte {
	if x.stream.open == kind {
		return dst
	}
	dst = x.close(dst)
	x.stream.open = kind
	return appendEvent(dst, "content_block_start", struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
		Block any    `json:"content_block"`
	}{"content_block_start", x.stream.index, block})
}

func (x *exchange) delta(dst []byte, kind, member, text string) []byte {
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	dst = appendInt(dst, x.stream.index)
	dst = append(append(append(dst, `,"delta":{"type":"`...), kind...), `","`...)
	dst = wire.Quote(append(append(dst, member...), `":`...), text)
	return append(dst, "}}\n\n"...)
}

func (x *exchange) close(dst []byte) []byte {
	if x.stream.open == "" {
		return dst
	}
	x.stream.open = ""
	dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	dst = append(appendInt(dst, x.stream.index), "}\n\n"...)
	x.stream.index++
	return dst
}

type stopping struct {
	Reason   string  `json:"stop_reason"`
	Sequence *string `json:"stop_sequence"`
}

// Done implements dialect.Exchange.
func (x *exchange) Done(dst, _ []byte) []byte {
	dst = x.close(x.begin(dst))
	if x.stream.reason == "" {
		x.stream.reason = "end_turn"
	}
	dst = appendEvent(dst, "message_delta", struct {
		Type  string   `json:"type"`
		Delta stopping `json:"delta"`
		Usage consumed `json:"usage"`
	}{"message_delta", stopping{x.stream.reason, x.stream.sequence}, x.consumed(x.stream.tokens, x.stream.spoken)})
	return append(dst, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}

// Fail implements dialect.Exchange.
func (x *exchange) Fail(dst []byte, r dialect.Refusal) ([]byte, string) {
	dst = appendRefusal(append(dst, "event: error\ndata: "...), r, x.id)
	return append(dst, "\n\n"...), r.Native.Code
}
