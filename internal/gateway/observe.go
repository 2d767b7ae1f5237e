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

// timing says for a header what the gateway's own share of the time is, in
// milliseconds, and what it waited for others.
func (c *Call) timing() string {
	b := appendMillis(append(make([]byte, 0, 64), "gateway;dur="...), c.own())
	if c.away > 0 {
		b = appendMillis(append(b, ", wait;dur="...), c.away)
	}
	return string(b)
}

// appendMillis writes a time in milliseconds, with three digits of them.
func appendMillis(b []byte, d time.Duration) []byte {
	micros := int64(d+time.Microsecond/2) / 1000
	b = append(strconv.AppendInt(b, micros/1000, 10), '.')
	return append(b, byte('0'+micros/100%10), byte('0'+micros/10%10), byte('0'+micros%10))
}
