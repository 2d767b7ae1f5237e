package account

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// InvitationLife is how long a first log-on link works.
const InvitationLife = 7 * 24 * time.Hour

// UserFilter chooses RAM users for a list, by log-on name.
type UserFilter struct {
	Search string // part of log-on name, display name or e-mail, regardless of case
	After  string // the cursor the previous page ended with
	Limit  int
}

// ListedUser is a RAM user as lists show it.
type ListedUser struct {
	User
	Workspaces int       // memberships
	Keys       int       // keys owned
	LastLogOn  time.Time // zero: never
	Invited    bool      // a first log-on link is out
}

// Impact is what stops when a user is disabled or deleted.
type Impact struct {
	Keys       []string // descriptions or ids of the keys that stop working
	Workspaces []string // names of the workspaces the user belongs to
	Alone      []string // names of those whose only administrator the user is
	Sessions   int
}

// PeopleStore is what the People service needs of storage. Every change
// carries the audit event that explains it, and both are kept or neither is.
// Root is missing to every method that changes a user.
type PeopleStore interface {
	Users(ctx context.Context, a ident.Account, f UserFilter) (page []ListedUser, next string, err error)
	User(ctx context.Context, a ident.Account, id ident.User) (User, error)
	UserByLogOn(ctx context.Context, alias ident.Alias, name ident.LogOn) (User, error)
	InsertUser(ctx context.Context, a ident.Account, u User, why audit.Event) error
	// UpdateUser changes display name and e-mail; a conflict unless u.Version is the present one.
	UpdateUser(ctx context.Context, a ident.Account, u User, why audit.Event) error
	SetUserRole(ctx context.Context, a ident.Account, id ident.User, role access.Role, why audit.Event) error
	// SetUserDisabled disables at that time and ends every session, or enables when it is zero.
	SetUserDisabled(ctx context.Context, a ident.Account, id ident.User, at time.Time, why audit.Event) error
	// DeleteUser deletes the user with memberships, sessions, invitations and
	// second factors. Keys the user owned stay in the lists and are dead for good.
	DeleteUser(ctx context.Context, a ident.Account, id ident.User, why audit.Event) error
	UserImpact(ctx context.Context, a ident.Account, id ident.User) (Impact, error)
	// Invite replaces the user's password and earlier invitations by one
	// invitation and ends every session.
	Invite(ctx context.Context, a ident.Account, id ident.User, token secret.Digest, until time.Time, why audit.Event) error
	// Invitation finds the user an invitation is for; missing when it is unknown, used or over at that time.
	Invitation(ctx context.Context, token secret.Digest, at time.Time) (User, error)
	// AcceptInvitation uses it up and sets the password; missing when somebody else was faster.
	AcceptInvitation(ctx context.Context, token secret.Digest, at time.Time, hash string, why audit.Event) error
	// GivePassword sets a password that must be changed at the next log-on and ends every session.
	GivePassword(ctx context.Context, a ident.Account, id ident.User, hash string, why audit.Event) error
	EndSessions(ctx context.Context, a ident.Account, id ident.User, why audit.Event) error
}

// People is what root and super administrators can do with RAM users.
type People struct {
	Store PeopleStore
	Now   func() time.Time
}

// Profile is what somebody says of a RAM user.
type Profile struct {
	LogOn string // on adding only
	Name  string // display name; empty: the log-on name
	Email string // optional
}

// List gives one page of the account's RAM users. It needs users:read.
func (s *People) List(ctx context.Context, by access.Actor, f UserFilter) ([]ListedUser, string, error) {
	if err := by.Require(access.ReadUsers); err != nil {
		return nil, "", err
	}
	return s.Store.Users(ctx, by.Account, f)
}

// Find gives one RAM user. It needs users:read.
func (s *People) Find(ctx context.Context, by access.Actor, id ident.User) (User, error) {
	if err := by.Require(access.ReadUsers); err != nil {
		return User{}, err
	}
	return s.Store.User(ctx, by.Account, id)
}

// Add makes a RAM user who comes in by a one-time link, and returns its token,
// once. It needs users:change.
func (s *People) Add(ctx context.Context, by access.Actor, in Profile) (User, secret.Text, error) {
	u, err := s.fresh(by, in)
	if err != nil {
		return User{}, secret.Text{}, err
	}
	if err := s.insert(ctx, by, u); err != nil {
		return User{}, secret.Text{}, err
	}
	token, err := s.Invite(ctx, by, u.ID)
	return u, token, err
}

// AddWithPassword makes a RAM user with a password that must be changed at the
// first log-on. It needs users:change.
func (s *People) AddWithPassword(ctx context.Context, by access.Actor, in Profile, password secret.Text) (User, error) {
	u, err := s.fresh(by, in)
	if err != nil {
		return User{}, err
	}
	if err := u.CheckPassword("password", password, string(by.Alias)); err != nil {
		return User{}, err
	}
	if u.Password, err = secret.HashPassword(ctx, password); err != nil {
		return User{}, err
	}
	u.MustChange = true
	return u, s.insert(ctx, by, u)
}

func (s *People) fresh(by access.Actor, in Profile) (User, error) {
	if err := by.Require(access.ChangeUsers); err != nil {
		return User{}, err
	}
	name, err := ident.ParseLogOn(strings.TrimSpace(in.LogOn))
	if err != nil {
		return User{}, fault.Field("logon", "%s", fault.Show(err))
	}
	if name == RootLogOn {
		return User{}, fault.Field("logon", "The name root is the account owner's.")
	}
	u := User{ID: ident.NewUser(), Account: by.Account, LogOn: name, Role: access.Regular, CreatedAt: s.Now(), Generation: 1, Version: 1}
	return u, u.describe(in)
}

func (s *People) insert(ctx context.Context, by access.Actor, u User) error {
	err := s.Store.InsertUser(ctx, by.Account, u, by.Event(access.ChangeUsers, "", string(u.ID), fmt.Sprintf("added RAM user %s", u.LogOn)))
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "There is already a user %s@%s.", u.LogOn, by.Alias).About("logon")
	}
	return err
}

// describe sets display name and e-mail.
func (u *User) describe(in Profile) error {
	u.Name = strings.Join(strings.Fields(in.Name), " ")
	if u.Name == "" {
		u.Name = string(u.LogOn)
	}
	if n := utf8.RuneCountInString(u.Name); n > 64 || !utf8.ValidString(u.Name) || strings.IndexFunc(u.Name, unicode.IsControl) >= 0 {
		return fault.Field("name", "A display name has at most 64 characters and no control characters.")
	}
	u.Email = strings.TrimSpace(in.Email)
	if u.Email == "" {
		return nil
	}
	if a, err := mail.ParseAddress(u.Email); err != nil || a.Address != u.Email || len(u.Email) > 254 {
		return fault.Field("email", "Write the e-mail address as name@example.com, or leave it empty.")
	}
	return nil
}

// Edit changes display name and e-mail. It needs users:change; a version that
// is not the present one is a conflict.
func (s *People) Edit(ctx context.Context, by access.Actor, id ident.User, in Profile, version int64) error {
	u, err := s.changeable(ctx, by, id)
	if err != nil {
		return err
	}
	if err := u.describe(in); err != nil {
		return err
	}
	u.Version = version
	return s.Store.UpdateUser(ctx, by.Account, u, s.event(by, "users:edit", u, "changed"))
}

// Invite takes the user's password away, ends every session and returns the
// token of a new first log-on link, once. It needs users:change. It is also how
// a password is reset.
func (s *People) Invite(ctx context.Context, by access.Actor, id ident.User) (secret.Text, error) {
	u, err := s.changeable(ctx, by, id)
	if err != nil {
		return secret.Text{}, err
	}
	token := secret.NewToken()
	return token, s.Store.Invite(ctx, by.Account, id, secret.TokenDigest(token.Reveal()), s.Now().Add(InvitationLife), s.event(by, "users:invite", u, "made a log-on link for"))
}

// GivePassword sets a password that the user must change at the next log-on,
// and ends every session. It needs users:change.
func (s *People) GivePassword(ctx context.Context, by access.Actor, id ident.User, password secret.Text) error {
	u, err := s.changeable(ctx, by, id)
	if err != nil {
		return err
	}
	if err := u.CheckPassword("password", password, string(by.Alias)); err != nil {
		return err
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.Store.GivePassword(ctx, by.Account, id, hash, s.event(by, "users:reset-password", u, "reset the password of"))
}

// Promote gives a RAM user full access (super administrator), or takes it away. It needs users:change.
func (s *People) Promote(ctx context.Context, by access.Actor, id ident.User, super bool) error {
	u, err := s.changeable(ctx, by, id)
	if err != nil {
		return err
	}
	role, words := access.Regular, "took full access from"
	if super {
		role, words = access.Super, "gave full access to"
	}
	return s.Store.SetUserRole(ctx, by.Account, id, role, s.event(by, "users:promote", u, words))
}

// Disable keeps a user out until enabled again, and ends every session. The
// keys the user owns stop meanwhile. It needs users:change.
func (s *People) Disable(ctx context.Context, by access.Actor, id ident.User) error {
	u, err := s.other(ctx, by, id)
	if err != nil {
		return err
	}
	return s.Store.SetUserDisabled(ctx, by.Account, id, s.Now(), s.event(by, "users:disable", u, "disabled"))
}

// Enable lets a disabled user in again. It needs users:change.
func (s *People) Enable(ctx context.Context, by access.Actor, id ident.User) error {
	u, err := s.changeable(ctx, by, id)
	if err != nil {
		return err
	}
	return s.Store.SetUserDisabled(ctx, by.Account, id, time.Time{}, s.event(by, "users:enable", u, "enabled"))
}

// Delete ends a user for good, with the keys the user owns. It needs users:change.
func (s *People) Delete(ctx context.Context, by access.Actor, id ident.User) error {
	u, err := s.other(ctx, by, id)
	if err != nil {
		return err
	}
	return s.Store.DeleteUser(ctx, by.Account, id, s.event(by, "users:delete", u, "deleted"))
}

// EndSessions logs a user off everywhere. It needs users:change.
func (s *People) EndSessions(ctx context.Context, by access.Actor, id ident.User) error {
	u, err := s.changeable(ctx, by, id)
	if err != nil {
		return err
	}
	return s.Store.EndSessions(ctx, by.Account, id, s.event(by, "users:end-sessions", u, "ended the sessions of"))
}

// Impact says what disabling or deleting a user will stop. It needs users:read.
func (s *People) Impact(ctx context.Context, by access.Actor, id ident.User) (User, Impact, error) {
	u, err := s.Find(ctx, by, id)
	if err != nil {
		return User{}, Impact{}, err
	}
	i, err := s.Store.UserImpact(ctx, by.Account, id)
	return u, i, err
}

// Welcome finds who a first log-on link is for.
func (s *People) Welcome(ctx context.Context, token string) (User, error) {
	u, err := s.Store.Invitation(ctx, secret.TokenDigest(token), s.Now())
	if fault.Is(err, fault.Missing) {
		return User{}, fault.New(fault.Missing, "This link was used or is too old. Ask your administrator for another one.")
	}
	return u, err
}

// Accept uses up a first log-on link and sets the user's own password.
func (s *People) Accept(ctx context.Context, token string, password secret.Text, address string, call ident.Call) (User, error) {
	u, err := s.Welcome(ctx, token)
	if err != nil {
		return User{}, err
	}
	if err := u.CheckPassword("password", password); err != nil {
		return User{}, err
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return User{}, err
	}
	why := audit.Event{
		ID: ident.NewEvent(), Account: u.Account, Actor: u.ID, ActorName: string(u.LogOn), Address: address, Call: call,
		Action: "users:accept-invitation", Object: string(u.ID), Summary: string(u.LogOn) + " chose a password by the log-on link",
	}
	return u, s.Store.AcceptInvitation(ctx, secret.TokenDigest(token), s.Now(), hash, why)
}

// changeable finds a user that may be changed: anybody but root.
func (s *People) changeable(ctx context.Context, by access.Actor, id ident.User) (User, error) {
	if err := by.Require(access.ChangeUsers); err != nil {
		return User{}, err
	}
	u, err := s.Store.User(ctx, by.Account, id)
	if err == nil && u.Role == access.Root {
		err = fault.New(fault.Forbidden, "The account owner (root) cannot be changed here.")
	}
	return u, err
}

// other finds a changeable user who is not the actor.
func (s *People) other(ctx context.Context, by access.Actor, id ident.User) (User, error) {
	u, err := s.changeable(ctx, by, id)
	if err == nil && u.ID == by.User {
		err = fault.New(fault.Forbidden, "You cannot do this to yourself. Ask another administrator.")
	}
	return u, err
}

func (s *People) event(by access.Actor, action access.Action, u User, words string) audit.Event {
	return by.Event(action, "", string(u.ID), fmt.Sprintf("%s RAM user %s", words, u.LogOn))
}
