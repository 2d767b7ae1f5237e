package dashscope

import "encoding/json"

type vectorQuestion struct {
	Model      string          `json:"model"`
	Input      json.RawMessage `json:"input"`
	Dimensions *int            `json:"dimensions"`
	User       json.RawMessage `json:"user"`
}

// askVectors says a request for embeddings natively.
func askVectors(body []byte) ([]byte, error) {
	if err := only(body, "model", "input", "dimensions", "encoding_format", "user"); err != nil {
		return nil, err
	}
	var q vectorQuestion
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	var texts []string
	var one string
	switch {
	case json.Unmarshal(q.Input, &one) == nil:
		texts = []string{one}
	case json.Unmarshal(q.Input, &texts) != nil:
		return nil, refusal{"The provider of this model takes text only: a string, or a list of strings.", "input", "invalid_type"}
	}
	parameters := map[string]any{}
	if q.Dimensions != nil {
		parameters["dimension"] = *q.Dimensions
	}
	return json.Marshal(map[string]any{"model": q.Model, "input": map[string]any{"texts": texts}, "parameters": parameters})
}

// only refuses members that are not among the known ones.
func only(body []byte, known ...string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	for _, name := range known {
		delete(members, name)
	}
	for name := range members {
		return cannot(name)
	}
	return nil
}

// readVectors gives the embeddings in the OpenAI protocol, as numbers: the
// gateway packs what was asked for so.
func readVectors(asked, text []byte) ([]byte, error) {
	var q vectorQuestion
	if err := json.Unmarshal(asked, &q); err != nil {
		return nil, err
	}
	var a struct {
		Output *struct {
			Embeddings []struct {
				Embedding []float32
				Index     int `json:"text_index"`
			}
		}
		Usage struct {
			Total int `json:"total_tokens"`
		}
	}
	if err := json.Unmarshal(text, &a); err != nil || a.Output == nil {
		return nil, errNoAnswer
	}
	data := make([]map[string]any, len(a.Output.Embeddings))
	for i, v := range a.Output.Embeddings {
		data[i] = map[string]any{"object": "embedding", "index": v.Index, "embedding": v.Embedding}
	}
	return json.Marshal(map[string]any{"object": "list", "model": q.Model, "data": data, "usage": map[string]int{"prompt_tokens": a.Usage.Total, "total_tokens": a.Usage.Total}})
}
