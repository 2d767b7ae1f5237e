package workspace

import (
	"context"
	"fmt"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Member is a user inside one workspace.
type Member struct {
	User    ident.User
	Role    access.Role   // Administrator or Regular
	Pages   []access.Page // of a regular user
	Version int64         // zero: to be added
}

// AnyVersion stands for whatever is there now: a member is added or changed.
const AnyVersion = -1

// ListedMember is a member as lists show it.
type ListedMember struct {
	Member
	LogOn    ident.LogOn
	Name     string // display name
	Disabled bool   // may not log on at all
	Super    bool   // has full access anyway
}

// MemberFilter chooses members for a list, by log-on name.
type MemberFilter struct {
	Search string // part of log-on or display name, regardless of case
	After  string // the cursor the previous page ended with
	Limit  int
}

// Candidate is a RAM user of the account who is not yet a member.
type Candidate struct {
	User  ident.User
	LogOn ident.LogOn
	Name  string
}

// CandidateFilter chooses RAM users who can be added, by log-on name.
type CandidateFilter struct {
	Search string       // part of log-on name, display name or e-mail, regardless of case
	Among  []ident.User // nil: all of the account
	Limit  int
}

// Leaving is what stops when a member is removed.
type Leaving struct {
	Keys []string // descriptions or ids of the keys that stop working
	Last bool     // the workspace has no other administrator
}

// MemberChange is what became of one member; a role is empty where the user is
// none.
type MemberChange struct {
	LogOn         ident.LogOn
	Before, After Member
}

// MemberStore is what the Members service needs of storage. Every change
// carries the audit event that explains it, and both are kept or neither is.
// An administrator who is disabled does not count as one.
type MemberStore interface {
	Members(ctx context.Context, a ident.Account, ws ident.Workspace, f MemberFilter) (page []ListedMember, next string, err error)
	Member(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User) (ListedMember, error)
	// Candidates reports too whether there may be more of them.
	Candidates(ctx context.Context, a ident.Account, ws ident.Workspace, f CandidateFilter) (list []Candidate, more bool, err error)
	// Administrators gives their display names.
	Administrators(ctx context.Context, a ident.Account, ws ident.Workspace) ([]string, error)
	Leaving(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User) (Leaving, error)
	// PutMembers adds RAM users of the account or changes role and pages, all of
	// them or none. A version that is not the present one is a Conflict on field
	// "version". Unless alone is said it is a Conflict on field "alone" to leave
	// the workspace without an administrator. Root is missing.
	PutMembers(ctx context.Context, a ident.Account, ws ident.Workspace, all []Member, alone bool, why func(MemberChange) audit.Event) error
	// RemoveMember takes a user out of the workspace, with the same condition.
	RemoveMember(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User, alone bool, why func(MemberChange) audit.Event) error
}

// Members is what super administrators and a workspace's administrators can do
// with who belongs to it.
type Members struct{ Store MemberStore }

// List gives one page of the members. It needs members:read there.
func (s *Members) List(ctx context.Context, by access.Actor, ws ident.Workspace, f MemberFilter) ([]ListedMember, string, error) {
	if err := by.RequireIn(ws, access.ReadMembers); err != nil {
		return nil, "", err
	}
	return s.Store.Members(ctx, by.Account, ws, f)
}

// Find gives one member. It needs members:read there.
func (s *Members) Find(ctx context.Context, by access.Actor, ws ident.Workspace, u ident.User) (ListedMember, error) {
	if err := by.RequireIn(ws, access.ReadMembers); err != nil {
		return ListedMember{}, err
	}
	return s.Store.Member(ctx, by.Account, ws, u)
}

// Leaving says what removing a member will stop. It needs members:read there.
func (s *Members) Leaving(ctx context.Context, by access.Actor, ws ident.Workspace, u ident.User) (Leaving, error) {
	if err := by.RequireIn(ws, access.ReadMembers); err != nil {
		return Leaving{}, err
	}
	return s.Store.Leaving(ctx, by.Account, ws, u)
}

// Candidates finds RAM users who can be added, and says whether there may be
// more: in a crowd it looks at a thousand users and no further, so that there may
// be some where none is given. It needs members:change there.
func (s *Members) Candidates(ctx context.Context, by access.Actor, ws ident.Workspace, f CandidateFilter) (list []Candidate, more bool, err error) {
	if err := by.RequireIn(ws, access.ChangeMembers); err != nil {
		return nil, false, err
	}
	return s.Store.Candidates(ctx, by.Account, ws, f)
}

// Administrators gives the display names of those who can grant pages of a
// workspace. Every member may ask.
func (s *Members) Administrators(ctx context.Context, by access.Actor, ws ident.Workspace) ([]string, error) {
	if err := by.RequireIn(ws, access.EnterWorkspace); err != nil {
		return nil, err
	}
	return s.Store.Administrators(ctx, by.Account, ws)
}

// Put adds RAM users to the workspace, or changes role and pages there, all of
// them or none. It needs members:change there. Leaving the workspace without an
// administrator is a Conflict on field "alone" until alone says that this is
// meant; a version that is not the present one is a Conflict on field "version".
func (s *Members) Put(ctx context.Context, by access.Actor, ws ident.Workspace, all []Member, alone bool) error {
	if err := by.RequireIn(ws, access.ChangeMembers); err != nil {
		return err
	}
	all, err := cleanMembers(all)
	if err != nil {
		return err
	}
	return s.Store.PutMembers(ctx, by.Account, ws, all, alone, func(c MemberChange) audit.Event { return c.told(by.Event("", ws, "", "")) })
}

// Seat does the same for one user from this machine's command line, whatever
// the user is there now.
func (s *Members) Seat(ctx context.Context, a ident.Account, ws ident.Workspace, m Member) error {
	m.Version = AnyVersion
	all, err := cleanMembers([]Member{m})
	if err != nil {
		return err
	}
	return s.Store.PutMembers(ctx, a, ws, all, true, func(c MemberChange) audit.Event {
		return c.told(audit.Event{ID: ident.NewEvent(), Account: a, Workspace: ws, ActorName: audit.CommandLineName})
	})
}

func cleanMembers(all []Member) ([]Member, error) {
	clean := make([]Member, len(all))
	for i, m := range all {
		if m.Role != access.Administrator && m.Role != access.Regular {
			return nil, fault.Field("role", "Choose Administrator or User.")
		}
		pages, err := access.KnownPages(m.Pages)
		if err != nil {
			return nil, err
		}
		if m.Role == access.Administrator {
			pages = nil // an administrator has every page
		}
		m.Pages = pages
		clean[i] = m
	}
	return clean, nil
}

// told completes the event that explains a change.
func (c MemberChange) told(why audit.Event) audit.Event {
	switch {
	case c.Before.Role == "":
		why.Action, why.Summary = "members:add", fmt.Sprintf("added %s as %s", c.LogOn, c.After.words())
	case c.After.Role == "":
		why.Action, why.Summary = "members:remove", fmt.Sprintf("removed %s", c.LogOn)
	default:
		why.Action, why.Summary = "members:change", fmt.Sprintf("made %s %s", c.LogOn, c.After.words())
	}
	if why.Object = string(c.After.User); c.After.User == "" {
		why.Object = string(c.Before.User)
	}
	return why.About("user", string(c.LogOn)).Changed("member", c.Before.words(), c.After.words())
}

// words say what a member is.
func (m Member) words() string {
	switch {
	case m.Role == "":
		return "no member"
	case m.Role == access.Administrator:
		return "administrator"
	case len(m.Pages) == 0:
		return "user without a page"
	}
	titles := make([]string, len(m.Pages))
	for i, p := range m.Pages {
		titles[i] = p.Title()
	}
	return "user of " + strings.Join(titles, ", ")
}

// Remove takes a user out of the workspace; the keys they own there stop until
// they rejoin. It needs members:change there.
func (s *Members) Remove(ctx context.Context, by access.Actor, ws ident.Workspace, u ident.User, alone bool) error {
	if err := by.RequireIn(ws, access.ChangeMembers); err != nil {
		return err
	}
	return s.Store.RemoveMember(ctx, by.Account, ws, u, alone, func(c MemberChange) audit.Event { return c.told(by.Event("", ws, string(u), "")) })
}
