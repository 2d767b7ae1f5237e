package responses

import (
	"github.com/go-json-experiment/json"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// pieces is how far a translated stream has come.
type pieces struct {
	begun    bool
	answer   response // so far; Output holds the items that are whole
	open     string   // the type of the item that is open; empty: none
	said     []byte   // of the open item
	logprobs []byte   // of the open item, elements separated by commas
	tool     chat.Piece
	tools    int // how many began
	finish   string
	tokens   wire.Tokens
	spoken   int // bytes
}

// piece translates one event of chat completions.
func (x *exchange) piece(dst []byte, e *dialect.Event) ([]byte, *dialect.Refusal) {
	if len(e.Data) == 0 {
		return append(dst, ": keep-alive\n\n"...), nil // whatever it was: a comment as events are written here
	}
	c, err := chat.Read(e.Data)
	if err != nil {
		return dst, &dialect.ProviderBabbles
	}
	p := &x.pieces
	if e.HasUsage {
		p.tokens = e.Tokens
	}
	dst = x.begin(dst, c.Created)
	for _, choice := range c.Choices {
		if choice.Index != 0 {
			return dst, &dialect.ProviderBabbles
		}
		p.spoken += choice.Size()
		var r *dialect.Refusal
		if dst, r = x.add(dst, choice); r != nil {
			return dst, r
		}
	}
	return dst, nil
}

// with is an event of the API; what stands in it depends on its type.
type with struct {
	Type     string    `json:"type"`
	Number   int       `json:"sequence_number"`
	Response *response `json:"response,omitzero"`
	ItemID   string    `json:"item_id,omitempty"`
	Output   *int      `json:"output_index,omitzero"`
	Content  *int      `json:"content_index,omitzero"`
	Item     any       `json:"item,omitzero"`
	Part     any       `json:"part,omitzero"`
	Delta    *string   `json:"delta,omitzero"`
	Text     *string   `json:"text,omitzero"`
	Name     string    `json:"name,omitempty"`
	Args     *string   `json:"arguments,omitzero"`
	Logprobs any       `json:"logprobs,omitzero"`
}

func (x *exchange) event(dst []byte, w with) []byte {
	w.Number = x.number
	x.number++
	b, err := json.Marshal(w)
	if err != nil {
		return dst // cannot be: strings, numbers and what was found well-formed
	}
	return appendEvent(dst, w.Type, b)
}

func (x *exchange) begin(dst []byte, created int64) []byte {
	p := &x.pieces
	if p.begun {
		return dst
	}
	p.begun, p.answer = true, x.begun(created)
	dst = x.event(dst, with{Type: "response.created", Response: &p.answer})
	return x.event(dst, with{Type: "response.in_progress", Response: &p.answer})
}

// add writes what is new of the choice.
func (x *exchange) add(dst []byte, c chat.Choice) ([]byte, *dialect.Refusal) {
	p := &x.pieces
	if s := c.Delta.Thought(); s != "" {
		if p.open != "reasoning" {
			dst = x.opens(x.closes(dst, completed), "reasoning", thoughtItem{x.itemID("reasoning"), "reasoning", []any{}, []thoughtPart{}, inProgress}, thoughtPart{"reasoning_text", ""})
		}
		p.said = append(p.said, s...)
		dst = x.event(dst, x.inPart(with{Type: "response.reasoning_text.delta", Delta: &s}))
	}
	if s := c.Delta.Said(); s != "" {
		if p.open != "message" {
			dst = x.opens(x.closes(dst, completed), "message", messageItem{x.itemID("message"), "message", inProgress, "assistant", []textPart{}}, text("", nil))
		}
		p.said = append(p.said, s...)
		logprobs := chat.Probabilities(nil, c.Logprobs)
		p.logprobs = chat.Probabilities(p.logprobs, c.Logprobs)
		dst = x.event(dst, x.inPart(with{Type: "response.output_text.delta", Delta: &s, Logprobs: text("", logprobs).Logprobs}))
	}
	calls, err := c.Delta.Pieces()
	if err != nil {
		return dst, &dialect.ProviderBabbles
	}
	for _, call := range calls {
		var r *dialect.Refusal
		if dst, r = x.addCall(dst, call); r != nil {
			return dst, r
		}
	}
	if c.Finish != nil && *c.Finish != "" {
		p.finish = *c.Finish
	}
	return dst, nil
}

func (x *exchange) addCall(dst []byte, c chat.Piece) ([]byte, *dialect.Refusal) {
	p := &x.pieces
	begins := c.ID != "" && c.Function.Name != "" && c.ID != p.tool.ID
	switch {
	case begins:
		dst = x.closes(dst, completed)
		p.tool = c
		p.tools++
		item := x.call(p.tools-1, c, inProgress)
		item.Arguments = ""
		dst = x.opens(dst, "function_call", item, nil)
	case c.Function.Arguments == "":
		return dst, nil
	case p.open != "function_call" || c.Index != p.tool.Index: // to an item that is closed there is no way back
		return dst, &dialect.ProviderBabbles
	}
	if s := c.Function.Arguments; s != "" {
		p.said = append(p.said, s...)
		dst = x.event(dst, with{Type: "response.function_call_arguments.delta", ItemID: x.itemID("function_call"), Output: x.index(), Delta: &s})
	}
	return dst, nil
}

// index is where the open item stands in the output.
func (x *exchange) index() *int {
	n := len(x.pieces.answer.Output)
	return &n
}

func (x *exchange) itemID(kind string) string {
	switch kind {
	case "reasoning":
		return "rs_" + string(x.id) + x.nth()
	case "message":
		return "msg_" + string(x.id) + x.nth()
	}
	return x.call(x.pieces.tools-1, x.pieces.tool, "").ID
}

// nth tells a second item of a type from the first.
func (x *exchange) nth() string {
	if n := len(x.pieces.answer.Output); n > 1 {
		return string(appendInt([]byte{'_'}, n))
	}
	return ""
}

func (x *exchange) inPart(w with) with {
	w.ItemID, w.Output, w.Content = x.itemID(x.pieces.open), x.index(), new(int)
	return w
}

func (x *exchange) opens(dst []byte, kind string, item, part any) []byte {
	x.pieces.open = kind
	dst = x.event(dst, with{Type: "response.output_item.added", Output: x.index(), Item: item})
	if part == nil {
		return dst
	}
	return x.event(dst, x.inPart(with{Type: "response.content_part.added", Part: part}))
}

// closes ends the open item, if there is one.
func (x *exchange) closes(dst []byte, status string) []byte {
	p := &x.pieces
	said := string(p.said)
	var item any
	switch p.open {
	case "":
		return dst
	case "reasoning":
		dst = x.event(dst, x.inPart(with{Type: "response.reasoning_text.done", Text: &said}))
		dst = x.event(dst, x.inPart(with{Type: "response.content_part.done", Part: thoughtPart{"reasoning_text", said}}))
		whole := x.thought(said, status)
		whole.ID = x.itemID(p.open)
		item = whole
	case "message":
		part := text(said, p.logprobs)
		dst = x.event(dst, x.inPart(with{Type: "response.output_text.done", Text: &said, Logprobs: part.Logprobs}))
		dst = x.event(dst, x.inPart(with{Type: "response.content_part.done", Part: part}))
		whole := x.message(part, status)
		whole.ID = x.itemID(p.open)
		item = whole
	default:
		dst = x.event(dst, with{Type: "response.function_call_arguments.done", ItemID: x.itemID(p.open), Output: x.index(), Name: p.tool.Function.Name, Args: &said})
		call := p.tool
		call.Function.Arguments = said
		item = x.call(p.tools-1, call, status)
	}
	dst = x.event(dst, with{Type: "response.output_item.done", Output: x.index(), Item: item})
	p.answer.Output = append(p.answer.Output, item)
	p.open, p.said, p.logprobs = "", p.said[:0], nil
	return dst
}

// end writes what comes last.
func (x *exchange) end(dst []byte) []byte {
	p := &x.pieces
	dst = x.begin(dst, 0)
	x.over(&p.answer, p.finish, p.tokens, p.spoken)
	dst = x.closes(dst, p.answer.Status)
	return x.event(dst, with{Type: "response." + p.answer.Status, Response: &p.answer})
}
