package mockserver

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
)

// Vector is what the server says of every text.
var Vector = []float32{0.5, -0.25, 0}

// vectors answers embeddings: one vector for each text, three tokens each.
func vectors(body []byte) Reply {
	var q struct {
		Model  string          `json:"model"`
		Input  json.RawMessage `json:"input"`
		Format string          `json:"encoding_format"`
	}
	var texts []any
	if json.Unmarshal(body, &q) != nil || json.Unmarshal(q.Input, &texts) != nil {
		texts = []any{0}
	}
	value := "[0.5,-0.25,0]"
	if q.Format == "base64" {
		var b []byte
		for _, f := range Vector {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
		}
		value = quote(base64.StdEncoding.EncodeToString(b))
	}
	data := make([]string, len(texts))
	for i := range texts {
		data[i] = fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%s}`, i, value)
	}
	return JSON(http.StatusOK, fmt.Sprintf(`{"object":"list","data":[%s],"model":%s,"usage":{"prompt_tokens":%d,"total_tokens":%d}}`,
		strings.Join(data, ","), quote(q.Model), 3*len(texts), 3*len(texts)))
}

// ranking answers rerank: the last document is the best; five tokens each.
func ranking(body []byte) Reply {
	var q struct {
		Model     string            `json:"model"`
		Documents []json.RawMessage `json:"documents"`
		TopN      *int              `json:"top_n"`
	}
	if json.Unmarshal(body, &q) != nil {
		return JSON(http.StatusBadRequest, `{"error":{"message":"documents should be a list"}}`)
	}
	results := []string{}
	for i := len(q.Documents) - 1; i >= 0 && (q.TopN == nil || len(results) < *q.TopN); i-- {
		results = append(results, fmt.Sprintf(`{"index":%d,"relevance_score":%.2f,"document":{"text":%s}}`, i, 1/float64(1+len(results)), q.Documents[i]))
	}
	return JSON(http.StatusOK, fmt.Sprintf(`{"id":"rerank-mock","model":%s,"usage":{"total_tokens":%d},"results":[%s]}`,
		quote(q.Model), 5*len(q.Documents), strings.Join(results, ",")))
}

// goesOn answers completions.
func (c Chat) goesOn(q asked) Reply {
	piece := func(text, reason, rest string) string {
		return fmt.Sprintf(`{"id":"cmpl-mock","object":"text_completion","created":1700000000,"model":%s,"choices":[{"index":0,"text":%s,"finish_reason":%s,"logprobs":null}]%s}`,
			quote(q.Model), quote(text), reason, rest)
	}
	if !q.Stream {
		return JSON(http.StatusOK, piece(strings.Join(c.Words, ""), quote(c.reason()), `,"usage":`+c.usage()))
	}
	var events []string
	for _, w := range c.Words {
		events = append(events, "data: "+piece(w, "null", "")+"\n\n")
	}
	events = append(events, "data: "+piece("", quote(c.reason()), "")+"\n\n")
	if q.StreamOptions.IncludeUsage {
		events = append(events, fmt.Sprintf("data: {\"id\":\"cmpl-mock\",\"object\":\"text_completion\",\"created\":1700000000,\"model\":%s,\"choices\":[],\"usage\":%s}\n\n", quote(q.Model), c.usage()))
	}
	return Events(append(events, "data: [DONE]\n\n")...)
}
