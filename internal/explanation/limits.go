package explanation

import (
	"fmt"
	"time"

	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
)

// Limit is the limit that refused a call; the zero one: none did.
type Limit struct {
	Kind  limit.Kind
	Rate  limit.Rate // of calls at once, only its count
	SetBy string     // empty: it was as the catalogue or the program has it
	SetAt time.Time  // zero: likewise
	Asked int        // tokens the call might have consumed, where that is more than the limit ever lets through; else 0
}

// LimitOf makes what is kept of a limit that refused a call of so many tokens.
func LimitOf(r *limit.Refusal, d policy.Decision, tokens int) Limit {
	set := d.LimitSetter(r.Kind)
	l := Limit{Kind: r.Kind, Rate: r.Rate, SetBy: set.By, SetAt: set.At}
	if r.Kind.AtOnce() {
		l.Rate = limit.Rate{Count: r.Calls}
	}
	if r.Never && r.Rate.Count > 0 {
		l.Asked = tokens
	}
	return l
}

// Bound is a limit that holds for a call.
type Bound struct {
	Title string // whose it is
	Text  string // "60 requests in 60 s, no token limit"
	Set   *Set   // who made it so; nil: nobody did
}

// As nobody set them.
const (
	asListed = "It is as the catalogue has it."
	asBegun  = "It is as every account begins."
)

// limited says of a refused call which limit was in the way, and what would let
// such a call through.
func (r Refusal) limited(now *policy.Snapshot) (Line, Change) {
	l := r.Limit
	model, place := string(r.Model), orElse(now.WorkspaceName(r.Workspace), string(r.Workspace))
	line := Line{Title: "There is room within the limits", State: policy.Failed, Set: setting(limit.Setter{By: l.SetBy, At: l.SetAt}, "set this limit")}
	change := Change{Limit: l.Kind, Where: Where{Workspace: r.Workspace, Model: r.Model}, Who: theOwners, Flips: true, Then: "A call like this one is let through then, unless another limit is in the way."}
	switch {
	case l.Kind == limit.KeyCalls:
		line.Found = fmt.Sprintf("The key had %d calls running, as many as one key of the account may.", l.Rate.Count)
		change.Text = "Wait until calls of the key have ended, or let more of one key run at once."
	case l.Kind == limit.WorkspaceCalls:
		line.Found = fmt.Sprintf("%s had %d calls running, as many as one workspace of the account may.", place, l.Rate.Count)
		change.Text = "Wait until calls of " + place + " have ended, or let more of one workspace run at once."
	case l.Kind.OfAccount():
		line.Found = "All workspaces of the account together may use " + l.Rate.Words(l.Kind.Noun()) + " of " + model + "."
		change.Text = "Raise the account's " + l.Kind.Noun() + " limit of " + model + "."
	default:
		line.Found = place + " may use " + l.Rate.Words(l.Kind.Noun()) + " of " + model + "."
		change.Text = "Raise the " + l.Kind.Noun() + " limit of " + model + " in " + place + ", or take it away."
		if m := now.Model(r.Account, r.Model); m != nil && m.Private() {
			change.Deployed, change.Who = true, theDeployers
			change.Text = "Raise the limits of the deployment " + model + "."
		}
	}
	switch {
	case l.Asked > 0:
		line.Found += fmt.Sprintf(" The call might have consumed %d tokens, more than that ever lets through.", l.Asked)
		change.Text += fmt.Sprintf(" It must let %d tokens through; or let the answer be shorter (max_tokens), or the prompt.", l.Asked)
	case !l.Kind.AtOnce() && l.Rate.Count > 0:
		line.Found += " They were used up."
		change.Text += " With time there is room again without that: the answer said when, in Retry-After."
	}
	if line.Set == nil {
		line.Found += " " + unset(l.Kind)
	}
	return line, change
}

func unset(k limit.Kind) string {
	if k.AtOnce() {
		return asBegun
	}
	return asListed
}

// setting is who set a limit; nil: nobody did.
func setting(by limit.Setter, summary string) *Set {
	if by.By == "" {
		return nil
	}
	return &Set{By: by.By, At: by.At, Summary: summary}
}

// bounds are the limits that hold for a call that is allowed.
func (s speech) bounds() (list []Bound) {
	own, shared := s.Limits()
	add := func(title, text, otherwise string, by limit.Setter) {
		b := Bound{Title: title, Text: text, Set: setting(by, "set this limit")}
		if b.Set == nil {
			b.Text += ". " + otherwise
		}
		list = append(list, b)
	}
	if own.Set() {
		add(s.model()+" in "+s.Workspace.Name, own.Words(), "", own.Setter())
	}
	if shared.Set() {
		add(s.model()+" in all workspaces together", shared.Words(), asListed, shared.Setter())
	}
	if n := s.Account.KeyCalls; n > 0 && s.Key != nil {
		add("At once with one key", calls(n), asBegun, s.Account.KeyCallsSet)
	}
	if n := s.Account.WorkspaceCalls; n > 0 {
		add("At once in one workspace", calls(n), asBegun, s.Account.WorkspaceCallsSet)
	}
	return list
}

func calls(n int) string {
	if n == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", n)
}
