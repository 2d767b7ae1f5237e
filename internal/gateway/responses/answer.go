package responses

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/chat"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// response is an answer, whole or on its way.
type response struct {
	ID           string         `json:"id"`
	Object       string         `json:"object"`
	Created      int64          `json:"created_at"`
	Status       string         `json:"status"`
	Background   bool           `json:"background"`
	Error        *struct{}      `json:"error"`
	Incomplete   *incomplete    `json:"incomplete_details"`
	Instructions *string        `json:"instructions"`
	MaxTokens    jsontext.Value `json:"max_output_tokens"`
	Model        string         `json:"model"`
	Output       []any          `json:"output"`
	Parallel     bool           `json:"parallel_tool_calls"`
	Previous     *string        `json:"previous_response_id"`
	Reasoning    effort         `json:"reasoning"`
	Store        bool           `json:"store"`
	Temperature  jsontext.Value `json:"temperature"`
	Text         texting        `json:"text"`
	Choice       jsontext.Value `json:"tool_choice"`
	Tools        jsontext.Value `json:"tools"`
	TopP         jsontext.Value `json:"top_p"`
	Truncation   string         `json:"truncation"`
	Usage        *consumed      `json:"usage"`
	User         *string        `json:"user"`
	Metadata     jsontext.Value `json:"metadata"`
}

type incomplete struct {
	Reason string `json:"reason"`
}

type effort struct {
	Effort  *string `json:"effort"`
	Summary *string `json:"summary"`
}

type texting struct {
	Format jsontext.Value `json:"format"`
}

type consumed struct {
	Input  int    `json:"input_tokens"`
	Cached cached `json:"input_tokens_details"`
	Output int    `json:"output_tokens"`
	Reason reason `json:"output_tokens_details"`
	Total  int    `json:"total_tokens"`
}

type cached struct {
	Tokens int `json:"cached_tokens"`
}

type reason struct {
	Tokens int `json:"reasoning_tokens"`
}

// The items of an answer.
type messageItem struct {
	ID      string     `json:"id"`
	Type    string     `json:"type"`
	Status  string     `json:"status"`
	Role    string     `json:"role"`
	Content []textPart `json:"content"`
}

type textPart struct {
	Type        string         `json:"type"`
	Text        string         `json:"text"`
	Annotations []any          `json:"annotations"`
	Logprobs    jsontext.Value `json:"logprobs"`
}

type thoughtItem struct {
	ID      string        `json:"id"`
	Type    string        `json:"type"`
	Summary []any         `json:"summary"`
	Content []thoughtPart `json:"content"`
	Status  string        `json:"status"`
}

type thoughtPart struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type callItem struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	Call      string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// The states of items and answers.
const (
	inProgress = "in_progress"
	completed  = "completed"
	cutShort   = "incomplete"
)

func text(s string, logprobs []byte) textPart {
	return textPart{"output_text", s, []any{}, append(append(jsontext.Value("["), logprobs...), ']')}
}

// begun is the answer before anything was said.
func (x *exchange) begun(created int64) response {
	a := &x.asked
	r := response{
		ID: "resp_" + string(x.id), Object: "response", Created: created, Status: inProgress, Instructions: a.Instructions, MaxTokens: or(a.MaxTokens, "null"),
		Model: string(x.model), Output: []any{}, Parallel: a.Parallel == nil || *a.Parallel, Temperature: or(a.Temperature, "null"), TopP: or(a.TopP, "null"),
		Text: texting{or(a.Text.Format, `{"type":"text"}`)}, Choice: or(a.Choice, `"auto"`), Tools: or(x.body.Get("tools"), "[]"), Truncation: "disabled", Metadata: or(a.Metadata, "{}"),
	}
	if r.Reasoning.Summary = a.Reasoning.Summary; a.Reasoning.Effort != "" {
		r.Reasoning.Effort = &a.Reasoning.Effort
	}
	if a.User != "" {
		r.User = &a.User
	}
	return r
}

func or(raw jsontext.Value, otherwise string) jsontext.Value {
	if wire.Null(raw) {
		return jsontext.Value(otherwise)
	}
	return raw
}

// over says how the answer ended and what it consumed, by the same rule that the
// books follow.
func (x *exchange) over(r *response, finish string, t wire.Tokens, spoken int) {
	r.Status = completed
	switch finish {
	case "length":
		r.Status, r.Incomplete = cutShort, &incomplete{"max_output_tokens"}
	case "content_filter":
		r.Status, r.Incomplete = cutShort, &incomplete{"content_filter"}
	}
	if !t.Said || t.Doubted {
		t.Input = max(t.Input, wire.Estimate(x.Said()))
		t.Output = max(t.Output, wire.Estimate(spoken))
	}
	r.Usage = &consumed{t.Input, cached{t.Cached}, t.Output, reason{t.Reason}, t.Input + t.Output}
}

// answer translates a whole answer.
func (x *exchange) answer(o wire.Object) ([]byte, *dialect.Refusal) {
	c, err := chat.Read(o.Text)
	if err != nil || len(c.Choices) != 1 {
		return nil, &dialect.ProviderBabbles
	}
	only := c.Choices[0]
	calls, err := only.Message.Pieces()
	if err != nil {
		return nil, &dialect.ProviderBabbles
	}
	r := x.begun(c.Created)
	x.over(&r, only.Reason(), wire.ReadTokens(o.Get("usage"), true), wire.Spoken(o.Text))
	if s := only.Message.Thought(); s != "" {
		r.Output = append(r.Output, x.thought(s, completed))
	}
	if s := only.Message.Said(); s != "" || len(calls) == 0 {
		r.Output = append(r.Output, x.message(text(s, chat.Probabilities(nil, only.Logprobs)), r.Status))
	}
	for i, call := range calls {
		r.Output = append(r.Output, x.call(i, call, r.Status))
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, &dialect.ProviderBabbles
	}
	return b, nil
}

func (x *exchange) thought(s, status string) thoughtItem {
	return thoughtItem{"rs_" + string(x.id), "reasoning", []any{}, []thoughtPart{{"reasoning_text", s}}, status}
}

func (x *exchange) message(p textPart, status string) messageItem {
	return messageItem{"msg_" + string(x.id), "message", status, "assistant", []textPart{p}}
}

func (x *exchange) call(i int, c chat.Piece, status string) callItem {
	return callItem{"fc_" + string(x.id) + "_" + strconv.Itoa(i), "function_call", status, c.ID, c.Function.Name, c.Function.Arguments}
}
