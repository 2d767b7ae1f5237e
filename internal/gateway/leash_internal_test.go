package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// held makes a call whose caller can hang up.
func held(b Bounds) (l *leash, hangUp func()) {
	g := &Gateway{Config: Config{Bounds: b.orDefault()}}
	g.drains = make(chan struct{}, g.Bounds.Drains)
	ctx, hangUp := context.WithCancel(context.Background())
	return g.leash(&Call{r: (&http.Request{}).WithContext(ctx)}), hangUp
}

// mustEnd waits until a context ends.
func mustEnd(t *testing.T, ctx context.Context, within time.Duration) {
	t.Helper()
	select {
	case <-ctx.Done():
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("it ended with %v", ctx.Err())
		}
	case <-time.After(within):
		t.Error("it does not end")
	}
}

func TestALeashIsAContext(t *testing.T) {
	l, _ := held(Bounds{})
	child, cancel := context.WithCancel(l)
	defer cancel()
	told, never := make(chan bool, 1), make(chan bool, 1)
	l.AfterFunc(func() { told <- true })
	kept := l.AfterFunc(func() { never <- true })
	other := context.AfterFunc(l, func() { never <- true })
	if l.Err() != nil || child.Err() != nil || !kept() || kept() || !other() {
		t.Error("it ended before it ended")
	}
	l.end()
	mustEnd(t, l, time.Second)
	mustEnd(t, child, time.Second)
	<-told
	if stop := l.AfterFunc(func() { told <- true }); stop() {
		t.Error("what ended was kept from telling it")
	}
	<-told
	select {
	case <-never:
		t.Error("who does not want to know was told")
	case <-time.After(20 * time.Millisecond):
	}
}

func TestALeashEndsWhenNothingIsHeard(t *testing.T) {
	l, _ := held(Bounds{Silence: 80 * time.Millisecond})
	defer l.end()
	for range 10 {
		time.Sleep(15 * time.Millisecond)
		l.heard()
	}
	if l.Err() != nil {
		t.Error("it ended although something was heard")
	}
	mustEnd(t, l, 5*time.Second)
	l, _ = held(Bounds{})
	defer l.end()
	l.hurry(20 * time.Millisecond)
	mustEnd(t, l, 5*time.Second)
}

func TestWhoHangsUpIsWaitedForWithinBounds(t *testing.T) {
	l, hangUp := held(Bounds{Drain: 60 * time.Millisecond, Drains: 1})
	hangUp()
	began := time.Now()
	mustEnd(t, l, 5*time.Second)
	if took := time.Since(began); took < 60*time.Millisecond || !l.gone() {
		t.Errorf("it ended after %v", took)
	}
	l.end()
	if n := len(l.gateway.drains); n != 0 {
		t.Errorf("%d places are taken by nobody", n)
	}
	l, hangUp = held(Bounds{Drains: 1})
	l.gateway.drains <- struct{}{} // another call has the only place
	hangUp()
	if !l.gone() || l.Err() == nil {
		t.Error("it goes on although there is no place")
	}
	l.end()
	if n := len(l.gateway.drains); n != 1 {
		t.Errorf("%d places are taken, not that of the other call", n)
	}
}

func TestTimesAreWrittenAsTheyWriteThemselves(t *testing.T) {
	for range 20_000 {
		d := time.Duration(rand.Int64N(int64(time.Hour) << rand.IntN(6) >> rand.IntN(42)))
		if got, want := string(appendDuration(nil, d)), d.Round(time.Millisecond).String(); got != want {
			t.Fatalf("%d: %s, want %s", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0.000", 499: "0.000", 500: "0.001", 1_234_567: "1.235", time.Minute: "60000.000"} {
		if got := string(appendMillis(nil, d)); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
	if r := borrow(5 << 20); len(r.text) <= 5<<20 || !strings.HasPrefix(string(r.text[:1]), "\x00") {
		t.Error("no room for a long text")
	}
}
