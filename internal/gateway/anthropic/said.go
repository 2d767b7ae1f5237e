package anthropic

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

type message struct {
	Role    string         `json:"role"`
	Content jsontext.Value `json:"content"`
}

// block is one block of a content, of any type.
type block struct {
	Type      string         `json:"type"`
	Text      string         `json:"text"`
	Source    *source        `json:"source"`
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Input     jsontext.Value `json:"input"`
	Answers   string         `json:"tool_use_id"`
	Content   jsontext.Value `json:"content"`
	IsError   bool           `json:"is_error"`
	Thinking  string         `json:"thinking"`
	Signature string         `json:"signature"`
	Cache     jsontext.Value `json:"cache_control"`
	Citations jsontext.Value `json:"citations"`
	Caller    jsontext.Value `json:"caller"`
}

// The members of each type of block, and of each type of source. Of a type that
// is not here nothing is taken.
var (
	blockMembers = map[string][]string{
		"text": {"text", "cache_control", "citations"}, "image": {"source", "cache_control"}, "document": {"source", "cache_control"},
		"tool_result": {"tool_use_id", "content", "is_error", "cache_control"}, "tool_use": {"id", "name", "input", "cache_control", "caller"},
		"thinking": {"thinking", "signature"},
	}
	sourceMembers = map[string][]string{"base64": {"media_type", "data"}, "url": {"url"}, "text": {"media_type", "data"}}
)

type source struct {
	Type  string `json:"type"`
	Media string `json:"media_type"`
	Data  string `json:"data"`
	URL   string `json:"url"`
}

func at(name string, i int) string { return fmt.Sprintf("%s.%d", name, i) }

// blocks reads a content: a text, or blocks.
func blocks(where string, raw jsontext.Value) ([]block, *dialect.Refusal) {
	if text, isText := wire.String(raw); isText {
		return []block{{Type: "text", Text: text}}, nil
	}
	elements, ok := wire.Elements(raw)
	if !ok {
		return nil, dialect.Range(where, "%s", dialect.BadParameters.OpenAI.Message)
	}
	list := make([]block, len(elements))
	for i, e := range elements {
		if r := strict(at(where, i), e, &list[i]); r != nil {
			return nil, r
		}
		if r := ofItsType(at(where, i), e, list[i].Type); r != nil {
			return nil, r
		}
		if c := list[i].Citations; !wire.Null(c) && !wire.EmptyArray(c) {
			return nil, dialect.Unknown(at(where, i) + ".citations")
		}
	}
	return list, nil
}

// ofItsType refuses what means nothing in a block of its type, or in its source.
func ofItsType(where string, raw jsontext.Value, kind string) *dialect.Refusal {
	if r := dialect.Belongs(where, raw, kind, blockMembers); r != nil {
		return r
	}
	o, _ := wire.Parse(raw) // it was read
	if source := o.Get("source"); !wire.Null(source) {
		inner, _ := wire.Parse(source)
		of, _ := wire.String(inner.Get("type"))
		return dialect.Belongs(where+".source", source, of, sourceMembers)
	}
	return nil
}

func (x *exchange) readSystem() *dialect.Refusal {
	if wire.Null(x.asked.System) {
		return nil
	}
	x.said += len(x.asked.System)
	return x.system("system", x.asked.System)
}

// system says blocks of text as one text.
func (x *exchange) system(where string, raw jsontext.Value) *dialect.Refusal {
	list, r := blocks(where, raw)
	if r != nil {
		return r
	}
	texts, parts := make([]string, len(list)), make([]chat.Part, len(list))
	for i, b := range list {
		if b.Type != "text" {
			return odd(at(where, i), b)
		}
		texts[i] = b.Text
		if parts[i] = chat.TextPart(b.Text); i < len(list)-1 {
			parts[i] = chat.TextPart(b.Text + "\n\n") // as they are joined
		}
		parts[i].Cache = x.mark(b)
	}
	x.say(chat.Message{Role: "system", Content: chat.Mark(parts, strings.Join(texts, "\n\n"))})
	return nil
}

// mark is a block's cache_control, for the part that comes of it; nil: it has none.
func (x *exchange) mark(b block) jsontext.Value {
	if wire.Null(b.Cache) {
		return nil
	}
	x.marked = true
	return b.Cache
}

func (x *exchange) say(m chat.Message) { x.to.Messages = append(x.to.Messages, m) }

func (x *exchange) readMessages() *dialect.Refusal {
	raw := x.asked.Messages
	x.said += len(raw)
	elements, ok := wire.Elements(raw)
	switch {
	case wire.Null(raw):
		return dialect.Range("messages", "Field required")
	case !ok:
		return dialect.Range("messages", "%s", dialect.BadParameters.OpenAI.Message)
	case len(elements) == 0:
		return dialect.Range("messages", "%s", dialect.TooShort.OpenAI.Message)
	}
	for i, e := range elements {
		var m message
		if r := strict(at("messages", i), e, &m); r != nil {
			return r
		}
		where := at("messages", i)
		var r *dialect.Refusal
		switch m.Role {
		case "user":
			r = x.user(where+".content", m.Content)
		case "assistant":
			if i == len(elements)-1 {
				return dialect.Range(where, "The last message is to be the user's: an answer cannot be begun for the model here.")
			}
			r = x.assistant(where+".content", m.Content)
		case "system":
			r = x.system(where+".content", m.Content)
		default:
			r = dialect.Range(where+".role", `role should be "user" or "assistant"`)
		}
		if r != nil {
			return r
		}
	}
	return nil
}

// user says what a user said: first the answers of tools, then the rest.
func (x *exchange) user(where string, raw jsontext.Value) *dialect.Refusal {
	list, r := blocks(where, raw)
	if r != nil {
		return r
	}
	var parts []chat.Part
	for i, b := range list {
		if b.Type == "tool_result" {
			if len(parts) > 0 {
				return dialect.Range(at(where, i), "Blocks of type tool_result are to stand before the others.")
			}
			if r := x.result(at(where, i), b); r != nil {
				return r
			}
			continue
		}
		p, r := x.part(at(where, i), b)
		if r != nil {
			return r
		}
		parts = append(parts, p)
	}
	if len(parts) > 0 {
		x.say(chat.Message{Role: "user", Content: chat.Mark(parts, chat.Content(chat.Plain(parts)))})
	} else if len(list) == 0 {
		return dialect.Range(where, "%s", dialect.TooShort.OpenAI.Message)
	}
	return nil
}

// result says what a tool answered. That it failed has no other word in chat
// completions than the text itself.
func (x *exchange) result(where string, b block) *dialect.Refusal {
	if b.Answers == "" {
		return dialect.Range(where+".tool_use_id", "Field required")
	}
	var parts []chat.Part
	if !wire.Null(b.Content) {
		list, r := blocks(where+".content", b.Content)
		if r != nil {
			return r
		}
		for i, inner := range list {
			p, r := x.part(at(where+".content", i), inner)
			if r != nil {
				return r
			}
			parts = append(parts, p)
		}
	}
	if b.IsError {
		parts = append([]chat.Part{chat.TextPart("The tool failed:")}, parts...)
	}
	if cache := x.mark(b); cache != nil && len(parts) > 0 {
		parts[len(parts)-1].Cache = cache
	} else if cache != nil {
		parts = []chat.Part{{Type: "text", Text: new(string), Cache: cache}}
	}
	var plain any = chat.Plain(parts)
	if text, ok := chat.Joined(parts, "\n"); ok {
		plain = text
	}
	x.say(chat.Message{Role: "tool", Answers: b.Answers, Content: chat.Mark(parts, plain)})
	return nil
}

// part is a block as a part of a message, with its mark.
func (x *exchange) part(where string, b block) (chat.Part, *dialect.Refusal) {
	p, r := x.unmarked(where, b)
	p.Cache = x.mark(b)
	return p, r
}

func (x *exchange) unmarked(where string, b block) (chat.Part, *dialect.Refusal) {
	switch {
	case b.Type == "text":
		return chat.TextPart(b.Text), nil
	case b.Type == "image" && b.Source != nil && b.Source.Type == "url" && b.Source.URL != "":
		if !strings.HasPrefix(b.Source.URL, "https://") && !strings.HasPrefix(b.Source.URL, "http://") {
			return chat.Part{}, dialect.Range(where+".source.url", "An image is given by an http or https address, or as base64.")
		}
		return chat.Part{Type: "image_url", Image: &chat.Image{URL: b.Source.URL}}, nil
	case b.Type == "image" && b.Source != nil && b.Source.Type == "base64" && strings.HasPrefix(b.Source.Media, "image/"):
		x.said += wire.Picture - len(b.Source.Data)
		return chat.Part{Type: "image_url", Image: &chat.Image{URL: "data:" + b.Source.Media + ";base64," + b.Source.Data}}, nil
	case b.Type == "image":
		return chat.Part{}, dialect.Range(where+".source", `An image has a source of type "base64" or "url" here.`)
	case b.Type == "document" && b.Source != nil && b.Source.Type == "text" && (b.Source.Media == "" || b.Source.Media == "text/plain"):
		return chat.TextPart(b.Source.Data), nil
	}
	return chat.Part{}, odd(where, b)
}

func odd(where string, b block) *dialect.Refusal {
	return dialect.Range(where+".type", "Blocks of type %q are not supported here. It was not dropped in silence: take it out and try again.", b.Type)
}

// assistant says again what the model said.
func (x *exchange) assistant(where string, raw jsontext.Value) *dialect.Refusal {
	list, r := blocks(where, raw)
	if r != nil {
		return r
	}
	text := ""
	var parts []chat.Part
	m := chat.Message{Role: "assistant"}
	for i, b := range list {
		switch b.Type {
		case "text":
			text += b.Text
			p := chat.TextPart(b.Text)
			p.Cache = x.mark(b)
			parts = append(parts, p)
		case "thinking":
			m.Reasoning += b.Thinking
			x.hint("signature", b.Signature != "") // ours are empty; those of others prove nothing to a provider
		case "tool_use":
			if r := direct(at(where, i), b.Caller); r != nil {
				return r
			}
			x.hint("cache_control", !wire.Null(b.Cache)) // a tool call is no part of a content
			if b.ID == "" || b.Name == "" || b.Input.Kind() != '{' {
				return dialect.Range(at(where, i), "A tool_use has an id, a name and an input.")
			}
			m.Calls = append(m.Calls, chat.ToolCall{ID: b.ID, Type: "function", Function: chat.Function{Name: b.Name, Arguments: string(b.Input)}})
		default:
			return odd(at(where, i), b)
		}
	}
	if text != "" || len(m.Calls) == 0 {
		m.Content = chat.Mark(parts, text)
	}
	x.say(m)
	return nil
}

// direct makes sure that a tool was called by the model itself, and by no program
// that ran elsewhere.
func direct(where string, caller jsontext.Value) *dialect.Refusal {
	o, err := wire.Parse(caller)
	if by, _ := wire.String(o.Get("type")); wire.Null(caller) || err == nil && by == "direct" && len(o.Members) == 1 {
		return nil
	}
	return dialect.Unknown(where + ".caller")
}
