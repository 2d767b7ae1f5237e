package limit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
)

func ask(ws string) *limit.Ask {
	return &limit.Ask{Account: "acc-1", Workspace: ident.Workspace("llm-" + ws), Key: ident.Key("key-" + ws), Model: "m"}
}

// passes counts how many of n calls in a row pass.
func passes(l *limit.Limiter, a *limit.Ask, n int) (passed int) {
	for range n {
		p := &limit.Pass{}
		if l.Admit(a, p) == nil {
			passed++
			p.Settle(0)
		}
	}
	return passed
}

func TestALimitLetsItsCountThroughAtOnceAndThenOneEveryStep(t *testing.T) {
	for _, period := range limit.Periods {
		clock := newClock()
		l := limit.New(clock.Now)
		a := ask("a")
		a.OfWorkspace.Requests = limit.Rate{Count: 7, Period: period}
		if n := passes(l, a, 20); n != 7 {
			t.Fatalf("%d s: %d passed at once", period, n)
		}
		r := l.Admit(a, &limit.Pass{})
		if r == nil || r.Kind != limit.WorkspaceRequests || r.Requests.Remaining != 0 {
			t.Fatalf("%d s: %+v", period, r)
		}
		clock.pass(r.Retry - 1)
		if n := passes(l, a, 3); n != 0 {
			t.Fatalf("%d s: passed an instant before Retry-After", period)
		}
		clock.pass(1)
		if n := passes(l, a, 3); n != 1 {
			t.Fatalf("%d s: %d passed after Retry-After", period, n)
		}
		clock.pass(time.Duration(period) * time.Second * 10)
		if n := passes(l, a, 20); n != 7 {
			t.Fatalf("%d s: %d passed after a long time", period, n)
		}
	}
}

func TestAllWorkspacesShareTheAccountsLimitOfAModel(t *testing.T) {
	clock := newClock()
	l := limit.New(clock.Now)
	a, b, other := ask("a"), ask("b"), ask("a")
	other.Model = "n"
	for _, x := range []*limit.Ask{a, b, other} {
		x.OfAccount.Requests = limit.Rate{Count: 10, Period: 60}
	}
	a.OfWorkspace.Requests = limit.Rate{Count: 4, Period: 60}
	if n := passes(l, a, 20); n != 4 {
		t.Fatalf("%d passed within the own limit", n)
	}
	if n := passes(l, b, 20); n != 6 {
		t.Fatalf("a workspace without a limit got %d of the account's", n)
	}
	if r := l.Admit(b, &limit.Pass{}); r.Kind != limit.AccountRequests || r.Retry != 6*time.Second {
		t.Fatalf("%+v", r)
	}
	if n := passes(l, other, 20); n != 10 {
		t.Fatalf("%d calls of another model passed", n)
	}
}

// Who is refused by the account's limit keeps the own allowance.
func TestARefusedCallTakesNothing(t *testing.T) {
	clock := newClock()
	l := limit.New(clock.Now)
	a, b := ask("a"), ask("b")
	a.OfAccount.Requests, b.OfAccount.Requests = limit.Rate{Count: 1, Period: 1}, limit.Rate{Count: 1, Period: 1}
	a.OfWorkspace.Requests = limit.Rate{Count: 5, Period: 60}
	passes(l, b, 1)
	if n := passes(l, a, 50); n != 0 {
		t.Fatalf("%d passed", n)
	}
	for range 5 {
		clock.pass(time.Second)
		if n := passes(l, a, 1); n != 1 {
			t.Fatal("refused calls were counted")
		}
	}
}

func TestTokensAreHeldBackWhileACallRunsAndSettledByWhatItConsumed(t *testing.T) {
	clock := newClock()
	l := limit.New(clock.Now)
	a := ask("a")
	a.OfWorkspace = limit.Limit{Requests: limit.Rate{Count: 100, Period: 1}, Tokens: limit.Rate{Count: 1000, Period: 10}}
	a.Least, a.Tokens = 100, 600
	first := &limit.Pass{}
	if r := l.Admit(a, first); r != nil {
		t.Fatal(r)
	}
	if first.Tokens.Remaining != 400 {
		t.Fatalf("%+v", first.Tokens)
	}
	clock.pass(time.Hour) // a running call keeps what it holds
	if r := l.Admit(a, &limit.Pass{}); r == nil || r.Kind != limit.WorkspaceTokens || r.Retry != 0 || r.Never {
		t.Fatalf("%+v", r)
	}
	first.Settle(50)
	second := &limit.Pass{}
	if r := l.Admit(a, second); r != nil || second.Tokens.Remaining != 350 {
		t.Fatalf("%+v %+v", r, second.Tokens)
	}
	second.Settle(1500) // it consumed more than was thought, which others wait for
	r := l.Admit(a, &limit.Pass{})
	if r == nil || r.Retry != 11500*time.Millisecond {
		t.Fatalf("%+v", r)
	}
	use := l.OfModel("llm-a", "m", a.OfWorkspace)
	if use.Tokens != 1550 || use.Held != 0 || use.Running != 0 {
		t.Fatalf("%+v", use)
	}
}

func TestACallLargerThanTheLimitNeverPassesUnlessItsSizeIsAGuess(t *testing.T) {
	l := limit.New(newClock().Now)
	a := ask("a")
	a.OfWorkspace.Tokens = limit.Rate{Count: 1000, Period: 60}
	a.Least, a.Tokens = 1001, 1001
	if r := l.Admit(a, &limit.Pass{}); r == nil || !r.Never || r.Retry != 0 {
		t.Fatalf("%+v", r)
	}
	a.Least = 10
	if n := passes(l, a, 1); n != 1 {
		t.Fatal("a guess kept a small call out")
	}
	a.OfWorkspace = limit.Limit{Requests: limit.Rate{Count: 0, Period: 60}}
	if r := l.Admit(a, &limit.Pass{}); r == nil || !r.Never || r.Kind != limit.WorkspaceRequests {
		t.Fatalf("a limit of 0 answers %+v", r)
	}
}

func TestCallsAtOnceAreBoundedPerKeyAndPerWorkspace(t *testing.T) {
	l := limit.New(newClock().Now)
	a, b := ask("a"), ask("a")
	b.Key = "key-b"
	for _, x := range []*limit.Ask{a, b} {
		x.KeyCalls, x.WorkspaceCalls = 3, 4
	}
	var run []*limit.Pass
	begin := func(x *limit.Ask, n int) (refused *limit.Refusal) {
		for range n {
			p := &limit.Pass{}
			if refused = l.Admit(x, p); refused == nil {
				run = append(run, p)
			}
		}
		return refused
	}
	if r := begin(a, 10); len(run) != 3 || r.Kind != limit.KeyCalls || r.Calls != 3 {
		t.Fatalf("%d run, %+v", len(run), r)
	}
	if r := begin(b, 10); len(run) != 4 || r.Kind != limit.WorkspaceCalls || r.Calls != 4 {
		t.Fatalf("%d run, %+v", len(run), r)
	}
	if l.Running("key-a") != 3 || l.Running("llm-a") != 4 {
		t.Fatalf("%d and %d run", l.Running("key-a"), l.Running("llm-a"))
	}
	for _, p := range run {
		p.Settle(7)
		p.Settle(7) // a second time changes nothing
	}
	if l.Running("key-a")+l.Running("key-b")+l.Running("llm-a") != 0 {
		t.Fatal("ended calls still count")
	}
}

func TestAChangedLimitCountsAtTheNextCallAndForgetsNothing(t *testing.T) {
	clock := newClock()
	l := limit.New(clock.Now)
	a := ask("a")
	a.OfWorkspace.Requests = limit.Rate{Count: 60, Period: 60}
	passes(l, a, 30)
	a.OfWorkspace.Requests = limit.Rate{Count: 40, Period: 10}
	if n := passes(l, a, 100); n != 10 {
		t.Fatalf("%d passed after 30 of 40", n)
	}
	a.OfWorkspace.Requests = limit.Rate{Count: 5, Period: 5}
	if r := l.Admit(a, &limit.Pass{}); r == nil || r.Retry != time.Second {
		t.Fatalf("a lowered limit answers %+v", r)
	}
	clock.pass(5 * time.Second)
	if n := passes(l, a, 100); n != 5 {
		t.Fatalf("%d passed", n)
	}
}

// limit-not-times-replicas: N replicas do not give N times the limit.
func TestAnchor_LimitNotTimesReplicas(t *testing.T) {
	const replicas, count, period = 3, 100, 10
	clock := newClock()
	var l [replicas]*limit.Limiter
	for i := range l {
		l[i] = limit.New(clock.Now)
		l[i].Share(replicas)
	}
	a := ask("a")
	a.OfWorkspace.Requests = limit.Rate{Count: count, Period: period}
	at := []time.Time{}
	for range 3000 {
		for i := range l {
			if passes(l[i], a, 1) == 1 {
				at = append(at, clock.now)
			}
		}
		clock.pass(17 * time.Millisecond)
	}
	for i := range at {
		for j := i; j < len(at); j++ {
			if most := count + at[j].Sub(at[i]).Seconds()*count/period; float64(j-i+1) > most+1e-6 {
				t.Fatalf("%d calls in %v", j-i+1, at[j].Sub(at[i]))
			}
		}
	}
	if len(at) < 3000*17/1000*count/period {
		t.Fatalf("only %d passed", len(at))
	}
}

// Many at once: never more than the limit, and nobody is forgotten while others come and go.
func TestManyAtOnceNeverPassMoreThanTheLimit(t *testing.T) {
	clock := newClock()
	l := limit.New(clock.Now)
	var requests, tokens atomic.Int64
	var wait sync.WaitGroup
	for g := range 16 {
		wait.Go(func() {
			a := ask("a")
			a.OfWorkspace = limit.Limit{Requests: limit.Rate{Count: 500, Period: 60}, Tokens: limit.Rate{Count: 10_000, Period: 60}}
			a.OfAccount.Requests = limit.Rate{Count: 400, Period: 60}
			a.Key, a.KeyCalls, a.Least, a.Tokens = ident.Key(fmt.Sprint("key-", g)), 1, 30, 30
			for i := range 400 {
				p := &limit.Pass{}
				if l.Admit(a, p) == nil {
					requests.Add(1)
					tokens.Add(25)
					p.Settle(25)
				}
				if i%20 == 0 {
					l.Sweep()
				}
			}
		})
	}
	wait.Wait()
	if requests.Load() > 400 || tokens.Load() > 10_000 || requests.Load() < 100 {
		t.Fatalf("%d requests and %d tokens passed", requests.Load(), tokens.Load())
	}
	if l.Running("llm-a") != 0 || l.OfModel("llm-a", "m", limit.Limit{}).Running != 0 {
		t.Fatal("ended calls still count")
	}
}

func TestWhatIsIdleIsForgotten(t *testing.T) {
	clock := newClock()
	l := limit.New(clock.Now)
	for i := range 10_000 {
		a := ask(fmt.Sprint(i))
		a.KeyCalls, a.WorkspaceCalls = 5, 5
		a.OfWorkspace.Requests, a.OfAccount.Requests = limit.Rate{Count: 10, Period: 1}, limit.Rate{Count: 1_000_000, Period: 60}
		if passes(l, a, 1) != 1 {
			t.Fatal("refused")
		}
		clock.pass(time.Millisecond)
	}
	clock.pass(5 * time.Second)
	l.Sweep()
	if n := l.Size(); n < 15_000 || n > 30_001 { // three of each, those of the last ten seconds, and the account's
		t.Errorf("%d states are kept while they may be used again", n)
	}
	clock.pass(time.Minute)
	if l.Sweep(); l.Size() != 0 {
		t.Errorf("%d states are kept", l.Size())
	}
}

// A wall clock that is set does not open or close a limit: time that passed counts.
func TestAClockThatIsSetBackOpensNoLimit(t *testing.T) {
	clock := newClock()
	l := limit.New(clock.Now)
	a := ask("a")
	a.OfWorkspace.Requests = limit.Rate{Count: 2, Period: 60}
	passes(l, a, 2)
	clock.pass(-time.Hour)
	if n := passes(l, a, 5); n != 0 {
		t.Fatalf("%d passed after the clock was set back", n)
	}
}

// P14: a workspace that runs against its limit takes nothing of what others share.
func TestP14_AWorkspaceAtItsLimitTakesNothingFromOthers(t *testing.T) {
	clock := newClock()
	l := limit.New(clock.Now)
	noisy, quiet := ask("noisy"), ask("quiet")
	noisy.OfWorkspace.Requests = limit.Rate{Count: 10, Period: 3600}
	for _, a := range []*limit.Ask{noisy, quiet} {
		a.OfAccount = limit.Limit{Requests: limit.Rate{Count: 510, Period: 3600}, Tokens: limit.Rate{Count: 1_000_000, Period: 3600}}
		a.Least, a.Tokens = 100, 100
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { passes(l, noisy, 5_000) })
	}
	if n := passes(l, quiet, 500); n != 500 {
		t.Errorf("only %d of 500 calls of the quiet workspace passed", n)
	}
	wait.Wait()
	if n := passes(l, quiet, 100); n != 0 {
		t.Errorf("%d more passed than the account's limit", n)
	}
}
