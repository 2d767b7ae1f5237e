package limit

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"bailiwick/internal/ident"
)

// Limiter lets calls pass or not. It takes no lock that all calls share, and
// what it remembers is bounded by what is in use. Its clock is monotonic: it
// does not follow a wall clock that is set.
type Limiter struct {
	now    func() time.Time
	began  time.Time
	states table
	shares atomic.Int64 // of how many replicas this is one
}

// New makes a limiter; it lives by the given clock, or the system's when that is nil.
func New(now func() time.Time) *Limiter {
	if now == nil {
		now = time.Now
	}
	l := &Limiter{now: now, began: now()}
	l.states.seed = maphash.MakeSeed()
	l.shares.Store(1)
	return l
}

func (l *Limiter) ticks() ticks { return ticks(l.now().Sub(l.began)) * tick }

// Share makes this limiter one of n that keep one limit together. Each lets
// through a share: the rate divided by n, and at least one at once. What n of
// them let through at once is at most the limit, or n where that is more.
func (l *Limiter) Share(n int) { l.shares.Store(int64(max(1, n))) }

// Shares is of how many limiters this is one.
func (l *Limiter) Shares() int { return int(l.shares.Load()) }

// Sweep forgets what is idle. What is used again later begins anew, as it would
// have been.
func (l *Limiter) Sweep() { l.states.sweep(l.ticks()) }

// Size is how many states are kept, for metrics and tests.
func (l *Limiter) Size() int { return l.states.size() }

// hold is one state a call went through.
type hold struct {
	state            *state
	requests, tokens pace
	held             int // tokens
	asked            bool
}

// Pass is a call that was let through. Settle it once, when the call has ended.
// The zero Pass was not asked for and needs nothing.
type Pass struct {
	limiter *Limiter
	holds   [4]hold
	at      ticks

	Requests, Tokens Figure // of the tightest limits; unset where there is none
}

// The places of holds.
const (
	ofKey = iota
	ofWorkspace
	ofWorkspaceModel
	ofAccountModel
)

// Admit lets a call pass into p, or says why not. A call that passes counts as
// a request at once and holds back the tokens it may consume.
func (l *Limiter) Admit(a *Ask, p *Pass) *Refusal {
	p.limiter, p.at = l, l.ticks()
	if a.KeyCalls > 0 && !p.enter(ofKey, subject{of: string(a.Key)}, a.KeyCalls) {
		return p.refuse(Refusal{Kind: KeyCalls, Calls: a.KeyCalls})
	}
	if a.WorkspaceCalls > 0 && !p.enter(ofWorkspace, subject{of: string(a.Workspace)}, a.WorkspaceCalls) {
		return p.refuse(Refusal{Kind: WorkspaceCalls, Calls: a.WorkspaceCalls})
	}
	shares := l.Shares()
	p.open(ofWorkspaceModel, subject{string(a.Workspace), string(a.Model)}, a.OfWorkspace, shares)
	p.open(ofAccountModel, subject{string(a.Account), string(a.Model)}, a.OfAccount, shares)
	if kind, rate := p.ask(a); kind != None {
		return p.inTheWay(a, kind, rate)
	}
	p.figures(a)
	return nil
}

// enter counts a call at a place, if fewer than most run there.
func (p *Pass) enter(place int, of subject, most int) bool {
	h := &p.holds[place]
	var n int64
	h.state, n = p.limiter.states.enter(of, p.at)
	return n <= int64(most)
}

func (p *Pass) open(place int, of subject, l Limit, shares int) {
	if !l.Set() {
		return
	}
	h := &p.holds[place]
	h.state, _ = p.limiter.states.enter(of, p.at)
	if l.Requests.Set() {
		h.requests = paceOf(l.Requests, shares)
		h.state.requests.keep(p.at, h.requests)
	}
	if l.Tokens.Set() {
		h.tokens = paceOf(l.Tokens, shares)
		h.state.tokens.keep(p.at, h.tokens)
	}
}

// ask takes a request and holds back tokens everywhere, or names the first
// limit that is in the way.
func (p *Pass) ask(a *Ask) (Kind, Rate) {
	own, shared := &p.holds[ofWorkspaceModel], &p.holds[ofAccountModel]
	switch {
	case a.OfWorkspace.Requests.Set() && !own.take(p.at):
		return WorkspaceRequests, a.OfWorkspace.Requests
	case a.OfAccount.Requests.Set() && !shared.take(p.at):
		return AccountRequests, a.OfAccount.Requests
	case a.OfWorkspace.Tokens.Set() && !own.hold(p.at, a):
		return WorkspaceTokens, a.OfWorkspace.Tokens
	case a.OfAccount.Tokens.Set() && !shared.hold(p.at, a):
		return AccountTokens, a.OfAccount.Tokens
	}
	return None, Rate{}
}

func (h *hold) take(now ticks) bool {
	h.asked = h.state.requests.take(now, h.requests)
	return h.asked
}

// wants is how many tokens a call holds back here: what it may consume, where
// that is a guess no more than there is at all, and one at least: who asks for
// nothing waits with the others while there is a debt.
func (h *hold) wants(a *Ask) int { return max(1, a.Least, min(a.Tokens, h.tokens.count)) }

func (h *hold) hold(now ticks, a *Ask) bool {
	n := h.wants(a)
	if h.tokens.count == 0 || !h.state.tokens.hold(now, h.tokens, n) {
		return false
	}
	h.held = n
	return true
}

// inTheWay words a refusal by a rate: how long to wait is the longest of all
// limits' waits, so that after it the call passes all of them.
func (p *Pass) inTheWay(a *Ask, kind Kind, rate Rate) *Refusal {
	r := Refusal{Kind: kind, Rate: rate}
	p.back()
	var wait ticks
	for _, at := range [...]struct {
		hold *hold
		of   Limit
	}{{&p.holds[ofWorkspaceModel], a.OfWorkspace}, {&p.holds[ofAccountModel], a.OfAccount}} {
		if at.of.Requests.Set() {
			wait, r.Never = longer(wait, at.hold.state.requests.wait(p.at, at.hold.requests), r.Never)
		}
		if at.of.Tokens.Set() {
			wait, r.Never = longer(wait, at.hold.state.tokens.wait(p.at, at.hold.tokens, at.hold.wants(a)), r.Never)
		}
	}
	if !r.Never {
		r.Retry = wait.duration()
	}
	p.figures(a)
	return p.refuse(r)
}

func longer(wait, other ticks, never bool) (ticks, bool) {
	return max(wait, other), never || other < 0
}

// back gives back what was taken of rates.
func (p *Pass) back() {
	now := p.limiter.ticks()
	for i := range p.holds {
		h := &p.holds[i]
		if h.asked {
			h.state.requests.undo(p.at, now, h.requests)
			h.asked = false
		}
		if h.held > 0 {
			h.state.tokens.held.Add(-int64(h.held))
			h.held = 0
		}
	}
}

func (p *Pass) refuse(r Refusal) *Refusal {
	r.Requests, r.Tokens = p.Requests, p.Tokens
	p.leave()
	return &r
}

// leave ends the call everywhere.
func (p *Pass) leave() {
	for i := range p.holds {
		if s := p.holds[i].state; s != nil {
			s.running.Add(-1)
		}
	}
	*p = Pass{}
}

// Settle counts what the call consumed and lets go of what it held back.
func (p *Pass) Settle(tokens int) {
	if p.limiter == nil {
		return
	}
	now := p.limiter.ticks()
	for i := range p.holds {
		if h := &p.holds[i]; h.tokens.count > 0 {
			h.state.tokens.settle(now, h.held, tokens)
		}
	}
	p.leave()
}

// figures notes what is left of the tightest limits.
func (p *Pass) figures(a *Ask) {
	own, shared := &p.holds[ofWorkspaceModel], &p.holds[ofAccountModel]
	p.Requests = tightest(own.requestsLeft(p.at, a.OfWorkspace.Requests), shared.requestsLeft(p.at, a.OfAccount.Requests))
	p.Tokens = tightest(own.tokensLeft(p.at, a.OfWorkspace.Tokens), shared.tokensLeft(p.at, a.OfAccount.Tokens))
}

func tightest(a, b Figure) Figure {
	if !a.Limit.Set() || b.Limit.Set() && b.Remaining < a.Remaining {
		return b
	}
	return a
}

func (h *hold) requestsLeft(now ticks, r Rate) Figure {
	if !r.Set() {
		return Figure{}
	}
	c := &h.state.requests
	return Figure{r, c.room(now, h.requests), c.used(now).duration()}
}

func (h *hold) tokensLeft(now ticks, r Rate) Figure {
	if !r.Set() {
		return Figure{}
	}
	c := &h.state.tokens
	held := int(c.held.Load())
	return Figure{r, max(0, c.room(now, h.tokens)-held), (c.used(now) + ticks(min(held, h.tokens.count))*h.tokens.step).duration()}
}

// OfModel says how much of a model's limit is in use here: of an account, or of
// a workspace. With several replicas it is this one's share.
func (l *Limiter) OfModel(owner string, m ident.Model, of Limit) Use {
	s := l.states.look(subject{owner, string(m)})
	if s == nil {
		return Use{}
	}
	now, shares := l.ticks(), l.Shares()
	u := Use{Running: int(s.running.Load()), Held: int(s.tokens.held.Load())}
	if p := paceOf(of.Requests, shares); of.Requests.Set() && p.count > 0 {
		u.Requests = int((s.requests.used(now) + p.step - 1) / p.step)
	}
	if p := paceOf(of.Tokens, shares); of.Tokens.Set() && p.count > 0 {
		u.Tokens = int((s.tokens.used(now) + p.step - 1) / p.step)
	}
	return u
}

// Running is how many calls of a key, or of a workspace, run now.
func (l *Limiter) Running(owner string) int {
	if s := l.states.look(subject{of: owner}); s != nil {
		return int(s.running.Load())
	}
	return 0
}
