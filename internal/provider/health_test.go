package provider_test

import (
	"sync"
	"testing"
	"time"

	"bailiwick/internal/provider"
)

type clock struct{ at time.Time }

func (c *clock) Now() time.Time { return c.at }

var spot = provider.Spot{Provider: "prv-0000000000000001", Name: "qwen"}

func board() (*provider.Board, *clock) {
	c := &clock{time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)}
	return &provider.Board{Now: c.Now}, c
}

func fail(b *provider.Board, times int) {
	for range times {
		b.Note(spot, provider.Failed, 0, "broke")
	}
}

func TestASpotRestsAfterFiveFailuresInARowAndIsTriedByOneCall(t *testing.T) {
	b, c := board()
	fail(b, 4)
	b.Note(spot, provider.Answered, time.Millisecond, "")
	fail(b, 4)
	if state, _ := b.Ask(spot); state != provider.Ready {
		t.Fatal("an answer in between did not count")
	}
	fail(b, 1)
	if state, left := b.Ask(spot); state != provider.Resting || left != time.Second {
		t.Fatal(state, left)
	}
	c.at = c.at.Add(time.Second)
	trials := make(chan provider.State, 50)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { s, _ := b.Ask(spot); trials <- s })
	}
	all.Wait()
	close(trials)
	n := 0
	for s := range trials {
		if s == provider.Trial {
			n++
		} else if s != provider.Resting {
			t.Error(s)
		}
	}
	if n != 1 {
		t.Fatalf("%d calls try it out at once", n)
	}
	fail(b, 1)
	if state, left := b.Ask(spot); state != provider.Resting || left != 2*time.Second {
		t.Fatal(state, left)
	}
	c.at = c.at.Add(2 * time.Second)
	if state, _ := b.Ask(spot); state != provider.Trial {
		t.Fatal("nobody may try it")
	}
	b.Note(spot, provider.Answered, time.Millisecond, "")
	for range 3 {
		if state, _ := b.Ask(spot); state != provider.Ready {
			t.Fatal("it answers, and yet rests")
		}
	}
	fail(b, 100)
	if _, left := b.Ask(spot); left > 30*time.Second {
		t.Fatal("rests for", left)
	}
}

func TestABusySpotIsLeftAloneAsLongAsItAsked(t *testing.T) {
	b, c := board()
	b.Note(spot, provider.Busy, 7*time.Second, "")
	if state, left := b.Ask(spot); state != provider.Waiting || left != 7*time.Second {
		t.Fatal(state, left)
	}
	c.at = c.at.Add(7 * time.Second)
	if state, _ := b.Ask(spot); state != provider.Ready {
		t.Fatal(state)
	}
}

func TestHealthLooksTenMinutesBack(t *testing.T) {
	b, c := board()
	b.Note(spot, provider.Answered, 10*time.Millisecond, "")
	c.at = c.at.Add(9 * time.Minute)
	b.Note(spot, provider.Answered, 30*time.Millisecond, "")
	b.Note(spot, provider.Failed, 0, "It answered with status 500.")
	b.Note(provider.Spot{Provider: "prv-0000000000000002"}, provider.Failed, 0, "another")
	h := b.Health(spot.Provider)
	if h.Asked != 3 || h.Failed != 1 || h.FirstByte != 20*time.Millisecond || h.Why != "It answered with status 500." || !h.LastFailure.Equal(c.at) {
		t.Fatalf("%+v", h)
	}
	c.at = c.at.Add(time.Minute)
	if h := b.Health(spot.Provider); h.Asked != 2 {
		t.Fatalf("%+v", h)
	}
	c.at = c.at.Add(time.Hour)
	if h := b.Health(spot.Provider); h.Asked != 0 || h.FirstByte != 0 || h.Why == "" {
		t.Fatalf("%+v", h)
	}
}
