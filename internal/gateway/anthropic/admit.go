package anthropic

import (
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
)

// request is what a caller may say. Members that mean nothing to chat
// completions have no place here, so they are refused by their name.
type request struct {
	Model       jsontext.Value `json:"model"`
	Messages    jsontext.Value `json:"messages"`
	MaxTokens   jsontext.Value `json:"max_tokens"`
	System      jsontext.Value `json:"system"`
	Stops       []string       `json:"stop_sequences"`
	Stream      bool           `json:"stream"`
	Temperature jsontext.Value `json:"temperature"`
	TopP        jsontext.Value `json:"top_p"`
	TopK        jsontext.Value `json:"top_k"`
	Metadata    struct {
		User *string `json:"user_id"`
	} `json:"metadata"`
	Tools    []tool     `json:"tools"`
	Choice   *choice    `json:"tool_choice"`
	Thinking *thinking  `json:"thinking"`
	Tier     string     `json:"service_tier"`
	Output   outputting `json:"output_config"`

	Cache jsontext.Value `json:"cache_control"` // of all that is said, by itself
}

type tool struct {
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Input       jsontext.Value `json:"input_schema"`
	Strict      *bool          `json:"strict"`
	Cache       jsontext.Value `json:"cache_control"`
}

type choice struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Alone bool   `json:"disable_parallel_tool_use"`
}

type thinking struct {
	Type    string         `json:"type"`
	Budget  jsontext.Value `json:"budget_tokens"`
	Display string         `json:"display"` // "omitted": nothing of it is shown
}

type outputting struct {
	Effort string `json:"effort"`
	Format *struct {
		Type   string         `json:"type"`
		Schema jsontext.Value `json:"schema"`
	} `json:"format"`
}

// Admit implements dialect.Dialect.
func (Dialect) Admit(r *http.Request, s dialect.Service, body []byte, id ident.Call) (dialect.Exchange, *dialect.Refusal) {
	o, err := wire.Parse(body)
	switch {
	case err == wire.ErrTwice:
		return nil, &dialect.TwiceInBody
	case err != nil:
		return nil, &dialect.BadBody
	}
	m, refusal := readModel(o)
	if refusal != nil {
		return nil, refusal
	}
	if s == dialect.CountTokens {
		return &counting{id: id, body: o, model: m}, nil
	}
	x := &exchange{id: id, model: m}
	x.hint("anthropic-beta", r.Header.Get("Anthropic-Beta") != "") // nothing that is tried out there is here
	if r := strict("", body, &x.asked); r != nil {
		return nil, r
	}
	for _, read := range [...]func() *dialect.Refusal{x.readLimits, x.readSystem, x.readMessages, x.readTools, x.readThinking, x.readOutput} {
		if r := read(); r != nil {
			return nil, r
		}
	}
	return x, nil
}

// strict decodes a value and names the member that is unknown or of a wrong type.
func strict(at string, text []byte, to any) *dialect.Refusal {
	err := json.Unmarshal(text, to, json.RejectUnknownMembers(true))
	var wrong *json.SemanticError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &wrong):
		return &dialect.BadBody
	}
	param := strings.ReplaceAll(strings.Trim(string(wrong.JSONPointer), "/"), "/", ".")
	if at != "" {
		param = strings.Trim(at+"."+param, ".")
	}
	if errors.Is(err, json.ErrUnknownName) {
		return dialect.Unknown(param)
	}
	return dialect.Range(param, "%s", dialect.BadParameters.OpenAI.Message)
}

func readModel(o wire.Object) (ident.Model, *dialect.Refusal) {
	m := o.Find("model")
	if m == nil || wire.Null(o.Get("model")) {
		return "", &dialect.EmptyModel
	}
	name, isText := wire.String(o.Get("model"))
	switch {
	case m.Escaped:
		return "", &dialect.TwiceInBody
	case !isText:
		return "", dialect.Range("model", "%s", dialect.BadParameters.OpenAI.Message)
	case name == "":
		return "", &dialect.EmptyModel
	}
	id, err := ident.ParseModel(name)
	if err != nil {
		return "", dialect.Range("model", "%s", dialect.OddModel.OpenAI.Message)
	}
	return id, nil
}

func (x *exchange) readLimits() *dialect.Refusal {
	a := &x.asked
	if wire.Null(a.MaxTokens) {
		return dialect.Range("max_tokens", "Field required")
	}
	x.to.MaxTokens, x.to.Stop, x.to.Stream = a.MaxTokens, a.Stops, a.Stream
	for _, p := range []struct {
		name string
		raw  jsontext.Value
		to   *jsontext.Value
	}{{"temperature", a.Temperature, &x.to.Temperature}, {"top_p", a.TopP, &x.to.TopP}, {"top_k", a.TopK, &x.to.TopK}} {
		if wire.Null(p.raw) {
			continue
		}
		if r := dialect.InRange(p.name, p.raw); r != nil {
			return r
		}
		*p.to = p.raw
	}
	if n, whole := wire.Int(x.to.TopK); x.to.TopK != nil && (!whole || n < 0) {
		return dialect.Range("top_k", "Range of top_k should be [0, +inf)")
	}
	if a.Metadata.User != nil {
		x.to.User = *a.Metadata.User
	}
	if a.Tier != "" && a.Tier != "auto" && a.Tier != "standard_only" {
		return dialect.Range("service_tier", `service_tier should be "auto" or "standard_only"`)
	}
	x.hint("service_tier", a.Tier == "standard_only") // there is no other
	x.hint("cache_control", !wire.Null(a.Cache))
	return nil
}

func (x *exchange) readTools() *dialect.Refusal {
	for i, t := range x.asked.Tools {
		switch {
		case t.Type != "" && t.Type != "custom":
			return dialect.Range(at("tools", i)+".type", "Tools of type %q are run by nobody here; only custom ones are.", t.Type)
		case t.Name == "":
			return dialect.Range(at("tools", i)+".name", "Field required")
		case t.Input.Kind() != '{':
			return dialect.Range(at("tools", i)+".input_schema", "Field required")
		}
		x.hint("tools.cache_control", !wire.Null(t.Cache)) // tools have no parts to mark
		x.to.Tools = append(x.to.Tools, chat.Tool{Type: "function", Function: chat.Offering{Name: t.Name, Description: t.Description, Parameters: t.Input, Strict: t.Strict}})
	}
	c := x.asked.Choice
	if c == nil {
		return nil
	}
	if c.Name != "" && c.Type != "tool" {
		return dialect.Unknown("tool_choice.name")
	}
	switch c.Type {
	case "auto", "none":
		x.to.ToolChoice = c.Type
	case "any":
		x.to.ToolChoice = "required"
	case "tool":
		x.to.ToolChoice = chat.Choose(c.Name)
	default:
		return dialect.Range("tool_choice.type", `tool_choice.type should be "auto", "any", "tool" or "none"`)
	}
	if c.Alone {
		x.to.Parallel = new(bool)
	}
	return nil
}

// leastBudget is the smallest budget that the protocol knows, in tokens.
const leastBudget = 1024

func (x *exchange) readThinking() *dialect.Refusal {
	t := x.asked.Thinking
	if t == nil {
		return nil
	}
	if t.Type != "enabled" && !wire.Null(t.Budget) {
		return dialect.Unknown("thinking.budget_tokens")
	}
	switch t.Display {
	case "omitted":
		x.hushed = true
	case "summarized":
		x.hint("thinking.display", true) // all of it is shown
	case "":
	default:
		return dialect.Range("thinking.display", `thinking.display should be "summarized" or "omitted"`)
	}
	on := t.Type != "disabled"
	switch t.Type {
	case "disabled", "adaptive":
	case "enabled":
		n, whole := wire.Int(t.Budget)
		if !whole || n < leastBudget {
			return dialect.Range("thinking.budget_tokens", "Range of budget_tokens should be [%d, %d]", leastBudget, wire.MostTokens)
		}
		if r := dialect.InRange("thinking_budget", t.Budget); r != nil {
			return r
		}
		x.to.Budget = t.Budget
	default:
		return dialect.Range("thinking.type", `thinking.type should be "enabled", "adaptive" or "disabled"`)
	}
	x.to.Thinking = &on
	return nil
}

func (x *exchange) readOutput() *dialect.Refusal {
	x.to.Effort = x.asked.Output.Effort
	f := x.asked.Output.Format
	if f == nil {
		return nil
	}
	if f.Type != "json_schema" || f.Schema.Kind() != '{' {
		return dialect.Range("output_config.format", `output_config.format should be {"type": "json_schema", "schema": {…}}`)
	}
	strict := true
	x.to.Format = &chat.Format{Type: "json_schema", Schema: &chat.Schema{Name: "answer", Schema: f.Schema, Strict: &strict}}
	return nil
}
