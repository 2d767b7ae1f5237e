package gateway

import (
	"context"
	"net/http"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dashscope"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
)

// Management is what the addresses do that change rights and limits. They ask
// the same services as the console, in the name of the key's owner.
type Management struct {
	Actor  func(ctx context.Context, u ident.User) (access.Actor, error)
	Grants *grant.Service
	Limits *limit.Service
}

// manage answers the addresses under which rights and limits of the workspace
// that is named are read and changed. Reading asks the snapshot alone and needs
// nothing but a key that may act there; changing needs a key of root or of a
// super administrator in the Default Workspace.
func (g *Gateway) manage(c *Call) *dialect.Refusal {
	if c.r.Method == http.MethodGet {
		return g.tell(c)
	}
	if g.Management == nil || !c.snapshot.Manages(c.decision.Key) {
		return &dialect.Denied
	}
	body, r := g.body(c)
	if r != nil {
		return r
	}
	by, err := g.Management.Actor(c.r.Context(), c.decision.Key.Owner)
	if fault.Is(err, fault.Missing) {
		return &dialect.Denied // disabled this moment
	}
	if err != nil {
		r := dialect.FromFault(err)
		return &r
	}
	by.Key, by.Address, by.Call = c.decision.Key.ID, c.question.Address.String(), c.ID
	if r := g.change(c, by, body); r != nil {
		return r
	}
	c.answer(http.StatusOK, dashscope.Done(c.ID))
	return nil
}

// change reads what is wanted and has it done.
func (g *Gateway) change(c *Call, by access.Actor, body []byte) *dialect.Refusal {
	ws := c.decision.Workspace
	var err error
	if c.service == dialect.Permissions {
		p, r := dashscope.ReadPermissions(body)
		switch {
		case r != nil:
			return r
		case ws.Default:
			return &dialect.Unsupported
		}
		err = g.Management.Grants.Permit(c.r.Context(), by, ws.ID, p)
	} else {
		changes, r := dashscope.ReadLimits(body)
		if r != nil {
			return r
		}
		err = g.Management.Limits.Change(c.r.Context(), by, ws.ID, changes)
	}
	if err != nil {
		r := dialect.FromFault(err)
		return &r
	}
	return nil
}

// tell answers what is set.
func (g *Gateway) tell(c *Call) *dialect.Refusal {
	models := c.snapshot.Catalogue(c.decision.Account.ID)
	var body []byte
	var r *dialect.Refusal
	if c.service == dialect.Permissions {
		body, r = dashscope.ListPermissions(c.r, models, c.decision.Workspace, c.snapshot.Holds, c.ID)
	} else {
		body, r = dashscope.ListLimits(c.r, models, c.decision.Workspace, c.ID)
	}
	if r == nil {
		c.answer(http.StatusOK, body)
	}
	return r
}
