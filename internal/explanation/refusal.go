// Package explanation says why a call is allowed or refused: one that could be made
// now, without making it, and one that the gateway refused, as it was decided
// then. The decision itself is the policy's; this package adds who set what
// decided and when, and the words.
package explanation

import (
	"context"
	"net/netip"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// Refusal is what is kept of a call that the gateway refused: what was asked,
// and what decided. It never holds what was said to the model, nor a secret.
type Refusal struct {
	Call      ident.Call
	At        time.Time
	Account   ident.Account   // empty: the key is not known
	Workspace ident.Workspace // whose administrators may see it: the one the call acted in, or else the key's
	Key       ident.Key       // empty: not known, or the console's own call
	Hint      string          // the last characters of what was presented in the form of a key; empty: nothing was
	Person    ident.User      // who asked in the console; empty: a program did
	// The names of the workspace, as they were written.
	Header, Path, Host string
	Address            netip.Addr
	Until              time.Time   // of a temporary key
	Model              ident.Model // empty: refused before it was known
	Capability         catalogue.Capability
	Check              policy.Check  // the one that refused; Nothing: something other than the policy did
	Made               policy.Checks // those that were made
	Version            int64         // of the policy
	Status             int           // HTTP
	Code               string        // as the caller was told
	Limit              Limit         // that refused, after every check had passed; zero: none did
}

// mostName bounds what is kept of a name that a caller wrote, in bytes.
const mostName = 64

// Of makes what is kept of a call that was decided.
func Of(call ident.Call, q policy.Question, d policy.Decision) Refusal {
	r := Refusal{
		Call: call, At: q.At, Person: q.Person, Header: cut(q.Header), Path: cut(q.Path), Host: cut(q.Host), Address: q.Address, Until: q.Until,
		Model: q.Model, Capability: q.Capability, Check: d.Refused, Made: d.Made, Version: d.Version,
	}
	if d.Account != nil {
		r.Account = d.Account.ID
	}
	if d.Key != nil {
		r.Key, r.Workspace = d.Key.ID, d.Key.Workspace
	}
	if d.Workspace != nil {
		r.Workspace = d.Workspace.ID
	}
	return r
}

func cut(name string) string { return name[:min(len(name), mostName)] }

// Retention is how long refusals are kept.
const Retention = 30 * 24 * time.Hour

// How many refusals are kept at most, the newest: of one account, and of keys
// that are not known.
const (
	MostOfAccount = 500_000
	MostUnknown   = 50_000
)

// Store is what recorder and service need of storage.
type Store interface {
	// InsertRefusals keeps refusals in one transaction; those that are there
	// already are left as they are.
	InsertRefusals(ctx context.Context, list []Refusal) error
	// PruneRefusals deletes what is older than a time, and of each account and of
	// unknown keys what is beyond the newest so many.
	PruneRefusals(ctx context.Context, before time.Time, ofAccount, unknown int) error
	// Refusal gives one of the account's, or one of an unknown key.
	Refusal(ctx context.Context, a ident.Account, call ident.Call) (Refusal, error)
	// Refusals gives one page of the account's, newest first, of one workspace or,
	// where that is empty, of all.
	Refusals(ctx context.Context, a ident.Account, ws ident.Workspace, after string, limit int) (page []Refusal, next string, err error)

	// Trail gives one page of the audit trail, newest first.
	Trail(ctx context.Context, a ident.Account, f account.TrailFilter) (page []account.TrailLine, next string, err error)
	Key(ctx context.Context, ws ident.Workspace, id ident.Key) (apikey.Key, error)
}
