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

// Find gives one RAM user. It needs users:read. The account owner is none.
func (s *People) Find(ctx context.Context, by access.Actor, id ident.User) (ListedUser, error) {
	if err := by.Require(access.ReadUsers); err != nil {
		return ListedUser{}, err
	}
	return s.find(ctx, by, id)
}

func (s *People) find(ctx context.Context, by access.Actor, id ident.User) (ListedUser, error) {
	u, err := s.Store.User(ctx, by.Account, id)
	if err == nil && u.Role == access.Root {
		return ListedUser{}, fault.New(fault.Forbidden, "This is the account owner (root), who cannot be changed here.")
	}
	return u, err
}

// Seats gives what a RAM user is in which workspace, by name. It needs users:read.
func (s *People) Seats(ctx context.Context, by access.Actor, id ident.User) ([]Seat, error) {
	if err := by.Require(access.ReadUsers); err != nil {
		return nil, err
	}
	return s.Store.Seats(ctx, by.Account, id)
}

// Add makes a RAM user who comes in by a one-time link, and returns its token,
// once. It needs users:change.
func (s *People) Add(ctx context.Context, by access.Actor, in Profile) (User, secret.Text, error) {
	n, token, err := s.invited(by, in)
	if err != nil {
		return User{}, secret.Text{}, err
	}
	return n.User, token, s.insert(ctx, by, n)
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
	return u, s.insert(ctx, by, Newcomer{User: u, Why: s.added(by, u)})
}

func (s *People) added(by access.Actor, u User) audit.Event {
	return by.Event("users:add", "", string(u.ID), fmt.Sprintf("added RAM user %s", u.LogOn)).About("user", string(u.LogOn)).
		Changed("name", "", u.Name).Changed("email", "", u.Email)
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
	u := newUser(by.Account, name, s.Now())
	return u, u.describe(in)
}

func newUser(a ident.Account, name ident.LogOn, at time.Time) User {
	return User{ID: ident.NewUser(), Account: a, LogOn: name, Role: access.Regular, CreatedAt: at, Generation: 1, Version: 1}
}

func (s *People) insert(ctx context.Context, by access.Actor, all ...Newcomer) error {
	return s.Store.InsertUsers(ctx, by.Account, all)
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
	before := u
	if err := u.describe(in); err != nil {
		return err
	}
	u.Version = version
	why := s.event(by, "users:edit", u, "changed").Changed("name", before.Name, u.Name).Changed("email", before.Email, u.Email)
	return s.Store.UpdateUser(ctx, by.Account, u, why)
}

// GivePassword sets a password that the user must change at the next log-on,
// and ends every session. It needs users:change.
func (s *People) GivePassword(ctx context.Context, by access.Actor, id ident.User, password secret.Text) error {
	u, err := s.other(ctx, by, id)
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
	return s.Store.SetPassword(ctx, by.Account, id, hash, true, s.event(by, "users:reset-password", u, "reset the password of"))
}

// Promote gives a RAM user full access (super administrator), or takes it
// away, and ends every session. It needs users:change.
func (s *People) Promote(ctx context.Context, by access.Actor, id ident.User, super bool) error {
	u, err := s.other(ctx, by, id)
	if err != nil {
		return err
	}
	role, words := access.Regular, "took full access from"
	if super {
		role, words = access.Super, "gave full access to"
	}
	why := s.event(by, "users:promote", u, words).Changed("role", string(u.Role), string(role))
	return s.Store.SetUserRole(ctx, by.Account, id, role, why)
}

// Disable keeps a user out until enabled again, and ends every session. The
// keys the user owns stop meanwhile. It needs users:change.
func (s *People) Disable(ctx context.Context, by access.Actor, id ident.User) error {
	u, err := s.other(ctx, by, id)
	if err != nil {
		return err
	}
	return s.Store.SetUserDisabled(ctx, by.Account, id, s.Now(), s.event(by, "users:disable", u, "disabled").Changed("may log on", "true", "false"))
}

// Enable lets a disabled user in again. It needs users:change.
func (s *People) Enable(ctx context.Context, by access.Actor, id ident.User) error {
	u, err := s.changeable(ctx, by, id)
	if err != nil {
		return err
	}
	return s.Store.SetUserDisabled(ctx, by.Account, id, time.Time{}, s.event(by, "users:enable", u, "enabled").Changed("may log on", "false", "true"))
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
	i, err := s.Store.UserImpact(ctx, by.Account, id, s.Now())
	return u.User, i, err
}

// changeable finds a user that may be changed: anybody but root.
func (s *People) changeable(ctx context.Context, by access.Actor, id ident.User) (User, error) {
	if err := by.Require(access.ChangeUsers); err != nil {
		return User{}, err
	}
	u, err := s.find(ctx, by, id)
	return u.User, err
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
	return by.Event(action, "", string(u.ID), fmt.Sprintf("%s RAM user %s", words, u.LogOn)).About("user", string(u.LogOn))
}
