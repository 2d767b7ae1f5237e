package embedded

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
)

// question is what the engine reads of a request.
type question struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content text   `json:"content"`
	} `json:"messages"`
	Stream        bool `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           *int  `json:"max_tokens"`
	MaxCompletionTokens *int  `json:"max_completion_tokens"`
	N                   *int  `json:"n"`
	Stop                stops `json:"stop"`
	Logprobs            any   `json:"logprobs"`
	ToolChoice          any   `json:"tool_choice"`
	ResponseFormat      struct {
		Type string `json:"type"`
	} `json:"response_format"`
}

// mostChoices bounds n: the choices are all the same.
const mostChoices = 4

// check refuses what the engine cannot do, naming the parameter.
func (q question) check() (param, says string) {
	switch {
	case len(q.Messages) == 0:
		return "messages", "The demo engine needs at least one message."
	case q.N != nil && (*q.N < 1 || *q.N > mostChoices):
		return "n", "The demo engine gives 1 to 4 choices."
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
func (q question) limit() int {
	most := 1 << 30
	for _, n := range []*int{q.MaxTokens, q.MaxCompletionTokens} {
		if n != nil {
			most = min(most, *n)
		}
	}
	return most
}

// asked is the last thing the caller said, on one line.
func (q question) asked() string {
	for i := len(q.Messages) - 1; i >= 0; i-- {
		if q.Messages[i].Role == "user" {
			return strings.Join(strings.Fields(string(q.Messages[i].Content)), " ")
		}
	}
	return ""
}

// says is the engine's whole answer.
func (q question) says() string {
	asked := q.asked()
	if q.ResponseFormat.Type == "json_object" {
		b, _ := json.Marshal(map[string]string{"engine": "bailiwick demo engine, a very small model", "model": q.Model, "asked": asked})
		return string(b)
	}
	if utf8.RuneCountInString(asked) > 400 {
		asked = string([]rune(asked)[:400]) + " …"
	}
	return fmt.Sprintf("This is Bailiwick's demo engine, a very small model. The call to %s was authorized and metered, and reached a provider; connect a real one to get real answers. To “%s” it %s", q.Model, asked, say(asked))
}

// The model says a sentence or two, and keeps silent where it is not sure of them.
const (
	longest = 40  // tokens
	sure    = 0.7 // the mean likelihood of the tokens, on average over sentences like those it was made of
)

// say is what the model says to a question, as the end of a sentence. It was made
// of the manner of a support desk and knows no facts.
func say(asked string) string {
	says, ok := said.Load(asked)
	if !ok {
		says = think(asked)
		if kept.Add(1) < mostKept {
			said.Store(asked, says)
		}
	}
	return says.(string)
}

// What was said is said again, without thinking: the engine answers the same way
// every time, and demonstrations ask the same things.
var (
	said sync.Map // question → answer
	kept atomic.Int64
)

const mostKept = 1000

func think(asked string) string {
	m, err := desk.Load()
	if err != nil {
		return "says nothing: its model cannot be read."
	}
	a, _ := llama.Say(m.Model, m.Words, llama.Dialogue{{Role: "system", Content: desk.System}, {Role: "user", Content: asked}}, longest, llama.Sampling{}, nil)
	if !a.Ended || a.Sure < sure {
		return "says that it does not know."
	}
	return "says: “" + a.Text + "”"
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
