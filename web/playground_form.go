package web

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/policy"
	"bailiwick/views/playground"
	"bailiwick/views/ui"
)

// talkMax bounds a conversation that a browser may send, in bytes.
const talkMax = 1 << 20

// setting is a parameter of a call, with the values it may have.
type setting struct {
	name, label, hint string
	ok                func(f float64) bool
	whole             bool
}

// settingsOfCalls are those the playground offers; their ranges are the gateway's.
var settingsOfCalls = []setting{
	{"temperature", "Temperature", "From 0 to less than 2. Empty: the model's own.", func(f float64) bool { return f >= 0 && f < 2 }, false},
	{"top_p", "Top P", "More than 0, at most 1.", func(f float64) bool { return f > 0 && f <= 1 }, false},
	{"max_tokens", "Longest answer, in tokens", "A whole number, at least 1.", func(f float64) bool { return f >= 1 && f <= 1<<20 }, true},
	{"presence_penalty", "Presence penalty", "From −2 to 2.", func(f float64) bool { return f >= -2 && f <= 2 }, false},
}

// talk is what the form says.
type talk struct {
	model, system, message string
	values                 map[string]string // of the parameters, as typed
	turns                  []playground.Turn
	wrong                  *mistake
}

// mistake is what is wrong with a form, and beside which field.
type mistake struct{ field, message string }

func talkOf(in form) talk {
	t := talk{model: in.Get("model"), system: in.Get("system"), message: in.Get("message"), values: map[string]string{}}
	for _, p := range settingsOfCalls {
		t.values[p.name] = strings.TrimSpace(in.Get(p.name))
	}
	texts := in.Values["text"]
	for i, role := range in.Values["role"] {
		if i < len(texts) && (role == "user" || role == "assistant") {
			t.turns = append(t.turns, playground.Turn{Role: role, Text: texts[i]})
		}
	}
	return t
}

// message is one of the protocol.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// messages are everything that was said, and what is said now.
func (t talk) messages(now string) []message {
	var list []message
	if strings.TrimSpace(t.system) != "" {
		list = append(list, message{"system", t.system})
	}
	for _, turn := range t.turns {
		list = append(list, message{turn.Role, turn.Text})
	}
	return append(list, message{"user", now})
}

// parameters reads those that were given.
func (t talk) parameters() (map[string]any, *mistake) {
	given := map[string]any{}
	for _, p := range settingsOfCalls {
		text := t.values[p.name]
		if text == "" {
			continue
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || !p.ok(f) || p.whole && f != math.Trunc(f) {
			return nil, &mistake{p.name, p.label + ": " + p.hint}
		}
		if given[p.name] = f; p.whole {
			given[p.name] = int(f)
		}
	}
	return given, nil
}

// request is the call in the OpenAI protocol.
func (t talk) request(stream bool) ([]byte, *mistake) {
	body, wrong := t.parameters()
	switch {
	case wrong != nil:
		return nil, wrong
	case strings.TrimSpace(t.message) == "":
		return nil, &mistake{"message", "Write something to the model."}
	}
	body["model"], body["messages"] = t.model, t.messages(t.message)
	if stream {
		body["stream"], body["stream_options"] = true, map[string]bool{"include_usage": true}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, &mistake{"message", "This cannot be sent."}
	}
	return text, nil
}

// playgroundPage is the page with what was said so far, with a dialog over it or without.
func (s *Server) playgroundPage(c echo.Context, t talk, notice *ui.Notice, used string, overlay templ.Component) (templ.Component, error) {
	w := here(c)
	base := playgroundURL(w.ID)
	p := playground.IndexProps{
		Workspace: w.Name, Action: base, StreamURL: base + "/stream", CodeURL: base + "/code", CostURL: base + "/cost", ClearURL: base, WhyURL: s.refusalLink(c),
		System: t.system, Turns: t.turns, Message: t.message, Notice: notice, Used: used,
	}
	for _, m := range s.talkable(c) {
		label := m.Name
		if len(m.Servings) == 0 {
			label += " (not served)"
		}
		p.Models = append(p.Models, ui.Option{Value: string(m.ID), Label: label, Selected: string(m.ID) == t.model})
	}
	if len(p.Models) == 0 {
		p.None = "The account owner or a super administrator authorizes " + w.Name + " for Model Calling of a model, in the Default Workspace."
	}
	for _, field := range settingsOfCalls {
		f := ui.Field{Name: field.name, Label: field.label, Value: t.values[field.name], Hint: field.hint, Autocomplete: "off", MaxLength: 20}
		if t.wrong != nil && t.wrong.field == field.name {
			f.Error = t.wrong.message
		}
		p.Fields = append(p.Fields, f)
	}
	if t.wrong != nil && t.wrong.field == "message" {
		p.Error = t.wrong.message
	}
	var err error
	p.Chrome, err = s.chrome(c, "Playground", atPlayground)
	p.Chrome.Overlay = overlay
	return playground.Index(p), err
}

// talkable are the models that this workspace may call and that answer with
// text, those first that somebody serves.
func (s *Server) talkable(c echo.Context) []*policy.Model {
	now := s.Policy.Now()
	list := slices.DeleteFunc(append(now.Private(here(c).ID), now.Catalogue(actor(c).Account)...), func(m *policy.Model) bool {
		return !now.Holds(here(c).ID, m.ID, catalogue.Call) || len(m.Kinds) > 0 && !textual(m.Model)
	})
	slices.SortStableFunc(list, func(a, b *policy.Model) int { return min(1, len(b.Servings)) - min(1, len(a.Servings)) })
	return list
}
