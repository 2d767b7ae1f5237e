package limit

import (
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// parts is how many maps a table is cut into. A part is copied when something is
// added to it, so that reading takes no lock. Parts come into being by strips,
// when something is first added to one of the strip: most tables stay small.
const (
	parts  = strips * inStrip
	strips = 1 << 9
	// inStrip parts take half a kibibyte.
	inStrip = 1 << 5
)

type strip [inStrip]part

// subject is what a state is of: an account or workspace and a model, or a key
// or workspace alone. Identifiers of different kinds never are the same.
type subject struct{ of, model string }

// state is what is known of a subject. What is idle is forgotten.
type state struct {
	running  atomic.Int64 // calls; what runs is not forgotten
	gone     atomic.Bool
	seen     atomic.Int64 // ticks, to a second
	requests clock
	tokens   pool
}

// rest is how long something is idle before it is forgotten.
const rest = 10 * tick * ticks(time.Second)

func (s *state) idle(now ticks) bool {
	return now-ticks(s.seen.Load()) > rest && s.running.Load() == 0 && s.requests.used(now) == 0 && s.tokens.used(now) == 0
}

type table struct {
	seed  maphash.Seed
	strip [strips]atomic.Pointer[strip]
}

type part struct {
	states atomic.Pointer[map[subject]*state]
	adding sync.Mutex
}

// place is where a subject's part is: its strip, and which of the strip.
func (t *table) place(s subject) (*atomic.Pointer[strip], int) {
	h := maphash.Comparable(t.seed, s)
	return &t.strip[h%strips], int(h / strips % inStrip)
}

// look finds a state; nil when there is none.
func (t *table) look(of subject) *state {
	at, i := t.place(of)
	if s := at.Load(); s != nil {
		return s[i].get(of)
	}
	return nil
}

// partOf finds or makes the part of a subject. A strip once made stays.
func (t *table) partOf(of subject) *part {
	at, i := t.place(of)
	s := at.Load()
	if s == nil {
		if s = new(strip); !at.CompareAndSwap(nil, s) {
			s = at.Load()
		}
	}
	return &s[i]
}

// all goes through the parts there are.
func (t *table) all(yield func(*part) bool) {
	for i := range t.strip {
		s := t.strip[i].Load()
		for i := 0; s != nil && i < len(s); i++ {
			if !yield(&s[i]) {
				return
			}
		}
	}
}

func (p *part) get(of subject) *state {
	if m := p.states.Load(); m != nil {
		return (*m)[of]
	}
	return nil
}

// enter finds or makes the state of a subject and counts a running call, the
// number of which it gives.
func (t *table) enter(of subject, now ticks) (*state, int64) {
	p := t.partOf(of)
	for {
		s := p.get(of)
		if s == nil {
			s = p.add(of, now)
		}
		n := s.running.Add(1)
		if !s.gone.Load() {
			if now-ticks(s.seen.Load()) > tick*ticks(time.Second) {
				s.seen.Store(int64(now))
			}
			return s, n
		}
		s.running.Add(-1) // it is being forgotten this moment
	}
}

// add makes a state and takes the opportunity to forget idle ones.
func (p *part) add(of subject, now ticks) *state {
	p.adding.Lock()
	defer p.adding.Unlock()
	if s := p.get(of); s != nil {
		return s
	}
	next := p.busy(now)
	s := &state{}
	s.seen.Store(int64(now))
	next[of] = s
	p.states.Store(&next)
	return s
}

// busy copies what is not idle. A call that enters a state at the same moment
// either is seen here or sees that the state is gone.
func (p *part) busy(now ticks) map[subject]*state {
	next := map[subject]*state{}
	m := p.states.Load()
	if m == nil {
		return next
	}
	next = maps.Clone(*m)
	for of, s := range *m {
		if !s.idle(now) {
			continue
		}
		s.gone.Store(true)
		if s.idle(now) {
			delete(next, of)
		} else {
			s.gone.Store(false)
		}
	}
	return next
}

// sweep forgets what is idle.
func (t *table) sweep(now ticks) {
	for p := range t.all {
		if m := p.states.Load(); m == nil || len(*m) == 0 {
			continue
		}
		p.adding.Lock()
		if next := p.busy(now); len(next) < len(*p.states.Load()) {
			p.states.Store(&next)
		}
		p.adding.Unlock()
	}
}

// size is how many states there are.
func (t *table) size() (n int) {
	for p := range t.all {
		if m := p.states.Load(); m != nil {
			n += len(*m)
		}
	}
	return n
}
