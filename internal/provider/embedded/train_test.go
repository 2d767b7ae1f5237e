package embedded_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/embedded/llama"
	"bailiwick/internal/provider/embedded/sample"
)

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

func dataOf(lines []byte) provider.Data {
	return provider.Data{
		Examples: bytes.Count(lines, []byte("\n")), Size: int64(len(lines)), Tokens: int64(len(lines) / 4),
		Open: func() (io.ReadSeekCloser, error) { return reader{bytes.NewReader(lines)}, nil },
	}
}

// firstLines cuts a file to some lines.
func firstLines(b []byte, n int) []byte {
	return append(bytes.Join(bytes.SplitN(b, []byte("\n"), n+1)[:n], []byte("\n")), '\n')
}

func specOf(t *testing.T, folder string, epochs int) provider.TrainSpec {
	t.Helper()
	must(t, os.MkdirAll(folder, 0o700))
	root, err := os.OpenRoot(folder)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	all := sample.JSONL()
	return provider.TrainSpec{
		Job: ident.NewTraining(time.Now()), Workspace: ident.NewWorkspace(), Base: "qwen-turbo", Name: "qwen-turbo-coffee", Method: provider.SFT, Adapter: provider.Full,
		Train: dataOf(firstLines(all, 32)), Valid: dataOf(firstLines(all, 8)), Hyper: provider.Hyper{Epochs: epochs}, Folder: root,
	}
}

var trainer = embedded.Server{Now: time.Now}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ignore(provider.Observation) error { return nil }

func TestATrainingThatIsCutOffAnywhereEndsWithTheSameModel(t *testing.T) {
	whole, err := trainer.Train(t.Context(), specOf(t, t.TempDir(), 4), ignore)
	must(t, err)
	folder := t.TempDir()
	var got provider.Artifact
	cut := errors.New("cut off")
	steps, cuts := map[int64]float64{}, 0
	for err = cut; errors.Is(err, cut); {
		after := 3 + cuts*2
		cuts++
		got, err = trainer.Train(t.Context(), specOf(t, folder, 4), func(o provider.Observation) error {
			for _, p := range o.Points {
				if before, told := steps[p.Step]; p.Name == "train_loss" && told && before != p.Value {
					t.Errorf("step %d had loss %v, and now %v", p.Step, before, p.Value)
				} else if p.Name == "train_loss" {
					steps[p.Step] = p.Value
				}
			}
			if after--; after < 0 {
				return cut
			}
			return nil
		})
	}
	must(t, err)
	if cuts < 3 || len(steps) != 16 {
		t.Errorf("%d times cut off, %d steps", cuts, len(steps))
	}
	if sumOf(t, whole, "model.gguf") != sumOf(t, got, "model.gguf") {
		t.Error("the models differ")
	}
}

func sumOf(t *testing.T, a provider.Artifact, name string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(a.Folder, name))
	must(t, err)
	return sha256.Sum256(b)
}

func TestTrainingTellsEverythingItMeasures(t *testing.T) {
	spec := specOf(t, t.TempDir(), 20)
	var all provider.Observation
	var phases []provider.Phase
	curves := map[string][]float64{}
	a, err := trainer.Train(t.Context(), spec, func(o provider.Observation) error {
		if o.Phase != "" {
			phases = append(phases, o.Phase)
		}
		for _, p := range o.Points {
			curves[p.Name] = append(curves[p.Name], p.Value)
		}
		all.Checkpoints, all.Lines = append(all.Checkpoints, o.Checkpoints...), append(all.Lines, o.Lines...)
		all.TrainedTokens, all.Step, all.Steps = max(all.TrainedTokens, o.TrainedTokens), max(all.Step, o.Step), o.Steps
		return nil
	})
	must(t, err)
	loss, valid, right := curves["train_loss"], curves["valid_loss"], curves["valid_accuracy"]
	if len(loss) != 80 || len(valid) != 21 || len(right) != 21 || len(curves["learning_rate"]) != 80 {
		t.Fatalf("%d, %d, %d values", len(loss), len(valid), len(right))
	}
	if loss[79] > loss[0]/4 || valid[20] > valid[0]/4 || right[20] < right[0]+0.3 {
		t.Errorf("loss %v → %v, validation %v → %v, accuracy %v → %v", loss[0], loss[79], valid[0], valid[20], right[0], right[20])
	}
	if len(all.Checkpoints) != 9 || all.Checkpoints[0].Name != "checkpoint-8" || all.Checkpoints[0].Epoch != 2 || all.TrainedTokens < 1000 || len(all.Lines) < 20 {
		t.Errorf("%d checkpoints, first %+v; %d tokens, %d lines", len(all.Checkpoints), all.Checkpoints[0], all.TrainedTokens, len(all.Lines))
	}
	if len(phases) != 2 || phases[0] != provider.PhaseRunning || phases[1] != provider.PhaseExporting {
		t.Errorf("%q", phases)
	}
	for _, from := range []provider.Artifact{a, all.Checkpoints[4].Model} {
		data, err := os.ReadFile(filepath.Join(from.Folder, "model.gguf"))
		must(t, err)
		m, words, err := llama.ReadGGUF(data)
		must(t, err)
		if said, _ := llama.Say(m, words, sample.Taught()[0][:2], 70, llama.Sampling{}, nil); said.Text == "" {
			t.Error("it says nothing")
		}
		var config map[string]any
		b, err := os.ReadFile(filepath.Join(from.Folder, "config.json"))
		must(t, err)
		must(t, json.Unmarshal(b, &config))
		if config["vocab_size"] != float64(m.Vocab) || len(from.Files) != 6 {
			t.Errorf("%v, %v", config, from.Files)
		}
	}
}

func TestATrainingGoesOnFromATunedModel(t *testing.T) {
	first, err := trainer.Train(t.Context(), specOf(t, t.TempDir(), 8), ignore)
	must(t, err)
	begins := func(from *provider.Artifact) (loss float64, err error) {
		spec := specOf(t, t.TempDir(), 1)
		spec.From = from
		_, err = trainer.Train(t.Context(), spec, func(o provider.Observation) error {
			if len(o.Points) > 0 && loss == 0 {
				loss = o.Points[0].Value
			}
			return nil
		})
		return loss, err
	}
	anew, err := begins(nil)
	must(t, err)
	on, err := begins(&first)
	must(t, err)
	if on > anew*0.7 {
		t.Errorf("from the base it begins with validation loss %v, from the tuned model with %v", anew, on)
	}
	first.Folder = t.TempDir()
	var f *provider.Failure
	if _, err := begins(&first); !errors.As(err, &f) || f.Reason != "model_unreadable" {
		t.Errorf("a model that is gone: %v", err)
	}
}

func TestPlainTextIsLearnt(t *testing.T) {
	spec := specOf(t, t.TempDir(), 15)
	spec.Method = provider.CPT
	var b strings.Builder
	for range 8 {
		b.WriteString(`{"text": "The harbour opens at seven and closes at nine. ` + strings.Repeat("Boats come in with the tide. ", 30) + `"}` + "\n")
	}
	spec.Train, spec.Valid = dataOf([]byte(b.String())), provider.Data{}
	var loss []float64
	var said string
	_, err := trainer.Train(t.Context(), spec, func(o provider.Observation) error {
		for _, p := range o.Points {
			if p.Name == "train_loss" {
				loss = append(loss, p.Value)
			} else if p.Name != "learning_rate" {
				t.Errorf("nothing measures %s", p.Name)
			}
		}
		for _, l := range o.Lines {
			said += l.Text
		}
		return nil
	})
	must(t, err)
	if len(loss) == 0 || loss[len(loss)-1] > loss[0]/4 || !strings.Contains(said, "8 longer texts") {
		t.Errorf("%v … %v: %s", loss[:1], loss[len(loss)-1:], said)
	}
}

func TestATrainingThatIsNotWantedEndsBetweenTwoSteps(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	steps := 0
	_, err := trainer.Train(ctx, specOf(t, t.TempDir(), 50), func(o provider.Observation) error {
		if o.Step > 0 {
			if steps++; steps == 6 {
				cancel(provider.ErrCancel)
			}
		}
		return nil
	})
	if !errors.Is(err, provider.ErrCancel) || steps > 7 {
		t.Errorf("after %d steps: %v", steps, err)
	}
}

func TestTheDemoEngineSaysWhatItDoesNotTrain(t *testing.T) {
	for field, change := range map[string]func(*provider.TrainSpec){
		"method":            func(s *provider.TrainSpec) { s.Adapter = provider.LoRA },
		"training_file_ids": func(s *provider.TrainSpec) { s.Train.Examples = embedded.ExamplesMost + 1 },
		"n_epochs":          func(s *provider.TrainSpec) { s.Hyper.Epochs = embedded.EpochsMost + 1 },
		"batch_size":        func(s *provider.TrainSpec) { s.Hyper.BatchSize = 300 },
	} {
		s := specOf(t, t.TempDir(), 1)
		must(t, trainer.Check(t.Context(), s))
		change(&s)
		if f, ok := fault.On(trainer.Check(t.Context(), s), field); !ok || f.Kind != fault.Invalid {
			t.Errorf("%s: %v", field, f)
		}
	}
}
