package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/dataset"
	"bailiwick/internal/demo"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded/sample"
	"bailiwick/internal/secret"
	"bailiwick/internal/training"
)

// standinTrainer stands in for a program that trains: ten steps an epoch, and a
// model in the end.
const standinTrainer = `[ -s "$2" ] || exit 4
i=1
while [ $i -le $(($3 * 10)) ]; do
	echo "step $i of $(($3 * 10)) loss 0.$i"
	i=$((i + 1))
	sleep 0.02
done
echo weights >"$1/model.gguf"
`

// workshop is a program whose host declares a trainer. It can be stopped, and
// another one begun on the same data.
type workshop struct {
	*Program
	t    *testing.T
	c    serving
	stop func()
	root access.Actor
	ws   ident.Workspace // the Default one, which may train everything
}

func (w *workshop) begin() {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	p, err := start(ctx, w.c, func(p *Program) error {
		passwords := map[ident.LogOn]secret.Text{}
		for _, who := range demo.People {
			passwords[who.LogOn] = secret.NewText(sentence)
		}
		return demo.Services{Accounts: p.accounts, Workspaces: p.workspaces, Members: p.members, Catalogue: p.catalogue, Grants: p.grants, Providers: p.providers}.Ensure(ctx, passwords)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	w.Program, w.stop = p, func() { stop(); <-ended; p.Close() }
}

func newWorkshop(t *testing.T, change ...func(*serving)) *workshop {
	t.Helper()
	folder := t.TempDir()
	script := filepath.Join(folder, "train.sh")
	declared, err := json.Marshal(map[string]any{"trainers": []any{map[string]any{
		"name": "stand-in", "profile": "regex", "argv": []string{"/bin/sh", script, "{output}", "{train}", "{epochs}"}, "models": map[string]string{"qwen-turbo": "/models/qwen"},
		"pattern": `^step (?P<step>\d+) of (?P<steps>\d+) loss (?P<train_loss>\S+)$`, "format": "gguf", "files": []string{"*.gguf"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "trainers.json")
	for name, text := range map[string][]byte{script: []byte(standinTrainer), file: declared} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := &workshop{t: t, c: serving{place: place{Data: filepath.Join(folder, "data")}, Listen: "127.0.0.1:0", MetricsListen: "off", CloudName: "Alibaba Cloud", Trainers: file}}
	for _, do := range change {
		do(&w.c)
	}
	w.begin()
	w.root = actorOf(t, w.Program, "root@acme")
	w.ws = placeOf(t, w.Program, w.root, "Default")
	p, err := w.providers.Add(t.Context(), w.root, provider.Form{Name: "Trainer", Kind: provider.Command, BaseURL: "command:stand-in"})
	if err == nil {
		err = w.providers.Serve(t.Context(), w.root, p.ID, []provider.Serving{{Model: "qwen-turbo"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// train asks for a training of so many epochs of ten steps.
func (w *workshop) train(epochs int, change ...func(*training.Wanted)) training.Job {
	w.t.Helper()
	ctx := w.t.Context()
	v, err := w.datasets.Upload(ctx, w.root, w.ws, dataset.New{Name: "Harbor " + string(ident.NewCall()), Method: provider.SFT}, bytes.NewReader(sample.JSONL()))
	if err != nil {
		w.t.Fatal(err)
	}
	wanted := training.Wanted{Model: "qwen-turbo", Method: provider.SFT, Adapter: provider.LoRA, Train: []string{string(v.ID)}, Suffix: "x", Hyper: provider.Hyper{Epochs: epochs}}
	for _, do := range change {
		do(&wanted)
	}
	j, err := w.trainings.Create(ctx, w.root, w.ws, wanted)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// until waits for what a job comes to.
func (w *workshop) until(id ident.Training, is func(training.Job) bool) training.Job {
	w.t.Helper()
	var j training.Job
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		var err error
		if j, err = w.store.Training(w.t.Context(), w.ws, id); err != nil {
			w.t.Fatal(err)
		}
		if is(j) {
			return j
		}
	}
	w.t.Fatalf("it is %s at step %d: %s %s", j.State, j.Step, j.Reason, j.Message)
	return j
}

// works reports whether a process works for a job.
func works(id ident.Training) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		if text, _ := os.ReadFile(f); strings.Contains(string(text), "BAILIWICK_TRAINING="+string(id)) {
			return true
		}
	}
	return false
}

func TestAProgramOfTheHostTrainsIsAdoptedByTheNextServerAndStoppedByIt(t *testing.T) {
	w := newWorkshop(t)
	defer func() { w.stop() }()
	short := w.train(1)
	j := w.until(short.ID, func(j training.Job) bool { return j.State.Over() })
	model, err := w.store.Tuned(t.Context(), j.Workspace, j.Result)
	if err != nil || j.State != training.Succeeded || j.Step != 10 || model.Artifact.Format != "gguf" || !strings.Contains(model.Artifact.Engine, "stand-in") {
		t.Fatalf("%s %s %s: %+v, %v", j.State, j.Reason, j.Message, model.Artifact, err)
	}
	curves, err := w.trainings.Curves(t.Context(), w.root, j.Workspace, j.ID)
	if err != nil || len(curves) != 1 || len(curves[0].Points) != 10 {
		t.Errorf("%+v, %v", curves, err)
	}

	adopted := w.train(15)
	w.until(adopted.ID, func(j training.Job) bool { return j.Step > 5 })
	w.stop()
	if !works(adopted.ID) {
		t.Fatal("the program ended with the server")
	}
	w.begin()
	j = w.until(adopted.ID, func(j training.Job) bool { return j.State.Over() })
	curves, err = w.trainings.Curves(t.Context(), w.root, j.Workspace, j.ID)
	if err != nil || j.State != training.Succeeded || len(curves) != 1 || len(curves[0].Points) != 150 {
		t.Errorf("%s %s %s: %d curves, %v", j.State, j.Reason, j.Message, len(curves), err)
	}
	if text, err := os.ReadFile(filepath.Join(w.c.Data, "workspaces", string(j.Workspace), "trainings", string(j.ID), "run", "state.json")); err != nil || !strings.Contains(string(text), `"attempt":1,`) {
		t.Errorf("it was begun anew: %s, %v", text, err)
	}

	unwanted := w.train(190)
	w.until(unwanted.ID, func(j training.Job) bool { return j.Step > 5 })
	w.stop()
	w.begin()
	if _, err := w.trainings.Cancel(t.Context(), w.root, j.Workspace, unwanted.ID); err != nil {
		t.Fatal(err)
	}
	w.until(unwanted.ID, func(j training.Job) bool { return j.State == training.Cancelled })
	for began := time.Now(); works(unwanted.ID); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal("the program works on for what nobody wants")
		}
	}
}
