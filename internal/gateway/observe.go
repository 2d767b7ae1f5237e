package gateway

import (
	"strconv"
	"time"

	"bailiwick/internal/usage"
)

// Observer is told of every call once it is over.
type Observer interface{ Observe(Seen) }

// Seen is what an observer is told of a call.
type Seen struct {
	usage.Record               // without an account: the key is unknown
	Own          time.Duration // the gateway's own share of the time until the first byte; zero: nothing was sent
	Operation    string        // what was asked for, as traces name it; empty: nobody knows
	Known        bool          // the model is one of the account's catalogue
	Trace        string        // the caller's traceparent; empty: none
}

// waits notes that the gateway begins to wait for somebody else, and waited
// that it goes on.
func (c *Call) waits() { c.waiting = time.Now() }

func (c *Call) waited() {
	if !c.waiting.IsZero() {
		c.away += time.Since(c.waiting)
		c.waiting = time.Time{}
	}
}

// own is the gateway's own share of the time until the first byte.
func (c *Call) own() time.Duration {
	if c.began.IsZero() {
		return 0
	}
	return max(c.began.Sub(c.start)-c.away, 1)
}

// timing says in a header what the gateway's own share of the time is, in
// milliseconds, and what it waited for others.
func (c *Call) timing() []string {
	b := make([]byte, 0, 48)
	b = append(b, "gateway;dur="...)
	b = strconv.AppendFloat(b, float64(c.own())/1e6, 'f', 3, 64)
	if c.away > 0 {
		b = append(b, ", wait;dur="...)
		b = strconv.AppendFloat(b, float64(c.away)/1e6, 'f', 3, 64)
	}
	return []string{string(b)}
}
