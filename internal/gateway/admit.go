package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"bailiwick/internal/gateway/dialect"
)

// patience is how long a caller may take to send the body.
const patience = 60 * time.Second

// admit reads the body, never more than is taken, and lets the dialect read it
// strictly.
func (g *Gateway) admit(c *Call) *dialect.Refusal {
	if c.r.Header.Get("X-Dashscope-Async") == "enable" {
		return &dialect.NoAsync
	}
	body, r := g.body(c)
	if r != nil {
		return r
	}
	c.exchange, r = c.dialect.Admit(c.r, c.service, body, c.ID)
	if r != nil {
		c.exchange = nil
	}
	return r
}

func (g *Gateway) body(c *Call) ([]byte, *dialect.Refusal) {
	size := c.r.ContentLength
	ctl := http.NewResponseController(c.w)
	if ctl.SetReadDeadline(time.Now().Add(patience)) == nil {
		defer ctl.SetReadDeadline(time.Time{})
	}
	if size > g.MaxBody {
		return nil, g.tooLarge(c)
	}
	from := io.Reader(c.r.Body) // of what has a length, no more than that can be read
	if size < 0 {
		from = weighed{http.MaxBytesReader(c.w, c.r.Body, g.MaxBody), func(n int64) bool { return g.carry(c, n) }}
	} else if !g.carry(c, size) {
		return nil, &dialect.Overloaded
	}
	c.waits()
	body, room, err := readAll(from, size)
	c.waited()
	c.room = room
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, g.tooLarge(c)
	case errors.Is(err, errOverloaded):
		c.w.Header()["Connection"] = []string{"close"}
		return nil, &dialect.Overloaded
	case err != nil:
		return nil, &dialect.BadBody
	}
	return body, nil
}

// tooLarge lets go by, unread, some of what a caller is still sending: one that
// cannot write to the end does not see the answer.
func (g *Gateway) tooLarge(c *Call) *dialect.Refusal {
	c.w.Header()["Connection"] = []string{"close"}
	io.CopyN(io.Discard, c.r.Body, g.MaxBody)
	return &dialect.TooLarge
}

// readAll reads to the end, into room that is borrowed; size is how much comes, or -1.
func readAll(r io.Reader, size int64) ([]byte, *room, error) {
	if size < 0 {
		var b bytes.Buffer
		_, err := b.ReadFrom(r)
		return b.Bytes(), nil, err
	}
	room := borrow(int(size))
	body, behind := room.text[:size:size], room.text[size:size+1]
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, room, err
	}
	// One more read sees the end, so that the server watches the connection.
	if extra, err := r.Read(behind); extra > 0 || err != nil && err != io.EOF {
		return nil, room, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return body, room, nil
}
