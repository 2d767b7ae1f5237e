package gateway

import (
	"context"
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

// leash holds a call to a provider. It does not end when the caller hangs up:
// the provider works on and charges, so its answer is read on for a while.
type leash struct {
	ctx     context.Context
	cancel  context.CancelFunc
	bounds  Bounds
	drains  chan struct{}
	unwatch func() bool
	silence *time.Timer
	left    atomic.Bool
	once    sync.Once
	drain   *time.Timer // set by hangUp while it holds a place of drains
}

func (g *Gateway) leash(c *Call) *leash {
	l := &leash{bounds: g.Bounds, drains: g.drains}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.silence = time.AfterFunc(g.Bounds.Silence, l.cancel)
	l.unwatch = context.AfterFunc(c.r.Context(), l.hangUp)
	return l
}

// heard notes a sign of life of the provider.
func (l *leash) heard() { l.silence.Reset(l.bounds.Silence) }

// hurry gives the provider this long to say its last word.
func (l *leash) hurry(d time.Duration) { l.silence.Reset(d) }

// gone reports whether the caller has hung up.
func (l *leash) gone() bool { return l.left.Load() }

// hangUp notes that the caller is gone, and ends the call in bounded time.
func (l *leash) hangUp() {
	l.once.Do(func() {
		l.left.Store(true)
		select {
		case l.drains <- struct{}{}:
			l.drain = time.AfterFunc(l.bounds.Drain, l.cancel)
		default:
			l.cancel()
		}
	})
}

// end lets the provider go.
func (l *leash) end() {
	l.unwatch()
	l.once.Do(func() {}) // nobody hangs up any more
	l.silence.Stop()
	l.cancel()
	if l.drain != nil {
		l.drain.Stop()
		<-l.drains
	}
}
