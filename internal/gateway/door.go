package gateway

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Door is a listener that lets in so many connections, from everywhere and from
// one address. Whoever sends headers slowly, or none, holds places of their own
// address alone. What is too much is told to come back, and closed.
type Door struct {
	net.Listener
	All        int            // connections at once; 0: any number
	PerAddress int            // the same from one address; 0: any number
	Exempt     []netip.Prefix // addresses that speak for others, such as proxies: only All counts

	mu   sync.Mutex
	all  int
	from map[netip.Addr]int
}

// turnedAway is what is said to a connection that is not let in.
const turnedAway = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// Accept waits for a connection that may come in.
func (d *Door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, one := d.address(c)
		if d.enter(from, one) {
			return &guest{Conn: c, left: func() { d.leave(from, one) }}, nil
		}
		_ = c.SetWriteDeadline(time.Now().Add(time.Second)) // the write fits the kernel's buffer
		_, _ = c.Write([]byte(turnedAway))                  // who does not hear it sees the end
		_ = c.Close()
	}
}

// address is where a connection comes from, and whether that is counted.
func (d *Door) address(c net.Conn) (from netip.Addr, counted bool) {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return from, false
	}
	from = at.Addr().Unmap()
	if from.Is6() {
		whole, _ := from.WithZone("").Prefix(64) // who has one address there has all of them
		from = whole.Addr()
	}
	for _, p := range d.Exempt {
		if p.Contains(at.Addr().Unmap()) {
			return from, false
		}
	}
	return from, d.PerAddress > 0
}

func (d *Door) enter(from netip.Addr, one bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.All > 0 && d.all >= d.All || one && d.from[from] >= d.PerAddress {
		return false
	}
	d.all++
	if one {
		if d.from == nil {
			d.from = map[netip.Addr]int{}
		}
		d.from[from]++
	}
	return true
}

func (d *Door) leave(from netip.Addr, one bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if !one {
		return
	}
	if d.from[from]--; d.from[from] == 0 {
		delete(d.from, from)
	}
}

// guest is a connection that was let in.
type guest struct {
	net.Conn
	once sync.Once
	left func()
}

// Close ends the connection and makes room.
func (g *guest) Close() error {
	err := g.Conn.Close()
	g.once.Do(g.left)
	return err
}
