package explanation_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/explanation"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// shelf is storage that tests look into; what it is not asked for is nil.
type shelf struct {
	explanation.Store
	mu     sync.Mutex
	kept   []explanation.Refusal
	broken bool
	pruned []time.Time
}

func (s *shelf) InsertRefusals(_ context.Context, list []explanation.Refusal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("the disk is full")
	}
	s.kept = append(s.kept, list...)
	return nil
}

func (s *shelf) PruneRefusals(_ context.Context, before time.Time, _, _ int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pruned = append(s.pruned, before)
	return nil
}

var at = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func refusal(a ident.Account, second int) explanation.Refusal {
	return explanation.Refusal{Call: ident.NewCall(), Account: a, At: at.Add(time.Duration(second) * time.Second), Check: policy.Granted}
}

func TestAFloodOfRefusalsFillsNoDisk(t *testing.T) {
	s := &shelf{}
	r := explanation.NewRecorder(s, func() time.Time { return at })
	for range 10_000 {
		r.Record(refusal("", 0))
	}
	for second := 1; second <= 3; second++ {
		r.Record(refusal("acc-1", second))
	}
	r.Close()
	if n := len(s.kept); n != 20+3 || r.Dropped() != 10_000-20 {
		t.Errorf("%d were kept and %d dropped", n, r.Dropped())
	}
	if len(s.pruned) == 0 || !s.pruned[0].Equal(at.Add(-explanation.Retention)) {
		t.Errorf("pruned before %v", s.pruned)
	}
}

func TestWhatStorageDoesNotTakeIsDroppedAndCounted(t *testing.T) {
	s := &shelf{broken: true}
	r := explanation.NewRecorder(s, time.Now)
	for range 5 {
		r.Record(refusal("acc-1", 0))
	}
	r.Close()
	r.Close()
	if r.Dropped() != 5 {
		t.Errorf("%d were dropped", r.Dropped())
	}
}

func TestWhatIsKeptHoldsNoMoreThanItsBounds(t *testing.T) {
	long := string(make([]byte, 10_000))
	r := explanation.Of(ident.NewCall(), policy.Question{Header: long, Path: long, Host: long}, policy.Decision{})
	if len(r.Header)+len(r.Path)+len(r.Host) > 3*64 {
		t.Errorf("%d bytes of names are kept", len(r.Header)+len(r.Path)+len(r.Host))
	}
}
