package openai

import (
	"context"
	"io"
	"net"
	"sync"
)

// conn sends long requests through buffers that are used again; the standard
// library makes a new one for each.
type conn struct{ net.Conn }

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// ReadFrom implements io.ReaderFrom.
func (c conn) ReadFrom(r io.Reader) (int64, error) {
	buf := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{c.Conn}, r, buf[:])
}

// buffered makes connections of that kind.
func (d Dial) buffered(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn{c}, nil
}
