package provider

import (
	"sync"
	"sync/atomic"
	"time"

	"bailiwick/internal/ident"
)

// Spot is one model at one provider: what can fail by itself.
type Spot struct {
	Provider ident.Provider
	Name     string // of the model there
}

// Outcome is how asking a spot ended.
type Outcome int

// The outcomes. A refusal of what a caller asked for is Answered: the spot works.
const (
	Answered Outcome = iota
	Failed           // not reached, too slow, broke off, babbled, or said that it failed
	Busy             // asked us to come later
)

// When a spot rests, and for how long.
const (
	firstRest = time.Second      // doubles with every failure after that
	longest   = 30 * time.Second // rest after failures
	minutes   = 10               // how far back health looks
)

// Board keeps how spots have been doing, as this process saw it. It is the
// circuit breaker: a spot that failed several times in a row rests, and then
// one call tries it before others follow. Safe for use by many calls at once;
// no call waits for another.
type Board struct {
	Now func() time.Time
	// Patience is how many failures in a row let a spot rest; 0: 5.
	Patience int64
	spots    sync.Map // Spot → *record
}

// record is one spot's. Its figures are read without a lock, so that at the turn
// of a minute a few may be counted with the minute before.
type record struct {
	row    atomic.Int64 // failures in a row
	until  atomic.Int64 // when its rest ends, Unix nanoseconds; 0: none
	busy   atomic.Bool  // it asked for the rest itself
	trying atomic.Bool  // a call is trying it out
	past   [minutes]bucket
	why    atomic.Pointer[string] // of the last failure
	failed atomic.Int64           // when that was, Unix nanoseconds
}

type bucket struct {
	minute, asked, failed, took atomic.Int64 // took: nanoseconds until the first byte
}

func (b *Board) of(s Spot) *record {
	if r, ok := b.spots.Load(s); ok {
		return r.(*record)
	}
	r, _ := b.spots.LoadOrStore(s, &record{})
	return r.(*record)
}

// State is whether a spot may be asked.
type State int

// The states.
const (
	Ready   State = iota
	Trial         // its rest is over: whoever is told so tries it out, and must Note what came of it
	Waiting       // it asked to be left alone for a while; it may be asked where nothing else is left
	Resting       // it failed several times in a row
)

// Ask says whether a spot may be asked now, and how long it rests otherwise.
func (b *Board) Ask(s Spot) (State, time.Duration) {
	r := b.of(s)
	until := r.until.Load()
	if until == 0 {
		return Ready, 0
	}
	left := time.Duration(until - b.Now().UnixNano())
	switch {
	case r.busy.Load() && left > 0:
		return Waiting, left
	case r.busy.Load():
		return Ready, 0
	case left <= 0 && r.trying.CompareAndSwap(false, true):
		return Trial, 0
	}
	return Resting, max(left, time.Second)
}

// Note says how asking a spot ended: how long its first byte took and, for
// Busy, for how long it asked to be left alone. Why is shown to administrators.
func (b *Board) Note(s Spot, o Outcome, took time.Duration, why string) {
	r, now := b.of(s), b.Now()
	at := r.bucket(now)
	at.asked.Add(1)
	switch o {
	case Answered:
		at.took.Add(int64(took))
		r.row.Store(0)
		r.until.Store(0)
	case Busy:
		r.busy.Store(true)
		r.until.Store(now.Add(took).UnixNano())
	case Failed:
		at.failed.Add(1)
		r.why.Store(&why)
		r.failed.Store(now.UnixNano())
		patience := b.Patience
		if patience == 0 {
			patience = 5
		}
		if n := r.row.Add(1); n >= patience {
			r.busy.Store(false)
			r.until.Store(now.Add(min(firstRest<<min(n-patience, 10), longest)).UnixNano())
		}
	}
	r.trying.Store(false)
}

func (r *record) bucket(now time.Time) *bucket {
	minute := now.Unix() / 60
	at := &r.past[minute%minutes]
	if old := at.minute.Load(); old != minute && at.minute.CompareAndSwap(old, minute) {
		at.asked.Store(0)
		at.failed.Store(0)
		at.took.Store(0)
	}
	return at
}

// Health is how a provider has been doing in the last ten minutes.
type Health struct {
	Asked, Failed int
	FirstByte     time.Duration // on average; zero: nothing was answered
	Resting       time.Duration // until a model of it is tried again; zero: none rests
	LastFailure   time.Time     // zero: none since the program began
	Why           string        // of the last failure
}

// Health sums up a provider's models.
func (b *Board) Health(id ident.Provider) (h Health) {
	now := b.Now()
	var took time.Duration
	b.spots.Range(func(key, value any) bool {
		if key.(Spot).Provider != id {
			return true
		}
		r := value.(*record)
		for i := range r.past {
			if at := &r.past[i]; now.Unix()/60-at.minute.Load() < minutes {
				h.Asked += int(at.asked.Load())
				h.Failed += int(at.failed.Load())
				took += time.Duration(at.took.Load())
			}
		}
		if left := time.Duration(r.until.Load() - now.UnixNano()); left > 0 && !r.busy.Load() {
			h.Resting = max(h.Resting, left)
		}
		if last := time.Unix(0, r.failed.Load()); r.failed.Load() != 0 && last.After(h.LastFailure) {
			h.LastFailure, h.Why = last, *r.why.Load()
		}
		return true
	})
	if answered := h.Asked - h.Failed; answered > 0 {
		h.FirstByte = took / time.Duration(answered)
	}
	return h
}
