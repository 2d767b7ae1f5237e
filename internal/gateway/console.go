package gateway

import (
	"net/http"
	"net/netip"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// ServeConsole takes a chat call of the console's playground through the gates,
// in the OpenAI dialect. It needs playground:use in the workspace. A person
// stands in the place of a key; everything else is as for programs: the same
// decision, limits, forwarding and books.
func (g *Gateway) ServeConsole(w http.ResponseWriter, r *http.Request, by access.Actor, ws ident.Workspace) {
	c := g.begin(w, r)
	c.service = dialect.Chat
	defer g.leave(c)
	defer g.meter(c)
	defer g.survive(c)
	if refusal := g.passConsole(c, by, ws); refusal != nil {
		g.refuse(c, *refusal)
	}
}

// passConsole is the order of the gates for the console.
func (g *Gateway) passConsole(c *Call, by access.Actor, ws ident.Workspace) *dialect.Refusal {
	c.entered = true
	if r := g.enter(); r != nil {
		return r
	}
	if err := by.RequireIn(ws, access.UsePlayground); err != nil {
		return dialect.Denied.WithMessage("%s", fault.Show(err))
	}
	if g.Policy.Age(c.start) > max(g.MaxAge, 3*policy.Poll) {
		return &dialect.Stale
	}
	c.snapshot = g.Policy.Now()
	c.question = policy.Question{Person: by.User, Path: string(ws), At: c.At}
	if a, err := netip.ParseAddr(by.Address); err == nil {
		c.question.Address = a
	}
	for _, gate := range []func(*Call) *dialect.Refusal{g.authorizeCaller, g.admit, g.authorizeModel, g.limit, g.forward} {
		if r := gate(c); r != nil {
			return r
		}
	}
	return nil
}

// holder is whose calls count together: a key's or, in the console, a person's.
func (c *Call) holder() ident.Key {
	if k := c.decision.Key; k != nil {
		return k.ID
	}
	return ident.Key(c.question.Person)
}
