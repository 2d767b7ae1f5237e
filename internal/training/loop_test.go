package training_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/work"
)

type (
	spec  = provider.TrainSpec
	teach = func(context.Context, spec, func(provider.Observation) error) error
)

func TestAJobEndsWithAModelOfItsOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var seen spec
		engine := &hereEngine{turns: []teach{func(_ context.Context, s spec, tell func(provider.Observation) error) error {
			seen = s
			in, err := s.Train.Open()
			must(t, err)
			text, err := io.ReadAll(in)
			must(t, err)
			if strings.Count(string(text), "\n") != 16 || s.Valid.Examples != 4 {
				t.Errorf("%d bytes to learn from, %d examples to measure by", len(text), s.Valid.Examples)
			}
			return tell(provider.Observation{
				Phase: provider.PhaseRunning, Step: 7, Steps: 10, Epoch: 2, Left: time.Minute, TrainedTokens: 900,
				Lines:       []provider.Line{{At: time.Now(), Text: "half way"}},
				Points:      []provider.Point{{Step: 7, Name: "train_loss", Value: 0.5}, {Step: 7, Name: "valid_loss", Value: 0.75}},
				Checkpoints: []provider.Checkpoint{{Name: "checkpoint-7", Step: 7, Epoch: 2, Model: provider.Artifact{Folder: s.Folder.Name() + "/checkpoints/checkpoint-7", Format: "gguf"}}},
			})
		}}}
		h := newShop(t, s, engine)
		var deployed atomic.Int32
		h.loop.Deploy = func(_ context.Context, j training.Job, m training.Tuned) error {
			if m.Name != j.Output || !filepath.IsAbs(m.Artifact.Folder) {
				t.Errorf("%+v is put up", m)
			}
			deployed.Add(1)
			return nil
		}
		h.run("a")
		j := h.until(h.create(func(w *training.Wanted) { w.Deploy = true }).ID, training.Succeeded)
		want := []training.State{"validating", "queued", "starting", "running", "succeeded"}
		if got := h.moves(j.ID); !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		if j.Step != 10 || j.TrainedTokens != 900 || j.Epoch != 2 || j.Left != 0 || j.EndedAt.IsZero() || seen.Name != string(j.Output) || seen.Base != string(base) {
			t.Errorf("%+v", j)
		}
		m, err := h.ModelByName(t.Context(), h.by, h.ws, j.Output)
		must(t, err)
		if want := fmt.Sprintf("qwen-turbo-coffee-%s", j.ID); string(m.Name) != want || m.Base != base || m.Training != j.ID || m.DataSHA256 == "" || m.Size == 0 || m.Adapter != provider.LoRA {
			t.Errorf("%+v", m)
		}
		body, size, err := h.Download(t.Context(), h.by, h.ws, m.ID, "model.gguf")
		must(t, err)
		text, err := io.ReadAll(body)
		must(t, errors.Join(err, body.Close()))
		if string(text) != "weights of "+string(j.Output) || size != int64(len(text)) {
			t.Errorf("%q", text)
		}
		for _, name := range []string{"../data/train.jsonl", "model.safetensors", "", "/etc/passwd"} {
			if _, _, err := h.Download(t.Context(), h.by, h.ws, m.ID, name); !fault.Is(err, fault.Missing) {
				t.Errorf("%q: %v", name, err)
			}
		}
		curves, err := h.Curves(t.Context(), h.by, h.ws, j.ID)
		must(t, err)
		if len(curves) != 2 || curves[0].Name != "train_loss" || curves[0].Points[0].Value != 0.5 {
			t.Errorf("%+v", curves)
		}
		points, err := h.Checkpoints(t.Context(), h.by, h.ws, j.ID)
		must(t, err)
		if len(points) != 1 || points[0].Step != 7 || points[0].Published != "" {
			t.Errorf("%+v", points)
		}
		for start := time.Now(); deployed.Load() == 0 && time.Since(start) < 5*time.Second; {
			time.Sleep(time.Millisecond)
		}
		if deployed.Load() != 1 {
			t.Errorf("%d deployments", deployed.Load())
		}
		trail, _, err := s.Trail(t.Context(), h.world.Account.ID, account.TrailFilter{Object: string(j.ID)})
		must(t, err)
		var actions []string
		for _, e := range trail {
			actions = append(actions, e.Action)
		}
		if !slices.Equal(actions, []string{"trainings:end", "trainings:create"}) {
			t.Errorf("%q", actions)
		}
	})
}

// Somebody takes the right away while a job waits; the job does not begin.
func TestAJobWhoseRightIsTakenAwayWhileItWaitsDoesNotBegin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		engine := &hereEngine{}
		h := newShop(t, s, engine)
		h.loop.Slots = make(chan struct{}, 1)
		h.loop.Slots <- struct{}{} // another trains here
		h.run("a")
		j := h.until(h.create().ID, training.Queued)
		h.world.Grant(base, catalogue.Train)
		<-h.loop.Slots
		j = h.until(j.ID, training.Failed)
		if j.Reason != training.ReasonRevoked || engine.called() != 0 {
			t.Errorf("%s %s, %d calls", j.Reason, j.Message, engine.called())
		}
		if _, err := h.Create(t.Context(), h.by, h.ws, h.wanted()); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a new one: %v", err)
		}
	})
}

func TestWhatBecomesOfAJobWhenItsEngineEndsOtherwise(t *testing.T) {
	always := func(err error) teach {
		return func(context.Context, spec, func(provider.Observation) error) error { return err }
	}
	cases := map[string]struct {
		turns  []teach
		state  training.State
		reason string
		calls  int
		again  bool // it waits in the queue meanwhile
	}{
		"a failure":                {[]teach{always(&provider.Failure{Reason: "exit_status", Message: "It ended with 1."})}, training.Failed, "exit_status", 1, false},
		"a value it does not take": {[]teach{always(fault.Field("batch_size", "Too many."))}, training.Failed, training.ReasonBadValue, 1, false},
		"any other error":          {[]teach{always(errors.New("disk full at /secret/place"))}, training.Failed, training.ReasonEngine, 1, false},
		"lost for good":            {[]teach{always(provider.ErrLost)}, training.Failed, training.ReasonLost, 3, true},
		"lost once":                {[]teach{always(provider.ErrLost), nil}, training.Succeeded, "", 2, true},
		"no room at first":         {[]teach{always(fmt.Errorf("full: %w", provider.ErrRoom)), nil}, training.Succeeded, "", 2, true},
		"away for a while":         {[]teach{always(fault.New(fault.Unavailable, "It does not answer.")), nil}, training.Succeeded, "", 2, false},
		"a panic":                  {[]teach{func(context.Context, spec, func(provider.Observation) error) error { panic("on purpose") }, nil}, training.Succeeded, "", 2, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := &hereEngine{turns: c.turns}
			h := newShop(t, storetest.SQLite(t), engine)
			h.run("a")
			j := h.until(h.create().ID, training.Succeeded, training.Failed)
			if j.State != c.state || j.Reason != c.reason || engine.called() != c.calls {
				t.Errorf("%s %s (%s) after %d calls", j.State, j.Reason, j.Message, engine.called())
			}
			if strings.Contains(j.Message, "/secret") {
				t.Errorf("it tells %q", j.Message)
			}
			queued := 0
			for _, s := range h.moves(j.ID) {
				if s == training.Queued {
					queued++
				}
			}
			if c.again != (queued > 1) {
				t.Errorf("it was queued %d times", queued)
			}
		})
	}
}

func TestAJobIsCancelledWhereverItIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		began := make(chan struct{}, 1)
		engine := &hereEngine{turns: []teach{func(ctx context.Context, _ spec, tell func(provider.Observation) error) error {
			must(t, tell(provider.Observation{Phase: provider.PhaseRunning}))
			began <- struct{}{}
			<-ctx.Done()
			return context.Cause(ctx)
		}}}
		h := newShop(t, s, engine)
		waiting := h.create()
		j, err := h.Cancel(t.Context(), h.by, h.ws, waiting.ID)
		if must(t, err); j.State != training.Cancelled {
			t.Errorf("one that waits is %s", j.State)
		}
		h.run("a")
		running := h.create()
		<-began
		if err := h.Delete(t.Context(), h.by, h.ws, running.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("deleted while it runs: %v", err)
		}
		j, err = h.Cancel(t.Context(), h.by, h.ws, running.ID)
		if must(t, err); j.State != training.Cancelling {
			t.Errorf("one that runs is %s", j.State)
		}
		h.until(running.ID, training.Cancelled)
		if _, err := h.Cancel(t.Context(), h.by, h.ws, running.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("again: %v", err)
		}
		if models, _, _ := h.Models(t.Context(), h.by, h.ws, training.ModelFilter{}); len(models) != 0 || engine.called() != 1 {
			t.Errorf("%d models, %d calls", len(models), engine.called())
		}
		must(t, h.Delete(t.Context(), h.by, h.ws, running.ID))
		if _, err := os.Stat(filepath.Join(h.Folder, "workspaces", string(h.ws), "trainings", string(running.ID))); !os.IsNotExist(err) {
			t.Errorf("its folder: %v", err)
		}
	})
}

func TestAJobMayNotTakeForEver(t *testing.T) {
	engine := &hereEngine{turns: []teach{func(ctx context.Context, _ spec, _ func(provider.Observation) error) error {
		<-ctx.Done()
		return ctx.Err()
	}}}
	h := newShop(t, storetest.SQLite(t), engine)
	h.loop.Limit = 50 * time.Millisecond
	h.run("a")
	if j := h.until(h.create().ID, training.Failed, training.Succeeded); j.Reason != training.ReasonTime {
		t.Errorf("%s %s", j.State, j.Reason)
	}
}

// A worker that was thought dead and comes back writes nothing, and the job has
// one result.
func TestAWorkerWhoseLeaseIsLostWritesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		stalled, goOn := make(chan struct{}), make(chan struct{})
		var late error
		engine := &hereEngine{turns: []teach{func(_ context.Context, _ spec, tell func(provider.Observation) error) error {
			close(stalled)
			<-goOn
			late = tell(provider.Observation{Phase: provider.PhaseExporting, Step: 99, Points: []provider.Point{{Step: 99, Name: "train_loss", Value: 9}}})
			return late
		}, nil}}
		h := newShop(t, s, engine)
		j := h.create()
		h.work(forgetful{s}, "a")
		<-stalled
		h.run("b")
		h.until(j.ID, training.Succeeded)
		close(goOn)
		time.Sleep(50 * time.Millisecond)
		j = h.until(j.ID, training.Succeeded)
		curves, err := h.Curves(t.Context(), h.by, h.ws, j.ID)
		must(t, err)
		if late == nil || j.Step == 99 || len(curves) != 0 || engine.called() != 2 {
			t.Errorf("it wrote: %v, %+v, %v, %d calls", late, j, curves, engine.called())
		}
		if models, _, _ := h.Models(t.Context(), h.by, h.ws, training.ModelFilter{}); len(models) != 1 {
			t.Errorf("%d models", len(models))
		}
	})
}

// forgetful does not renew its leases, as a process that is stopped for a while.
type forgetful struct{ work.Store }

func (forgetful) RenewWork(context.Context, work.Lease, time.Duration) (bool, error) {
	return false, nil
}

func TestACurveKeepsAFewThousandPointsOfAnyNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const steps = 11_111
		engine := &hereEngine{turns: []teach{func(_ context.Context, _ spec, tell func(provider.Observation) error) error {
			for from := 1; from <= steps; from += 500 {
				var o provider.Observation
				for i := from; i < min(from+500, steps+1); i++ {
					o.Points = append(o.Points, provider.Point{Step: int64(i), Name: "train_loss", Value: 1 / float64(i)})
				}
				o.Points = append(o.Points, o.Points[0], provider.Point{Step: int64(from), Name: "valid_loss", Value: 1})
				if err := tell(o); err != nil {
					return err // the lease is lost: it is taught again
				}
			}
			return nil
		}}}
		h := newShop(t, s, engine)
		h.run("a")
		j := h.until(h.create().ID, training.Succeeded)
		curves, err := h.Curves(t.Context(), h.by, h.ws, j.ID)
		must(t, err)
		loss := curves[0].Points
		if n := len(loss); n < training.CurveMost/2 || n > training.CurveMost || loss[n-1].Step != steps {
			t.Fatalf("%d points, the last at %d", n, loss[n-1].Step)
		}
		for i := 1; i < len(loss)-1; i++ {
			if gap := loss[i].Step - loss[i-1].Step; gap != 8 || loss[i].Value != 1/float64(loss[i].Step) {
				t.Fatalf("%+v after %+v", loss[i], loss[i-1])
			}
		}
		if len(curves[1].Points) != 23 {
			t.Errorf("%d points of the validation", len(curves[1].Points))
		}
	})
}

func TestCheckpointsAreModelsOnceAndStayWhenTheJobGoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		engine := &hereEngine{turns: []teach{func(_ context.Context, s spec, tell func(provider.Observation) error) error {
			must(t, s.Folder.MkdirAll("checkpoints/checkpoint-7", 0o700))
			must(t, s.Folder.WriteFile("checkpoints/checkpoint-7/model.gguf", []byte("seven"), 0o600))
			return tell(provider.Observation{Checkpoints: []provider.Checkpoint{{
				Name: "checkpoint-7", Step: 7, Model: provider.Artifact{Folder: s.Folder.Name() + "/checkpoints/checkpoint-7", Files: []string{"model.gguf"}, Format: "gguf"},
			}}})
		}}}
		h := newShop(t, s, engine)
		h.run("a")
		j := h.until(h.create().ID, training.Succeeded)
		ctx := t.Context()
		if _, err := h.Publish(ctx, h.by, h.ws, j.ID, "checkpoint-8", ""); !fault.Is(err, fault.Missing) {
			t.Errorf("one that is not there: %v", err)
		}
		m, err := h.Publish(ctx, h.by, h.ws, j.ID, "checkpoint-7", "Seven")
		must(t, err)
		if m.Title != "Seven" || m.Size != 5 || !strings.HasPrefix(string(m.Name), "qwen-turbo-coffee-step7-ft-") {
			t.Errorf("%+v", m)
		}
		if _, err := h.Publish(ctx, h.by, h.ws, j.ID, "checkpoint-7", ""); !fault.Is(err, fault.Conflict) {
			t.Errorf("twice: %v", err)
		}
		list, err := h.Checkpoints(ctx, h.by, h.ws, j.ID)
		if must(t, err); list[0].Published != m.Name {
			t.Errorf("%+v", list)
		}
		on := h.create(func(w *training.Wanted) { w.Model = string(m.Name) })
		if on.Base != base || on.From != m.ID || !strings.HasPrefix(string(on.Output), "qwen-turbo-coffee-ft-") {
			t.Errorf("%+v", on)
		}
		h.until(on.ID, training.Succeeded)
		must(t, h.Rename(ctx, h.by, h.ws, m.ID, " The  seventh ", 1))
		if err := h.Rename(ctx, h.by, h.ws, m.ID, "x", 1); !fault.Is(err, fault.Conflict) {
			t.Errorf("from what it is no more: %v", err)
		}
		must(t, h.Delete(ctx, h.by, h.ws, j.ID))
		again, err := h.Model(ctx, h.by, h.ws, m.ID)
		must(t, err)
		if again.Title != "The seventh" {
			t.Errorf("%q", again.Title)
		}
		body, _, err := h.Download(ctx, h.by, h.ws, m.ID, "model.gguf")
		must(t, err)
		body.Close()
		all, _, err := h.Models(ctx, h.by, h.ws, training.ModelFilter{Search: "ft-"})
		if must(t, err); len(all) != 3 {
			t.Errorf("%d models", len(all))
		}
		for _, m := range all {
			must(t, h.DeleteModel(ctx, h.by, h.ws, m.ID))
		}
		if _, err := os.Stat(filepath.Join(h.Folder, "workspaces", string(h.ws), "trainings", string(j.ID))); !os.IsNotExist(err) {
			t.Errorf("its folder: %v", err)
		}
	})
}

func TestWhatIsBadlySaidOfATrainingIsSaidBesideIt(t *testing.T) {
	h := newShop(t, storetest.SQLite(t), &hereEngine{})
	other := h.world.Workspace("Research").ID
	h.world.Model("qwen-max") // nobody serves it
	h.world.Grant("qwen-max", catalogue.Train, h.ws)
	foreign := h.files.add(other, 20)
	for what, c := range map[string]struct {
		change func(*training.Wanted)
		field  string
		kind   fault.Kind
	}{
		"no model":               {func(w *training.Wanted) { w.Model = "" }, "model", fault.Invalid},
		"a model that is not":    {func(w *training.Wanted) { w.Model = "nothing" }, "model", fault.Missing},
		"one nobody serves":      {func(w *training.Wanted) { w.Model = "qwen-max" }, "model", fault.Invalid},
		"no data":                {func(w *training.Wanted) { w.Train = nil }, "training_file_ids", fault.Invalid},
		"data that is not":       {func(w *training.Wanted) { w.Train = []string{"file-x"} }, "training_file_ids", fault.Missing},
		"data of others":         {func(w *training.Wanted) { w.Train = []string{string(foreign)} }, "training_file_ids", fault.Missing},
		"validation of others":   {func(w *training.Wanted) { w.Valid = []string{string(foreign)} }, "validation_file_ids", fault.Missing},
		"data of another method": {func(w *training.Wanted) { w.Method = provider.DPO }, "method", fault.Invalid},
		"too many epochs":        {func(w *training.Wanted) { w.Hyper.Epochs = 201 }, "n_epochs", fault.Invalid},
		"a rate of two":          {func(w *training.Wanted) { w.Hyper.LearningRate = 2 }, "learning_rate", fault.Invalid},
		"a long suffix":          {func(w *training.Wanted) { w.Suffix = strings.Repeat("x", 41) }, "suffix", fault.Invalid},
		"a suffix with a slash":  {func(w *training.Wanted) { w.Suffix = "a/b" }, "suffix", fault.Invalid},
		"a split of ten":         {func(w *training.Wanted) { w.Split = 10 }, "split", fault.Invalid},
		"a long name":            {func(w *training.Wanted) { w.Name = strings.Repeat("x", 65) }, "name", fault.Invalid},
	} {
		w := h.wanted()
		c.change(&w)
		_, err := h.Create(t.Context(), h.by, h.ws, w)
		if f, ok := fault.On(err, c.field); !ok || f.Kind != c.kind {
			t.Errorf("%s: %v", what, err)
		}
		if _, err2 := h.Estimate(t.Context(), h.by, h.ws, w); fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Errorf("%s: the estimate says %v", what, err2)
		}
	}
	h.Unfinished = 2
	h.create()
	h.create()
	if _, err := h.Create(t.Context(), h.by, h.ws, h.wanted()); !fault.Is(err, fault.Full) {
		t.Errorf("a third: %v", err)
	}
}
