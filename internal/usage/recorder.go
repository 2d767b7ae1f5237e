package usage

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/usage/journal"
)

// The recorder writes soon while there is little to write, so that it is done in a
// moment: on one processor calls wait for it. More than few records within that time
// go on gathering until there is a batch of them or every has passed, since together
// they cost less.
const (
	soon  = 100 * time.Millisecond
	few   = 250
	every = 500 * time.Millisecond
	batch = 5000
	// pause is how long it waits before it tries again after storage failed;
	// shutting down it tries lastTries times and leaves the rest to the journal.
	pause     = time.Second
	lastTries = 3
)

// Books is what the recorder needs of storage.
type Books interface {
	// InsertUsage keeps records, their sums by hour and day, and when their keys
	// were last used, all of it or nothing. Records whose call is there already
	// are left as they are and counted nowhere.
	InsertUsage(ctx context.Context, records []Record) error
}

// Recorder books calls. What a call leaves is in the journal before the caller
// sees the end of the answer, and in the database soon after: no call waits for
// the database, and none is forgotten or booked twice, whatever dies.
type Recorder struct {
	books   Books
	journal *journal.Journal
	waiting atomic.Int64  // ends that are not in the database yet
	fresh   atomic.Int64  // of them, those that came since the writer last looked
	wake    chan struct{} // something was recorded
	fill    chan struct{} // a whole batch was
	quit    chan struct{}
	done    chan struct{}
	once    sync.Once
	failed  atomic.Pointer[string] // why storage does not take records; nil: it does

	mu   sync.Mutex
	late []Record // ends the journal could not take

	texts    texts    // the writer's
	held     []Record // by the writer: what it is about to write
	heldLate int      // how many of them, the last ones, are not in the journal
}

// NewRecorder takes over what earlier processes left in the folder of journals,
// and starts to write. Calls whose end was not seen are booked as estimated when
// they began.
func NewRecorder(books Books, c journal.Config) (*Recorder, error) {
	j, err := journal.New(c)
	if err != nil {
		return nil, err
	}
	r := &Recorder{books: books, journal: j, texts: texts{}, wake: make(chan struct{}, 1), fill: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	left, err := journal.Orphans(c.Folder)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	go r.write(left)
	return r, nil
}

// ErrFull refuses a call because it could not be booked.
var ErrFull = journal.ErrFull

// Begin notes a call that is about to be sent to a provider. The record is what
// is booked should nobody see its end. ErrFull, or another error of the disk,
// means that the call must not be sent.
func (r *Recorder) Begin(rec *Record) error {
	return r.journal.Append(journal.Begin, rec.Call.Bytes(), rec.appendTo)
}

// End books a call, whether or not it was begun. It does not wait for the
// database. Records of calls that consumed nothing are given up while the
// journal is full: they must not take the room of those that did.
func (r *Recorder) End(rec *Record) {
	if rec.Source == Nothing && r.journal.Full() {
		return
	}
	if err := r.journal.Append(journal.End, rec.Call.Bytes(), rec.appendTo); err != nil {
		r.mu.Lock()
		r.late = append(r.late, *rec)
		r.mu.Unlock()
	}
	r.waiting.Add(1)
	tell(r.wake)
	if r.fresh.Add(1) == batch {
		tell(r.fill)
	}
}

// tell leaves word for a goroutine that may be busy; once is enough.
func tell(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// Health is how the books are kept.
type Health struct {
	Waiting int64  // records that are not in the database yet
	Journal int64  // bytes of the journal
	Full    bool   // calls are refused
	Error   string // why the database takes no records; empty: it does
}

// Health says how the books are kept at present.
func (r *Recorder) Health() Health {
	h := Health{Waiting: r.waiting.Load(), Journal: r.journal.Size(), Full: r.journal.Full()}
	if e := r.failed.Load(); e != nil {
		h.Error = *e
	}
	return h
}

// Close writes what is left and stops; what the database does not take now
// waits in the journal for the next start. Nothing may be recorded after it.
func (r *Recorder) Close() {
	r.once.Do(func() { close(r.quit) })
	<-r.done
}

// write is the one writer. It sleeps while nothing is recorded.
func (r *Recorder) write(left *journal.Orphan) {
	defer close(r.done)
	r.replay(left)
	for {
		select {
		case <-r.quit:
			for range lastTries {
				if r.flush() == nil {
					break
				}
			}
			if err := r.journal.Close(); err != nil {
				slog.Error("the usage journal did not close cleanly", "err", err)
			}
			return
		case <-r.wake:
		}
		r.collect()
		for r.flush() != nil && r.sleep(pause) {
		}
		if r.waiting.Load() > 0 { // behind an entry that is being written
			tell(r.wake)
		}
	}
}

// collect lets records gather: for a while, and for longer where many come.
func (r *Recorder) collect() {
	if r.gather(soon) && r.fresh.Load() > few {
		r.gather(every - soon)
	}
	r.fresh.Store(0)
	select {
	case <-r.wake: // what it told of is written now
	default:
	}
}

// gather reports whether the time passed; it ends early when there is a whole batch
// or the recorder is closed.
func (r *Recorder) gather(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.fill:
	case <-r.quit:
	}
	return false
}

// sleep reports whether the time passed; it ends early when the recorder is closed.
func (r *Recorder) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.quit:
		return false
	}
}

// flush writes everything that was recorded until now, some at a time, each time in
// one transaction; then the journal's mark advances.
func (r *Recorder) flush() error {
	for more := true; more; {
		more = len(r.held) > 0 // from before: others may wait behind them
		if err := r.hold(); err != nil || len(r.held) == 0 {
			return err
		}
		if err := r.insert(r.held); err != nil {
			return err
		}
		more = more || len(r.held) >= batch
		for _, rec := range r.held[len(r.held)-r.heldLate:] {
			r.journal.Forget(rec.Call.Bytes())
		}
		if err := r.journal.Commit(); err != nil {
			slog.Error("the usage journal's mark could not be moved", "err", err)
		}
		r.waiting.Add(-int64(len(r.held)))
		r.held, r.heldLate = r.held[:0], 0
	}
	return nil
}

// hold takes what is written next, unless the last of it was not written yet.
func (r *Recorder) hold() error {
	if len(r.held) > 0 {
		return nil
	}
	ends, err := r.journal.Read(batch, func(e journal.Entry) {
		if e.Kind == journal.End {
			r.held = r.decoded(r.held, e)
		}
	})
	if err != nil {
		slog.Error("the usage journal could not be read, trying again", "err", err)
	}
	r.waiting.Add(-int64(ends - len(r.held))) // what cannot be read is waited for no more
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held, r.heldLate, r.late = append(r.held, r.late...), len(r.late), nil
	return err
}

func (r *Recorder) decoded(records []Record, e journal.Entry) []Record {
	rec, err := decode(ident.CallOf(e.ID), e.Payload, r.texts)
	if err != nil {
		slog.Error("an entry of the usage journal cannot be read", "call", string(ident.CallOf(e.ID)), "err", err)
		return records
	}
	return append(records, rec)
}

func (r *Recorder) insert(records []Record) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := r.books.InsertUsage(ctx, records)
	if err == nil {
		r.failed.Store(nil)
		return nil
	}
	words := "The database does not take records. They wait in the journal."
	if was := r.failed.Swap(&words); was == nil || !fault.Is(err, fault.Busy) {
		slog.Error("usage was not written, trying again", "records", len(records), "err", err)
	}
	return err
}

// replay books what earlier processes left behind.
func (r *Recorder) replay(left *journal.Orphan) {
	if left.Empty() {
		return
	}
	var records []Record
	for _, e := range append(left.Ends, left.Open...) {
		records = r.decoded(records, e)
	}
	for rest := records; len(rest) > 0; {
		n := min(batch, len(rest))
		if r.insert(rest[:n]) == nil {
			rest = rest[n:]
		} else if !r.sleep(pause) {
			return // they wait for the next start
		}
	}
	if len(records) > 0 {
		slog.Info("took over what an earlier process had not booked", "calls", len(records), "estimated", len(left.Open))
	}
	if err := left.Remove(); err != nil {
		slog.Error("an old usage journal could not be deleted", "err", err)
	}
}
