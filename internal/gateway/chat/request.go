package chat

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Request is what a provider is asked. Raw values are as the caller wrote them.
type Request struct {
	Model       string         `json:"model"`
	Messages    []Message      `json:"messages"`
	MaxTokens   jsontext.Value `json:"max_tokens,omitzero"`
	Temperature jsontext.Value `json:"temperature,omitzero"`
	TopP        jsontext.Value `json:"top_p,omitzero"`
	TopK        jsontext.Value `json:"top_k,omitzero"`
	Stop        []string       `json:"stop,omitempty"`
	User        string         `json:"user,omitempty"`
	Tools       []Tool         `json:"tools,omitempty"`
	ToolChoice  any            `json:"tool_choice,omitzero"`
	Parallel    *bool          `json:"parallel_tool_calls,omitzero"`
	Format      *Format        `json:"response_format,omitzero"`
	Logprobs    *bool          `json:"logprobs,omitzero"`
	TopLogprobs jsontext.Value `json:"top_logprobs,omitzero"`
	Effort      string         `json:"reasoning_effort,omitempty"`
	Verbosity   string         `json:"verbosity,omitempty"`
	Thinking    *bool          `json:"enable_thinking,omitzero"`
	Budget      jsontext.Value `json:"thinking_budget,omitzero"`
	CacheKey    string         `json:"prompt_cache_key,omitempty"`
	Safety      string         `json:"safety_identifier,omitempty"`
	Metadata    jsontext.Value `json:"metadata,omitzero"`
	Stream      bool           `json:"stream,omitzero"`
	Options     *Options       `json:"stream_options,omitzero"`
}

// Options are those of a stream.
type Options struct {
	Usage bool `json:"include_usage"`
}

// Message is one turn of what was said. Content is a string or a list of parts.
type Message struct {
	Role      string     `json:"role"`
	Content   any        `json:"content"`
	Reasoning string     `json:"reasoning_content,omitempty"`
	Calls     []ToolCall `json:"tool_calls,omitempty"`
	Answers   string     `json:"tool_call_id,omitempty"`
}

// Part is one part of a content.
type Part struct {
	Type  string         `json:"type"`
	Text  *string        `json:"text,omitzero"`
	Image *Image         `json:"image_url,omitzero"`
	Audio jsontext.Value `json:"input_audio,omitzero"`
	File  jsontext.Value `json:"file,omitzero"`
	Cache jsontext.Value `json:"cache_control,omitzero"` // what was said up to here is worth keeping
}

// Image is where a picture is: an http, https or data address.
type Image struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

// ToolCall is one that an assistant made.
type ToolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function Function `json:"function"`
}

// Function is what a tool call calls.
type Function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// Tool is one that the model may call.
type Tool struct {
	Type     string   `json:"type"`
	Function Offering `json:"function"`
}

// Offering describes a function.
type Offering struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Parameters  jsontext.Value `json:"parameters,omitzero"`
	Strict      *bool          `json:"strict,omitzero"`
}

// Chosen is the one tool that must be called.
type Chosen struct {
	Type     string `json:"type"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

// Choose makes the choice of one function.
func Choose(name string) Chosen {
	c := Chosen{Type: "function"}
	c.Function.Name = name
	return c
}

// Format is the shape an answer must have.
type Format struct {
	Type   string  `json:"type"`
	Schema *Schema `json:"json_schema,omitzero"`
}

// Schema is a shape in words of JSON Schema.
type Schema struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Schema      jsontext.Value `json:"schema,omitzero"`
	Strict      *bool          `json:"strict,omitzero"`
}

// TextPart is a part of text.
func TextPart(s string) Part { return Part{Type: "text", Text: &s} }

// Marked is a content that has parts with Cache; Plain is the same without.
type Marked struct {
	Parts []Part
	Plain any
}

// Mark gives a content its marks, if there are any in its parts.
func Mark(parts []Part, plain any) any {
	if slices.ContainsFunc(parts, func(p Part) bool { return p.Cache != nil }) {
		return Marked{parts, plain}
	}
	return plain
}

// marking is the messages with their marks, or without.
func marking(messages []Message, taken bool) []Message {
	out := slices.Clone(messages)
	for i := range out {
		if m, marked := out[i].Content.(Marked); marked && taken {
			out[i].Content = m.Parts
		} else if marked {
			out[i].Content = m.Plain
		}
	}
	return out
}

// Plain is parts without marks.
func Plain(parts []Part) []Part {
	out := slices.Clone(parts)
	for i := range out {
		out[i].Cache = nil
	}
	return out
}

// Content is the simplest form of some parts: a string where there is one text.
func Content(parts []Part) any {
	if len(parts) == 1 && parts[0].Text != nil {
		return *parts[0].Text
	}
	return parts
}

// Joined is the text of parts with something between them; ok is false when
// there is more than text.
func Joined(parts []Part, between string) (text string, ok bool) {
	for i, p := range parts {
		if p.Text == nil {
			return "", false
		}
		if i > 0 {
			text += between
		}
		text += *p.Text
	}
	return text, true
}

// Body writes a request, with the marks of its contents where they are taken; of
// a stream it asks for usage.
func (r Request) Body(marks bool) ([]byte, error) {
	r.Messages = marking(r.Messages, marks)
	if r.Stream {
		r.Options = &Options{Usage: true}
	}
	return json.Marshal(r)
}
