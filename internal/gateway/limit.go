package gateway

import (
	"strconv"
	"time"

	"bailiwick/internal/explanation"
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
	own, shared := c.decision.Limits()
	a := limit.Ask{
		Account: account.ID, Workspace: w.ID, Key: c.holder(), Model: m.ID,
		OfAccount: shared.Limit, OfWorkspace: own.Limit,
		KeyCalls: account.KeyCalls, WorkspaceCalls: account.WorkspaceCalls,
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
	c.limited = explanation.LimitOf(refused, c.decision, a.Tokens)
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
		// The three lie behind each other in one text.
		b := strconv.AppendInt(make([]byte, 0, 64), int64(f.Limit.Count), 10)
		first := len(b)
		b = strconv.AppendInt(b, int64(f.Remaining), 10)
		second := len(b)
		all := string(appendDuration(b, f.Reset))
		c.tell(h, leftHeaders[i][0], all[:first])
		c.tell(h, leftHeaders[i][1], all[first:second])
		c.tell(h, leftHeaders[i][2], all[second:])
	}
}

// appendDuration writes a time of at least 0, to the millisecond, as it writes itself.
func appendDuration(b []byte, d time.Duration) []byte {
	d = d.Round(time.Millisecond)
	if d == 0 {
		return append(b, "0s"...)
	}
	if d < time.Second {
		return append(strconv.AppendInt(b, d.Milliseconds(), 10), "ms"...)
	}
	if d >= time.Hour {
		b = append(strconv.AppendInt(b, int64(d/time.Hour), 10), 'h')
	}
	if d >= time.Minute {
		b = append(strconv.AppendInt(b, int64(d/time.Minute%60), 10), 'm')
	}
	d %= time.Minute
	b = strconv.AppendInt(b, int64(d/time.Second), 10)
	if part := d % time.Second / time.Millisecond; part > 0 {
		b = append(b, '.', byte('0'+part/100), byte('0'+part/10%10), byte('0'+part%10))
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	return append(b, 's')
}

// tellRetry says when to try again: to the second, and to the millisecond to
// clients that understand that. Where waiting does not help it says that.
func (c *Call) tellRetry(refused *limit.Refusal, r *dialect.Refusal) {
	if refused.Never {
		c.tell(c.w.Header(), "X-Should-Retry", "false")
		return
	}
	wait := refused.Retry
	if wait == 0 {
		wait = time.Second // until a running call ends, and nobody knows when
	}
	r.Retry = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
	c.tell(c.w.Header(), "Retry-After-Ms", strconv.Itoa(int((wait+time.Millisecond-1)/time.Millisecond)))
}
