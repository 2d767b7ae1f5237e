package account

import (
	"context"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// UserFilter chooses RAM users for a list, by log-on name.
type UserFilter struct {
	Search string // part of log-on name, display name or e-mail, regardless of case
	State  UserState
	After  string // the cursor the previous page ended with
	Limit  int
}

// UserState narrows a list of RAM users; the zero value is all of them.
type UserState string

// The states.
const (
	Active   UserState = "active"   // may log on
	Invited  UserState = "invited"  // has no password yet, or none any more
	Disabled UserState = "disabled" // may not log on until enabled
	Supers   UserState = "super"    // has full access
)

// ListedUser is a RAM user as lists show it.
type ListedUser struct {
	User
	Workspaces int       // memberships
	Keys       int       // keys owned
	LastLogOn  time.Time // zero: never
	LinkUntil  time.Time // when the first log-on link ends; zero: none is out
}

// Seat is what a RAM user is in one workspace.
type Seat struct {
	Workspace ident.Workspace
	Name      string // of the workspace
	access.Membership
}

// Impact is what stops when a user is disabled or deleted.
type Impact struct {
	Keys       []string // descriptions or ids of the keys that stop working
	Elsewhere  []string // of those the keys in workspaces to which the user does not belong: full access alone keeps them
	Workspaces []string // names of the workspaces the user belongs to
	Alone      []string // names of those whose only administrator the user is
	AdminKeys  []string // names of the admin keys that stop working
	Sessions   int
}

// Newcomer is a RAM user to be added, with what explains it.
type Newcomer struct {
	User       User
	Invitation Invitation // without a token: the user has a password
	Why        audit.Event
}

// PeopleStore is what the People service needs of storage. Every change
// carries the audit event that explains it, and both are kept or neither is.
// Root is missing to every method that changes a user.
type PeopleStore interface {
	Users(ctx context.Context, a ident.Account, f UserFilter) (page []ListedUser, next string, err error)
	// User finds one, root too.
	User(ctx context.Context, a ident.Account, id ident.User) (ListedUser, error)
	// Taken gives those of the log-on names that there is a user for.
	Taken(ctx context.Context, a ident.Account, names []ident.LogOn) ([]ident.LogOn, error)
	// InsertUsers keeps all of them or none. A name that is taken is a Conflict
	// on field "logon", which names it.
	InsertUsers(ctx context.Context, a ident.Account, all []Newcomer) error
	// UpdateUser changes display name and e-mail; a conflict unless u.Version is the present one.
	UpdateUser(ctx context.Context, a ident.Account, u User, why audit.Event) error
	// SetUserRole ends every session of a user whose role it changes.
	SetUserRole(ctx context.Context, a ident.Account, id ident.User, role access.Role, why audit.Event) error
	// SetUserDisabled disables at that time and ends every session, or enables when it is zero.
	SetUserDisabled(ctx context.Context, a ident.Account, id ident.User, at time.Time, why audit.Event) error
	// DeleteUser deletes the user with memberships, sessions, invitations and
	// second factors. Keys the user owned stay in the lists and are dead for good.
	DeleteUser(ctx context.Context, a ident.Account, id ident.User, why audit.Event) error
	// UserImpact counts what works at that time.
	UserImpact(ctx context.Context, a ident.Account, id ident.User, at time.Time) (Impact, error)
	Seats(ctx context.Context, a ident.Account, id ident.User) ([]Seat, error)
	// Invite replaces the user's password and earlier invitations by one
	// invitation and ends every session.
	Invite(ctx context.Context, a ident.Account, id ident.User, i Invitation, why audit.Event) error
	// Invitation finds the user an invitation is for; missing when it is unknown,
	// used or over at that time, and when the user is disabled.
	Invitation(ctx context.Context, token secret.Digest, at time.Time) (User, error)
	// AcceptInvitation uses it up and sets the password; missing when somebody else was faster.
	AcceptInvitation(ctx context.Context, token secret.Digest, at time.Time, hash string, why audit.Event) error
	// SetPassword ends every session and invitation of the user.
	SetPassword(ctx context.Context, a ident.Account, id ident.User, hash string, mustChange bool, why audit.Event) error
	EndSessions(ctx context.Context, a ident.Account, id ident.User, why audit.Event) error
}
