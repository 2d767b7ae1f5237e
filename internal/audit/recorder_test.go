package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// book keeps events in memory; while it is shut it makes the writer wait.
type book struct {
	mu     sync.Mutex
	events []audit.Event
	shut   chan struct{}
	broken bool
}

func (b *book) Note(_ context.Context, e audit.Event) error {
	if b.shut != nil {
		<-b.shut
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return errors.New("the disk is full")
	}
	b.events = append(b.events, e)
	return nil
}

func refusal(actor, reason string) audit.Event {
	return audit.Event{Account: "acc-1", Actor: ident.User(actor), ActorName: actor, Action: "keys:delete", Object: "key-1"}.Ended(audit.Refused, reason)
}

func TestTheSameRefusalIsWrittenOnceAMinuteAndCounted(t *testing.T) {
	b, now := &book{}, noon
	r := audit.NewRecorder(b, func() time.Time { return now })
	for range 1000 {
		r.Record(refusal("bob", "no page"))
	}
	r.Record(refusal("bob", "another reason"))
	r.Record(refusal("carol", "no page"))
	r.Flush()
	if len(b.events) != 4 || b.events[3].Detail["times"] != "999" || !strings.Contains(b.events[3].Summary, "999 more times") {
		t.Fatalf("%+v", b.events)
	}
	now = now.Add(time.Minute)
	r.Record(refusal("bob", "no page"))
	r.Close()
	r.Close()
	if len(b.events) != 5 || b.events[4].Detail["times"] != "" || r.Dropped() != 0 {
		t.Fatalf("%+v, %d dropped", b.events, r.Dropped())
	}
	seen := map[ident.Event]bool{}
	for _, e := range b.events {
		if e.ID == "" || seen[e.ID] || e.Result != audit.Refused {
			t.Errorf("%+v", e)
		}
		seen[e.ID] = true
	}
}

func TestAFloodOfDifferentRefusalsIsCountedAndDoesNotFillTheTrail(t *testing.T) {
	b := &book{}
	r := audit.NewRecorder(b, func() time.Time { return noon })
	for i := range 10_000 {
		r.Record(refusal(fmt.Sprint("user", i%100), fmt.Sprint("reason", i)))
	}
	r.Record(audit.Event{Account: "acc-1", ActorName: "alice", Action: "users:log-on"})
	r.Close()
	counted := 0
	for _, e := range b.events {
		if e.Action == "audit:count" && e.Detail["times"] == "9700" {
			counted++
		}
	}
	if len(b.events) != 300+1+1 || counted != 1 {
		t.Fatalf("%d events, %d that count", len(b.events), counted)
	}
}

func TestNobodyWaitsForTheTrail(t *testing.T) {
	b := &book{shut: make(chan struct{})}
	r := audit.NewRecorder(b, func() time.Time { return noon })
	began := time.Now()
	for i := range 5000 {
		r.Record(audit.Event{Account: "acc-1", ActorName: fmt.Sprint(i), Action: "users:log-on"})
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("recording took %v while the database stood still", took)
	}
	if r.Dropped() == 0 {
		t.Error("nothing was dropped, so the queue has no bound")
	}
	close(b.shut)
	r.Close()
	if n := int64(len(b.events)) + r.Dropped(); n != 5000 {
		t.Errorf("%d of 5000 were written or counted as dropped", n)
	}
}

func TestWhatCannotBeWrittenIsCounted(t *testing.T) {
	b := &book{broken: true}
	r := audit.NewRecorder(b, func() time.Time { return noon })
	r.Record(refusal("bob", "no page"))
	r.Record(audit.Event{ActorName: "nobody", Action: "users:log-on"}) // of no account
	r.Close()
	r.Record(refusal("bob", "too late"))
	if r.Dropped() != 2 {
		t.Errorf("%d dropped", r.Dropped())
	}
	var none *audit.Recorder
	none.Record(refusal("bob", "no page"))
	none.Close()
}
