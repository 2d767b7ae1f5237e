package embedded

import (
	"encoding/json"
	"net/http"

	"bailiwick/internal/provider"
)

// count counts the tokens of messages as the engine counts them when it answers.
func (s Server) count(body []byte) *provider.Answer {
	var q struct {
		System   text `json:"system"`
		Messages []struct {
			Content text `json:"content"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return refuse(http.StatusBadRequest, "The demo engine cannot read these messages: "+err.Error(), "messages")
	}
	n := len(Tokens(string(q.System)))
	for _, m := range q.Messages {
		n += len(Tokens(string(m.Content)))
	}
	return asJSON(object{"input_tokens": n})
}
