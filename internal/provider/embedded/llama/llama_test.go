package llama_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"bailiwick/internal/provider/embedded/bpe"
	"bailiwick/internal/provider/embedded/llama"
	"bailiwick/internal/provider/embedded/sample"
)

func sum(m *llama.Model) [32]byte {
	h := sha256.New()
	for _, t := range m.Tensors {
		binary.Write(h, binary.LittleEndian, t.W)
	}
	return [32]byte(h.Sum(nil))
}

func tuned(t testing.TB, o llama.Options) *llama.Trainer {
	t.Helper()
	b := loaded(t)
	before := sum(b.Model)
	trainer, err := llama.Tune(b.Model, b.Words, sample.Taught()[:40], sample.Kept()[:10], o)
	must(t, err)
	for !trainer.Done() {
		must(t, trainer.Next(t.Context(), func(llama.Step) {}))
	}
	if sum(b.Model) != before {
		t.Fatal("tuning changed the model it began with")
	}
	return trainer
}

func TestTuningTeachesAndIsTheSameEveryTime(t *testing.T) {
	o := llama.Options{Epochs: 3, Drop: 0.35, Seed: 3}
	b := loaded(t)
	start := llama.NewTrainer(b.Model.Clone(), b.Words, nil, sample.Kept()[:10], llama.Options{})
	before, err := start.Evaluate(t.Context())
	must(t, err)
	one, two := tuned(t, o), tuned(t, o)
	if sum(one.Model) != sum(two.Model) {
		t.Error("two runs on the same data made different models")
	}
	after, err := one.Evaluate(t.Context())
	must(t, err)
	if after.BitsPerByte > before.BitsPerByte/2 || after.Accuracy <= before.Accuracy || after.Perplexity() < 1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestTheBaseSpeaksLikeASupportDeskAndKnowsNothing(t *testing.T) {
	b := loaded(t)
	if b.Vocab != 512 || b.Parameters() != 133440 {
		t.Errorf("%+v with %d parameters", b.Shape, b.Parameters())
	}
	var text string
	a, prompt := llama.Say(b.Model, b.Words, llama.Dialogue{{Role: "user", Content: "How do I cancel my order?"}}, 60, llama.Sampling{}, func(s string) bool { text += s; return true })
	if a.Text == "" || a.Text != text || prompt == 0 || !a.Ended && a.Tokens < 60 || a.Sure <= 0 || a.Sure > 1 {
		t.Errorf("%+v after %d tokens, told %q", a, prompt, text)
	}
}

func TestAnswersKeepToTheirLimitAndToTheContext(t *testing.T) {
	b := loaded(t)
	long := llama.Dialogue{{Role: "user", Content: string(bytes.Repeat([]byte("cancel my order "), 400))}}
	hot := llama.Sampling{Temperature: 5, Chance: rand.New(rand.NewPCG(1, 1))}
	a, prompt := llama.Say(b.Model, b.Words, long, 1000, hot, nil)
	if prompt+a.Tokens > b.Context || prompt >= b.Context {
		t.Errorf("%d and %d tokens in a context of %d", prompt, a.Tokens, b.Context)
	}
	if a, _ := llama.Say(b.Model, b.Words, long, 3, llama.Sampling{}, nil); a.Tokens > 3 {
		t.Errorf("%+v", a)
	}
	same := func() string {
		a, _ := llama.Say(b.Model, b.Words, long, 20, llama.Sampling{Temperature: 1, TopP: 0.9, Chance: rand.New(rand.NewPCG(7, 7))}, nil)
		return a.Text
	}
	if same() != same() {
		t.Error("the same seed said two things")
	}
}

func TestFilesHoldTheModelAndItsTokenizer(t *testing.T) {
	trainer := tuned(t, llama.Options{Epochs: 1})
	var file bytes.Buffer
	must(t, llama.WriteGGUF(&file, trainer.Model, trainer.Words, "harbor"))
	if data := file.Bytes(); binary.LittleEndian.Uint64(data[8:]) != 20 || len(data)%32 != 0 {
		t.Errorf("%d tensors, %d bytes", binary.LittleEndian.Uint64(data[8:]), len(data))
	}
	m, words, err := llama.ReadGGUF(file.Bytes())
	must(t, err)
	if sum(m) != sum(trainer.Model) || m.Shape != trainer.Model.Shape || words.Size() != trainer.Words.Size() {
		t.Error("what was read is not what was written")
	}
	d := sample.Taught()[0][:2]
	one, _ := llama.Say(trainer.Model, trainer.Words, d, 30, llama.Sampling{}, nil)
	if two, _ := llama.Say(m, words, d, 30, llama.Sampling{}, nil); one.Text != two.Text {
		t.Errorf("%q and %q", one.Text, two.Text)
	}
}

func FuzzADamagedFileIsAnError(f *testing.F) {
	words, err := bpe.New(nil)
	must(f, err)
	m, err := llama.New(llama.Shape{Vocab: words.Size(), Width: 4, Layers: 1, Heads: 1, Hidden: 4, Context: 8}, 1)
	must(f, err)
	var file bytes.Buffer
	must(f, llama.WriteGGUF(&file, m, words, "tiny"))
	f.Add(0, byte(0), file.Len())
	f.Add(9, byte(255), file.Len())
	f.Add(30, byte(7), 200)
	f.Fuzz(func(t *testing.T, at int, b byte, length int) {
		data := bytes.Clone(file.Bytes())
		data = data[:min(max(length, 0), len(data))]
		if len(data) > 0 {
			data[(at%len(data)+len(data))%len(data)] = b
		}
		if m, words, err := llama.ReadGGUF(data); err == nil && words.Size() != m.Vocab {
			t.Error("a model and a tokenizer of different sizes")
		}
	})
}

func TestATrainerStopsBetweenTwoSteps(t *testing.T) {
	b := loaded(t)
	trainer, err := llama.Tune(b.Model, b.Words, sample.Taught(), nil, llama.Options{Epochs: 1})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	err = trainer.Next(ctx, func(s llama.Step) {
		if steps++; steps == 2 {
			cancel()
		}
		if s.Step != steps || s.Of != 20 || math.IsNaN(s.Loss) || s.Tokens == 0 {
			t.Errorf("%+v", s)
		}
	})
	if !errors.Is(err, context.Canceled) || steps != 2 || trainer.Done() {
		t.Errorf("%v after %d steps", err, steps)
	}
}
