package llama

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"bailiwick/internal/provider/embedded/bpe"
)

// Options are how a model is trained. The zero ones have defaults.
type Options struct {
	Epochs int     // passes over the data; 15
	Batch  int     // dialogues a step; 8
	Rate   float64 // learning rate; 3e-3
	Length int     // tokens of a dialogue that are read; the model's context
	Drop   float64 // share of the last question's words left out in two of three epochs; 0
	Seed   uint64
}

func (o Options) orDefault() Options {
	if o.Epochs == 0 {
		o.Epochs = 15
	}
	if o.Batch == 0 {
		o.Batch = 8
	}
	if o.Rate == 0 {
		o.Rate = 3e-3
	}
	return o
}

// Trainer trains one model. It is used by one at a time.
type Trainer struct {
	Options
	Model *Model
	Words *bpe.Tokenizer

	train, valid []Dialogue
	epoch        int // how many were gone through
	adam         *adam
	lanes        [lanes]lane
}

// lanes is how many sequences are gone through at once. They add up in a fixed
// order, so that the result does not depend on who is first.
const lanes = 2

type lane struct {
	tape *tape
	g    [][]float32
	at   layout
}

// NewTrainer trains a model, in place, on dialogues and measures it on others.
func NewTrainer(m *Model, words *bpe.Tokenizer, train, valid []Dialogue, o Options) *Trainer {
	t := &Trainer{Options: o.orDefault(), Model: m, Words: words, train: train, valid: valid, adam: newAdam(m)}
	for i := range t.lanes {
		g := gradients(m)
		t.lanes[i] = lane{newTape(m), g, layoutOf(g)}
	}
	return t
}

// Step is what is known after one step.
type Step struct {
	Epoch  int     // from 1
	Step   int     // from 1, over all epochs
	Of     int     // steps in all
	Loss   float64 // per trained token
	Rate   float64
	Tokens int // that the step went through
}

// context is how many tokens of a dialogue are read.
func (t *Trainer) context() int {
	if t.Length > 0 {
		return min(t.Length, t.Model.Context)
	}
	return t.Model.Context
}

// Steps is how many steps there are in all.
func (t *Trainer) Steps() int { return t.Epochs * t.perEpoch() }

func (t *Trainer) perEpoch() int { return (len(t.train) + t.Batch - 1) / t.Batch }

// Done reports whether every epoch was gone through.
func (t *Trainer) Done() bool { return t.epoch >= t.Epochs }

// Epoch counts the epochs that were gone through.
func (t *Trainer) Epoch() int { return t.epoch }

// Next goes through the data once and tells of every step. It ends early, with
// ctx's error, between two steps; the model is then as that step left it, and a
// trainer that goes on does so from its last checkpoint.
func (t *Trainer) Next(ctx context.Context, tell func(Step)) error {
	chance := rand.New(rand.NewPCG(t.Seed, uint64(t.epoch)+100))
	order := chance.Perm(len(t.train))
	for from := 0; from < len(order); from += t.Batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		var batch []Sequence
		for _, i := range order[from:min(from+t.Batch, len(order))] {
			batch = append(batch, encode(t.Words, t.reword(t.train[i], chance), t.context()))
		}
		tell(t.step(batch))
	}
	t.epoch++
	return nil
}

// reword leaves words out of the last question, in two epochs of three, so that
// the answer is found from any of them.
func (t *Trainer) reword(d Dialogue, chance *rand.Rand) Dialogue {
	if t.Drop == 0 || t.epoch%3 == 0 {
		return d
	}
	for i := len(d) - 2; i >= 0; i-- {
		if d[i].Role != "user" {
			continue
		}
		var kept []string
		for _, w := range strings.Fields(d[i].Content) {
			if chance.Float64() >= t.Drop {
				kept = append(kept, w)
			}
		}
		out := append(Dialogue{}, d...)
		out[i].Content = strings.Join(kept, " ")
		return out
	}
	return d
}

// step learns from some sequences at once.
func (t *Trainer) step(batch []Sequence) Step {
	var loss [lanes]float64
	var trained, tokens [lanes]int
	var all sync.WaitGroup
	for l := range t.lanes {
		all.Go(func() {
			lane := &t.lanes[l]
			for _, g := range lane.g {
				clear(g)
			}
			for i := l; i < len(batch); i += lanes {
				sum, n := lane.tape.forward(batch[i])
				lane.tape.backward(batch[i], lane.at)
				loss[l], trained[l], tokens[l] = loss[l]+sum, trained[l]+n, tokens[l]+len(batch[i].IDs)
			}
		})
	}
	all.Wait()
	for i, g := range t.lanes[0].g {
		add(g, t.lanes[1].g[i])
	}
	n := max(trained[0]+trained[1], 1)
	rate := pace(t.Rate, t.adam.step, t.Steps())
	t.adam.apply(t.Model, t.lanes[0].g, rate, 1/float64(n))
	return Step{Epoch: t.epoch + 1, Step: t.adam.step, Of: t.Steps(), Loss: (loss[0] + loss[1]) / float64(n), Rate: rate, Tokens: tokens[0] + tokens[1]}
}

// Score is how well a model says what it should.
type Score struct {
	Loss        float64 // per trained token
	Accuracy    float64 // share of trained tokens that it would have said itself
	BitsPerByte float64 // of the answers; comparable between vocabularies
	Tokens      int     // trained ones
}

// Perplexity is how many tokens the model hesitates between, on average.
func (s Score) Perplexity() float64 { return math.Exp(s.Loss) }

// Evaluate measures the model on the dialogues that it does not learn from.
func (t *Trainer) Evaluate(ctx context.Context) (Score, error) {
	type result struct {
		loss        float64
		n, right, b int
	}
	results := make([]result, len(t.valid))
	var all sync.WaitGroup
	for l := range t.lanes {
		all.Go(func() {
			tape := t.lanes[l].tape
			for i := l; i < len(t.valid) && ctx.Err() == nil; i += lanes {
				e := encode(t.Words, t.valid[i], t.context())
				loss, n := tape.forward(e)
				results[i] = result{loss, n, tape.right(), e.Bytes}
			}
		})
	}
	all.Wait()
	var s Score
	right, bytes := 0, 0
	for _, r := range results {
		s.Loss += r.loss
		s.Tokens += r.n
		right += r.right
		bytes += r.b
	}
	s.BitsPerByte = s.Loss / math.Ln2 / float64(max(bytes, 1))
	s.Loss /= float64(max(s.Tokens, 1))
	s.Accuracy = float64(right) / float64(max(s.Tokens, 1))
	return s, ctx.Err()
}

// right counts the trained tokens of the last pass that the model would have said.
func (t *tape) right() (n int) {
	for i, target := range t.targets {
		p := t.logits[i*t.m.Vocab : (i+1)*t.m.Vocab]
		best := 0
		for j, v := range p {
			if v > p[best] {
				best = j
			}
		}
		if best == int(target) {
			n++
		}
	}
	return n
}
