// Package grant is about leave for one workspace to call, train or deploy one
// model. What is not granted is denied.
package grant

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Subject is what is granted: one capability of one model.
type Subject struct {
	Model      ident.Model
	Capability catalogue.Capability
}

// Holder is a sub-workspace in the list of a subject.
type Holder struct {
	Workspace ident.Workspace
	Name      string
	Granted   bool
	Since     time.Time // zero when not granted
	By        string    // who granted it, such as "root@acme"
	All       bool      // holds it through "authorize all", whatever it is granted besides; an edit of the list leaves it alone
}

// Unedited is the version of a list that nobody has edited yet.
const Unedited = 1

// List is who may and who may not, among the account's sub-workspaces, by
// name. Its version changes with every edit.
type List struct {
	Version  int64
	EditedAt time.Time // zero: nobody has edited it
	EditedBy string    // such as "root@acme"
	Holders  []Holder
}

// Edit is what an administrator wants a list to become.
type Edit struct {
	Version    int64             // of the list that was looked at
	Authorized []ident.Workspace // all that shall be authorized afterwards; those with All are left as they are
}

// Change is what an edit changed.
type Change struct{ Granted, Revoked []ident.Workspace }

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	MatrixStore
	GrantList(ctx context.Context, a ident.Account, s Subject) (List, error)
	// ReplaceGrants makes exactly these sub-workspaces hold the subject. It is a
	// conflict unless version is the list's present one, and missing if one of
	// the workspaces is not a sub-workspace of the account. by is who grants;
	// why is asked once for each workspace that is granted or revoked something.
	ReplaceGrants(ctx context.Context, a ident.Account, s Subject, e Edit, by string, why func(Change) audit.Event) (Change, error)
	Model(ctx context.Context, a ident.Account, id ident.Model) (catalogue.Model, error)
	PermitStore
}

// Service is what administrators can do with grants.
type Service struct{ Store Store }

// List gives who is authorized. It needs grants:read.
func (s *Service) List(ctx context.Context, by access.Actor, subject Subject) (List, error) {
	if err := by.Require(access.ReadGrants); err != nil {
		return List{}, err
	}
	if _, err := s.Store.Model(ctx, by.Account, subject.Model); err != nil {
		return List{}, err
	}
	return s.Store.GrantList(ctx, by.Account, subject)
}

// Authorize makes exactly the sub-workspaces of the edit hold the subject, at
// once. It needs grants:change. A capability the model does not offer cannot be
// granted. If somebody else edited the list meanwhile it is a Conflict and
// nothing changes.
func (s *Service) Authorize(ctx context.Context, by access.Actor, subject Subject, e Edit) (Change, error) {
	if err := by.Require(access.ChangeGrants); err != nil {
		return Change{}, err
	}
	m, err := s.Store.Model(ctx, by.Account, subject.Model)
	if err != nil {
		return Change{}, err
	}
	if !m.Offers.Has(subject.Capability) {
		return Change{}, fault.New(fault.Invalid, "%s does not offer %s.", m.Name, subject.Capability.Title())
	}
	slices.Sort(e.Authorized)
	e.Authorized = slices.Compact(e.Authorized)
	return s.Store.ReplaceGrants(ctx, by.Account, subject, e, by.FullName(), func(c Change) audit.Event { return explain(by, subject, c) })
}

// explain begins the event of what changed for one workspace.
func explain(by access.Actor, subject Subject, c Change) audit.Event {
	ws, did := slices.Concat(c.Granted, c.Revoked)[0], "revoked"
	if len(c.Granted) > 0 {
		did = "granted"
	}
	why := by.Event(access.ChangeGrants, ws, string(subject.Model), fmt.Sprintf("%s %s of %s", did, subject.Capability.Title(), subject.Model)).About("model", "")
	return why.Changed(subject.Capability.Title(), strconv.FormatBool(did == "revoked"), strconv.FormatBool(did == "granted"))
}
