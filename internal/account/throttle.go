package account

import (
	"strings"
	"sync"
	"time"

	"bailiwick/internal/fault"
)

// The throttle lets these many failures pass before it makes people wait.
const (
	freeByName    = 5
	freeByAddress = 30
	longestWait   = 15 * time.Minute
	forgetAfter   = time.Hour
	rememberAtMax = 100_000
)

// Throttle slows the guessing of passwords: after some failures each next try
// of that name, or from that address, has to wait twice as long as the one
// before, up to a quarter of an hour. Nobody is locked out for good.
type Throttle struct {
	Now func() time.Time

	mu       sync.Mutex
	failures map[string]failure
}

type failure struct {
	count int
	last  time.Time
}

// Wait says how long the next try must wait; zero: it may be made.
func (t *Throttle) Wait(name, address string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(t.wait(nameKey(name), freeByName), t.wait(addressKey(address), freeByAddress))
}

// Try takes one try, which counts as a failed one until it succeeds: so that
// many at once are not more than many in a row. It is Busy where one must wait.
func (t *Throttle) Try(name, address string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if wait := max(t.wait(nameKey(name), freeByName), t.wait(addressKey(address), freeByAddress)); wait > 0 {
		return fault.New(fault.Busy, "Too many attempts. Try again in %s.", wait.Round(time.Second))
	}
	t.fail(name, address)
	return nil
}

// Failed counts a failed try.
func (t *Throttle) Failed(name, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fail(name, address)
}

func (t *Throttle) fail(name, address string) {
	if t.failures == nil {
		t.failures = map[string]failure{}
	}
	if len(t.failures) >= rememberAtMax {
		t.forget()
	}
	for _, key := range []string{nameKey(name), addressKey(address)} {
		f := t.failures[key]
		if t.Now().Sub(f.last) > forgetAfter {
			f.count = 0
		}
		t.failures[key] = failure{f.count + 1, t.Now()}
	}
}

// Succeeded forgets the failures of a name. Of those of the address it takes
// back the one that this try was counted as; the others stay, so that one known
// password does not buy an address new guesses.
func (t *Throttle) Succeeded(name, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failures, nameKey(name))
	if f, there := t.failures[addressKey(address)]; there {
		t.failures[addressKey(address)] = failure{max(0, f.count-1), f.last}
	}
}

func (t *Throttle) wait(key string, free int) time.Duration {
	f, ok := t.failures[key]
	if !ok || f.count < free {
		return 0
	}
	pause := min(longestWait, time.Second<<min(f.count-free, 20))
	return max(0, f.last.Add(pause).Sub(t.Now()))
}

// forget drops what is over; if nothing is, it starts again, rather than grow without bound.
func (t *Throttle) forget() {
	for key, f := range t.failures {
		if t.Now().Sub(f.last) > forgetAfter {
			delete(t.failures, key)
		}
	}
	if len(t.failures) >= rememberAtMax {
		clear(t.failures)
	}
}

func nameKey(s string) string    { return "n " + strings.ToLower(strings.TrimSpace(s)) }
func addressKey(s string) string { return "a " + s }
