package gateway

import (
	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway/dialect"
)

// authorizeCaller is the first half of the second gate: who is calling, and in
// which workspace. It is asked before the body is read.
func (g *Gateway) authorizeCaller(c *Call) *dialect.Refusal {
	c.decision = c.snapshot.Decide(c.question)
	return c.refusedBy("")
}

// authorizeModel is the second half: may they call this model. It asks the same
// snapshot.
func (g *Gateway) authorizeModel(c *Call) *dialect.Refusal {
	c.question.Model, c.question.Capability = c.exchange.Model(), catalogue.Call
	c.decision = c.snapshot.Decide(c.question)
	if r := c.refusedBy(string(c.question.Model)); r != nil {
		return r
	}
	return c.exchange.Fits(c.decision.Model)
}

func (c *Call) refusedBy(model string) *dialect.Refusal {
	if c.decision.Allowed() {
		return nil
	}
	r := dialect.Refused(c.decision.Refused, model)
	return &r
}
