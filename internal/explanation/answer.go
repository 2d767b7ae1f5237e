package explanation

import (
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
)

// Answer is an explanation in words.
type Answer struct {
	Allowed bool
	At      time.Time // when it was decided
	Version int64     // of the policy that decided
	Lines   []Line
	Changes []Change // none where it is allowed
	Bounds  []Bound  // the limits that hold for it, of a call that is allowed

	Key       ident.Key // empty: not known, or none was asked about
	Workspace ident.Workspace
	Model     ident.Model
}

// Line is one check.
type Line struct {
	Check policy.Check
	Title string // what holds when it passes
	State policy.State
	Found string // what was found; empty: it was not asked, or nothing is left to be said
	Set   *Set   // who made it so; nil: nobody did, or it is not known
}

// Set is who set what a check found, and when.
type Set struct {
	By      string // such as "root@acme"
	At      time.Time
	Summary string      // what they did, in a sentence
	Event   ident.Event // its line of the audit trail; empty: there is none
}

// Change is one thing that would have to be different, and what it leads to.
type Change struct {
	Do    policy.Do
	Text  string // what to do
	Where Where  // what it is done to
	Who   string // who can
	Then  string // what it leads to
	Flips bool   // the call is allowed then

	Limit    limit.Kind // the limit that is changed; None: no limit is
	Deployed bool       // it is a deployment's
}

// Where is what a change is made to, for links.
type Where struct {
	Key       ident.Key
	Workspace ident.Workspace
	Model     ident.Model
	User      ident.User
}

// Past is a call that was refused.
type Past struct {
	Refusal
	Lines []Line // as it was decided then
	Cause string // why, where neither the policy nor a limit refused it
	// Changes let such a call through, where a limit refused it.
	Changes []Change
	// Now is what would be decided at present; nil where that cannot be asked, and
	// then Unasked says why.
	Now     *Answer
	Unasked string
}
