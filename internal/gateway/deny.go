package gateway

import (
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// Trail takes note of denied calls, and must never wait.
type Trail interface{ Record(audit.Event) }

// denials say why a call was denied, for those who may read the trail; callers
// are told less.
var denials = map[policy.Check]string{
	policy.KeyEnabled:      "the key is disabled",
	policy.KeyCurrent:      "the key has expired",
	policy.OwnerBelongs:    "the key's owner may not be in the workspace",
	policy.NamesAgree:      "the names of the workspace do not agree",
	policy.WorkspaceNamed:  "the call does not name its workspace",
	policy.WorkspaceExists: "the named workspace does not exist",
	policy.WorkspaceIsOurs: "the named workspace is not the key's",
	policy.AddressAllowed:  "the key may not be used from this address",
	policy.ModelExists:     "the model does not exist",
	policy.ModelOffers:     "the model does not offer calling",
	policy.KeyCovers:       "the key does not cover the model",
	policy.Granted:         "the workspace is not authorized for the model",
}

// deny tells the trail of a call that the policy refused to a known key. Calls
// with unknown keys are of no account.
func (g *Gateway) deny(c *Call) {
	k, why := c.decision.Key, denials[c.decision.Refused]
	if g.Trail == nil || k == nil || why == "" {
		return
	}
	e := audit.Event{
		ID: ident.NewEvent(), Account: k.Account, Workspace: c.home(), Actor: ident.User(k.ID), ActorKind: audit.Key, ActorName: string(k.ID),
		Call: c.ID, Action: "models:" + max(c.question.Capability, catalogue.Call).String(), Object: string(c.question.Model), ObjectKind: "model", Summary: "was refused a call: " + why,
	}.Ended(audit.Refused, why).With("code", c.code)
	if a := c.question.Address; a.IsValid() {
		e.Address = a.String()
	}
	g.Trail.Record(e)
}
