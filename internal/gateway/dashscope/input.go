package dashscope

import (
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
	messages, _ := wire.Elements(raw)
	for i, m := range messages {
		x.messages = append(x.messages, "[,"[min(i, 1)])
		if r := x.readMessage(m); r != nil {
			return r
		}
	}
	x.messages = append(x.messages, ']')
	return nil
}

// readMessage translates the parts of one message, and leaves its other members as they are.
func (x *exchange) readMessage(raw []byte) *dialect.Refusal {
	o, err := wire.Parse(raw)
	if err != nil {
		return &dialect.BadParameters
	}
	m := o.Find("content")
	if m == nil || raw[m.Start] != '[' {
		x.messages = append(x.messages, raw...)
		return nil
	}
	content := []byte{}
	parts, _ := wire.Elements(raw[m.Start:m.End])
	for i, p := range parts {
		content = append(content, "[,"[min(i, 1)])
		part, r := translatePart(p)
		if r != nil {
			return r
		}
		content = append(content, part...)
	}
	if len(parts) == 0 {
		content = append(content, '[')
	}
	x.messages = append(x.messages, wire.Splice(raw, wire.Edit{Start: m.Start, End: m.End, With: append(content, ']')})...)
	return nil
}

// translatePart translates one part of a message: {"text"} or {"image"}.
func translatePart(raw []byte) ([]byte, *dialect.Refusal) {
	o, err := wire.Parse(raw)
	if err != nil || len(o.Members) != 1 {
		return nil, &dialect.BadParameters
	}
	name, value := o.Members[0].Name, raw[o.Members[0].Start:o.Members[0].End]
	text, isText := wire.String(value)
	switch {
	case name != "text" && name != "image":
		return nil, dialect.Unknown(name)
	case !isText:
		return nil, &dialect.BadParameters
	case name == "text":
		return append(append([]byte(`{"type":"text","text":`), value...), '}'), nil
	case strings.HasPrefix(text, "oss:"), strings.HasPrefix(text, "file:"):
		return nil, dialect.Range("image", "An image is given by an http, https or data address here.")
	}
	return append(append([]byte(`{"type":"image_url","image_url":{"url":`), value...), "}}"...), nil
}
