package dashscope

import (
	"fmt"
	"strings"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// readInput makes the messages of the OpenAI protocol from the input.
func (x *exchange) readInput(raw []byte) *dialect.Refusal {
	if wire.Null(raw) {
		return &dialect.EmptyInput
	}
	o, err := wire.Parse(raw)
	if err != nil {
		return &dialect.BadParameters
	}
	if r := onlyKnown(o, "messages", "prompt"); r != nil {
		return r
	}
	messages, prompt := o.Get("messages"), o.Get("prompt")
	switch text, isText := wire.String(prompt); {
	case !wire.Null(messages) && !wire.Null(prompt) && text != "":
		return dialect.Range("prompt", `Give either "prompt" or "messages", not both.`)
	case !wire.Null(messages):
		return x.readMessages(messages)
	case wire.Null(prompt) || isText && text == "":
		return &dialect.NoMessages
	case !isText:
		return &dialect.BadParameters
	}
	x.messages = append(append([]byte(`[{"role":"user","content":`), prompt...), "}]"...)
	return nil
}

func (x *exchange) readMessages(raw []byte) *dialect.Refusal {
	switch {
	case raw[0] != '[':
		return &dialect.BadParameters
	case wire.EmptyArray(raw):
		return &dialect.TooShort
	case !x.parts:
		x.messages = raw
		return nil
	}
	var r *dialect.Refusal
	if x.messages, r = x.translate(raw, false); r == nil && x.marked {
		x.full, r = x.translate(raw, true)
	}
	return r
}

// translate writes messages in the OpenAI protocol, with their marks for a cache
// or without.
func (x *exchange) translate(raw []byte, marks bool) (out []byte, r *dialect.Refusal) {
	messages, _ := wire.Elements(raw)
	for i, m := range messages {
		if out, r = x.messageIn(append(out, "[,"[min(i, 1)]), fmt.Sprintf("input.messages.%d", i), m, marks); r != nil {
			return nil, r
		}
	}
	return append(out, ']'), nil
}

// messageIn translates the parts of one message, and leaves its other members as they are.
func (x *exchange) messageIn(out []byte, where string, raw []byte, marks bool) ([]byte, *dialect.Refusal) {
	o, err := wire.Parse(raw)
	if err != nil {
		return nil, &dialect.BadParameters
	}
	m := o.Find("content")
	if m == nil || raw[m.Start] != '[' {
		return append(out, raw...), nil
	}
	content := []byte{}
	parts, _ := wire.Elements(raw[m.Start:m.End])
	for i, p := range parts {
		content = append(content, "[,"[min(i, 1)])
		part, r := x.translatePart(fmt.Sprintf("%s.content.%d", where, i), p, marks)
		if r != nil {
			return nil, r
		}
		content = append(content, part...)
	}
	if len(parts) == 0 {
		content = append(content, '[')
	}
	return append(out, wire.Splice(raw, wire.Edit{Start: m.Start, End: m.End, With: append(content, ']')})...), nil
}

// translatePart translates one part of a message: {"text"} or {"image"}, which may
// have a mark for a cache. What else stands in it is refused by name.
func (x *exchange) translatePart(where string, raw []byte, marks bool) ([]byte, *dialect.Refusal) {
	o, err := wire.Parse(raw)
	if err != nil || len(o.Members) == 0 {
		return nil, &dialect.BadParameters
	}
	var said *wire.Member
	for i, m := range o.Members {
		switch {
		case m.Name == "cache_control":
		case m.Name == "type" && string(raw[m.Start:m.End]) == `"`+kindOf(o)+`"`: // as it is anyway
		case (m.Name == "text" || m.Name == "image") && said == nil:
			said = &o.Members[i]
		case m.Name == "text" || m.Name == "image":
			return nil, dialect.Range(where, "A part is a text or an image, not both.")
		default:
			return nil, dialect.Unknown(where + "." + m.Name)
		}
	}
	if said == nil {
		return nil, &dialect.BadParameters
	}
	value := raw[said.Start:said.End]
	text, isText := wire.String(value)
	var part []byte
	switch {
	case !isText:
		return nil, &dialect.BadParameters
	case said.Name == "text":
		part = append([]byte(`{"type":"text","text":`), value...)
	case strings.HasPrefix(text, "oss:"), strings.HasPrefix(text, "file:"):
		return nil, dialect.Range("image", "An image is given by an http, https or data address here.")
	default:
		part = append(append([]byte(`{"type":"image_url","image_url":{"url":`), value...), '}')
	}
	if cache := o.Get("cache_control"); !wire.Null(cache) {
		if x.marked = true; marks {
			part = append(append(part, `,"cache_control":`...), cache...)
		}
	}
	return append(part, '}'), nil
}

// kindOf is the type that a part has by what stands in it.
func kindOf(o wire.Object) string {
	if o.Find("image") != nil {
		return "image"
	}
	return "text"
}
