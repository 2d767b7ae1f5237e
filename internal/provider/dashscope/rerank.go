package dashscope

import "encoding/json"

type rerankQuestion struct {
	Model     string            `json:"model"`
	Query     string            `json:"query"`
	Documents []json.RawMessage `json:"documents"`
	TopN      *int              `json:"top_n"`
	Return    *bool             `json:"return_documents"`
	Instruct  *string           `json:"instruct"`
}

// askRerank says a request to rank documents natively.
func askRerank(body []byte) ([]byte, error) {
	if err := only(body, "model", "query", "documents", "top_n", "return_documents", "instruct"); err != nil {
		return nil, err
	}
	var q rerankQuestion
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	parameters := map[string]any{}
	if q.TopN != nil {
		parameters["top_n"] = *q.TopN
	}
	if q.Return != nil {
		parameters["return_documents"] = *q.Return
	}
	if q.Instruct != nil {
		parameters["instruct"] = *q.Instruct
	}
	return json.Marshal(map[string]any{"model": q.Model, "input": map[string]any{"query": q.Query, "documents": q.Documents}, "parameters": parameters})
}

// readRerank gives the ranking in the flat form of the compatible protocol.
func readRerank(asked, text []byte) ([]byte, error) {
	var q rerankQuestion
	var a struct {
		Output  *struct{ Results json.RawMessage }
		Usage   json.RawMessage
		Request string `json:"request_id"`
	}
	if err := json.Unmarshal(asked, &q); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &a); err != nil || a.Output == nil {
		return nil, errNoAnswer
	}
	return json.Marshal(map[string]any{"object": "list", "model": q.Model, "id": a.Request, "results": orNull(a.Output.Results), "usage": orNull(a.Usage)})
}
