package audit

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"bailiwick/internal/ident"
)

// What is written of refusals in a minute at most; the rest is counted.
const (
	groupsByActor = 10
	groupsInAll   = 300
	recorderQueue = 1024
)

// Noter keeps an event that explains no change.
type Noter interface {
	Note(ctx context.Context, why Event) error
}

// Recorder keeps what changes nothing — log-ons, refusals, denied calls — beside
// the request, so that a flood neither makes anybody wait nor fills the disk.
// The same refusal or failure of the same actor is written once, and at the end
// of the minute once more with how often it was repeated. An actor has ten
// different ones in a minute; what is over is counted in one line of the
// account. What succeeds is always written, unless the queue is full.
type Recorder struct {
	store   Noter
	now     func() time.Time
	queue   chan entry
	stopped chan struct{}
	dropped atomic.Int64

	mu      sync.Mutex
	closed  bool
	began   time.Time
	groups  map[group]*repeated
	byActor map[string]int
	over    map[ident.Account]int
}

// entry is an event to be written, or somebody who waits for all before it.
type entry struct {
	event *Event
	wait  chan struct{}
}

// group is what counts as the same.
type group struct {
	account   ident.Account
	workspace ident.Workspace
	actor     string
	action    string
	result    Result
	reason    string
}

type repeated struct {
	first Event
	times int
}

// NewRecorder begins to write. Close ends it.
func NewRecorder(store Noter, now func() time.Time) *Recorder {
	r := &Recorder{
		store: store, now: now, queue: make(chan entry, recorderQueue), stopped: make(chan struct{}),
		groups: map[group]*repeated{}, byActor: map[string]int{}, over: map[ident.Account]int{},
	}
	go r.write()
	return r
}

// Record takes note of an event and never waits. An event of no account has no
// chain to stand in and is left out. A nil recorder keeps nothing.
func (r *Recorder) Record(e Event) {
	if r == nil || e.Account == "" {
		return
	}
	if e.ID == "" {
		e.ID = ident.NewEvent()
	}
	if e.Result == "" {
		e.Result = Done
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		r.dropped.Add(1)
		return
	}
	r.turn()
	if e.Result == Done || r.isFirst(e) {
		r.send(e)
	}
}

// isFirst reports whether an event is the first of its group, and counts it
// where it is not, or where there are too many groups.
func (r *Recorder) isFirst(e Event) bool {
	actor := string(e.Actor) + " " + e.ActorName
	g := group{e.Account, e.Workspace, actor, e.Action, e.Result, e.Detail[reasonMark]}
	if same := r.groups[g]; same != nil {
		same.times++
		return false
	}
	if r.byActor[actor] >= groupsByActor || len(r.groups) >= groupsInAll {
		r.over[e.Account]++
		return false
	}
	r.groups[g] = &repeated{e, 1}
	r.byActor[actor]++
	return true
}

// turn begins the next minute, and writes what was counted in the last one.
func (r *Recorder) turn() {
	now := r.now()
	if now.Sub(r.began) < time.Minute && !now.Before(r.began) {
		return
	}
	r.began = now
	r.count()
}

func (r *Recorder) count() {
	for _, same := range r.groups {
		if more := same.times - 1; more > 0 {
			e := same.first.With("times", strconv.Itoa(more))
			e.ID = ident.NewEvent()
			e.Summary += fmt.Sprintf(" (%d more times within a minute)", more)
			r.send(e)
		}
	}
	for a, n := range r.over {
		r.send(Event{
			ID: ident.NewEvent(), Account: a, ActorName: "bailiwick", Action: "audit:count", Object: string(a), Result: Refused,
			Summary: fmt.Sprintf("%d more refusals of a minute were not written one by one", n),
		}.With("times", strconv.Itoa(n)))
	}
	clear(r.groups)
	clear(r.byActor)
	clear(r.over)
}

func (r *Recorder) send(e Event) {
	select {
	case r.queue <- entry{event: &e}:
	default:
		r.dropped.Add(1)
	}
}

// Dropped is how many events were not written although they should be, because
// the database was too slow or failed.
func (r *Recorder) Dropped() int64 { return r.dropped.Load() }

func (r *Recorder) write() {
	defer close(r.stopped)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	told := int64(0)
	for {
		select {
		case e, open := <-r.queue:
			if !open {
				return
			}
			r.keep(e)
		case <-tick.C:
			r.mu.Lock()
			if !r.closed {
				r.turn()
			}
			r.mu.Unlock()
			if n := r.Dropped(); n > told {
				slog.Error("events were not written to the audit trail: the database is too slow or fails", "count", n-told)
				told = n
			}
		}
	}
}

func (r *Recorder) keep(e entry) {
	if e.wait != nil {
		close(e.wait)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.store.Note(ctx, *e.event); err != nil {
		r.dropped.Add(1)
		slog.Error("an event could not be written to the audit trail", "action", e.event.Action, "actor", e.event.ActorName, "call", e.event.Call, "err", err)
	}
}

// Flush ends the minute and waits until everything before is written.
func (r *Recorder) Flush() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.count()
	r.mu.Unlock()
	wait := make(chan struct{})
	r.queue <- entry{wait: wait}
	<-wait
}

// Close writes what is left and ends. What is recorded afterwards is dropped.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.count()
	r.closed = true
	close(r.queue)
	r.mu.Unlock()
	<-r.stopped
}
