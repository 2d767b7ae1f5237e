package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
)

// The bounds of what the engine trains on: it is for trying things out.
const (
	ExamplesMost = 2000
	BytesMost    = 2 << 20
	EpochsMost   = 100
	vocabMost    = 4096 // tokens of a model that is trained again and again
)

// usual are the settings that suit a few hundred short examples.
var usual = provider.Hyper{Epochs: 30, BatchSize: 8, LearningRate: 3e-3, MaxLength: 256}

// usualDrop is the share of a question's words that are left out in two of three
// epochs, so that the answer is found in other words too.
const usualDrop = 0.2

// checkpointsMost is how many checkpoints of a training can be published.
const checkpointsMost = 10

// Abilities implements provider.Trainer.
func (Server) Abilities(context.Context) provider.Abilities {
	return provider.Abilities{
		Methods:  map[provider.Method][]provider.Adapter{provider.SFT: {provider.Full}, provider.CPT: {provider.Full}},
		Continue: true, Checkpoints: true, Formats: []string{provider.FormatGGUF, provider.FormatSafetensors}, Demo: true, Usual: usual,
	}
}

// Check implements provider.Trainer.
func (Server) Check(_ context.Context, s provider.TrainSpec) error {
	switch {
	case !(Server{}).Abilities(nil).Can(s.Method, s.Adapter):
		return fault.Field("method", "The demo engine trains every weight (full), on dialogues (SFT) or plain text (CPT).")
	case s.From != nil && (s.From.Format != provider.FormatGGUF || s.From.Folder == ""):
		return fault.Field("model", "The demo engine goes on from models that it made itself only.")
	case s.Train.Examples+s.Valid.Examples > ExamplesMost:
		return fault.Field("training_file_ids", "The demo engine takes at most %d examples, and these are %d.", ExamplesMost, s.Train.Examples+s.Valid.Examples)
	case s.Train.Size+s.Valid.Size > BytesMost:
		return fault.Field("training_file_ids", "The demo engine takes at most 2 MB of examples.")
	case s.Hyper.Epochs > EpochsMost:
		return fault.Field("n_epochs", "The demo engine goes through the examples at most %d times.", EpochsMost)
	case s.Hyper.BatchSize > 256:
		return fault.Field("batch_size", "The demo engine takes at most 256 examples at once.")
	}
	return nil
}

// perSecond is how many tokens are trained in a second on two cores; the demo
// engine was measured with the sample.
const perSecond = 9000

// Takes implements provider.Timer.
func (Server) Takes(s provider.TrainSpec) time.Duration {
	o := options(s)
	tokens := float64(s.Train.Tokens) * float64(o.Epochs)
	return time.Duration(tokens / perSecond * float64(time.Second)).Round(time.Second)
}

func options(s provider.TrainSpec) llama.Options {
	o := llama.Options{Epochs: s.Hyper.Epochs, Batch: s.Hyper.BatchSize, Rate: s.Hyper.LearningRate, Length: s.Hyper.MaxLength, Drop: usualDrop, Seed: uint64(s.Hyper.Seed) + 1}
	if o.Epochs == 0 {
		o.Epochs = usual.Epochs
	}
	if o.Batch == 0 {
		o.Batch = usual.BatchSize
	}
	if o.Rate == 0 {
		o.Rate = usual.LearningRate
	}
	if s.Method != provider.SFT {
		o.Drop = 0
	}
	return o
}

// Train implements provider.LocalTrainer. After every epoch it keeps where it
// stands; called again it goes on from there and ends with the same weights.
func (s Server) Train(ctx context.Context, spec provider.TrainSpec, tell func(provider.Observation) error) (provider.Artifact, error) {
	r, err := s.begin(ctx, spec, tell)
	if err != nil {
		return provider.Artifact{}, err
	}
	for !r.trainer.Done() {
		if err := r.epoch(ctx); err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return provider.Artifact{}, err
		}
	}
	if err := tell(provider.Observation{Phase: provider.PhaseExporting}); err != nil {
		return provider.Artifact{}, err
	}
	return r.export("model", spec.Name)
}

// begin reads the examples and makes the trainer, new or where it stood.
func (s Server) begin(ctx context.Context, spec provider.TrainSpec, tell func(provider.Observation) error) (*run, error) {
	train, cut, err := read(spec, spec.Train)
	if err != nil {
		return nil, err
	}
	valid, _, err := read(spec, spec.Valid)
	if err != nil {
		return nil, err
	}
	if len(train) == 0 {
		return nil, &provider.Failure{Reason: "no_examples", Message: "There is nothing to learn from."}
	}
	r := &run{spec: spec, tell: tell, now: s.Now, measured: len(valid) > 0}
	if err := r.open(train, valid); err != nil {
		return nil, err
	}
	r.trainer.Model.System = usualSystem(train)
	r.every = max(1, (r.trainer.Epochs+checkpointsMost-1)/checkpointsMost)
	text := fmt.Sprintf("%d examples to learn from, %d to measure by; %d tokens known, %d parameters.", len(train), len(valid), r.trainer.Model.Vocab, r.trainer.Model.Parameters())
	if cut > 0 {
		text += fmt.Sprintf(" %d longer texts were cut into pieces.", cut)
	}
	o := provider.Observation{Phase: provider.PhaseRunning, Steps: int64(r.trainer.Steps()), Lines: []provider.Line{r.line(text)}}
	if done := r.trainer.Epoch(); done > 0 {
		o.Lines = append(o.Lines, r.line(fmt.Sprintf("Going on after epoch %d.", done)))
	} else if r.measured {
		if o.Points, err = r.measure(ctx, 0); err != nil {
			return nil, context.Cause(ctx)
		}
	}
	return r, tell(o)
}

// open makes the trainer from what the job's folder keeps, or anew.
func (r *run) open(train, valid []llama.Dialogue) error {
	o := options(r.spec)
	kept, err := r.spec.Folder.ReadFile(stateFile)
	if err == nil {
		if r.trainer, r.tokens, err = unpack(kept, train, valid, o); err == nil {
			return nil
		}
		// It cannot be gone on from, so the training begins again.
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	m, err := base(r.spec)
	if err != nil {
		return err
	}
	if m.Vocab+llama.NewTokens > vocabMost {
		r.trainer = llama.NewTrainer(m.Clone(), m.Words, train, valid, o)
		return nil
	}
	r.trainer, err = llama.Tune(m.Model, m.Words, train, valid, o)
	return err
}

// base is the model that a training begins from.
func base(s provider.TrainSpec) (desk.Model, error) {
	if s.From == nil {
		return desk.Load()
	}
	m, err := readModel(*s.From)
	if err != nil {
		return m, &provider.Failure{Reason: "model_unreadable", Message: "The model to go on from cannot be read."}
	}
	return m, nil
}

// stateFile keeps where a training stands, below the job's folder.
const stateFile = "state/checkpoint"

func checkpointName(step int) string { return fmt.Sprintf("checkpoint-%d", step) }

func checkpointFolder(step int) string { return path.Join("checkpoints", checkpointName(step)) }

// systemMost is how long what dialogues begin with may be to be kept with the model, in bytes.
const systemMost = 2000

// usualSystem is the system message that most of the dialogues begin with; empty:
// there is none. Calls without one are answered as if they had it, since the model
// knows its questions by that beginning.
func usualSystem(list []llama.Dialogue) string {
	counts := map[string]int{}
	for _, d := range list {
		if len(d) > 0 && d[0].Role == "system" {
			counts[strings.TrimSpace(d[0].Content)]++
		}
	}
	for text, n := range counts {
		if 2*n > len(list) && len(text) <= systemMost {
			return text
		}
	}
	return ""
}
