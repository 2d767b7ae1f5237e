package usage

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"bailiwick/internal/ident"
)

// The recorder writes when it holds batch records or every has passed.
const (
	batch  = 500
	every  = 200 * time.Millisecond
	queued = 1 << 16
	// pause is how long it waits before it tries again after storage failed.
	pause = time.Second
)

// Recorder takes records from calls and writes them in batches, so that no call
// waits for the database.
type Recorder struct {
	store Store
	queue chan Record
	done  chan struct{}
	once  sync.Once
}

// NewRecorder makes a recorder and starts its writer.
func NewRecorder(store Store) *Recorder {
	r := &Recorder{store: store, queue: make(chan Record, queued), done: make(chan struct{})}
	go r.write()
	return r
}

// Record hands over a record. It waits only when storage has been failing for
// so long that the queue is full: a call is slowed then, never forgotten.
func (r *Recorder) Record(rec Record) { r.queue <- rec }

// Close writes what is left and stops. Nothing may be recorded after it.
func (r *Recorder) Close() {
	r.once.Do(func() { close(r.queue) })
	<-r.done
}

func (r *Recorder) write() {
	defer close(r.done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var held []Record
	for {
		select {
		case rec, open := <-r.queue:
			if !open {
				r.flush(held, 3)
				return
			}
			if held = append(held, rec); len(held) < batch {
				continue
			}
		case <-tick.C:
		}
		r.flush(held, -1)
		held = held[:0]
	}
}

// flush writes until it succeeds, or as often as it is told to try.
func (r *Recorder) flush(held []Record, tries int) {
	if len(held) == 0 {
		return
	}
	used := map[ident.Key]time.Time{}
	for _, rec := range held {
		if rec.Key != "" && rec.Code == "" && rec.At.After(used[rec.Key]) {
			used[rec.Key] = rec.At
		}
	}
	for ; tries != 0; tries-- {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := r.store.InsertUsage(ctx, held)
		if err == nil {
			err = r.store.KeysUsed(ctx, used)
		}
		cancel()
		if err == nil {
			return
		}
		slog.Error("usage was not written, trying again", "records", len(held), "err", err)
		time.Sleep(pause)
	}
}
