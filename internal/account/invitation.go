package account

import (
	"context"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// InvitationLife is how long a first log-on link works.
const InvitationLife = 7 * 24 * time.Hour

// Invitation is a first log-on link that is out.
type Invitation struct {
	Token   secret.Digest
	Created time.Time
	Until   time.Time
}

// invited makes a newcomer who comes in by a one-time link.
func (s *People) invited(by access.Actor, in Profile) (Newcomer, secret.Text, error) {
	u, err := s.fresh(by, in)
	if err != nil {
		return Newcomer{}, secret.Text{}, err
	}
	token, i := s.invitation()
	return Newcomer{User: u, Invitation: i, Why: s.added(by, u)}, token, nil
}

func (s *People) invitation() (secret.Text, Invitation) {
	token, now := secret.NewToken(), s.Now()
	return token, Invitation{Token: secret.TokenDigest(token.Reveal()), Created: now, Until: now.Add(InvitationLife)}
}

// Invite takes the user's password away, ends every session and returns the
// token of a new first log-on link, once. It needs users:change. It is also how
// a password is reset.
func (s *People) Invite(ctx context.Context, by access.Actor, id ident.User) (secret.Text, error) {
	u, err := s.other(ctx, by, id)
	if err != nil {
		return secret.Text{}, err
	}
	token, i := s.invitation()
	return token, s.Store.Invite(ctx, by.Account, id, i, s.event(by, "users:invite", u, "made a log-on link for"))
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
