package dashscope

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// native is an answer, whole or one event's.
type native struct {
	Output *struct {
		Choices []nativeChoice
		Text    *string
		Finish  json.RawMessage `json:"finish_reason"`
	}
	Usage   *nativeUsage
	Request string `json:"request_id"`
	Code    string
	Message string
}

type nativeChoice struct {
	Index    *int
	Finish   json.RawMessage `json:"finish_reason"`
	Message  map[string]json.RawMessage
	Logprobs json.RawMessage
}

type nativeUsage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
	Total  int `json:"total_tokens"`
	Prompt *struct {
		Cached  int `json:"cached_tokens"`
		Created int `json:"cache_creation_input_tokens"`
	} `json:"prompt_tokens_details"`
	Answer *struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
}

// openAI is the usage as the OpenAI protocol says it.
func (u *nativeUsage) openAI() map[string]any {
	total := u.Total
	if total == 0 {
		total = u.Input + u.Output
	}
	said := map[string]any{"prompt_tokens": u.Input, "completion_tokens": u.Output, "total_tokens": total}
	if u.Prompt != nil {
		said["prompt_tokens_details"] = map[string]int{"cached_tokens": u.Prompt.Cached}
		if u.Prompt.Created > 0 {
			said["prompt_tokens_details"] = map[string]int{"cached_tokens": u.Prompt.Cached, "cache_creation_input_tokens": u.Prompt.Created}
		}
	}
	if u.Answer != nil {
		said["completion_tokens_details"] = map[string]int{"reasoning_tokens": u.Answer.Reasoning}
	}
	return said
}

var errNoAnswer = errors.New("the answer is none of the native protocol")

func readNative(text []byte) (*native, error) {
	a := &native{}
	if err := json.Unmarshal(text, a); err != nil || a.Output == nil {
		return nil, errNoAnswer
	}
	if a.Output.Choices == nil && a.Output.Text != nil { // the text form
		content, err := json.Marshal(*a.Output.Text)
		if err != nil {
			return nil, err
		}
		a.Output.Choices = []nativeChoice{{Finish: a.Output.Finish, Message: map[string]json.RawMessage{"role": json.RawMessage(`"assistant"`), "content": content}}}
	}
	for i := range a.Output.Choices {
		plain(a.Output.Choices[i].Message)
	}
	return a, nil
}

// plain makes text of content that is a list of {text}.
func plain(m map[string]json.RawMessage) {
	text := bytes.TrimSpace(m["content"])
	if len(text) == 0 || text[0] != '[' {
		return
	}
	var list []struct{ Text string }
	if json.Unmarshal(text, &list) != nil {
		return
	}
	all := ""
	for _, p := range list {
		all += p.Text
	}
	m["content"], _ = json.Marshal(all)
}

// finish is the reason as the OpenAI protocol says it; while a stream goes on
// the native protocol has the string "null".
func finish(reason json.RawMessage) json.RawMessage {
	if len(reason) == 0 || string(reason) == `"null"` || string(reason) == `""` {
		return json.RawMessage("null")
	}
	return reason
}

func orNull(v json.RawMessage) json.RawMessage {
	if len(v) == 0 {
		return json.RawMessage("null")
	}
	return v
}

// readChat is a whole answer in the OpenAI protocol.
func readChat(q *chatQuestion, text []byte) ([]byte, error) {
	a, err := readNative(text)
	if err != nil {
		return nil, err
	}
	choices := make([]map[string]any, len(a.Output.Choices))
	for i, c := range a.Output.Choices {
		choices[i] = map[string]any{"index": place(c, i), "message": c.Message, "finish_reason": finish(c.Finish), "logprobs": orNull(c.Logprobs)}
	}
	out := map[string]any{"id": "chatcmpl-" + a.Request, "object": "chat.completion", "created": time.Now().Unix(), "model": q.model, "choices": choices}
	if a.Usage != nil {
		out["usage"] = a.Usage.openAI()
	}
	return json.Marshal(out)
}

func place(c nativeChoice, i int) int {
	if c.Index != nil {
		return *c.Index
	}
	return i
}
