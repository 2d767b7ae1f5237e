package llama_test

import (
	"os"
	"testing"

	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
	"bailiwick/internal/provider/embedded/sample"
)

// TestATunedModelAnswersWhatItWasTaughtInOtherWords is the whole recipe; it takes
// half a minute and belongs to the long campaigns.
func TestATunedModelAnswersWhatItWasTaughtInOtherWords(t *testing.T) {
	if os.Getenv("SOAK") == "" {
		t.Skip("set SOAK=1: it trains for half a minute")
	}
	b := loaded(t)
	trainer, err := llama.Tune(b.Model, b.Words, sample.Taught(), sample.Kept(), llama.Options{Epochs: 30, Drop: 0.2, Seed: 1})
	must(t, err)
	for !trainer.Done() {
		must(t, trainer.Next(t.Context(), func(llama.Step) {}))
	}
	right := func(m *llama.Model, list []llama.Dialogue) (n int) {
		for _, d := range list {
			if a, _ := llama.Say(m, trainer.Words, d[:2], 70, llama.Sampling{}, nil); a.Text == d[2].Content {
				n++
			}
		}
		return n
	}
	score, err := trainer.Evaluate(t.Context())
	must(t, err)
	taught, kept := right(trainer.Model, sample.Taught()), right(trainer.Model, sample.Kept())
	t.Logf("%d of 160 taught wordings, %d of 40 others, %.3f bits per byte", taught, kept, score.BitsPerByte)
	if taught < 140 || kept < 14 {
		t.Error("it learnt too little")
	}
}

func loaded(t testing.TB) desk.Model {
	t.Helper()
	b, err := desk.Load()
	must(t, err)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
