// Package guard decides which addresses this program may speak to. Whoever may
// configure a provider could otherwise use our place in the network. It is
// asked when an address is saved, and again for every connection, of the address
// the name resolved to then.
package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"bailiwick/internal/fault"
)

// Guard knows what the operator allowed. Public addresses need no leave;
// loopback and private ones do; some are never spoken to.
type Guard struct {
	networks []netip.Prefix
	hosts    map[string]bool // host:port, lower case
	own      map[string]bool // ports of our own listeners on this machine
	dialer   net.Dialer
}

// New makes a guard. Each entry of allow is a network such as "10.20.0.0/16", an
// address such as "10.1.2.3", or a host with a port such as "gpu-1:8000".
func New(allow []string) (*Guard, error) {
	g := &Guard{hosts: map[string]bool{}, own: map[string]bool{}, dialer: net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}}
	for _, entry := range allow {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if p, err := netip.ParsePrefix(entry); err == nil {
			g.networks = append(g.networks, p.Masked())
		} else if a, err := netip.ParseAddr(entry); err == nil && a.Zone() == "" {
			a = a.Unmap()
			g.networks = append(g.networks, netip.PrefixFrom(a, a.BitLen()))
		} else if host, port, err := net.SplitHostPort(entry); err == nil && host != "" && port != "" {
			g.hosts[net.JoinHostPort(host, port)] = true
		} else {
			return nil, fmt.Errorf("--allow-private takes networks such as 10.20.0.0/16, addresses, or host:port; %q is none of them", entry)
		}
	}
	return g, nil
}

// Never keeps this program from calling a listener of its own on this machine.
func (g *Guard) Never(listen net.Addr) {
	if _, port, err := net.SplitHostPort(listen.String()); err == nil {
		g.own[port] = true
	}
}

// Check refuses a base URL that may not be spoken to, as a fault on field
// "base_url". Names are checked again, by what they resolve to, at every connection.
func (g *Guard) Check(u *url.URL) error {
	host, port := strings.ToLower(u.Hostname()), portOf(u)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("The address begins with http:// or https://.")
	case u.User != nil || strings.Contains(u.Host, "\\"):
		return refuse("The address holds no user and no backslash.")
	case strings.HasSuffix(u.Host, ":") || port == "" || blocked(port):
		return refuse("Model servers are not spoken to at port %s.", port)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return asFault(g.allow(a, net.JoinHostPort(host, port)))
	}
	if !plainName(host) {
		return refuse("Write the host as a name of letters, digits, dots and hyphens, or as an address such as 192.0.2.7.")
	}
	if local(host) && !g.hosts[net.JoinHostPort(host, port)] && !g.allows(netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
		return asFault(&Refused{host: net.JoinHostPort(host, port), private: true})
	}
	return nil
}

// DialContext connects, if the guard allows the address that is connected to.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := g.dialer
	d.ControlContext = func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return &Refused{host: address}
		}
		if blocked(fmt.Sprint(at.Port())) {
			return &Refused{host: address}
		}
		return g.allow(at.Addr(), strings.ToLower(address))
	}
	return d.DialContext(ctx, network, address)
}

// Refused is the error of an address that may not be spoken to.
type Refused struct {
	host    string
	private bool // the operator could allow it
}

func (r *Refused) Error() string {
	if r.private {
		return fmt.Sprintf("The address %s is on a private network or this machine. The operator allows it by starting the program with --allow-private %s.", r.host, r.host)
	}
	return fmt.Sprintf("The address %s is one that is never spoken to.", r.host)
}

// allow judges one address; host is how it was written, with its port.
func (g *Guard) allow(a netip.Addr, host string) error {
	zoned := a.Zone() != ""
	a = plain(a)
	_, port, _ := net.SplitHostPort(host)
	switch {
	case zoned || never(a), a.IsLoopback() && g.own[port]:
		return &Refused{host: host}
	case !private(a), g.hosts[host], g.allows(a):
		return nil
	}
	return &Refused{host: host, private: true}
}

func (g *Guard) allows(a netip.Addr) bool {
	for _, p := range g.networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func asFault(err error) error {
	var r *Refused
	if errors.As(err, &r) {
		return refuse("%s", r.Error())
	}
	return nil
}

func refuse(format string, args ...any) error { return fault.Field("base_url", format, args...) }
