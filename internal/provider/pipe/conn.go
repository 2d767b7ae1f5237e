package pipe

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one connection. What is not atomic belongs to who asks.
type conn struct {
	pool    *Pool
	plain   net.Conn
	r       *bufio.Reader
	since   time.Time // it is idle
	until   time.Time // the deadline that is set; zero: none
	began   bool      // the answer has begun, and may take any time
	left    int64     // bytes the head may still have
	unwatch func() bool
	ended   atomic.Bool // who asked does not want the answer any more
	rest    chan error  // gets how sending the rest ended that is sent beside reading; nil: nothing is
	ending  func()      // is end
	peek    peek
}

const (
	buffer = 4 << 10
	// joined is the longest body that is copied behind its head to be sent at once.
	joined = 16 << 10
	// stuck is how long sending may stand still before the answer is looked at:
	// a host may answer before it has read everything, or instead.
	stuck = 100 * time.Millisecond
	// slack is how much later than said a deadline may be: it is moved that seldom.
	slack = time.Second
	// lastWords is how long is waited for the answer of a host that broke off reading.
	lastWords = 50 * time.Millisecond
)

func newConn(p *Pool, plain net.Conn) *conn {
	c := &conn{pool: p, plain: plain}
	c.r = bufio.NewReaderSize(c, buffer)
	c.ending = c.end
	c.peek.at(plain)
	return c
}

// ask sends a request and reads the head of its answer. Untouched means that the
// host has taken nothing of it, or that it was only a question and nothing came back.
func (c *conn) ask(ctx context.Context, head, body []byte) (resp *http.Response, untouched bool, err error) {
	c.began, c.left, c.rest = false, c.pool.MostHead, nil
	c.ended.Store(false)
	if now := time.Now(); c.until.Before(now.Add(c.pool.Patience)) {
		c.until = now.Add(c.pool.Patience + slack)
		c.plain.SetDeadline(c.until)
	}
	c.unwatch = watch(ctx, c.ending)
	sent, failed := c.send(head, body)
	if failed != nil {
		if sent == 0 {
			c.release(false)
			return nil, true, or(ctx.Err(), failed)
		}
		c.hurry()
	}
	if resp, err = c.head(); err != nil {
		c.release(false)
		if failed != nil {
			err = failed
		}
		return nil, body == nil && c.left == c.pool.MostHead, or(ctx.Err(), err)
	}
	c.began = true
	a := &answer{Reader: resp.Body, c: c, ctx: ctx, keep: failed == nil && !resp.Close}
	resp.Body = a
	if a.Reader == http.NoBody {
		a.end(a.keep && c.spent())
	}
	return resp, false, nil
}

// watch is context.AfterFunc, which makes more ado with contexts that can do the
// same by themselves.
func watch(ctx context.Context, end func()) (stop func() bool) {
	if able, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok {
		return able.AfterFunc(end)
	}
	return context.AfterFunc(ctx, end)
}

func or(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, joined+1024); return &b }}

// send sends a request. What does not get through while nothing is read is sent
// on beside reading.
func (c *conn) send(head, body []byte) (sent int64, err error) {
	if len(body) <= joined {
		b := buffers.Get().(*[]byte)
		defer buffers.Put(b)
		*b = append(append((*b)[:0], head...), body...)
		n, err := c.plain.Write(*b)
		return int64(n), err
	}
	c.plain.SetWriteDeadline(time.Now().Add(stuck))
	text := net.Buffers{head, body}
	sent, err = text.WriteTo(c.plain)
	if !c.ended.Load() {
		c.plain.SetWriteDeadline(c.until)
	}
	if c.ended.Load() { // it could have come between
		c.end()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.ended.Load() {
		c.rest = make(chan error, 1)
		go func(rest chan<- error) {
			_, err := text.WriteTo(c.plain)
			rest <- err
		}(c.rest)
		err = nil
	}
	return sent, err
}

// head reads the head of an answer, and passes over those that only say that
// there will be one.
func (c *conn) head() (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(c.r, nil)
		switch {
		case err != nil:
			return nil, err
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("the host wants to speak another protocol")
		case resp.StatusCode < 100 || resp.StatusCode > 199:
			return resp, nil
		}
	}
}

var errHead = errors.New("the head of the answer is too long")

// Read implements io.Reader, for the buffer before it.
func (c *conn) Read(b []byte) (int, error) {
	if !c.began {
		if c.left <= 0 {
			return 0, errHead
		}
		n, err := c.plain.Read(b[:min(int64(len(b)), c.left)])
		c.left -= int64(n)
		return n, err
	}
	n, err := c.plain.Read(b)
	for n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.unhurried() {
		n, err = c.plain.Read(b)
	}
	return n, err
}

// unhurried lifts the deadline of the head from what comes after it.
func (c *conn) unhurried() bool {
	c.until = time.Time{}
	c.plain.SetDeadline(c.until)
	if c.ended.Load() { // it could have come between
		c.end()
		return false
	}
	return true
}

// hurry is for the answer of a host that broke off reading.
func (c *conn) hurry() {
	c.until = time.Now().Add(lastWords)
	c.plain.SetReadDeadline(c.until)
	if c.ended.Load() {
		c.end()
	}
}

// end keeps who asks from waiting any longer. Others call it.
func (c *conn) end() {
	c.ended.Store(true)
	c.plain.SetDeadline(time.Unix(1, 0))
}

// spent reports whether nothing is left to be read or sent.
func (c *conn) spent() bool {
	if c.rest != nil {
		select {
		case err := <-c.rest:
			if c.rest = nil; err != nil {
				return false
			}
		default:
			return false
		}
	}
	return c.r.Buffered() == 0
}

// release lets go of a connection: into the pool, or for good. Nobody reads the
// body of the request after it.
func (c *conn) release(keep bool) {
	if c.unwatch() && keep { // nobody ends it any more
		c.pool.keep(c)
		return
	}
	c.plain.Close()
	if c.rest != nil {
		<-c.rest
	}
}
