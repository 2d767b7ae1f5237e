package gateway

import (
	"strconv"
	"time"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/limit"
)

// guess is how many tokens an answer is taken for whose length the caller did
// not bound. It is settled by what the answer has.
const guess = 1024

// limit is the third gate: is there room for this call within the limits of its
// key, workspace, model and account? The limits are those of the snapshot that
// decided. What the call may consume is held back until it is settled.
func (g *Gateway) limit(c *Call) *dialect.Refusal {
	w, m, account := c.decision.Workspace, c.decision.Model, c.decision.Account
	a := limit.Ask{
		Account: account.ID, Workspace: w.ID, Key: c.holder(), Model: m.ID,
		OfAccount: limit.Of(m.Limit), OfWorkspace: w.Limits[m.ID].Limit,
		KeyCalls: account.KeyCalls, WorkspaceCalls: account.WorkspaceCalls,
	}
	if m.Private() { // what the deployment was given is its workspace's
		a.OfAccount, a.OfWorkspace = limit.Limit{}, limit.Of(m.Limit)
	}
	c.size(&a)
	refused := g.Limits.Admit(&a, &c.pass)
	if refused == nil {
		c.tellLeft(c.pass.Requests, c.pass.Tokens)
		return nil
	}
	c.tellLeft(refused.Requests, refused.Tokens)
	r := dialect.Limited(refused, string(m.ID), a.Tokens)
	c.tellRetry(refused, &r)
	return &r
}

// size estimates what a call may consume: a third of its text's bytes, and as
// many tokens as the caller lets the answer have, which the model may bound.
func (c *Call) size(a *limit.Ask) {
	a.Least = wire.Estimate(c.exchange.Said())
	if !c.service.Answers() {
		a.Tokens = a.Least
		return
	}
	most, times := 0, 1
	if x, ok := c.exchange.(dialect.Bounded); ok {
		most, times = x.MostAnswer()
	}
	longest := c.decision.Model.MaxOutput
	if longest == 0 {
		longest = limit.MaxCount
	}
	if most > 0 {
		a.Least += min(most, longest) * times
		a.Tokens = a.Least
		return
	}
	a.Tokens = a.Least + min(guess, longest)*times
}

// The headers that say what is left, in the field's names and in its way of
// writing a time: "6m0s", "17ms".
var leftHeaders = [...][3]string{
	{"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
	{"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
}

func (c *Call) tellLeft(requests, tokens limit.Figure) {
	h := c.w.Header()
	for i, f := range [...]*limit.Figure{&requests, &tokens} {
		if !f.Limit.Set() {
			continue
		}
		v := [3]string{strconv.Itoa(f.Limit.Count), strconv.Itoa(f.Remaining), f.Reset.Round(time.Millisecond).String()}
		for j, name := range leftHeaders[i] {
			h[name] = v[j : j+1 : j+1]
		}
	}
}

// tellRetry says when to try again: to the second, and to the millisecond to
// clients that understand that. Where waiting does not help it says that.
func (c *Call) tellRetry(refused *limit.Refusal, r *dialect.Refusal) {
	if refused.Never {
		c.w.Header()["X-Should-Retry"] = []string{"false"}
		return
	}
	wait := refused.Retry
	if wait == 0 {
		wait = time.Second // until a running call ends, and nobody knows when
	}
	r.Retry = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
	c.w.Header()["Retry-After-Ms"] = []string{strconv.Itoa(int((wait + time.Millisecond - 1) / time.Millisecond))}
}
