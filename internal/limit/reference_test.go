package limit_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
)

// moving is a clock that tests move.
type moving struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *moving { return &moving{now: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)} }

func (m *moving) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *moving) pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// book is a slow and obvious limit: it remembers everything that was counted
// and looks at every window that ends now. Times are sixteenths of a nanosecond,
// and a period is a whole number of steps, as the package says.
type book struct {
	rate    limit.Rate
	counted []entry
	held    int
}

type entry struct {
	at int64
	n  int
}

func (b *book) step() int64 {
	period := int64(b.rate.Period) * 16e9
	return (period + int64(b.rate.Count) - 1) / int64(b.rate.Count)
}

// free reports whether n more fit into every window that ends now.
func (b *book) free(now int64, n int) bool {
	if !b.rate.Set() {
		return true
	}
	if b.rate.Count == 0 {
		return false
	}
	sum := b.held + n
	if sum > b.rate.Count {
		return false
	}
	for i := len(b.counted) - 1; i >= 0; i-- {
		sum += b.counted[i].n
		if int64(sum-b.rate.Count)*b.step() > now-b.counted[i].at {
			return false
		}
	}
	return true
}

func (b *book) count(now int64, n int) {
	if b.rate.Set() && n > 0 {
		b.counted = append(b.counted, entry{now, n})
	}
}

// books are all limits of a world of some workspaces.
type books struct {
	account, workspace map[string]*limitBooks
	running            map[string]int
}

type limitBooks struct{ requests, tokens book }

func of(m map[string]*limitBooks, name string, l limit.Limit) *limitBooks {
	if m[name] == nil {
		m[name] = &limitBooks{book{rate: l.Requests}, book{rate: l.Tokens}}
	}
	return m[name]
}

func (b *books) refusal(a *limit.Ask, now int64) limit.Kind {
	own, shared := of(b.workspace, string(a.Workspace), a.OfWorkspace), of(b.account, string(a.Account), a.OfAccount)
	wants := func(r limit.Rate) int { return max(1, a.Least, min(a.Tokens, r.Count)) }
	switch {
	case a.KeyCalls > 0 && b.running[string(a.Key)] >= a.KeyCalls:
		return limit.KeyCalls
	case a.WorkspaceCalls > 0 && b.running[string(a.Workspace)] >= a.WorkspaceCalls:
		return limit.WorkspaceCalls
	case !own.requests.free(now, 1):
		return limit.WorkspaceRequests
	case !shared.requests.free(now, 1):
		return limit.AccountRequests
	case !own.tokens.free(now, wants(own.tokens.rate)):
		return limit.WorkspaceTokens
	case !shared.tokens.free(now, wants(shared.tokens.rate)):
		return limit.AccountTokens
	}
	return limit.None
}

type running struct {
	ask  limit.Ask
	pass *limit.Pass
}

func (b *books) begin(a *limit.Ask, now int64) {
	b.running[string(a.Key)]++
	b.running[string(a.Workspace)]++
	for _, l := range []*limitBooks{of(b.workspace, string(a.Workspace), a.OfWorkspace), of(b.account, string(a.Account), a.OfAccount)} {
		l.requests.count(now, 1)
		if l.tokens.rate.Set() {
			l.tokens.held += max(1, a.Least, min(a.Tokens, l.tokens.rate.Count))
		}
	}
}

func (b *books) end(a *limit.Ask, now int64, consumed int) {
	b.running[string(a.Key)]--
	b.running[string(a.Workspace)]--
	for _, l := range []*limitBooks{of(b.workspace, string(a.Workspace), a.OfWorkspace), of(b.account, string(a.Account), a.OfAccount)} {
		if l.tokens.rate.Set() {
			l.tokens.count(now, consumed)
			l.tokens.held -= max(1, a.Least, min(a.Tokens, l.tokens.rate.Count))
		}
	}
}

func someRate(r *rand.Rand, most int) limit.Rate {
	if r.IntN(3) == 0 {
		return limit.Rate{}
	}
	return limit.Rate{Count: r.IntN(most), Period: limit.Periods[r.IntN(len(limit.Periods))]}
}

func soak(n int) int {
	if times, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		return n * times
	}
	return n
}

func TestTheLimiterAgreesWithASlowObviousReference(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	seen := map[limit.Kind]int{}
	for range soak(400) {
		clock := newClock()
		start := clock.now
		l := limit.New(clock.Now)
		b := &books{map[string]*limitBooks{}, map[string]*limitBooks{}, map[string]int{}}
		account, perWorkspace := limit.Limit{Requests: someRate(r, 30), Tokens: someRate(r, 3000)}, [3]limit.Limit{}
		for i := range perWorkspace {
			perWorkspace[i] = limit.Limit{Requests: someRate(r, 20), Tokens: someRate(r, 1000)}
		}
		keyCalls, workspaceCalls := r.IntN(6), r.IntN(9)
		var calls []running
		for range 300 {
			if r.IntN(3) == 0 {
				clock.pass(time.Duration(r.ExpFloat64() * float64(time.Second)))
			}
			if r.IntN(50) == 0 {
				l.Sweep()
			}
			now := int64(clock.now.Sub(start)) * 16
			if len(calls) > 0 && r.IntN(2) == 0 {
				i := r.IntN(len(calls))
				c, consumed := calls[i], r.IntN(400)
				c.pass.Settle(consumed)
				b.end(&c.ask, now, consumed)
				calls = append(calls[:i], calls[i+1:]...)
				continue
			}
			ws := r.IntN(3)
			a := limit.Ask{
				Account: "acc-1", Workspace: ident.Workspace(fmt.Sprint("llm-", ws)), Key: ident.Key(fmt.Sprint("key-", r.IntN(4))), Model: "m",
				OfAccount: account, OfWorkspace: perWorkspace[ws], KeyCalls: keyCalls, WorkspaceCalls: workspaceCalls, Least: r.IntN(200),
			}
			a.Tokens = a.Least + r.IntN(300)
			want, got := b.refusal(&a, now), limit.None
			pass := &limit.Pass{}
			refused := l.Admit(&a, pass)
			if refused != nil {
				got = refused.Kind
			}
			if seen[want]++; got != want {
				t.Fatalf("at %v: limited by %q, the reference says %q: %+v", clock.now.Sub(start), got, want, a)
			}
			if refused == nil {
				b.begin(&a, now)
				calls = append(calls, running{a, pass})
			} else if refused.Retry > 0 {
				exactly(t, b, &a, now, refused)
			}
		}
	}
	for _, k := range []limit.Kind{limit.None, limit.KeyCalls, limit.WorkspaceCalls, limit.WorkspaceRequests, limit.AccountRequests, limit.WorkspaceTokens, limit.AccountTokens} {
		if seen[k] == 0 {
			t.Errorf("no call met %q: the test does not reach it", k)
		}
	}
}

// exactly makes sure that the reference lets the call pass after the wait that a
// refusal names, and not an instant earlier.
func exactly(t *testing.T, b *books, a *limit.Ask, now int64, r *limit.Refusal) {
	t.Helper()
	if kind := b.refusal(a, now+int64(r.Retry)*16); kind != limit.None {
		held := b.workspace[string(a.Workspace)].tokens.held + b.account["acc-1"].tokens.held
		if held > 0 && (kind == limit.WorkspaceTokens || kind == limit.AccountTokens) {
			return // what running calls hold back does not come free with time
		}
		t.Fatalf("after the %v that were said the call is limited by %q: %+v", r.Retry, kind, a)
	}
	if b.refusal(a, now+int64(r.Retry-1)*16) == limit.None {
		t.Fatalf("the call would have passed a nanosecond before the %v that were said: %+v", r.Retry, a)
	}
}
