package gateway

import (
	"net/http"
	"net/netip"
	"strings"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// authenticate is the first gate. It reads the credential, the names of the
// workspace and the caller's address into the question that will be decided,
// and takes the one snapshot that decides it.
func (g *Gateway) authenticate(c *Call) *dialect.Refusal {
	key, presented, two := credential(c.r.Header)
	if two {
		return &dialect.TwoKeys
	}
	if strings.HasPrefix(key, secret.AdminPrefix) {
		return &dialect.AdminKey
	}
	c.snapshot = g.Policy.Now()
	c.question = policy.Question{
		Presented: presented,
		Header:    strings.Join(c.r.Header[dialect.WorkspaceHeader], ","), // several different ones name nothing that exists
		Path:      c.workspace,
		Host:      g.hostName(c.r.Host),
		Address:   g.address(c.r),
		At:        c.At,
		Manage:    c.service.Managing(),
	}
	switch {
	case !presented:
	case secret.WellFormed(key):
		c.question.Digest, c.hint = g.Pepper.Digest(key), key[len(key)-hintLength:]
	case strings.HasPrefix(key, secret.TemporaryPrefix):
		if d, until, ok := g.Pepper.OpenTemporary(key); ok {
			c.question.Digest, c.question.Until, c.hint = d, until, key[len(key)-hintLength:]
		}
	}
	return nil
}

// credential finds what the caller presents: Authorization, x-api-key or
// api-key, never the query or a cookie. Something that is no key is presented
// all the same; two is true when there are different ones.
func credential(h http.Header) (key string, presented, two bool) {
	take := func(s string) {
		if presented && s != key {
			two = true
		}
		key, presented = s, true
	}
	for _, v := range h["Authorization"] {
		scheme, rest, _ := strings.Cut(v, " ")
		if strings.EqualFold(scheme, "Bearer") {
			take(strings.TrimSpace(rest))
		} else {
			take(scheme + " " + rest) // another scheme, or none: with its space it is no key
		}
	}
	for _, name := range [...]string{"X-Api-Key", "Api-Key"} {
		for _, v := range h[name] {
			take(v)
		}
	}
	return key, presented, two
}

// hostName gives the workspace that a host name begins with, if it ends with
// the configured base and the label is meant for a workspace.
func (g *Gateway) hostName(host string) string {
	if g.BaseHost == "" || len(host) <= len(g.BaseHost) {
		return ""
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	label, ok := strings.CutSuffix(strings.ToLower(host), "."+g.BaseHost)
	if !ok || !strings.HasPrefix(label, "llm-") && !strings.HasPrefix(label, "ws-") {
		return ""
	}
	return label
}

// address is where a call comes from: the connection's other end or, through
// trusted proxies, the nearest address that is none of them.
func (g *Gateway) address(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().Unmap()
	if len(g.TrustedProxies) == 0 {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0 && g.trusted(addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
	}
	return addr
}

func (g *Gateway) trusted(a netip.Addr) bool {
	for _, p := range g.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
