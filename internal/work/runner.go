package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// Held is a lease that is being worked under.
type Held struct {
	Lease
	// Nudged tells that somebody asked for the item while it was worked on, for
	// example to cancel it: look again at what is wanted.
	Nudged <-chan struct{}
}

// Next is what becomes of an item after it was worked on.
type Next struct {
	Done  bool          // it is removed; else it is due again
	After time.Duration // after this time
}

// Runner works on the items of one kind.
type Runner struct {
	Store Store
	Kind  Kind
	Owner string // this process; unique among all that share the store
	// Do works on one item until it is done or has to wait. Its context ends when
	// the lease is lost (the cause is ErrLost) or the process stops. An error puts
	// the item back with growing pauses; it never gives an item up: that is for Do.
	Do func(ctx context.Context, h *Held) (Next, error)
	// Parallel is how many items are worked on at once; 0: one.
	Parallel int
	TTL      time.Duration // of a lease; 0: 30 s
	Poll     time.Duration // between two looks for work; 0: 1 s
	Log      *slog.Logger  // nil: slog.Default

	once  sync.Once
	wake  chan struct{}
	watch chan struct{} // one place, of who looks for work
}

// Wake has the runner look for work now. It may be called at any time.
func (r *Runner) Wake() {
	r.begin()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Runner) begin() {
	r.once.Do(func() {
		r.Parallel = max(r.Parallel, 1)
		if r.TTL == 0 {
			r.TTL = 30 * time.Second
		}
		if r.Poll == 0 {
			r.Poll = time.Second
		}
		if r.Log == nil {
			r.Log = slog.Default()
		}
		r.wake, r.watch = make(chan struct{}, 1), make(chan struct{}, 1)
	})
}

// Run works until ctx ends, and then puts back what it was working on.
func (r *Runner) Run(ctx context.Context) {
	r.begin()
	var all sync.WaitGroup
	for range r.Parallel {
		all.Go(func() { r.loop(ctx) })
	}
	all.Wait()
}

// loop works on one item after the other. Of those that have nothing to do one looks
// for work; once it found some the next one looks.
func (r *Runner) loop(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case r.watch <- struct{}{}:
		}
		l, found := r.look(ctx)
		<-r.watch
		if found {
			r.work(ctx, l)
		}
	}
}

// look waits until there is work; false: ctx ended before.
func (r *Runner) look(ctx context.Context) (Lease, bool) {
	for ctx.Err() == nil {
		l, found, err := r.Store.ClaimWork(ctx, r.Kind, r.Owner, r.TTL)
		if err != nil && ctx.Err() == nil {
			r.Log.Error("work could not be claimed", "kind", r.Kind, "err", err)
		}
		if found {
			return l, true
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-time.After(r.Poll):
		}
	}
	return Lease{}, false
}

// work does one item under its lease.
func (r *Runner) work(ctx context.Context, l Lease) {
	doing, lose := context.WithCancelCause(ctx)
	nudged := make(chan struct{}, 1)
	beating, still := context.WithCancel(context.WithoutCancel(ctx))
	var beat sync.WaitGroup
	beat.Go(func() { r.beat(beating, l, nudged, lose) })
	next, err := r.do(doing, &Held{l, nudged})
	still()
	beat.Wait()
	lost := errors.Is(context.Cause(doing), ErrLost) || errors.Is(err, ErrLost)
	lose(nil)
	if lost {
		r.Log.Warn("a lease was lost", "kind", l.Kind, "ref", l.Ref)
		return
	}
	r.release(ctx, l, next, err)
}

// release says what becomes of the item, also while the process stops.
func (r *Runner) release(ctx context.Context, l Lease, next Next, cause error) {
	stopping := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var err error
	switch {
	case next.Done && cause == nil:
		err = r.Store.FinishWork(ctx, l)
	case stopping && cause != nil:
		err = r.Store.PutBackWork(ctx, l, 0, nil) // that it was cut off is no failure
	case cause != nil:
		r.Log.Error("work failed and is tried again", "kind", l.Kind, "ref", l.Ref, "attempts", l.Attempts+1, "err", cause)
		err = r.Store.PutBackWork(ctx, l, pause(l.Attempts), cause)
	default:
		err = r.Store.PutBackWork(ctx, l, next.After, nil)
	}
	if err != nil {
		r.Log.Warn("work was not given back; it is due when its lease ends", "kind", l.Kind, "ref", l.Ref, "err", err)
	}
}

// do keeps a panic from ending the process.
func (r *Runner) do(ctx context.Context, h *Held) (next Next, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return r.Do(ctx, h)
}

// beat renews the lease. A renewal that fails is tried again until the lease
// must be thought lost.
func (r *Runner) beat(ctx context.Context, l Lease, nudged chan<- struct{}, lose context.CancelCauseFunc) {
	until := time.Now().Add(r.TTL)
	tick := time.NewTicker(max(r.TTL/6, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		begun := time.Now()
		asking, cancel := context.WithDeadline(ctx, until)
		again, err := r.Store.RenewWork(asking, l, r.TTL)
		cancel()
		switch {
		case err == nil:
			until = begun.Add(r.TTL)
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrLost), !time.Now().Before(until):
			lose(ErrLost)
			return
		}
		if again {
			select {
			case nudged <- struct{}{}:
			default:
			}
		}
	}
}

// pause grows from a second to a minute, and no two workers keep step.
func pause(attempts int) time.Duration {
	d := time.Second << min(attempts, 6)
	return min(d, time.Minute) * time.Duration(90+rand.IntN(20)) / 100
}
