// Package limit keeps calls within what was agreed: so many requests and so
// many tokens in a period, for each workspace and model and for each model of
// the account, and so many calls at once for each key and workspace.
//
// Requests are counted by the generic cell rate algorithm: one moment is kept,
// at which the whole allowance is free again. A limit of N in a period P lets N
// through at once and then one every P/N; in any time t it lets through at most
// N + t·N/P. Tokens are counted the same way once a call has ended; while it
// runs, what it may consume is held back from the allowance.
package limit

import (
	"time"

	"bailiwick/internal/ident"
)

// Rate is a count in a period.
type Rate struct {
	Count  int // 0: nothing at all
	Period int // seconds; 0: there is no such limit
}

// Set reports whether there is a limit.
func (r Rate) Set() bool { return r.Period > 0 }

// PerMinute scales the count to a minute, rounded down.
func (r Rate) PerMinute() int {
	if !r.Set() {
		return 0
	}
	return r.Count * 60 / r.Period
}

// Limit is how often a model may be called and how many tokens calls may consume.
type Limit struct{ Requests, Tokens Rate }

// Set reports whether there is a limit of either kind.
func (l Limit) Set() bool { return l.Requests.Set() || l.Tokens.Set() }

// Words say both rates: "60 requests in 60 s, no token limit".
func (l Limit) Words() string { return l.Requests.Words("request") + ", " + l.Tokens.Words("token") }

// Bounds of what can be set.
const (
	MaxCount  = 1_000_000_000
	MaxPeriod = 3600 // seconds
)

// Periods are those the console offers, in seconds, as in the original.
var Periods = []int{1, 2, 3, 5, 10, 30, 60}

// Kind is which limit a call ran into.
type Kind string

// The kinds, in the order in which they are asked. Their words are also what a
// refusal's header says.
const (
	None              Kind = ""
	KeyCalls          Kind = "key-concurrency"
	WorkspaceCalls    Kind = "workspace-concurrency"
	WorkspaceRequests Kind = "workspace-request-limit"
	AccountRequests   Kind = "account-request-limit"
	WorkspaceTokens   Kind = "workspace-token-limit"
	AccountTokens     Kind = "account-token-limit"
)

// OfAccount reports whether all workspaces of the account share the limit.
func (k Kind) OfAccount() bool { return k == AccountRequests || k == AccountTokens }

// AtOnce reports whether the limit is of calls that run at once.
func (k Kind) AtOnce() bool { return k == KeyCalls || k == WorkspaceCalls }

// Noun is what the limit counts: "request", "token" or, at once, "call".
func (k Kind) Noun() string {
	switch k {
	case WorkspaceRequests, AccountRequests:
		return "request"
	case WorkspaceTokens, AccountTokens:
		return "token"
	}
	return "call"
}

// Ask is a call that wants to pass. Limits that are not set do not count.
type Ask struct {
	Account   ident.Account
	Workspace ident.Workspace
	Key       ident.Key
	Model     ident.Model

	OfAccount      Limit // shared by all workspaces of the account
	OfWorkspace    Limit
	KeyCalls       int // calls at once; 0: any number
	WorkspaceCalls int

	Tokens int // what the call may consume
	// Least is what it consumes in any case, such as its prompt. The rest of
	// Tokens is a guess that shrinks to what a limit allows at all.
	Least int
}

// Figure is what is left of one kind of allowance, as answers say it.
type Figure struct {
	Limit     Rate
	Remaining int
	Reset     time.Duration // until the whole allowance is free again
}

// Refusal says which limit is in the way.
type Refusal struct {
	Kind  Kind
	Rate  Rate // of that limit; unset for calls at once
	Calls int  // at once, of that limit
	// Retry is how long to wait until the same call passes, if nothing else
	// happens meanwhile; 0: that depends on when running calls end.
	Retry time.Duration
	Never bool // the call is larger than the limit, or the limit is 0: waiting does not help

	Requests, Tokens Figure // of the tightest limits; unset where there is none
}

// Use is how much of a limit is in use.
type Use struct {
	Requests int // of the allowance
	Tokens   int // consumed
	Held     int // tokens held back for running calls
	Running  int // calls
}
