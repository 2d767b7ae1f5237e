package workspace

import (
	"context"
	"fmt"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

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

// MemberStore is what the Members service needs of storage. Every change
// carries the audit event that explains it, and both are kept or neither is.
type MemberStore interface {
	Members(ctx context.Context, a ident.Account, ws ident.Workspace, f MemberFilter) (page []ListedMember, next string, err error)
	Member(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User) (ListedMember, error)
	Candidates(ctx context.Context, a ident.Account, ws ident.Workspace, search string, limit int) ([]Candidate, error)
	// PutMember adds a RAM user of the account or changes role and pages. Unless
	// alone is said it is a Conflict on field "alone" to leave the workspace
	// without an administrator.
	PutMemberUnless(ctx context.Context, a ident.Account, ws ident.Workspace, m Member, alone bool, why audit.Event) error
	// RemoveMember takes a user out of the workspace, with the same condition.
	RemoveMember(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User, alone bool, why audit.Event) error
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

// Candidates finds RAM users who can be added. It needs members:change there.
func (s *Members) Candidates(ctx context.Context, by access.Actor, ws ident.Workspace, search string) ([]Candidate, error) {
	if err := by.RequireIn(ws, access.ChangeMembers); err != nil {
		return nil, err
	}
	return s.Store.Candidates(ctx, by.Account, ws, search, 50)
}

// Put adds a RAM user to the workspace, or changes role and pages there. It
// needs members:change there. Leaving the workspace without an administrator is
// a Conflict on field "alone" until alone says that this is meant.
func (s *Members) Put(ctx context.Context, by access.Actor, ws ident.Workspace, m Member, alone bool) error {
	if err := by.RequireIn(ws, access.ChangeMembers); err != nil {
		return err
	}
	if m.Role != access.Administrator && m.Role != access.Regular {
		return fault.Field("role", "Choose Administrator or User.")
	}
	pages, err := access.KnownPages(m.Pages)
	if err != nil {
		return err
	}
	if m.Pages = pages; m.Role == access.Administrator {
		m.Pages = nil // an administrator has every page
	}
	why := by.Event(access.ChangeMembers, ws, string(m.User), "set a member's role and pages")
	why.Detail = map[string]string{"role": string(m.Role), "pages": fmt.Sprint(m.Pages)}
	return s.Store.PutMemberUnless(ctx, by.Account, ws, m, alone, why)
}

// Remove takes a user out of the workspace; the keys they own there stop until
// they rejoin. It needs members:change there.
func (s *Members) Remove(ctx context.Context, by access.Actor, ws ident.Workspace, u ident.User, alone bool) error {
	if err := by.RequireIn(ws, access.ChangeMembers); err != nil {
		return err
	}
	return s.Store.RemoveMember(ctx, by.Account, ws, u, alone, by.Event("members:remove", ws, string(u), "removed a member"))
}
