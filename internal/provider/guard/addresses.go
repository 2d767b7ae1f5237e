package guard

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

func prefixes(list ...string) (ps []netip.Prefix) {
	for _, s := range list {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

var (
	// nobody's are never spoken to, whatever the operator lists: link-local
	// networks and the addresses where clouds tell machines their secrets,
	// and what is no address of one machine.
	nobodys = prefixes(
		"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4", "100.100.100.200/32", "168.63.129.16/32",
		"::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::254/128", "2001::/32", "2002::/16", "64:ff9b:1::/48",
	)
	// privates need the operator's leave.
	privates = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "127.0.0.0/8", "::1/128", "fc00::/7")

	translated = netip.MustParsePrefix("64:ff9b::/96")
)

// plain undoes the ways of writing an IPv4 address as an IPv6 one.
func plain(a netip.Addr) netip.Addr {
	if a = a.Unmap(); translated.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	b := a.As16()
	if a.Is6() && strings.Trim(string(b[:12]), "\x00") == "" && b[12] != 0 { // ::1.2.3.4, out of use
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

func never(a netip.Addr) bool   { return among(a, nobodys) }
func private(a netip.Addr) bool { return among(a, privates) }

func among(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// strange are ports above 1023 where other things than model servers listen:
// databases, caches, the controls of clusters.
var strange = map[int]bool{
	1433: true, 1521: true, 2049: true, 2375: true, 2376: true, 2379: true, 2380: true, 3306: true, 3389: true, 5432: true,
	5672: true, 5900: true, 5984: true, 6379: true, 6443: true, 8500: true, 9042: true, 9200: true, 9300: true,
	10250: true, 11211: true, 15672: true, 27017: true,
}

// blocked reports whether a port is none where a model server may be.
func blocked(port string) bool {
	n, err := strconv.Atoi(port)
	return err != nil || n < 1 || n > 65535 || n < 1024 && n != 80 && n != 443 || strange[n]
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// plainName reports whether a host is an ordinary name, and no odd spelling of
// an address such as 127.1, 2130706433 or 0x7f.1: those end in a label that
// begins with a digit.
func plainName(host string) bool {
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(host) <= 253 && (last[0] < '0' || last[0] > '9')
}

func local(host string) bool { return host == "localhost" || strings.HasSuffix(host, ".localhost") }
