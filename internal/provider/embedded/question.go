package embedded

import (
	"encoding/json"
	"strings"

	"bailiwick/internal/provider/embedded/llama"
)

// question is what the engine reads of a request.
type question struct {
	Model         string    `json:"model"`
	Messages      []message `json:"messages"`
	Stream        bool      `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           *int     `json:"max_tokens"`
	MaxCompletionTokens *int     `json:"max_completion_tokens"`
	N                   *int     `json:"n"`
	Temperature         *float64 `json:"temperature"`
	TopP                *float64 `json:"top_p"`
	Seed                *int64   `json:"seed"`
	Stop                stops    `json:"stop"`
	Logprobs            any      `json:"logprobs"`
	ToolChoice          any      `json:"tool_choice"`
	ResponseFormat      struct {
		Type string `json:"type"`
	} `json:"response_format"`
}

type message struct {
	Role    string `json:"role"`
	Content text   `json:"content"`
}

// mostChoices bounds n.
const mostChoices = 4

// check refuses what the engine cannot do, naming the parameter.
func (q *question) check() (param, says string) {
	switch {
	case len(q.Messages) == 0:
		return "messages", "The demo engine needs at least one message."
	case q.N != nil && (*q.N < 1 || *q.N > mostChoices):
		return "n", "The demo engine gives 1 to 4 choices."
	case q.Temperature != nil && (*q.Temperature < 0 || *q.Temperature > 2):
		return "temperature", "The temperature is 0 to 2."
	case q.TopP != nil && (*q.TopP <= 0 || *q.TopP > 1):
		return "top_p", "top_p is above 0 and at most 1."
	case q.limit() < 1:
		return "max_tokens", "The demo engine needs room for at least one token."
	case q.Logprobs != nil && q.Logprobs != false:
		return "logprobs", "The demo engine tells no probabilities."
	case q.ToolChoice != nil && q.ToolChoice != "none" && q.ToolChoice != "auto":
		return "tool_choice", "The demo engine calls no tools."
	case q.ResponseFormat.Type == "json_schema":
		return "response_format", "The demo engine cannot follow a schema; json_object works."
	}
	return "", ""
}

// limit is the most tokens of an answer.
func (q *question) limit() int {
	most := 1 << 30
	for _, n := range []*int{q.MaxTokens, q.MaxCompletionTokens} {
		if n != nil {
			most = min(most, *n)
		}
	}
	return most
}

// dialogue is what was said so far, in the roles that the model knows. One that
// does not begin by saying what the model is gets the beginning that it was taught.
func (q *question) dialogue(m model) llama.Dialogue {
	var d llama.Dialogue
	for _, said := range q.Messages {
		role := said.Role
		switch role {
		case "developer":
			role = "system"
		case "system", "assistant":
		default:
			role = "user"
		}
		if text := strings.TrimSpace(string(said.Content)); text != "" {
			d = append(d, llama.Message{Role: role, Content: text})
		}
	}
	if m.System != "" && (len(d) == 0 || d[0].Role != "system") {
		d = append(llama.Dialogue{{Role: "system", Content: m.System}}, d...)
	}
	return d
}

// text is a message's content: a string, or parts of which the texts count; or
// a document: a string, or {"text"}.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	var parts []struct {
		Text string `json:"text"`
	}
	switch {
	case len(b) > 0 && b[0] == '{':
		b = append(append([]byte{'['}, b...), ']')
	case len(b) == 0 || b[0] != '[':
		return json.Unmarshal(b, (*string)(t))
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	var all []string
	for _, p := range parts {
		all = append(all, p.Text)
	}
	*t = text(strings.Join(all, " "))
	return nil
}

// stops is one text or several that end an answer.
type stops []string

// UnmarshalJSON implements json.Unmarshaler.
func (s *stops) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*s = make(stops, 1)
		return json.Unmarshal(b, &(*s)[0])
	}
	return json.Unmarshal(b, (*[]string)(s))
}
