package openai

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/go-json-experiment/json"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// Bounds of one request, as the OpenAI protocol has them.
const (
	mostInputs     = 2048
	mostDimensions = 1 << 16
	mostDocuments  = 1000
)

// readPrompt reads what a completion goes on from: texts or token ids.
func (x *exchange) readPrompt() *dialect.Refusal {
	raw := x.body.Get("prompt")
	switch {
	case wire.Null(raw):
		return &dialect.NoMessages
	case raw[0] != '"' && raw[0] != '[':
		return dialect.Range("prompt", "%s", dialect.BadParameters.OpenAI.Message)
	case wire.EmptyArray(raw):
		return dialect.Range("prompt", "%s", dialect.TooShort.OpenAI.Message)
	}
	return nil
}

// readVectors reads a request for embeddings: texts or token ids.
func (x *exchange) readVectors() *dialect.Refusal {
	raw := x.body.Get("input")
	switch inputs, many := wire.Elements(raw); {
	case wire.Null(raw):
		r := dialect.EmptyInput
		r.Param = "input"
		return &r
	case !many && raw[0] != '"':
		return dialect.Range("input", "%s", dialect.BadParameters.OpenAI.Message)
	case many && len(inputs) == 0, string(raw) == `""`:
		return dialect.Range("input", "%s", dialect.TooShort.OpenAI.Message)
	case len(inputs) > mostInputs && inputs[0][0] != '-' && (inputs[0][0] < '0' || inputs[0][0] > '9'):
		return dialect.Range("input", "Range of input should be [1, %d]", mostInputs)
	}
	if raw := x.body.Get("dimensions"); !wire.Null(raw) {
		if n, ok := wire.Int(raw); !ok || n < 1 || n > mostDimensions {
			return dialect.Range("dimensions", "Range of dimensions should be [1, %d]", mostDimensions)
		}
	}
	raw = x.body.Get("encoding_format")
	format, _ := wire.String(raw)
	if !wire.Null(raw) && format != "float" && format != "base64" {
		return dialect.Range("encoding_format", `encoding_format should be "float" or "base64"`)
	}
	x.packed = format == "base64"
	return nil
}

// readRanking reads a request to rank documents.
func (x *exchange) readRanking() *dialect.Refusal {
	if query, ok := wire.String(x.body.Get("query")); !ok || query == "" {
		return dialect.Range("query", "%s", dialect.BadParameters.OpenAI.Message)
	}
	documents, ok := wire.Elements(x.body.Get("documents"))
	switch {
	case !ok:
		return dialect.Range("documents", "%s", dialect.BadParameters.OpenAI.Message)
	case len(documents) == 0:
		return dialect.Range("documents", "%s", dialect.TooShort.OpenAI.Message)
	case len(documents) > mostDocuments:
		return dialect.Range("documents", "Range of documents should be [1, %d]", mostDocuments)
	}
	if raw := x.body.Get("top_n"); !wire.Null(raw) {
		if n, ok := wire.Int(raw); !ok || n < 1 || n > mostDocuments {
			return dialect.Range("top_n", "Range of top_n should be [1, %d]", mostDocuments)
		}
	}
	return nil
}

// pack packs the vectors that a provider gave as numbers although base64 was
// asked for, which is what the official JavaScript SDK asks for by itself and
// takes whatever comes for.
func (x *exchange) pack(answer wire.Object) ([]byte, *dialect.Refusal) {
	var edits []wire.Edit
	at := answer.Find("data")
	data, _ := wire.Elements(answer.Text[at.Start:at.End])
	for _, entry := range data {
		o, err := wire.Parse(entry)
		if err != nil {
			return nil, &dialect.ProviderBabbles
		}
		offset := wire.Offset(answer.Text, entry)
		m := o.Find("embedding")
		if m == nil {
			return nil, &dialect.ProviderBabbles
		}
		if entry[m.Start] == '"' {
			continue
		}
		var vector []float32
		if json.Unmarshal(entry[m.Start:m.End], &vector) != nil {
			return nil, &dialect.ProviderBabbles
		}
		edits = append(edits, wire.Edit{Start: offset + m.Start, End: offset + m.End, With: packed(vector)})
	}
	if len(edits) > 0 {
		answer, _ = wire.Parse(wire.Splice(answer.Text, edits...)) // as well-formed as it was
	}
	return x.rename(answer), nil
}

// packed is a vector as the OpenAI protocol packs it: float32, the lowest byte first.
func packed(vector []float32) []byte {
	b := make([]byte, 0, 4*len(vector))
	for _, f := range vector {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return wire.Quote(nil, base64.StdEncoding.EncodeToString(b))
}
