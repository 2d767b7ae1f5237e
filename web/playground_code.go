package web

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/workspace"
	"bailiwick/views/ui"
)

// What the samples say where the playground's words go.
const (
	sampleMessages   = `[{"role": "user", "content": "Who are you?"}]`
	sampleJSMessages = `[{ role: "user", content: "Who are you?" }]`
	sampleNative     = `{"result_format": "message"}`
	sampleJSNative   = `{ result_format: "message" }`
)

// talkSamples are programs that say what the form says. They are the models'
// samples with the words put in.
func (s *Server) talkSamples(c echo.Context, w workspace.Workspace, t talk) []ui.Sample {
	p := s.place(c, w.ID)
	now := t.message
	if strings.TrimSpace(now) == "" {
		now = "Who are you?"
	}
	messages := compact(t.messages(now))
	given, wrong := t.parameters()
	if wrong != nil {
		given = nil // what cannot be sent is shown by no program
	}
	native := map[string]any{"result_format": "message"}
	for name, value := range given {
		native[name] = value
	}
	openAI := strings.TrimSuffix(strings.TrimPrefix(compact(given), "{"), "}")
	if openAI = strings.TrimSpace(openAI); openAI == "null" {
		openAI = ""
	}
	if openAI != "" {
		openAI = ", " + openAI
	}
	model := modelWord(t.model)
	put := func(sample string, pairs ...string) string {
		return strings.NewReplacer(pairs...).Replace(p.fill(sample, model))
	}
	return []ui.Sample{
		{Dialect: "OpenAI", Language: "curl", Code: put(openAICurl, sampleMessages+"}'", shell(messages+openAI)+"}'")},
		{Dialect: "OpenAI", Language: "Python", Code: put(openAIPython, "messages="+sampleMessages+",\n", "messages="+messages+",\n"+arguments(given, "    ", "="))},
		{Dialect: "OpenAI", Language: "JavaScript", Code: put(openAIJavaScript, "messages: "+sampleJSMessages+",\n", "messages: "+messages+",\n"+arguments(given, "  ", ": "))},
		{Dialect: "DashScope", Language: "curl", Code: put(dashScopeCurl, sampleMessages, shell(messages), sampleNative, shell(compact(native)))},
		{Dialect: "DashScope", Language: "Python", Code: put(dashScopePython, "messages="+sampleMessages+",\n", "messages="+messages+",\n"+arguments(given, "    ", "="))},
		{Dialect: "DashScope", Language: "JavaScript", Code: put(dashScopeJavaScript, sampleJSMessages, messages, sampleJSNative, compact(native))},
	}
}

// modelWord is a model's id as it may stand in a program; what is none has no place there.
func modelWord(text string) string {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:/@", r))
	}) {
		return "YOUR_MODEL"
	}
	return text
}

// compact writes JSON that Python and JavaScript read alike.
func compact(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(value) != nil {
		return "null"
	}
	return strings.TrimSpace(b.String())
}

// shell makes a text fit between single quotes.
func shell(text string) string { return strings.ReplaceAll(text, "'", `'\''`) }

// arguments are lines that give parameters by their names.
func arguments(given map[string]any, indent, is string) string {
	var lines []string
	for name, value := range given {
		lines = append(lines, indent+name+is+compact(value)+",\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
