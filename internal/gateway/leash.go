package gateway

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// hungUp is the code of calls whose caller did not wait for the answer.
const hungUp = "ClientDisconnect"

// Bounds are how much and how long providers and callers may keep a call going.
// Zero fields have defaults.
type Bounds struct {
	Answer  int           // bytes of a whole answer; 16 MiB
	Event   int           // bytes of one event of a stream; 512 KiB
	Stream  int           // bytes of a whole stream; 64 MiB
	Silence time.Duration // between two events, or until a whole answer is read; 5 min
	Whole   time.Duration // of a stream; 30 min
	Drain   time.Duration // how long an answer is read on, for its usage, after its caller hung up; 30 s
	Drains  int           // how many answers are read on at once; 64
	Calls   int           // on their way at once; 8192. More are turned away
	Bodies  int64         // bytes of all their bodies; 512 MiB
}

func (b Bounds) orDefault() Bounds {
	return Bounds{
		Answer: either(b.Answer, 16<<20), Event: either(b.Event, 512<<10), Stream: either(b.Stream, 64<<20),
		Silence: either(b.Silence, 5*time.Minute), Whole: either(b.Whole, 30*time.Minute),
		Drain: either(b.Drain, 30*time.Second), Drains: either(b.Drains, 64),
		Calls: either(b.Calls, 8192), Bodies: either(b.Bodies, 512<<20),
	}
}

func either[T ~int | ~int64](a, b T) T {
	if a > 0 {
		return a
	}
	return b
}

// leash holds a call to a provider, which is asked in its context. It does not
// end when the caller hangs up: the provider works on and charges, so its answer
// is read on for a while.
//
// A look is taken at it every now and then, which is all that most calls cost:
// they are over before the first.
type leash struct {
	gateway *Gateway
	caller  context.Context // ends when the caller hangs up
	began   time.Time
	sign    atomic.Int64 // when the provider last gave a sign of life, since began
	left    atomic.Bool  // the caller has hung up, and that was noted
	ended   atomic.Bool  // the provider is not waited for any more

	mu     sync.Mutex
	look   *time.Timer
	limit  time.Duration // of the time without a sign
	until  time.Time     // how long the answer is read on; zero: the caller waits for it
	over   bool          // the call is
	drains bool          // it holds a place among those that are read on
	done   chan struct{} // closed when it ends; nil: nobody asked for it
	after  []*follower   // are told when it ends
}

// follower is told of the end of a leash, once.
type follower struct{ tell func() }

// The time between two looks, unless bounds are shorter.
const usualLook = time.Second

func (b Bounds) look() time.Duration { return min(usualLook, b.Silence/4, b.Drain/4) + 1 }

func (g *Gateway) leash(c *Call) *leash {
	l := &leash{gateway: g, caller: c.r.Context(), began: time.Now(), limit: g.Bounds.Silence}
	l.look = time.AfterFunc(g.Bounds.look(), l.looked)
	return l
}

// looked ends a call that takes too long.
func (l *leash) looked() {
	l.gone()
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case l.over:
	case now.Sub(l.began)-time.Duration(l.sign.Load()) >= l.limit, !l.until.IsZero() && !now.Before(l.until):
		l.cancel()
	default:
		l.look.Reset(l.gateway.Bounds.look())
	}
}

// heard notes a sign of life of the provider.
func (l *leash) heard() { l.sign.Store(int64(time.Since(l.began))) }

// hurry gives the provider this long to say its last word.
func (l *leash) hurry(d time.Duration) {
	l.heard()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = d
	l.look.Reset(d)
}

// gone reports whether the caller has hung up.
func (l *leash) gone() bool {
	if !l.left.Load() && l.caller.Err() != nil {
		l.hangUp()
	}
	return l.left.Load()
}

// hangUp notes that the caller is gone, and ends the call in bounded time.
func (l *leash) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.left.Swap(true) {
		return
	}
	select {
	case l.gateway.drains <- struct{}{}:
		l.drains, l.until = true, time.Now().Add(l.gateway.Bounds.Drain)
	default:
		l.cancel()
	}
}

// end lets the provider go.
func (l *leash) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true // nobody hangs up any more
	l.look.Stop()
	l.cancel()
	if l.drains {
		<-l.gateway.drains
	}
}

// cancel ends the context; the lock is held.
func (l *leash) cancel() {
	if l.ended.Swap(true) {
		return
	}
	if l.done != nil {
		close(l.done)
	}
	for _, f := range l.after {
		go f.tell()
	}
	l.after = nil
}

// A leash is the context of what is done for it: it implements context.Context
// and, for those who know it, what spares them a goroutine.
var _ context.Context = (*leash)(nil)

// Deadline implements context.Context.
func (*leash) Deadline() (at time.Time, ok bool) { return at, false }

// Value implements context.Context.
func (*leash) Value(any) any { return nil }

// Err implements context.Context.
func (l *leash) Err() error {
	if l.ended.Load() {
		return context.Canceled
	}
	return nil
}

// Done implements context.Context.
func (l *leash) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		if l.done = make(chan struct{}); l.ended.Load() {
			close(l.done)
		}
	}
	return l.done
}

// AfterFunc is what the package context asks contexts of other makers for: it
// tells, in a goroutine of its own, when the leash ends; stop keeps it from that.
func (l *leash) AfterFunc(tell func()) (stop func() bool) {
	f := &follower{tell}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended.Load() {
		go tell()
		return func() bool { return false }
	}
	l.after = append(l.after, f)
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		i := slices.Index(l.after, f)
		if i >= 0 {
			l.after = slices.Delete(l.after, i, i+1)
		}
		return i >= 0
	}
}
