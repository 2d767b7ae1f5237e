package providertest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
)

// Hands are what the suite needs to do with an engine that trains elsewhere.
type Hands struct {
	Adapter provider.Adapter // that it can
	Begun   func() int       // trainings that it was told to begin
	Go      func()           // lets every training go on by a step; nil: they do by themselves
	Hold    func() func()    // keeps trainings from ending until its result is called; nil: they do not end so soon
	Losses  int              // values of train_loss that a whole training has; 0: it reports none
}

func (h Hands) hold() (release func()) {
	if h.Hold == nil {
		return func() {}
	}
	return h.Hold()
}

// patience is how long an engine may take for a training of the suite.
const patience = time.Minute

// TrainsRemote is the contract of a provider.RemoteTrainer.
func TrainsRemote(t *testing.T, e Engine, h Hands) {
	trainer := func(t *testing.T, s provider.Server) provider.RemoteTrainer {
		t.Helper()
		r, ok := s.(provider.RemoteTrainer)
		if !ok {
			t.Fatalf("%T trains nothing elsewhere", s)
		}
		return r
	}
	begin := func(t *testing.T, f *front) (provider.RemoteTrainer, provider.TrainSpec, string) {
		t.Helper()
		r, spec := trainer(t, f.open(t)), Spec(t, e.Base, h.Adapter)
		handle, err := r.Start(t.Context(), spec)
		must(t, err)
		return r, spec, handle
	}
	t.Run("it says what it can, and checks without beginning", func(t *testing.T) {
		r, before := trainer(t, newFront(t, e).open(t)), h.Begun()
		can := r.Abilities(t.Context())
		if !can.Can(provider.SFT, h.Adapter) {
			t.Errorf("it can %+v", can)
		}
		spec := Spec(t, e.Base, h.Adapter)
		must(t, r.Check(t.Context(), spec))
		spec.Method = "sorcery"
		if err := r.Check(t.Context(), spec); !fault.Is(err, fault.Invalid) || h.Begun() != before {
			t.Errorf("%v, and %d were begun", err, h.Begun()-before)
		}
	})
	t.Run("a training is begun once, however often it is started", func(t *testing.T) {
		f, before := newFront(t, e), h.Begun()
		r, spec, handle := begin(t, f)
		for _, again := range []provider.RemoteTrainer{r, trainer(t, f.open(t))} {
			if got, err := again.Start(t.Context(), spec); err != nil || got != handle {
				t.Errorf("again: %s, %v", got, err)
			}
		}
		if _, _, other := begin(t, f); other == handle || h.Begun() != before+2 {
			t.Errorf("another one is %s, and %d were begun", other, h.Begun()-before)
		}
	})
	t.Run("every value is observed once, in order, by whoever has the cursor", func(t *testing.T) {
		f := newFront(t, e)
		_, _, handle := begin(t, f)
		seen := watch(t, func() provider.RemoteTrainer { return trainer(t, f.open(t)) }, handle, h)
		if seen.last.Phase != provider.PhaseSucceeded || seen.last.Result == nil || seen.last.Result.Remote == "" || seen.last.Result.Format != provider.FormatRemote {
			t.Errorf("it ended with %+v", seen.last)
		}
		if n := len(seen.steps["train_loss"]); h.Losses > 0 && n != h.Losses {
			t.Errorf("%d losses of %d", n, h.Losses)
		}
		again, err := trainer(t, f.open(t)).Observe(t.Context(), handle, seen.last.Next)
		must(t, err)
		told := slices.ContainsFunc(again.Lines, seen.told) // something new may be said of what came of it
		if told || len(again.Points)+len(again.Checkpoints) != 0 || again.Phase != provider.PhaseSucceeded {
			t.Errorf("after the end: %+v", again)
		}
		whole, err := trainer(t, f.open(t)).Observe(t.Context(), handle, "")
		must(t, err)
		if len(whole.Points) == 0 && h.Losses > 0 {
			t.Error("from the beginning there is nothing")
		}
	})
	t.Run("a training is cancelled, and again, and after its end", func(t *testing.T) {
		f := newFront(t, e)
		release := h.hold()
		r, _, handle := begin(t, f)
		must(t, r.Cancel(t.Context(), handle))
		must(t, r.Cancel(t.Context(), handle))
		release()
		seen := watch(t, func() provider.RemoteTrainer { return r }, handle, h)
		if seen.last.Phase != provider.PhaseCancelled || seen.last.Result != nil {
			t.Errorf("it ended with %+v", seen.last)
		}
		must(t, r.Cancel(t.Context(), handle))
		must(t, r.Cancel(t.Context(), unknown))
	})
	t.Run("what is forgotten, or never was, is lost", func(t *testing.T) {
		f := newFront(t, e)
		release := h.hold()
		r, _, handle := begin(t, f)
		must(t, r.Cancel(t.Context(), handle))
		release()
		watch(t, func() provider.RemoteTrainer { return r }, handle, h)
		must(t, r.Forget(t.Context(), handle))
		must(t, r.Forget(t.Context(), handle))
		must(t, r.Forget(t.Context(), unknown))
		if o, err := r.Observe(t.Context(), handle, ""); err == nil && !o.Phase.Over() || err != nil && !errors.Is(err, provider.ErrLost) {
			t.Errorf("forgotten: %+v, %v", o, err)
		}
		if _, err := r.Observe(t.Context(), unknown, ""); !errors.Is(err, provider.ErrLost) {
			t.Errorf("unknown: %v", err)
		}
	})
	spec := Spec(t, e.Base, h.Adapter)
	fails(t, e,
		operation{"Start", func(ctx context.Context, s provider.Server) error {
			_, err := trainer(t, s).Start(ctx, spec)
			return err
		}},
		operation{"Observe", func(ctx context.Context, s provider.Server) error {
			_, err := trainer(t, s).Observe(ctx, unknown, "")
			return err
		}},
		operation{"Cancel", func(ctx context.Context, s provider.Server) error { return trainer(t, s).Cancel(ctx, unknown) }},
		operation{"Forget", func(ctx context.Context, s provider.Server) error { return trainer(t, s).Forget(ctx, unknown) }})
}

// unknown is a handle that no engine gave out.
const unknown = "ft-202001010000-dead"

// sight is what was seen of a training.
type sight struct {
	lines []provider.Line
	last  provider.Observation
	steps map[string][]int64 // by the value's name
}

// told reports whether a line was there before the end.
func (s sight) told(l provider.Line) bool {
	return slices.ContainsFunc(s.lines, func(before provider.Line) bool { return before.Text == l.Text && before.At.Equal(l.At) })
}

// watch observes a training to its end, each time with a trainer of its own.
func watch(t *testing.T, with func() provider.RemoteTrainer, handle string, h Hands) sight {
	t.Helper()
	s := sight{steps: map[string][]int64{}}
	seen := map[provider.Point]bool{}
	cursor := provider.Cursor("")
	for deadline := time.Now().Add(patience); !s.last.Phase.Over(); {
		if time.Now().After(deadline) {
			t.Fatalf("it never ended: %+v", s.last)
		}
		o, err := with().Observe(t.Context(), handle, cursor)
		must(t, err)
		for _, p := range o.Points {
			at := s.steps[p.Name]
			if seen[provider.Point{Step: p.Step, Name: p.Name}] || len(at) > 0 && at[len(at)-1] > p.Step {
				t.Errorf("%s of step %d comes after %v", p.Name, p.Step, at)
			}
			seen[provider.Point{Step: p.Step, Name: p.Name}] = true
			s.steps[p.Name] = append(at, p.Step)
		}
		if o.Phase == "" { // no change
			o.Phase = s.last.Phase
		}
		s.last, s.lines, cursor = o, append(s.lines, o.Lines...), o.Next
		if h.Go != nil {
			h.Go()
		} else if !o.Phase.Over() {
			time.Sleep(50 * time.Millisecond)
		}
	}
	return s
}
