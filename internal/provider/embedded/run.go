package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded/bpe"
	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
)

// run is one training while it runs.
type run struct {
	spec     provider.TrainSpec
	tell     func(provider.Observation) error
	now      func() time.Time
	trainer  *llama.Trainer
	tokens   int64 // that were gone through
	measured bool
	every    int // epochs between two checkpoints
	spent    time.Duration
	steps    int // in that time
}

func (r *run) line(text string) provider.Line { return provider.Line{At: r.now(), Text: text} }

// epoch goes through the examples once, measures, and keeps where it stands.
func (r *run) epoch(ctx context.Context) error {
	begun, sum, n, last := time.Now(), 0.0, 0, 0
	step, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err := r.trainer.Next(step, func(s llama.Step) {
		r.tokens += int64(s.Tokens)
		sum, n, last = sum+s.Loss, n+1, s.Step
		err := r.tell(provider.Observation{
			Step: int64(s.Step), Steps: int64(s.Of), Epoch: s.Epoch - 1, TrainedTokens: r.tokens, Left: r.left(begun, n, s.Of-s.Step),
			Points: []provider.Point{{Step: int64(s.Step), Name: "train_loss", Value: s.Loss}, {Step: int64(s.Step), Name: "learning_rate", Value: s.Rate}},
		})
		if err != nil {
			stop(err)
		}
	})
	if err != nil {
		return context.Cause(step)
	}
	text := fmt.Sprintf("Epoch %d of %d, step %d: training loss %.4f", r.trainer.Epoch(), r.trainer.Epochs, last, sum/float64(max(n, 1)))
	o := provider.Observation{Step: int64(last), Steps: int64(r.trainer.Steps()), Epoch: r.trainer.Epoch(), TrainedTokens: r.tokens}
	if r.measured {
		if o.Points, err = r.measure(ctx, last); err != nil {
			return err
		}
		text += fmt.Sprintf(", validation loss %.4f, token accuracy %.1f %%", o.Points[0].Value, 100*o.Points[1].Value)
	}
	o.Lines = []provider.Line{r.line(text + ".")}
	if r.trainer.Epoch()%r.every == 0 && !r.trainer.Done() {
		a, err := r.export(checkpointFolder(last), r.spec.Name)
		if err != nil {
			return err
		}
		o.Checkpoints = []provider.Checkpoint{{Name: checkpointName(last), Step: int64(last), Epoch: r.trainer.Epoch(), Model: a}}
	}
	r.spent, r.steps = r.spent+time.Since(begun), r.steps+n
	// Told before it is kept: an epoch that is gone through again after a kill is
	// told again, and none is left out.
	if err := r.tell(o); err != nil {
		return err
	}
	return r.save()
}

// left is the time until the end, if it goes on as until now.
func (r *run) left(begun time.Time, n, left int) time.Duration {
	spent := r.spent + time.Since(begun)
	return (spent * time.Duration(left) / time.Duration(r.steps+n)).Round(time.Second)
}

// measure says how well the model does on what it does not learn from.
func (r *run) measure(ctx context.Context, step int) ([]provider.Point, error) {
	s, err := r.trainer.Evaluate(ctx)
	return []provider.Point{{Step: int64(step), Name: "valid_loss", Value: s.Loss}, {Step: int64(step), Name: "valid_accuracy", Value: s.Accuracy}}, err
}

// save keeps where the training stands: the tokens, then the trainer.
func (r *run) save() error {
	b := bytes.NewBuffer(binary.LittleEndian.AppendUint64(nil, uint64(r.tokens)))
	if err := r.trainer.Save(b); err != nil {
		return err
	}
	return r.write(stateFile, func(w io.Writer) error { _, err := w.Write(b.Bytes()); return err })
}

func unpack(kept []byte, train, valid []llama.Dialogue, o llama.Options) (*llama.Trainer, int64, error) {
	if len(kept) < 8 {
		return nil, 0, errors.New("the checkpoint is cut off")
	}
	t, err := llama.Resume(bytes.NewReader(kept[8:]), train, valid, o)
	return t, int64(binary.LittleEndian.Uint64(kept)), err
}

// write makes a file below the job's folder that is whole or not there.
func (r *run) write(name string, fill func(io.Writer) error) error {
	root := r.spec.Folder
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	fresh := fmt.Sprintf("%s.%d", name, os.Getpid())
	f, err := root.OpenFile(fresh, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(fill(f), f.Sync())
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return root.Rename(fresh, name)
}

// export writes the model as others read it: GGUF for llama.cpp and Ollama, and a
// folder as Hugging Face's libraries have it.
func (r *run) export(folder, name string) (provider.Artifact, error) {
	m, words := r.trainer.Model, r.trainer.Words
	files := []struct {
		name string
		fill func(io.Writer) error
	}{
		{"model.gguf", func(w io.Writer) error { return llama.WriteGGUF(w, m, words, name) }},
		{"model.safetensors", func(w io.Writer) error { return llama.WriteSafetensors(w, m) }},
		{"config.json", func(w io.Writer) error { return json.NewEncoder(w).Encode(llama.Config(m)) }},
		{"vocab.json", func(w io.Writer) error { return json.NewEncoder(w).Encode(ids(words)) }},
		{"merges.txt", func(w io.Writer) error { return writeMerges(w, words) }},
		{"tokenizer_config.json", func(w io.Writer) error { return json.NewEncoder(w).Encode(tokenizerConfig) }},
	}
	a := provider.Artifact{Folder: filepath.Join(r.spec.Folder.Name(), filepath.FromSlash(folder)), Format: provider.FormatGGUF, Engine: Name + " (" + desk.Name + ")"}
	for _, f := range files {
		if err := r.write(path.Join(folder, f.name), f.fill); err != nil {
			return a, err
		}
		a.Files = append(a.Files, f.name)
	}
	return a, nil
}

func ids(words *bpe.Tokenizer) map[string]int {
	all := map[string]int{}
	for i, t := range words.Tokens() {
		all[t] = i
	}
	return all
}

func writeMerges(w io.Writer, words *bpe.Tokenizer) error {
	if _, err := io.WriteString(w, "#version: 0.2\n"); err != nil {
		return err
	}
	for _, m := range words.Merges() {
		if _, err := io.WriteString(w, m[0]+" "+m[1]+"\n"); err != nil {
			return err
		}
	}
	return nil
}

var tokenizerConfig = map[string]any{
	"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|im_end|>", "unk_token": "<|endoftext|>", "add_prefix_space": false,
	"model_max_length": 256, "chat_template": llama.ChatTemplate,
}

// readModel reads the model of an artifact.
func readModel(a provider.Artifact) (desk.Model, error) {
	f, err := a.Open("model.gguf")
	if err != nil {
		return desk.Model{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 64<<20))
	if err != nil {
		return desk.Model{}, err
	}
	m, words, err := llama.ReadGGUF(data)
	return desk.Model{Model: m, Words: words}, err
}
