package embedded_test

import (
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
)

func TestTextsThatShareWordsLieNearEachOther(t *testing.T) {
	a, b, c := embedded.Vector("The cat sat", 512), embedded.Vector("the CAT slept", 512), embedded.Vector("quarterly revenue report", 512)
	dot := func(x, y []float32) (sum float64) {
		for i := range x {
			sum += float64(x[i]) * float64(y[i])
		}
		return sum
	}
	if math.Abs(dot(a, a)-1) > 1e-6 || dot(a, b) <= dot(a, c) {
		t.Errorf("itself %f, near %f, far %f", dot(a, a), dot(a, b), dot(a, c))
	}
}

func TestVectorsAndRankingsAreLabelledAndRefuseByName(t *testing.T) {
	s, _ := embedded.Open(provider.Target{})
	for _, c := range []struct{ path, body, want string }{
		{"embeddings", `{"model":"m","input":["a","b"],"dimensions":2}`, `"engine":"bailiwick demo engine: hashed words, not a language model"`},
		{"embeddings", `{"model":"m","input":"a","dimensions":1,"encoding_format":"base64"}`, `"embedding":[`},
		{"embeddings", `{"model":"m","input":[1]}`, `"param":"input"`},
		{"embeddings", `{"model":"m","input":"a","dimensions":9999}`, `"param":"dimensions"`},
		{"rerank", `{"model":"m","query":"blue sky","documents":["red","the sky is blue",{"text":"sky"}],"top_n":2,"return_documents":true}`, `"results":[{"document":{"text":"the sky is blue"},"index":1`},
		{"rerank", `{"model":"m","query":"q","documents":7}`, `"param":"documents"`},
		{"completions", `{"model":"m","prompt":"x"}`, `The demo engine has no completions`},
	} {
		a, err := s.Call(t.Context(), provider.Request{Path: c.path, Body: []byte(c.body)})
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(a.Body)
		if !json.Valid(body) || !strings.Contains(string(body), c.want) || a.Header.Get(embedded.Header) != "embedded-demo" {
			t.Errorf("%s %s: %d %.300s", c.path, c.body, a.Status, body)
		}
	}
}
