package explanation

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// The recorder writes when it holds batch refusals or every has passed, and
// prunes as often as pruning says. A flood of refusals must fill no disk, so
// that it takes only so many a second, of unknown keys fewer still; the others
// are counted and forgotten.
const (
	batch        = 200
	every        = 250 * time.Millisecond
	pruning      = time.Hour
	queued       = 4096
	perSecond    = 200
	unknownOfMax = 20
)

// Recorder takes refusals from calls and writes them in batches. No call waits
// for it: what it cannot take is dropped.
type Recorder struct {
	store   Store
	now     func() time.Time
	queue   chan *Refusal
	stop    chan struct{}
	done    chan struct{}
	once    sync.Once
	dropped atomic.Int64
	known   allowance
	unknown allowance
}

// allowance counts what came within one second. A few too many at the turn of a
// second do no harm.
type allowance struct{ second, taken atomic.Int64 }

func (a *allowance) take(at time.Time, most int64) bool {
	if now := at.Unix(); a.second.Swap(now) != now {
		a.taken.Store(0)
	}
	return a.taken.Add(1) <= most
}

// NewRecorder makes a recorder and starts its writer.
func NewRecorder(store Store, now func() time.Time) *Recorder {
	r := &Recorder{store: store, now: now, queue: make(chan *Refusal, queued), stop: make(chan struct{}), done: make(chan struct{})}
	go r.write()
	return r
}

// Record hands over a refusal, or drops it.
func (r *Recorder) Record(f Refusal) {
	taken := f.Account != "" && r.known.take(f.At, perSecond) || f.Account == "" && r.unknown.take(f.At, unknownOfMax)
	if taken {
		one := f // a copy, so that what is dropped is not made anew
		select {
		case r.queue <- &one:
			return
		default:
		}
	}
	r.dropped.Add(1)
}

// Dropped is how many refusals were forgotten since the start.
func (r *Recorder) Dropped() int64 { return r.dropped.Load() }

// Close writes what is left and stops.
func (r *Recorder) Close() {
	r.once.Do(func() { close(r.stop) })
	<-r.done
}

func (r *Recorder) write() {
	defer close(r.done)
	prune := time.NewTimer(0)
	defer prune.Stop()
	var held []Refusal
	var due <-chan time.Time // nothing is, while nothing is held
	for {
		select {
		case f := <-r.queue:
			if held = append(held, *f); len(held) == 1 {
				due = time.After(every)
			}
			if len(held) < batch {
				continue
			}
		case <-due:
		case <-prune.C:
			r.prune()
			prune.Reset(pruning)
		case <-r.stop:
			for len(r.queue) > 0 {
				held = append(held, *<-r.queue)
			}
			r.flush(held)
			return
		}
		r.flush(held)
		held, due = held[:0], nil
	}
}

// flush writes once: what storage does not take is dropped, since newer ones wait.
func (r *Recorder) flush(held []Refusal) {
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.store.InsertRefusals(ctx, held); err != nil {
		r.dropped.Add(int64(len(held)))
		slog.Error("refusals were not written and are dropped", "refusals", len(held), "err", err)
	}
}

func (r *Recorder) prune() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.store.PruneRefusals(ctx, r.now().Add(-Retention), MostOfAccount, MostUnknown); err != nil {
		slog.Error("old refusals were not deleted, the next hour tries again", "err", err)
	}
}
