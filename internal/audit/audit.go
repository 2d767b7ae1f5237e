// Package audit is the trail: every change is kept together with the event
// that explains it, in one transaction, or not at all.
package audit

import (
	"time"

	"bailiwick/internal/ident"
)

// Event is one line of the trail. It never holds a secret.
type Event struct {
	ID        ident.Event
	At        time.Time
	Account   ident.Account
	Workspace ident.Workspace // empty: the event concerns the account as a whole
	Actor     ident.User      // empty: the system or the command line
	ActorName string          // as it was called then, such as "alice@acme" or "command line"
	Address   string          // where the actor came from; empty when it came from this machine's command line
	Call      ident.Call      // the request it happened in
	Action    string          // what was done, as "noun:verb"
	Object    string          // the id of what it was done to
	Summary   string          // one sentence in words, such as `created workspace "Marketing"`
	Detail    map[string]string
}
