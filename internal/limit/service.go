package limit

import (
	"context"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Setting is the limit that a workspace was given for a model.
type Setting struct {
	Limit
	SetAt   time.Time
	SetBy   string // such as "root@acme"
	Version int64  // 0: none is set
}

// Setter is who set something, and when; the zero one: nobody did, it is as it
// began.
type Setter struct {
	By string // such as "root@acme"
	At time.Time
}

// Setter gives who set the limit.
func (s Setting) Setter() Setter { return Setter{s.SetBy, s.SetAt} }

// Sum is what the limits of all workspaces of an account add up to, a minute.
type Sum struct{ Requests, Tokens float64 }

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	// Limits gives those set for a workspace.
	Limits(ctx context.Context, a ident.Account, ws ident.Workspace) (map[ident.Model]Setting, error)
	LimitSums(ctx context.Context, a ident.Account) (map[ident.Model]Sum, error)
	// ChangeLimits makes all changes or none. It is a conflict unless a change's
	// version is the present one or AnyVersion; a model the account does not
	// have is missing. why is asked once for each limit that becomes another.
	ChangeLimits(ctx context.Context, a ident.Account, ws ident.Workspace, changes []Change, by string, why func(m ident.Model, before, after Limit) audit.Event) error
	// ChangeModelLimit changes the account-level limit; a conflict unless
	// version is that of the model.
	ChangeModelLimit(ctx context.Context, a ident.Account, m ident.Model, to catalogue.Limit, version int64, why func(before catalogue.Limit) audit.Event) error
}

// Service is what people and programs can do with limits.
type Service struct{ Store Store }

// MaxChanges is how many limits can be changed at once.
const MaxChanges = 200

// List gives the limits of a workspace by model. It needs limits:read there.
func (s *Service) List(ctx context.Context, by access.Actor, ws ident.Workspace) (map[ident.Model]Setting, error) {
	if err := by.RequireIn(ws, access.ReadLimits); err != nil {
		return nil, err
	}
	return s.Store.Limits(ctx, by.Account, ws)
}

// Sums adds up the limits of all workspaces, a minute. It needs limits:change.
func (s *Service) Sums(ctx context.Context, by access.Actor) (map[ident.Model]Sum, error) {
	if err := by.Require(access.ChangeLimits); err != nil {
		return nil, err
	}
	return s.Store.LimitSums(ctx, by.Account)
}

// Change changes limits of a workspace, all of them or none. It needs
// limits:change. What cannot be is a fault on a field of the change.
func (s *Service) Change(ctx context.Context, by access.Actor, ws ident.Workspace, changes []Change) error {
	if err := by.Require(access.ChangeLimits); err != nil {
		return err
	}
	if len(changes) < 1 || len(changes) > MaxChanges {
		return fault.Field("models", "Change 1 to %d limits at once.", MaxChanges)
	}
	named := map[ident.Model]bool{}
	for _, c := range changes {
		if named[c.Model] {
			return fault.Field("models", "Model %s is named twice.", c.Model)
		}
		named[c.Model] = true
	}
	return s.Store.ChangeLimits(ctx, by.Account, ws, changes, by.FullName(), func(m ident.Model, before, after Limit) audit.Event {
		summary := "set the limit of " + string(m) + " to " + after.Words()
		if !after.Set() {
			summary = "removed the limit of " + string(m)
		}
		return between(by.Event(access.ChangeLimits, ws, string(m), summary), before, after)
	})
}

// ChangeAccount changes the limit of a model that all workspaces share. It
// needs limits:change; the version is the model's.
func (s *Service) ChangeAccount(ctx context.Context, by access.Actor, c Change) error {
	if err := by.Require(access.ChangeLimits); err != nil {
		return err
	}
	after, err := c.figures(Limit{}) // tokens may stand alone here, as they do for some models of the catalogue
	if err != nil {
		return err
	}
	if after.Requests.Set() && after.Requests.Count == 0 || after.Tokens.Set() && after.Tokens.Count == 0 {
		return fault.Field(emptyField(after), "The account's limit is at least 1. Leave it empty for none.")
	}
	to := catalogue.Limit{Requests: after.Requests.Count, RequestPeriod: after.Requests.Period, Usage: after.Tokens.Count, UsagePeriod: after.Tokens.Period}
	return s.Store.ChangeModelLimit(ctx, by.Account, c.Model, to, c.Version, func(before catalogue.Limit) audit.Event {
		why := by.Event(access.ChangeLimits, "", string(c.Model), "set the account's limit of "+string(c.Model)+" to "+after.Words())
		return between(why, Of(before), after)
	})
}

func emptyField(l Limit) string {
	if l.Requests.Set() && l.Requests.Count == 0 {
		return "requests"
	}
	return "tokens"
}

func between(why audit.Event, before, after Limit) audit.Event {
	return why.Changed("requests", before.Requests.short(), after.Requests.short()).Changed("tokens", before.Tokens.short(), after.Tokens.short())
}
