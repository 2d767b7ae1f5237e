package providertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
)

// Local is an engine that trains on this host, and what the suite needs to know of it.
type Local struct {
	Open    func(t *testing.T) provider.LocalTrainer // anew, as after a restart of ours
	Base    string
	Adapter provider.Adapter
	Format  string // of what comes of it
	Losses  int    // values of train_loss that a whole training of Spec has; 0: it is not known
	// Runs reports whether something still works for a job; nil: nothing could.
	Runs func(s provider.TrainSpec) bool
}

// diary keeps what a training told.
type diary struct {
	mu     sync.Mutex
	points map[provider.Point]int // by step and name, how often
	values map[provider.Point]float64
	told   int
	last   provider.Observation
}

func newDiary() *diary {
	return &diary{points: map[provider.Point]int{}, values: map[provider.Point]float64{}}
}

func (d *diary) note(o provider.Observation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told++
	d.last = o
	for _, p := range o.Points {
		at := provider.Point{Step: p.Step, Name: p.Name}
		d.points[at]++
		d.values[at] = p.Value
	}
}

func (d *diary) count(name string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for p := range d.points {
		if p.Name == name {
			n++
		}
	}
	return n
}

// TrainsLocal is the contract of a provider.LocalTrainer.
func TrainsLocal(t *testing.T, l Local) {
	whole := func(t *testing.T, spec provider.TrainSpec, a provider.Artifact, d *diary) {
		t.Helper()
		if a.Format != l.Format || len(a.Files) == 0 || a.Engine == "" {
			t.Errorf("what came of it is %+v", a)
		}
		for _, name := range a.Files {
			if info, err := os.Stat(filepath.Join(a.Folder, name)); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
		inside, err := spec.Folder.Stat("model")
		must(t, err)
		if there, err := os.Stat(a.Folder); err != nil || !os.SameFile(inside, there) {
			t.Errorf("it lies in %s, and not below model/ of its job", a.Folder)
		}
		if n := d.count("train_loss"); n == 0 || l.Losses > 0 && n != l.Losses {
			t.Errorf("%d losses of %d", n, l.Losses)
		}
		if l.Runs != nil && l.Runs(spec) {
			t.Error("something still works for it")
		}
	}
	t.Run("it trains to the end, and a training that has ended gives the same again", func(t *testing.T) {
		spec, d := Spec(t, l.Base, l.Adapter), newDiary()
		must(t, l.Open(t).Check(t.Context(), spec))
		a, err := l.Open(t).Train(t.Context(), spec, func(o provider.Observation) error { d.note(o); return nil })
		must(t, err)
		whole(t, spec, a, d)
		again, err := l.Open(t).Train(t.Context(), spec, func(o provider.Observation) error { d.note(o); return nil })
		must(t, err)
		whole(t, spec, again, d)
	})
	t.Run("it is gone on with after an interruption", func(t *testing.T) {
		spec, d, stop := Spec(t, l.Base, l.Adapter), newDiary(), errors.New("we are shutting down")
		for range 3 {
			ctx, cancel := context.WithCancelCause(t.Context())
			before := d.told
			_, err := l.Open(t).Train(ctx, spec, func(o provider.Observation) error {
				if d.note(o); d.told > before+1 {
					cancel(stop)
				}
				return nil
			})
			cancel(nil)
			if err == nil { // it was sooner than we were
				break
			}
			if !errors.Is(err, stop) {
				t.Fatalf("it ended with %v, and not with why its context did", err)
			}
		}
		a, err := l.Open(t).Train(t.Context(), spec, func(o provider.Observation) error { d.note(o); return nil })
		must(t, err)
		whole(t, spec, a, d)
	})
	t.Run("who cannot be told ends it, and it is gone on with", func(t *testing.T) {
		spec, d, deaf := Spec(t, l.Base, l.Adapter), newDiary(), errors.New("the database is gone")
		if _, err := l.Open(t).Train(t.Context(), spec, func(provider.Observation) error { return deaf }); !errors.Is(err, deaf) {
			t.Errorf("it ended with %v", err)
		}
		a, err := l.Open(t).Train(t.Context(), spec, func(o provider.Observation) error { d.note(o); return nil })
		must(t, err)
		whole(t, spec, a, d)
	})
	t.Run("what nobody wants any more ends, and nothing works for it", func(t *testing.T) {
		spec := Spec(t, l.Base, l.Adapter)
		ctx, cancel := context.WithCancelCause(t.Context())
		began := time.Now()
		_, err := l.Open(t).Train(ctx, spec, func(provider.Observation) error { cancel(provider.ErrCancel); return nil })
		if !errors.Is(err, provider.ErrCancel) || time.Since(began) > patience || l.Runs != nil && l.Runs(spec) {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if _, err := l.Open(t).Train(ctx, spec, func(provider.Observation) error { return nil }); !errors.Is(err, provider.ErrCancel) || l.Runs != nil && l.Runs(spec) {
			t.Errorf("again: %v", err)
		}
	})
	t.Run("what was left to itself is stopped, and again", func(t *testing.T) {
		stopper, ok := l.Open(t).(provider.Stopper)
		if !ok {
			return // nothing of it outlives Train
		}
		spec, shut := Spec(t, l.Base, l.Adapter), errors.New("we are shutting down")
		must(t, stopper.Stop(t.Context(), spec))
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err := l.Open(t).Train(ctx, spec, func(provider.Observation) error { cancel(shut); return nil })
		if !errors.Is(err, shut) || !l.Runs(spec) {
			t.Fatalf("%v, and it runs: %t", err, l.Runs(spec))
		}
		for range 2 {
			must(t, l.Open(t).(provider.Stopper).Stop(t.Context(), spec))
			if l.Runs(spec) {
				t.Error("something still works for it")
			}
		}
	})
	t.Run("what it cannot do it refuses before it begins", func(t *testing.T) {
		for name, change := range map[string]func(*provider.TrainSpec){
			"method": func(s *provider.TrainSpec) { s.Method = "sorcery" },
			"model": func(s *provider.TrainSpec) {
				s.From = &provider.Artifact{Remote: "ft:elsewhere", Format: provider.FormatRemote}
			},
		} {
			spec := Spec(t, l.Base, l.Adapter)
			change(&spec)
			if err := l.Open(t).Check(t.Context(), spec); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
			if left, err := os.ReadDir(spec.Folder.Name()); err != nil || len(left) != 0 {
				t.Errorf("%s: it left %v, %v", name, left, err)
			}
		}
	})
}
