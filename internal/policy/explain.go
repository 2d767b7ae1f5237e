package policy

import (
	"bailiwick/internal/catalogue"
	"bailiwick/internal/secret"
)

// Step is one check of an explanation.
type Step struct {
	Check Check
	State State
}

// State is what became of a check.
type State int

// The states.
const (
	Passed State = iota
	Failed
	Unasked // the decision ended before
)

// Explanation is a decision laid open: the same answer as Decide gives, with
// the checks in their order and what would have to change.
type Explanation struct {
	Question Question
	Decision
	Steps []Step
	// Stale is the key whose secret before its last reset was presented, when
	// that no longer works; else nil.
	Stale *Key
	// Changes are what flips the decision, one by one: after the first of them
	// the check that failed passes, and what each leads to is its Next. They end
	// where the question is allowed or nothing can be said any more; there are
	// none for what is allowed already.
	Changes []Change
}

// mostChanges bounds how many changes are looked for: one for each check.
const mostChanges = int(IsServed)

// Explain answers a question as Decide does and says why, and what would have
// to change. That a change leads where it says is found out by making it, in a
// copy of the world.
func (s *Snapshot) Explain(q Question) Explanation {
	e := Explanation{Question: q, Decision: s.Decide(q)}
	e.Steps = Steps(e.Made, e.Refused, Asked(q.Person != "", q.Model != "", q.Capability == catalogue.Call))
	if e.Refused == KeyKnown {
		e.Stale = s.stale(q.Digest)
	}
	d := e.Decision
	for range mostChanges {
		if d.Allowed() {
			break
		}
		c, ok := s.change(q, d)
		if !ok {
			break
		}
		if c.Next = Depends; c.Do != PresentKey {
			s, q = c.made(s, q)
			d = s.Decide(q)
			c.Next = d.Refused
		}
		e.Changes = append(e.Changes, c)
		if c.Next == Depends || len(e.Changes) > 1 && e.Changes[len(e.Changes)-2].Do == c.Do {
			break
		}
	}
	return e
}

// stale finds the key whose secret before its last reset this is.
func (s *Snapshot) stale(d secret.Digest) *Key {
	k := s.KeyBy(d)
	if k == nil || k.Digest == d || s.homeOf(k) == nil {
		return nil
	}
	return k
}

// Steps lays out the checks of a decision in their order: those that were made
// and, after the one that failed, those that would have been asked next.
func Steps(made Checks, refused Check, asked Checks) (steps []Step) {
	for c := KeyPresented; c <= IsServed; c++ {
		switch {
		case made.Has(c) && c == refused:
			steps = append(steps, Step{c, Failed})
		case made.Has(c):
			steps = append(steps, Step{c, Passed})
		case refused != Nothing && c > refused && asked.Has(c):
			steps = append(steps, Step{c, Unasked})
		}
	}
	return steps
}

// Asked are the checks that a question of this kind goes through when none fails.
func Asked(person, model, calling bool) Checks {
	set := Checks(1<<KeyPresented | 1<<KeyKnown | 1<<KeyEnabled | 1<<KeyCurrent | 1<<OwnerBelongs | 1<<NamesAgree | 1<<WorkspaceNamed | 1<<WorkspaceIsOurs | 1<<AddressAllowed)
	if person {
		set = 1<<WorkspaceExists | 1<<WorkspaceIsOurs
	}
	if model {
		set |= 1<<ModelExists | 1<<ModelOffers | 1<<Granted
		if !person {
			set |= 1 << KeyCovers
		}
		if calling {
			set |= 1 << IsServed
		}
	}
	return set
}
