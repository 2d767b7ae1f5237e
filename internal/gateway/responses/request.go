package responses

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// request is what chat completions have words for.
type request struct {
	Model        jsontext.Value `json:"model"`
	Input        jsontext.Value `json:"input"`
	Instructions *string        `json:"instructions"`
	MaxTokens    jsontext.Value `json:"max_output_tokens"`
	Temperature  jsontext.Value `json:"temperature"`
	TopP         jsontext.Value `json:"top_p"`
	TopLogprobs  jsontext.Value `json:"top_logprobs"`
	Tools        []tool         `json:"tools"`
	Choice       jsontext.Value `json:"tool_choice"`
	Parallel     *bool          `json:"parallel_tool_calls"`
	Text         struct {
		Format    jsontext.Value `json:"format"`
		Verbosity string         `json:"verbosity"`
	} `json:"text"`
	Reasoning struct {
		Effort  string  `json:"effort"`
		Summary *string `json:"summary"` // all of it is shown
	} `json:"reasoning"`
	Stream   bool           `json:"stream"`
	Options  options        `json:"stream_options"`
	Include  []string       `json:"include"`
	Metadata jsontext.Value `json:"metadata"` // repeated in the answer, which is all it is for
	User     string         `json:"user"`
	Safety   string         `json:"safety_identifier"`
	CacheKey string         `json:"prompt_cache_key"`
	Tier     string         `json:"service_tier"`
	Truncate string         `json:"truncation"`
	Thinking *bool          `json:"enable_thinking"`
	Budget   jsontext.Value `json:"thinking_budget"`

	// These say nothing: they were admitted.
	Store        bool           `json:"store"`
	Background   bool           `json:"background"`
	Previous     jsontext.Value `json:"previous_response_id"`
	Conversation jsontext.Value `json:"conversation"`
	Prompt       jsontext.Value `json:"prompt"`
}

type options struct {
	Obfuscation bool `json:"include_obfuscation"`
}

type tool struct {
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Parameters  jsontext.Value `json:"parameters"`
	Strict      *bool          `json:"strict"`
}

// format is text.format.
type format struct {
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Schema      jsontext.Value `json:"schema"`
	Strict      *bool          `json:"strict"`
}

// strict decodes a value and names the member that is unknown or of a wrong type.
func strict(at string, text []byte, to any) *dialect.Refusal {
	err := json.Unmarshal(text, to, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var wrong *json.SemanticError
	if !errors.As(err, &wrong) {
		return invalid(at)
	}
	param := strings.Trim(at+strings.ReplaceAll(string(wrong.JSONPointer), "/", "."), ".")
	if errors.Is(err, json.ErrUnknownName) {
		return dialect.Unknown(param)
	}
	return invalid(param)
}

// translated is the request as chat completions say it.
func (x *exchange) translated(name string) ([]byte, *dialect.Refusal) {
	x.asked, x.to, x.hints = request{}, chat.Request{Model: name, Stream: x.stream}, nil
	if r := strict("", x.body.Text, &x.asked); r != nil {
		return nil, r
	}
	for _, say := range [...]func() *dialect.Refusal{x.sayParameters, x.sayTools, x.sayFormat, x.sayInput} {
		if r := say(); r != nil {
			return nil, r
		}
	}
	body, err := x.to.Body(false)
	if err != nil {
		return nil, &dialect.BadParameters
	}
	return body, nil
}

func (x *exchange) sayParameters() *dialect.Refusal {
	a, to := &x.asked, &x.to
	to.MaxTokens, to.Temperature, to.TopP, to.Budget = set(a.MaxTokens), set(a.Temperature), set(a.TopP), set(a.Budget)
	to.Effort, to.Verbosity, to.User, to.Safety, to.CacheKey, to.Thinking = a.Reasoning.Effort, a.Text.Verbosity, a.User, a.Safety, a.CacheKey, a.Thinking
	x.hint("reasoning.summary", a.Reasoning.Summary != nil && *a.Reasoning.Summary != "auto") // all of it is shown
	probable := false
	for _, wanted := range a.Include {
		if wanted != "message.output_text.logprobs" {
			return dialect.Range("include", "The provider of this model cannot include %q.", wanted)
		}
		probable = true
	}
	if n, _ := wire.Int(a.TopLogprobs); probable || n > 0 {
		yes := true
		to.Logprobs, to.TopLogprobs = &yes, set(a.TopLogprobs)
	}
	switch {
	case a.Truncate != "" && a.Truncate != "disabled":
		return dialect.Range("truncation", "The provider of this model shortens no input: truncation should be \"disabled\".")
	case a.Options.Obfuscation:
		return dialect.Unknown("stream_options.include_obfuscation")
	}
	return nil
}

// set is a value that says something; null says nothing.
func set(raw jsontext.Value) jsontext.Value {
	if wire.Null(raw) {
		return nil
	}
	return raw
}

func (x *exchange) sayTools() *dialect.Refusal {
	for i, t := range x.asked.Tools {
		if t.Type != "function" {
			return dialect.Range("tools", "The provider of this model runs no tools of type %q.", t.Type)
		}
		if t.Name == "" {
			return invalid(fmt.Sprintf("tools.%d.name", i))
		}
		x.to.Tools = append(x.to.Tools, chat.Tool{Type: "function", Function: chat.Offering{Name: t.Name, Description: t.Description, Parameters: set(t.Parameters), Strict: t.Strict}})
	}
	x.to.Parallel = x.asked.Parallel
	if len(x.to.Tools) == 0 {
		x.to.Parallel = nil // says nothing, and some providers refuse it then
	}
	raw := x.asked.Choice
	if wire.Null(raw) {
		return nil
	}
	if word, isText := wire.String(raw); isText {
		x.to.ToolChoice = word
		return nil
	}
	var c struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if r := strict("tool_choice", raw, &c); r != nil || c.Type != "function" {
		return dialect.Range("tool_choice", `tool_choice should be "auto", "none", "required" or {"type": "function", "name": …}`)
	}
	x.to.ToolChoice = chat.Choose(c.Name)
	return nil
}

var formatMembers = map[string][]string{"text": nil, "json_object": nil, "json_schema": {"name", "description", "schema", "strict"}}

func (x *exchange) sayFormat() *dialect.Refusal {
	raw := x.asked.Text.Format
	if wire.Null(raw) {
		return nil
	}
	var f format
	if r := strict("text.format", raw, &f); r != nil {
		return r
	}
	if r := dialect.Belongs("text.format", raw, f.Type, formatMembers); r != nil {
		return r
	}
	switch f.Type {
	case "text":
	case "json_object":
		x.to.Format = &chat.Format{Type: f.Type}
	case "json_schema":
		x.to.Format = &chat.Format{Type: f.Type, Schema: &chat.Schema{Name: f.Name, Description: f.Description, Schema: f.Schema, Strict: f.Strict}}
	default:
		return dialect.Range("text.format.type", `text.format.type should be "text", "json_object" or "json_schema"`)
	}
	return nil
}
