package gateway

import (
	"errors"
	"io"
	"sync/atomic"

	"bailiwick/internal/gateway/dialect"
)

// load is what calls on their way ask of this process. What would be too much
// is turned away at once: those who are in are served, and memory is bounded.
type load struct{ calls, bytes atomic.Int64 }

// enter counts a call, which leave ends.
func (g *Gateway) enter() *dialect.Refusal {
	if g.load.calls.Add(1) > int64(g.Bounds.Calls) {
		return &dialect.Overloaded
	}
	return nil
}

func (g *Gateway) leave(c *Call) {
	if c.entered {
		g.load.calls.Add(-1)
	}
	g.load.bytes.Add(-c.carried)
	if !c.broken { // whoever was interrupted may look at it still
		c.room.give()
		*c = Call{}
		calls.Put(c)
	}
}

// carry counts more bytes of a call's body, if there is room for them.
func (g *Gateway) carry(c *Call, n int64) bool {
	c.carried += n
	return g.load.bytes.Add(n) <= g.Bounds.Bodies
}

var errOverloaded = errors.New("there is no room for more bodies")

// weighed counts what is read of a body whose length nobody said.
type weighed struct {
	from io.Reader
	more func(n int64) bool
}

func (w weighed) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if !w.more(int64(n)) {
		return n, errOverloaded
	}
	return n, err
}
