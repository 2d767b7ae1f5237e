package dialect

import (
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/policy"
)

// ranges says what values parameters may have, in the words of the original.
// A parameter that is null counts as not given.
var ranges = map[string]struct {
	ok   func(f float64, whole bool) bool
	says string
}{
	"temperature":        {func(f float64, _ bool) bool { return f >= 0 && f < 2 }, "Temperature should be in [0.0, 2.0)"},
	"top_p":              {func(f float64, _ bool) bool { return f > 0 && f <= 1 }, "Range of top_p should be (0.0, 1.0]"},
	"n":                  {func(f float64, whole bool) bool { return whole && f >= 1 && f <= 4 }, "Range of n should be [1, 4]"},
	"presence_penalty":   {func(f float64, _ bool) bool { return f >= -2 && f <= 2 }, "Range of presence_penalty should be [-2.0, 2.0]"},
	"repetition_penalty": {func(f float64, _ bool) bool { return f > 0 }, "Range of repetition_penalty should be (0.0, +inf)"},
	"top_logprobs":       {func(f float64, whole bool) bool { return whole && f >= 0 && f <= 5 }, "Range of top_logprobs should be [0, 5]"},
	"thinking_budget":    {func(f float64, whole bool) bool { return whole && f >= 0 && f <= wire.MostTokens }, "Range of thinking_budget should be [0, 100000000]"},
}

// InRange makes sure that a parameter, if it is given, is in its range.
func InRange(param string, raw []byte) *Refusal {
	r, known := ranges[param]
	if !known || wire.Null(raw) {
		return nil
	}
	f, ok := wire.Float(raw)
	_, whole := wire.Int(raw)
	if !ok || !r.ok(f, whole) {
		return Range(param, "%s", r.says)
	}
	return nil
}

// mostAnswer bounds max_tokens of models whose size is not known.
const mostAnswer = 1 << 20

// AnswerFits makes sure that a limit on the answer's tokens, if it is given, is
// one that the model could reach at all.
func AnswerFits(param string, raw []byte, m *policy.Model) *Refusal {
	if wire.Null(raw) {
		return nil
	}
	most := max(m.Context, m.MaxOutput)
	if most == 0 {
		most = mostAnswer
	}
	if n, ok := wire.Int(raw); !ok || n < 1 || n > int64(most) {
		return Range(param, "Range of %s should be [1, %d]", param, most)
	}
	return nil
}
