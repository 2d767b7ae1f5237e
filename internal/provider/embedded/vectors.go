package embedded

import (
	"cmp"
	"encoding/json"
	"hash/fnv"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"bailiwick/internal/provider"
)

// vectorLabel says in every answer what made it.
const vectorLabel = "bailiwick demo engine: hashed words, not a language model"

// Dimensions of a vector: unless asked for, and at most.
const (
	dimensions     = 1024
	mostDimensions = 4096
)

type vectorQuestion struct {
	Model      string `json:"model"`
	Input      texts  `json:"input"`
	Dimensions *int   `json:"dimensions"`
}

// texts is one text or several.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*t = make(texts, 1)
		return json.Unmarshal(b, &(*t)[0])
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// embed answers embeddings, as numbers: the gateway packs what was asked for so.
func (s Server) embed(body []byte) *provider.Answer {
	var q vectorQuestion
	if err := json.Unmarshal(body, &q); err != nil {
		return refuse(http.StatusBadRequest, "The demo engine embeds a text or a list of texts: "+err.Error(), "input")
	}
	size := dimensions
	if q.Dimensions != nil {
		size = *q.Dimensions
	}
	if size < 1 || size > mostDimensions {
		return refuse(http.StatusBadRequest, "The demo engine gives 1 to 4096 dimensions.", "dimensions")
	}
	data, tokens := make([]object, len(q.Input)), 0
	for i, text := range q.Input {
		data[i] = object{"object": "embedding", "index": i, "embedding": Vector(text, size)}
		tokens += len(Tokens(text))
	}
	return asJSON(object{"object": "list", "model": q.Model, "data": data, "engine": vectorLabel, "usage": object{"prompt_tokens": tokens, "total_tokens": tokens}})
}

func asJSON(v object) *provider.Answer {
	b, err := json.Marshal(v)
	if err != nil {
		return refuse(http.StatusInternalServerError, "The demo engine cannot write its answer.", "")
	}
	return reply(http.StatusOK, "application/json", b)
}

// Tokens cuts a text into what vectors are made of: runs of letters and digits,
// each with the space before it; every other character, and every character
// of a script without spaces, counts alone.
func Tokens(s string) (tokens []string) {
	start, word := 0, false
	for i, r := range s {
		part := (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
		blank := i > start && strings.TrimSpace(s[start:i]) == ""
		if i > start && !(part && word) && !blank {
			tokens = append(tokens, s[start:i])
			start = i
		}
		word = part
	}
	if start < len(s) {
		tokens = append(tokens, s[start:])
	}
	return tokens
}

// Vector hashes the words of a text into as many dimensions, and scales what
// comes out to length 1. Texts that share words lie near each other; that is
// all it knows.
func Vector(text string, size int) []float32 {
	sums := make([]float64, size)
	for _, word := range Tokens(strings.ToLower(text)) {
		h := fnv.New64a()
		h.Write([]byte(strings.TrimSpace(word)))
		n := h.Sum64()
		sign := 1.0
		if n>>63 == 1 {
			sign = -1
		}
		sums[n%uint64(size)] += sign
	}
	length := 0.0
	for _, x := range sums {
		length += x * x
	}
	v := make([]float32, size)
	for i, x := range sums {
		if length > 0 {
			v[i] = float32(x / math.Sqrt(length))
		}
	}
	return v
}

type rankQuestion struct {
	Model     string `json:"model"`
	Query     string `json:"query"`
	Documents []text `json:"documents"`
	TopN      *int   `json:"top_n"`
	Returns   bool   `json:"return_documents"`
}

// rank answers rerank: by the words that query and document share.
func (s Server) rank(body []byte) *provider.Answer {
	var q rankQuestion
	if err := json.Unmarshal(body, &q); err != nil {
		return refuse(http.StatusBadRequest, "The demo engine ranks a list of texts: "+err.Error(), "documents")
	}
	wanted, tokens := Vector(q.Query, dimensions), 0
	type scored struct {
		index int
		score float64
	}
	all := make([]scored, len(q.Documents))
	for i, d := range q.Documents {
		all[i] = scored{i, near(wanted, Vector(string(d), dimensions))}
		tokens += len(Tokens(q.Query)) + len(Tokens(string(d)))
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	if q.TopN != nil && *q.TopN >= 0 && *q.TopN < len(all) {
		all = all[:*q.TopN]
	}
	results := make([]object, len(all))
	for i, a := range all {
		results[i] = object{"index": a.index, "relevance_score": a.score}
		if q.Returns {
			results[i]["document"] = object{"text": q.Documents[a.index]}
		}
	}
	return asJSON(object{"object": "list", "model": q.Model, "results": results, "engine": vectorLabel, "usage": object{"prompt_tokens": tokens, "total_tokens": tokens}})
}

// near is how near two vectors lie, from 0 to 1.
func near(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return min(1, max(0, sum))
}
