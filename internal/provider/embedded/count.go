package embedded

import (
	"encoding/json"
	"net/http"

	"bailiwick/internal/provider"
)

// count counts the tokens of messages as the engine counts them when it answers.
func (s Server) count(body []byte) *provider.Answer {
	var q struct {
		question
		System text `json:"system"`
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return refuse(http.StatusBadRequest, "The demo engine cannot read these messages: "+err.Error(), "messages")
	}
	m, refused := s.model(q.Model)
	if refused != nil {
		return refused
	}
	if q.System != "" {
		q.Messages = append([]message{{"system", q.System}}, q.Messages...)
	}
	return asJSON(object{"input_tokens": len(m.prompt(q.dialogue(m)))})
}
