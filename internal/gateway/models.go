package gateway

import (
	"net/http"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/policy"
)

// list answers what the caller may call: the same question that a call is
// decided by, asked of every model.
func (g *Gateway) list(c *Call) *dialect.Refusal {
	models := c.snapshot.Models(c.question, g.listed(c))
	if c.service == dialect.Model {
		return c.one(models)
	}
	body, r := c.dialect.List(c.r, models, c.ID)
	if r == nil {
		c.answer(http.StatusOK, body)
	}
	return r
}

// listed is the capability that a list is about.
func (g *Gateway) listed(c *Call) catalogue.Capability {
	if c.dialect.Name() == "dashscope" && c.r.URL.Query().Get("supports") == "deploy" {
		return catalogue.Deploy
	}
	return catalogue.Call
}

// one answers for one model. One that the caller may not call is missing, as
// one that does not exist.
func (c *Call) one(models []*policy.Model) *dialect.Refusal {
	for _, m := range models {
		if string(m.ID) == c.asked {
			c.answer(http.StatusOK, c.dialect.Describe(m, c.ID))
			return nil
		}
	}
	r := dialect.NoModel(c.asked)
	return &r
}
