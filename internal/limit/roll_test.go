package limit_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/limit"
)

// roll is where the servers of a test find each other.
type roll struct {
	servers, beats, left atomic.Int64
	lost                 atomic.Bool
}

func (r *roll) Beat(context.Context, string) (int, error) {
	r.beats.Add(1)
	if r.lost.Load() {
		return 0, errors.New("the database is gone")
	}
	return int(r.servers.Load()), nil
}

func (r *roll) Leave(context.Context, string) error { r.left.Add(1); return nil }

// store-loss-does-not-open: losing the shared store does not widen a limit.
func TestAnchor_StoreLossDoesNotOpen(t *testing.T) {
	r := &roll{}
	r.servers.Store(4)
	l := limit.New(nil)
	if err := l.Join(t.Context(), r, "one"); err != nil || l.Shares() != 4 {
		t.Fatal(err, l.Shares())
	}
	r.lost.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { l.Run(ctx, r, "one"); close(ended) }()
	for end := time.Now().Add(10 * time.Second); r.beats.Load() < 2 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	if l.Shares() != 4 || r.beats.Load() < 2 {
		t.Fatalf("a limiter that lost the others keeps 1/%d after %d beats", l.Shares(), r.beats.Load())
	}
	stop()
	if <-ended; r.left.Load() != 1 {
		t.Error("it did not say that it ends")
	}
}
