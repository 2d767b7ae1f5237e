//go:build unix

package pipe

import (
	"net"
	"syscall"
)

// peek looks at a connection that nobody reads.
type peek struct {
	raw   syscall.RawConn // nil: it cannot be looked at
	look  func(fd uintptr) bool
	quiet bool
}

func (p *peek) at(plain net.Conn) {
	s, ok := plain.(syscall.Conn)
	if !ok {
		return
	}
	p.raw, _ = s.SyscallConn()
	p.look = func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		p.quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	}
}

// alive reports whether a connection that was kept can be asked: the host has
// neither closed it nor said anything that nobody asked for. It does not wait.
func (c *conn) alive() bool {
	return c.peek.raw == nil || c.peek.raw.Read(c.peek.look) == nil && c.peek.quiet
}
