package account

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// What is written of refusals in a minute at most; the rest is counted.
const (
	refusalsByActor = 10
	refusalsInAll   = 300
)

// Refusal is something that a known actor asked for and may not do.
type Refusal struct {
	By        access.Actor
	Action    access.Action   // what was asked for
	Workspace ident.Workspace // where; empty: in the account
	Object    string          // an id, never anything else that was sent
	Page      string          // the route, such as "POST /workspaces/:workspace/keys"
	Reason    string          // what the actor was told
}

// Refusals writes refusals to the trail beside the request, so that nobody who
// is refused a lot makes anybody wait: the same refusal of the same actor is
// written once a minute, every actor's ten at most, and what is over is one more
// line that counts them.
type Refusals struct {
	store Noter
	now   func() time.Time
	queue chan audit.Event
	done  chan struct{}

	mu     sync.Mutex
	closed bool
	began  time.Time
	actors map[ident.User]*refused
	all    int
	lost   int // not written although they should be
}

// Noter keeps an event that changes nothing.
type Noter interface {
	Note(ctx context.Context, why audit.Event) error
}

// refused is what one actor was refused in the present minute.
type refused struct {
	by      access.Actor
	seen    map[string]bool
	written int
	over    int
}

// NewRefusals begins to write. Close ends it.
func NewRefusals(store Noter, now func() time.Time) *Refusals {
	r := &Refusals{store: store, now: now, queue: make(chan audit.Event, refusalsInAll), done: make(chan struct{}), actors: map[ident.User]*refused{}}
	go r.write()
	return r
}

// Add takes note of a refusal. It never waits.
func (r *Refusals) Add(what Refusal) {
	if r == nil || what.By.User == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.turn()
	one := r.actors[what.By.User]
	if one == nil {
		one = &refused{by: what.By, seen: map[string]bool{}}
		r.actors[what.By.User] = one
	}
	key := string(what.Action) + " " + string(what.Workspace) + " " + what.Page
	if one.seen[key] || one.written >= refusalsByActor || r.all >= refusalsInAll {
		one.over++
		return
	}
	one.seen[key], one.written, r.all = true, one.written+1, r.all+1
	r.send(what.event())
}

// turn begins the next minute: what was over in the last one is counted in a
// line of each actor.
func (r *Refusals) turn() {
	if now := r.now(); now.Sub(r.began) >= time.Minute {
		r.count()
		r.began, r.all = now, 0
		clear(r.actors)
	}
}

func (r *Refusals) count() {
	for _, one := range r.actors {
		if one.over > 0 {
			e := one.by.Event("access:refused", "", "", fmt.Sprintf("was refused %d more times within a minute", one.over))
			r.send(e.With("times", strconv.Itoa(one.over)))
		}
	}
}

func (r *Refusals) send(e audit.Event) {
	select {
	case r.queue <- e:
	default:
		r.lost++
	}
}

func (w Refusal) event() audit.Event {
	e := w.By.Event("access:refused", w.Workspace, w.Object, "was refused "+string(w.Action))
	return e.With("asked", string(w.Action)).With("page", w.Page).With("reason", w.Reason)
}

func (r *Refusals) write() {
	defer close(r.done)
	for e := range r.queue {
		if err := r.store.Note(context.Background(), e); err != nil {
			slog.Error("a refusal could not be written to the audit trail", "actor", e.ActorName, "call", e.Call, "err", err)
		}
	}
}

// Close writes what is left.
func (r *Refusals) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.count()
	r.closed = true
	if r.lost > 0 {
		slog.Error("refusals were not written to the audit trail: the database was too slow", "count", r.lost)
	}
	close(r.queue)
	r.mu.Unlock()
	<-r.done
}
