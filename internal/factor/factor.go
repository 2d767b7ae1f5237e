// Package factor is about what proves who somebody is besides the password:
// one-time codes of an authenticator app, recovery codes and passkeys.
package factor

import (
	"context"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Set is what one user has. The zero Set is nothing.
type Set struct {
	App      App
	Passkeys []Passkey // oldest first
	Codes    int       // recovery codes that were not used yet
}

// App is an authenticator app that makes one-time codes.
type App struct {
	Seed      []byte    // sealed
	Step      int64     // of 30 seconds since 1970: the last whose code was accepted
	CreatedAt time.Time // zero: there is none
}

// There reports whether there is an app.
func (a App) There() bool { return !a.CreatedAt.IsZero() }

// Passkey is a key pair in somebody's device or password manager. We keep what
// is public of it.
type Passkey struct {
	ID         ident.Passkey
	Name       string // 1–64 characters
	Credential []byte // the id that browsers know it by
	Record     []byte // JSON: public key, counter and flags
	CreatedAt  time.Time
	UsedAt     time.Time // zero: never
	Challenge  int64     // when the last accepted challenge was made, in µs since 1970; none older is accepted
}

// Bounds of what one user may have.
const (
	PasskeysMax = 20
	CodesMade   = 10
)

// Store is what the service needs of storage. Every change carries the audit
// event that explains it. A change of app or passkeys ends every session of the
// user, and the last one to go takes the recovery codes with it.
type Store interface {
	Factors(ctx context.Context, a ident.Account, u ident.User) (Set, error)
	// PutApp keeps an app in place of any earlier one. Codes replace the recovery codes unless there are none.
	PutApp(ctx context.Context, a ident.Account, u ident.User, app App, codes []secret.Digest, why audit.Event) error
	DropApp(ctx context.Context, a ident.Account, u ident.User, why audit.Event) error
	// InsertPasskey is Full when the user has most already, and a conflict for a credential that is known.
	InsertPasskey(ctx context.Context, a ident.Account, u ident.User, p Passkey, most int, codes []secret.Digest, why audit.Event) error
	DropPasskey(ctx context.Context, a ident.Account, u ident.User, id ident.Passkey, why audit.Event) error
	// DropFactors takes everything away.
	DropFactors(ctx context.Context, a ident.Account, u ident.User, why audit.Event) error
	// ReplaceCodes is missing for a user without app and passkey.
	ReplaceCodes(ctx context.Context, a ident.Account, u ident.User, codes []secret.Digest, why audit.Event) error

	// TakeStep accepts a step if it is later than the last one, and is missing otherwise.
	TakeStep(ctx context.Context, a ident.Account, u ident.User, step int64) error
	// TakeCode uses up a recovery code, and is missing if there is none such.
	TakeCode(ctx context.Context, a ident.Account, u ident.User, code secret.Digest, why audit.Event) error
	// TakePasskey keeps that a passkey was used, and is missing if a challenge made at p.Challenge or later was.
	TakePasskey(ctx context.Context, a ident.Account, u ident.User, p Passkey) error

	// Half finds who is in the middle of a log-on; missing when they are gone or disabled.
	Half(ctx context.Context, u ident.User) (account.User, error)
	// Note keeps an event that changes nothing.
	Note(ctx context.Context, why audit.Event) error
}

// Service is what people and the log-on do with factors.
type Service struct {
	Store    Store
	Accounts *account.Service
	Sealer   secret.Sealer
	Pepper   secret.Pepper     // of recovery codes and challenges
	Trail    *audit.Recorder   // of refused codes and passkeys; nil: they are not written
	Throttle *account.Throttle // of its own, so that a right password forgives no wrong code
	Now      func() time.Time
}

// Of gives what the actor has. It needs self:change.
func (s *Service) Of(ctx context.Context, by access.Actor) (Set, error) {
	if err := by.Require(access.Self); err != nil {
		return Set{}, err
	}
	return s.Store.Factors(ctx, by.Account, by.User)
}

// NewCodes replaces the actor's recovery codes and returns them, once. It needs
// self:change.
func (s *Service) NewCodes(ctx context.Context, by access.Actor) ([]secret.Text, error) {
	if err := by.Require(access.Self); err != nil {
		return nil, err
	}
	codes, digests := s.draw(by.User)
	return codes, s.Store.ReplaceCodes(ctx, by.Account, by.User, digests, by.Event("factors:replace-codes", "", string(by.User), "made new recovery codes"))
}

// draw makes recovery codes and what is kept of them.
func (s *Service) draw(u ident.User) (codes []secret.Text, digests []secret.Digest) {
	for range CodesMade {
		code := secret.NewRecoveryCode()
		codes, digests = append(codes, code), append(digests, s.digest(u, code.Reveal()))
	}
	return codes, digests
}

// first draws recovery codes for somebody who has no factor yet.
func (s *Service) first(by access.Actor) ([]secret.Text, []secret.Digest) {
	if by.Factor {
		return nil, nil
	}
	return s.draw(by.User)
}

// digest is what is kept of a recovery code, however it is typed. Its key lies
// beside the database, not in it, so that a stolen table tells nothing.
func (s *Service) digest(u ident.User, code string) secret.Digest {
	return s.Pepper.Digest("recovery\n" + string(u) + "\n" + bare(code))
}

// Reset takes every factor from a user, from this machine's command line.
func (s *Service) Reset(ctx context.Context, u account.User) error {
	if !u.Factor {
		return fault.New(fault.Conflict, "%s has no second factor.", u.LogOn)
	}
	return s.Store.DropFactors(ctx, u.Account, u.ID, account.LocalEvent(u.Account, "factors:reset", string(u.ID), "took every second factor from "+string(u.LogOn)))
}
