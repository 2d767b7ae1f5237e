package training_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
)

// elsewhere stands in for an engine that is asked from time to time.
type elsewhere struct {
	bench
	mu        sync.Mutex
	begun     map[string]int // times a job was begun
	looks     int
	cancelled bool
	forgotten int
	observe   func(look int, cancelled bool) (provider.Observation, error)
}

func (e *elsewhere) Start(_ context.Context, s provider.TrainSpec) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.begun == nil {
		e.begun = map[string]int{}
	}
	e.begun[string(s.Job)]++
	if len(e.begun) == 1 && e.begun[string(s.Job)] == 1 {
		return "", fault.New(fault.Unavailable, "The answer was lost.") // it has begun all the same
	}
	return "handle-of-" + string(s.Job), nil
}

func (e *elsewhere) Observe(_ context.Context, handle string, since provider.Cursor) (provider.Observation, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looks++
	return e.observe(e.looks, e.cancelled)
}

func (e *elsewhere) Cancel(context.Context, string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cancelled = true
	return nil
}

func (e *elsewhere) Forget(context.Context, string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forgotten++
	return nil
}

func (e *elsewhere) forgot() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.forgotten
}

func TestAJobElsewhereIsBegunFoundAgainAndLookedAfter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		engine := &elsewhere{observe: func(look int, _ bool) (provider.Observation, error) {
			switch {
			case look == 2:
				return provider.Observation{}, fault.New(fault.Unavailable, "It does not answer.")
			case look < 4:
				return provider.Observation{Phase: provider.PhaseRunning, Step: int64(look), Steps: 9, Next: "c", Points: []provider.Point{{Step: int64(look), Name: "train_loss", Value: 1}}}, nil
			}
			return provider.Observation{Phase: provider.PhaseSucceeded, TrainedTokens: 77, Result: &provider.Artifact{Remote: "theirs:ft-1", Format: provider.FormatRemote}}, nil
		}}
		h := newShop(t, s, engine)
		h.run("a")
		j := h.until(h.create().ID, training.Succeeded, training.Failed)
		m, err := h.ModelByName(t.Context(), h.by, h.ws, j.Output)
		must(t, err)
		if j.State != training.Succeeded || j.TrainedTokens != 77 || m.Artifact.Remote != "theirs:ft-1" || m.Size != 0 || len(engine.begun) != 1 {
			t.Errorf("%+v, %+v, begun %v", j, m, engine.begun)
		}
		if _, _, err := h.Download(t.Context(), h.by, h.ws, m.ID, "model.gguf"); !fault.Is(err, fault.Missing) {
			t.Errorf("weights that stay there: %v", err)
		}
		for start := time.Now(); engine.forgot() == 0 && time.Since(start) < 5*time.Second; {
			time.Sleep(time.Millisecond)
		}
		if engine.forgot() == 0 {
			t.Error("our data stays there")
		}
	})
}

func TestAJobElsewhereEndsAsItsEngineSays(t *testing.T) {
	over := func(p provider.Phase) func(int, bool) (provider.Observation, error) {
		return func(_ int, cancelled bool) (provider.Observation, error) {
			if !cancelled {
				return provider.Observation{Phase: provider.PhaseRunning}, nil
			}
			return provider.Observation{Phase: p, Reason: "theirs", Message: "So they say."}, nil
		}
	}
	for p, want := range map[provider.Phase]training.State{
		provider.PhaseCancelled: training.Cancelled, provider.PhaseFailed: training.Failed, provider.PhaseSucceeded: training.Succeeded,
	} {
		h := newShop(t, storetest.SQLite(t), &elsewhere{observe: over(p)})
		h.run("a")
		id := h.until(h.create().ID, training.Running).ID
		_, err := h.Cancel(t.Context(), h.by, h.ws, id)
		must(t, err)
		if j := h.until(id, training.Cancelled, training.Failed, training.Succeeded); j.State != want {
			t.Errorf("it says %s, and the job %s", p, j.State)
		}
	}
}
