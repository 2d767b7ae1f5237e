package responses

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// item is one item of the input, of any type.
type item struct {
	Type      string         `json:"type"`
	Role      string         `json:"role"`
	Content   jsontext.Value `json:"content"`
	ID        string         `json:"id"`
	Status    string         `json:"status"`
	Phase     string         `json:"phase"`
	Call      string         `json:"call_id"`
	Name      string         `json:"name"`
	Arguments string         `json:"arguments"`
	Output    jsontext.Value `json:"output"`
	Summary   []part         `json:"summary"`
	Encrypted *string        `json:"encrypted_content"`
}

// part is one part of a content, of any type.
type part struct {
	Type        string         `json:"type"`
	Text        string         `json:"text"`
	Refusal     string         `json:"refusal"`
	Image       string         `json:"image_url"`
	Detail      string         `json:"detail"`
	File        *string        `json:"file_id"` // null: it was admitted
	Annotations jsontext.Value `json:"annotations"`
	Logprobs    jsontext.Value `json:"logprobs"`
}

// The members of each type of item and of part, beside id and status of items,
// which name what was said before and say nothing themselves.
var (
	itemMembers = map[string][]string{
		"": {"role", "content", "id", "status", "phase"}, "message": {"role", "content", "id", "status", "phase"},
		"function_call": {"call_id", "name", "arguments", "id", "status"}, "function_call_output": {"call_id", "output", "id", "status"},
		"reasoning": {"summary", "content", "encrypted_content", "id", "status"},
	}
	partMembers = map[string][]string{
		"input_text": {"text"}, "text": {"text"}, "output_text": {"text", "annotations", "logprobs"}, "refusal": {"refusal"},
		"input_image": {"image_url", "detail", "file_id"}, "summary_text": {"text"}, "reasoning_text": {"text"},
	}
)

func (x *exchange) say(m chat.Message) { x.to.Messages = append(x.to.Messages, m) }

func (x *exchange) sayInput() *dialect.Refusal {
	if s := x.asked.Instructions; s != nil && *s != "" {
		x.say(chat.Message{Role: "system", Content: *s})
	}
	if text, isText := wire.String(x.asked.Input); isText {
		x.say(chat.Message{Role: "user", Content: text})
		return nil
	}
	items, _ := wire.Elements(x.asked.Input) // a list: it was admitted
	thought := ""
	for i, raw := range items {
		where := fmt.Sprintf("input.%d", i)
		var it item
		if r := strict(where, raw, &it); r != nil {
			return r
		}
		if r := dialect.Belongs(where, raw, it.Type, itemMembers); r != nil {
			return r
		}
		x.hint("phase", it.Phase != "")
		if it.Type == "reasoning" {
			text, r := x.reasoning(where, it)
			if r != nil {
				return r
			}
			thought += text
			continue
		}
		if r := x.sayItem(where, it, thought); r != nil {
			return r
		}
		thought = ""
	}
	return nil
}

// reasoning is what a model thought in an earlier turn; only the provider that
// sealed it could open encrypted_content.
func (x *exchange) reasoning(where string, it item) (string, *dialect.Refusal) {
	if it.Encrypted != nil && *it.Encrypted != "" {
		return "", dialect.Range(where+".encrypted_content", "The provider of this model cannot open encrypted reasoning: leave the item out.")
	}
	parts := it.Summary
	if list, r := x.listed(where, it.Content); r != nil {
		return "", r
	} else if len(list) > 0 {
		parts = list
	}
	text := ""
	for _, p := range parts {
		text += p.Text
	}
	return text, nil
}

func (x *exchange) sayItem(where string, it item, thought string) *dialect.Refusal {
	switch it.Type {
	case "", "message":
		return x.sayMessage(where, it, thought)
	case "function_call":
		call := chat.ToolCall{ID: it.Call, Type: "function", Function: chat.Function{Name: it.Name, Arguments: it.Arguments}}
		if it.Call == "" || it.Name == "" {
			return invalid(where)
		}
		if n := len(x.to.Messages); n > 0 && x.to.Messages[n-1].Role == "assistant" && thought == "" { // of the same turn
			m := &x.to.Messages[n-1]
			m.Calls = append(m.Calls, call)
			return nil
		}
		x.say(chat.Message{Role: "assistant", Reasoning: thought, Calls: []chat.ToolCall{call}})
		return nil
	case "function_call_output":
		said, r := x.content(where+".output", it.Output)
		if r != nil {
			return r
		}
		if it.Call == "" {
			return invalid(where + ".call_id")
		}
		m := chat.Message{Role: "tool", Answers: it.Call, Content: said}
		if text, ok := chat.Joined(said, "\n"); ok {
			m.Content = text
		}
		x.say(m)
		return nil
	}
	return dialect.Range(where+".type", "Items of type %q are not known to the provider of this model.", it.Type)
}

func (x *exchange) sayMessage(where string, it item, thought string) *dialect.Refusal {
	m := chat.Message{Role: it.Role}
	said, r := x.content(where+".content", it.Content)
	if r != nil {
		return r
	}
	switch it.Role {
	case "user":
		m.Content = chat.Content(said)
	case "system", "developer", "assistant":
		text, ok := chat.Joined(said, "")
		if !ok {
			return invalid(where + ".content")
		}
		m.Content = text
		if it.Role == "assistant" {
			m.Reasoning = thought
		} else {
			m.Role = "system"
		}
	default:
		return invalid(where + ".role")
	}
	x.say(m)
	return nil
}

// listed reads a list of parts; none where there is none.
func (x *exchange) listed(where string, raw jsontext.Value) (list []part, r *dialect.Refusal) {
	elements, _ := wire.Elements(raw)
	for i, e := range elements {
		var p part
		if r := strict(fmt.Sprintf("%s.%d", where, i), e, &p); r != nil {
			return nil, r
		}
		if r := dialect.Belongs(fmt.Sprintf("%s.%d", where, i), e, p.Type, partMembers); r != nil {
			return nil, r
		}
		x.hint("annotations", !wire.Null(p.Annotations) && !wire.EmptyArray(p.Annotations)) // of what was answered before
		x.hint("logprobs", !wire.Null(p.Logprobs) && !wire.EmptyArray(p.Logprobs))
		list = append(list, p)
	}
	return list, nil
}

// content reads a content: a text, or parts.
func (x *exchange) content(where string, raw jsontext.Value) ([]chat.Part, *dialect.Refusal) {
	if text, isText := wire.String(raw); isText {
		return []chat.Part{chat.TextPart(text)}, nil
	}
	list, r := x.listed(where, raw)
	if r != nil {
		return nil, r
	}
	if len(list) == 0 {
		return nil, invalid(where)
	}
	out := make([]chat.Part, len(list))
	for i, p := range list {
		switch p.Type {
		case "input_text", "output_text", "text":
			out[i] = chat.TextPart(p.Text)
		case "refusal":
			out[i] = chat.TextPart(p.Refusal)
		case "input_image":
			if p.Image == "" {
				return nil, invalid(fmt.Sprintf("%s.%d.image_url", where, i))
			}
			out[i] = chat.Part{Type: "image_url", Image: &chat.Image{URL: p.Image, Detail: p.Detail}}
		default:
			return nil, dialect.Range(fmt.Sprintf("%s.%d.type", where, i), "Content of type %q is not known to the provider of this model.", p.Type)
		}
	}
	return out, nil
}
