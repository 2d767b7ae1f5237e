// Package pipe asks one host over HTTP/1.1, in the clear, one question at a time
// on each connection and in the goroutine of who asks. net/http's transport
// keeps two goroutines for every connection and hands each question from one to
// the other; where the host is next door, that costs more than the question.
// How answers are read is net/http's all the same.
package pipe

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Dial makes a connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Pool keeps the connections to one host. Its fields do not change once it is
// used; many may ask at once.
type Pool struct {
	Dial    Dial
	Address string // host:port
	// Patience is how long an answer may take to begin, from the moment the
	// connection is there; it is kept to within a second.
	Patience time.Duration
	Idle     time.Duration // how long a connection is kept unused
	MostIdle int           // how many are kept unused
	MostHead int64         // bytes of an answer's head, and of all that comes before it

	mu      sync.Mutex
	idle    []*conn // the one used last is the last
	reaping bool    // somebody will look for connections that were idle too long
	shut    bool    // connections are not kept any more
}

// Ask sends a request, its head with the blank line after it and its body, and
// gives the answer as it begins. Close its body, or read it to the end.
//
// A request is sent again, on another connection, if the host has closed the one
// that was kept before it took anything of it, or before it answered one without
// a body, which changes nothing there; and never otherwise. The error of
// a connection that could not be made is the dial's own; once ctx has ended the
// error is its.
func (p *Pool) Ask(ctx context.Context, head, body []byte) (*http.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for c := p.kept(); c != nil; c = p.kept() {
		resp, untouched, err := c.ask(ctx, head, body)
		if err == nil || !untouched || ctx.Err() != nil {
			return resp, err
		}
	}
	plain, err := p.Dial(ctx, "tcp", p.Address)
	if err != nil {
		if over := ctx.Err(); over != nil {
			err = over
		}
		return nil, err
	}
	resp, _, err := newConn(p, plain).ask(ctx, head, body)
	return resp, err
}

// kept takes a connection that can still be used; nil when there is none.
func (p *Pool) kept() *conn {
	for {
		c := p.last()
		if c == nil || time.Since(c.since) < p.Idle && c.alive() {
			return c
		}
		c.plain.Close()
	}
}

func (p *Pool) last() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle) - 1
	if n < 0 {
		return nil
	}
	c := p.idle[n]
	p.idle[n], p.idle = nil, p.idle[:n]
	return c
}

// keep takes a connection back whose answer was read to the end.
func (p *Pool) keep(c *conn) {
	c.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut || len(p.idle) >= p.MostIdle {
		c.plain.Close()
		return
	}
	p.idle = append(p.idle, c)
	if !p.reaping {
		p.reaping = true
		time.AfterFunc(p.Idle, p.reap)
	}
}

// reap closes what was not used for too long, and comes again as long as
// something is kept.
func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.idle) && time.Since(p.idle[old].since) >= p.Idle {
		p.idle[old].plain.Close()
		old++
	}
	n := copy(p.idle, p.idle[old:])
	clear(p.idle[n:])
	p.idle = p.idle[:n]
	if p.reaping = n > 0; p.reaping {
		time.AfterFunc(p.Idle-time.Since(p.idle[0].since), p.reap)
	}
}

// CloseIdleConnections closes what no question uses, and the others once theirs
// is answered.
func (p *Pool) CloseIdleConnections() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	for _, c := range p.idle {
		c.plain.Close()
	}
	p.idle = nil
}

// answer is the body of an answer. Read to its end, it gives the connection back.
type answer struct {
	io.Reader
	c    *conn
	ctx  context.Context
	keep bool // the connection can serve again after it
	over bool
}

// Read implements io.Reader.
func (a *answer) Read(b []byte) (int, error) {
	if a.over {
		return 0, io.EOF
	}
	n, err := a.Reader.Read(b)
	switch {
	case err == io.EOF:
		a.end(a.keep && a.c.spent())
	case err != nil:
		if over := a.ctx.Err(); over != nil {
			err = over
		}
	}
	return n, err
}

// Close gives up the connection, unless the answer was read to its end.
func (a *answer) Close() error {
	a.end(false)
	return nil
}

func (a *answer) end(keep bool) {
	if a.over {
		return
	}
	a.over = true
	a.c.release(keep)
}
