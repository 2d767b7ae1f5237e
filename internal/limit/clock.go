package limit

import (
	"sync/atomic"
	"time"
)

// ticks is time in sixteenths of a nanosecond since a limiter began: fine enough
// for a thousand million tokens a second, and good for eighteen years.
type ticks int64

const tick = 16 // in a nanosecond

func (t ticks) duration() time.Duration { return time.Duration((t + tick - 1) / tick) }

// pace is a rate as a clock works with it. A period is rounded up to a whole
// number of steps, so that no more is let through than was said.
type pace struct {
	count int
	step  ticks // between two
	span  ticks // count steps: the period
}

// paceOf is one of the equal shares of a rate. Each share lets at least one
// through at once.
func paceOf(r Rate, shares int) pace {
	if r.Count <= 0 {
		return pace{}
	}
	count := max(1, r.Count/shares)
	period := ticks(r.Period) * tick * ticks(time.Second)
	whole := (period + ticks(r.Count) - 1) / ticks(r.Count)
	step := whole * ticks(shares)
	return pace{count, step, ticks(count) * step}
}

// clock is the generic cell rate algorithm: one word, the moment at which the
// whole allowance is free again.
type clock struct {
	free atomic.Int64
	last atomic.Pointer[pace] // what it was used with last
}

// used is how much time of the allowance is used up.
func (c *clock) used(now ticks) ticks { return max(0, ticks(c.free.Load())-now) }

// keep makes sure that what was used up under another pace stays used up, in
// the new measure, but not more than the whole allowance.
func (c *clock) keep(now ticks, p pace) {
	if last := c.last.Load(); last == nil || *last != p {
		c.convert(last, now, p)
	}
}

func (c *clock) convert(last *pace, now ticks, p pace) {
	if !c.last.CompareAndSwap(last, &p) || last == nil || last.step == 0 {
		return
	}
	for {
		free := c.free.Load()
		if ticks(free) <= now {
			return
		}
		n := (ticks(free) - now + last.step - 1) / last.step
		to := now + min(n, ticks(p.count))*p.step
		if c.free.CompareAndSwap(free, int64(to)) {
			return
		}
	}
}

// wait is how long until one passes: 0 now, negative never.
func (c *clock) wait(now ticks, p pace) ticks {
	if p.count == 0 {
		return -1
	}
	return max(0, c.used(now)+p.step-p.span)
}

// take lets one through, if it may pass now.
func (c *clock) take(now ticks, p pace) bool {
	if p.count == 0 {
		return false
	}
	for {
		free := c.free.Load()
		next := max(ticks(free), now) + p.step
		if next-now > p.span {
			return false
		}
		if c.free.CompareAndSwap(free, int64(next)) {
			return true
		}
	}
}

// undo gives one back that was taken a moment ago. The moment is lost: others
// may have used it.
func (c *clock) undo(took, now ticks, p pace) {
	if back := p.step - (now - took); back > 0 {
		c.free.Add(-int64(back))
	}
}

// charge counts n that were consumed, whether or not they were allowed, at the
// present pace.
func (c *clock) charge(now ticks, n int) {
	p := c.last.Load()
	if n <= 0 || p == nil || p.count == 0 {
		return
	}
	cost := ticks(n) * p.step
	if most := ticks(1) << 61; ticks(n) > most/p.step {
		cost = most
	}
	for {
		free := c.free.Load()
		if c.free.CompareAndSwap(free, int64(max(ticks(free), now)+cost)) {
			return
		}
	}
}

// room is how many are free now.
func (c *clock) room(now ticks, p pace) int {
	if p.count == 0 {
		return 0
	}
	return int(max(0, p.span-c.used(now)) / p.step)
}

// pool is a clock of things that are held back first and counted later.
type pool struct {
	clock
	held atomic.Int64
}

// hold holds n back, if that many are free beside what is held back already.
// It adds first and looks then, so that two who hold at once see each other.
func (c *pool) hold(now ticks, p pace, n int) bool {
	if c.held.Add(int64(n)) <= int64(c.room(now, p)) {
		return true
	}
	c.held.Add(-int64(n))
	return false
}

// settle counts what was consumed of n that were held back. It counts first and
// lets go then, so that nothing is free twice for a moment.
func (c *pool) settle(now ticks, n, consumed int) {
	c.charge(now, consumed)
	c.held.Add(-int64(n))
}

// wait is how long until n can be held back: 0 when only running calls are in
// the way or nothing is, negative never.
func (c *pool) wait(now ticks, p pace, n int) ticks {
	held := int(c.held.Load())
	switch {
	case n > p.count:
		return -1
	case held+n > p.count:
		return 0
	}
	return max(0, c.used(now)+ticks(held+n)*p.step-p.span)
}
