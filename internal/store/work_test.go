package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/work"
)

const (
	aJob work.Kind = "job"
	day            = 24 * time.Hour
)

func claim(t *testing.T, s *store.Store, owner string, ttl time.Duration) work.Lease {
	t.Helper()
	l, found, err := s.ClaimWork(t.Context(), aJob, owner, ttl)
	if err != nil || !found {
		t.Fatalf("%s found %v: %v", owner, found, err)
	}
	return l
}

func nothingDue(t *testing.T, s *store.Store, what string) {
	t.Helper()
	if l, found, err := s.ClaimWork(t.Context(), aJob, "late", day); err != nil || found {
		t.Fatalf("%s: %+v, %v", what, l, err)
	}
}

func TestWorkIsOnesAtATimeAndAnothersWhenItsLeaseEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		nothingDue(t, s, "before anybody asked")
		must(t, s.Ask(ctx, aJob, "one"))
		must(t, s.Ask(ctx, aJob, "one")) // twice is once
		if _, found, _ := s.ClaimWork(ctx, "other", "a", day); found {
			t.Error("another kind's work was found")
		}
		first := claim(t, s, "a", time.Millisecond)
		time.Sleep(5 * time.Millisecond)
		second := claim(t, s, "b", day)
		if second.Fence <= first.Fence {
			t.Errorf("the fence went from %d to %d", first.Fence, second.Fence)
		}
		nothingDue(t, s, "while b works")
		_, err := s.RenewWork(ctx, first, day)
		for what, err := range map[string]error{
			"renewed": err, "finished": s.FinishWork(ctx, first), "put back": s.PutBackWork(ctx, first, 0, nil),
			"wrote": s.Fenced(ctx, first, "UPDATE work_items SET last_error = 'by a'"),
		} {
			if !errors.Is(err, work.ErrLost) {
				t.Errorf("a %s: %v", what, err)
			}
		}
		must(t, s.Fenced(ctx, second, "UPDATE work_items SET last_error = 'by b'"))
		if by, err := s.Strings("SELECT last_error FROM work_items"); err != nil || !slices.Equal(by, []string{"by b"}) {
			t.Errorf("%v %v", by, err)
		}
		must(t, s.FinishWork(ctx, second))
		if n, err := s.Number("SELECT COUNT(*) FROM work_items"); err != nil || n != 0 {
			t.Errorf("%d items are left: %v", n, err)
		}
	})
}

func TestWorkThatIsAskedForMeanwhileIsDueAgainAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must(t, s.Ask(ctx, aJob, "one"))
		l := claim(t, s, "a", day)
		must(t, s.Ask(ctx, aJob, "one"))
		nothingDue(t, s, "while a works")
		for i, want := range []bool{true, false} {
			if nudged, err := s.RenewWork(ctx, l, day); err != nil || nudged != want {
				t.Errorf("renewal %d: nudged %v, %v", i, nudged, err)
			}
		}
		must(t, s.Ask(ctx, aJob, "one"))
		must(t, s.FinishWork(ctx, l))
		l = claim(t, s, "b", day)
		must(t, s.Ask(ctx, aJob, "one"))
		must(t, s.PutBackWork(ctx, l, day, nil))
		l = claim(t, s, "c", day)
		must(t, s.PutBackWork(ctx, l, day, nil))
		nothingDue(t, s, "put back for a day")
		must(t, s.Ask(ctx, aJob, "one"))
		must(t, s.FinishWork(ctx, claim(t, s, "d", day)))
	})
}

func TestFailedAttemptsAreCountedAndWhyIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must(t, s.Ask(ctx, aJob, "one"))
		for i := range 3 {
			l := claim(t, s, "a", day)
			if l.Attempts != i {
				t.Errorf("attempt %d says %d", i, l.Attempts)
			}
			must(t, s.PutBackWork(ctx, l, 0, fmt.Errorf("no room \x00\xff %d", i)))
		}
		if why, err := s.Strings("SELECT last_error FROM work_items"); err != nil || !slices.Equal(why, []string{"no room \uFFFD 2"}) {
			t.Errorf("%q %v", why, err)
		}
		must(t, s.PutBackWork(ctx, claim(t, s, "a", day), 0, nil))
		if l := claim(t, s, "a", day); l.Attempts != 0 {
			t.Errorf("after a good turn: %d", l.Attempts)
		}
	})
}

// Runners that share a store, some of which die without a word, do every item
// to its end, and no item's effect is written twice.
func TestEveryItemIsDoneOnceWhenRunnersDie(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const items = 40
		must(t, s.Exec("CREATE TABLE effects (ref TEXT PRIMARY KEY)"))
		for i := range items {
			must(t, s.Ask(t.Context(), aJob, fmt.Sprint(i)))
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		var begun sync.Map
		var all sync.WaitGroup
		for r := range 3 {
			runner := &work.Runner{Store: s, Kind: aJob, Owner: fmt.Sprint(r), Parallel: 2, TTL: 200 * time.Millisecond, Poll: 10 * time.Millisecond}
			runner.Do = func(ctx context.Context, h *work.Held) (work.Next, error) {
				if _, again := begun.LoadOrStore(h.Ref, true); !again {
					switch len(h.Ref+h.Owner) % 3 {
					case 0: // dies: its lease ends unrenewed, and it writes too late
						must(t, s.Exec("UPDATE work_items SET due = 0, owner = 'nobody', fence = fence + 1 WHERE kind = ? AND ref = ?", h.Kind, h.Ref))
						<-ctx.Done()
					case 1:
						panic("on purpose")
					}
				}
				if err := s.Fenced(context.WithoutCancel(ctx), h.Lease, "INSERT INTO effects VALUES ('"+h.Ref+"')"); err != nil {
					return work.Next{}, err
				}
				return work.Next{Done: true}, nil
			}
			all.Go(func() { runner.Run(ctx) })
		}
		for n := items; n > 0 && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			var err error
			n, err = s.Number("SELECT COUNT(*) FROM work_items")
			must(t, err)
		}
		stop()
		all.Wait()
		if n, err := s.Number("SELECT COUNT(*) FROM effects"); err != nil || n != items {
			t.Errorf("%d of %d took effect: %v", n, items, err)
		}
	})
}

func TestARunnerThatStopsPutsItsWorkBackAndIsNudged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		must(t, s.Ask(t.Context(), aJob, "one"))
		ctx, stop := context.WithCancel(t.Context())
		began := make(chan struct{})
		runner := &work.Runner{Store: s, Kind: aJob, Owner: "a", TTL: 200 * time.Millisecond, Poll: time.Hour}
		runner.Do = func(ctx context.Context, h *work.Held) (work.Next, error) {
			close(began)
			select {
			case <-h.Nudged:
			case <-time.After(20 * time.Second):
				t.Error("nobody nudged")
			}
			stop()
			<-ctx.Done()
			return work.Next{}, ctx.Err()
		}
		ended := make(chan struct{})
		go func() { runner.Run(ctx); close(ended) }()
		<-began
		must(t, s.Ask(t.Context(), aJob, "one"))
		<-ended
		if l := claim(t, s, "b", day); l.Attempts != 0 {
			t.Errorf("being cut off counted as a failure: %+v", l)
		}
	})
}
