package gateway_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// spoil changes a seed as somebody might who looks for a gap: pieces are doubled,
// dropped, taken from other seeds, and characters become those that mean something.
func spoil(r *rand.Rand, seeds []string) string {
	s := []byte(seeds[r.IntN(len(seeds))])
	at := func() int { return r.IntN(len(s) + 1) }
	words := []string{`"`, `\`, `{`, `}`, `[`, `]`, `,`, `:`, "\x00", "\n", "\n\n", "data: ", `"model":"qwen-plus"`, `"MODEL":"qwen-plus",`, `\u006d`, "ſ", "K", "1e309", "-1", "null", "[DONE]", "\xff", "event: error\n", `"usage":{"prompt_tokens":-1}`, `"error":{}`}
	for range 1 + r.IntN(4) {
		from, to := at(), at()
		from, to = min(from, to), min(max(from, to), min(from, to)+40)
		piece := append([]byte{}, s[from:to]...)
		switch r.IntN(5) {
		case 0:
			s = append(s[:from:from], s[to:]...)
		case 1:
			s = append(s[:to:to], append(piece, s[to:]...)...)
		case 2:
			other := seeds[r.IntN(len(seeds))]
			cut := r.IntN(len(other) + 1)
			s = append(s[:from:from], other[cut:]...)
		case 3:
			if from < len(s) {
				s[from] ^= 1 << r.IntN(8)
			}
		default:
			s = append(s[:from:from], append([]byte(words[r.IntN(len(words))]), s[to:]...)...)
		}
	}
	return string(s)
}

// TestAShortRoundOfEveryFuzzTarget asks what fuzzing asks, a little and without
// its guidance, every time that tests run.
func TestAShortRoundOfEveryFuzzTarget(t *testing.T) {
	rounds := 1000
	if n, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		rounds *= n
	}
	for name, c := range map[string]struct {
		seeds []string
		try   func(t *testing.T, text string)
	}{
		"Anthropic": {anthropicSeeds, requests(t, messages, chatNames)}, "Responses": {responsesSeeds, requests(t, responses, chatNames)},
		"NativeVectors": {vectorSeeds, requests(t, nativeVectors, vectorNames)}, "Streams": {streamSeeds, streams(t)},
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 3))
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			for range rounds {
				c.try(t, spoil(r, c.seeds))
			}
		})
	}
}
