package factor

import (
	"context"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Proof is what somebody shows to prove again who they are: a passkey; or the
// password and, where there is a second factor, a code. It is the same as at
// the log-on.
type Proof struct {
	Password secret.Text
	Code     string // of the app, or a recovery code
	Passkey  []byte // what the browser answered; empty: none
	Site     Site
}

// Confirm makes sure that it is the actor who asks. It needs self:change. A
// wrong password is a fault on field "present", a wrong code one on "code", a
// wrong passkey one on "passkey"; too many are Busy.
func (s *Service) Confirm(ctx context.Context, by access.Actor, p Proof) error {
	if err := by.Require(access.Self); err != nil {
		return err
	}
	words, err := s.confirm(ctx, by, p)
	if err != nil {
		return err
	}
	return s.Store.Note(ctx, by.Event("users:confirm", "", string(by.User), "proved again who they are, with "+words))
}

func (s *Service) confirm(ctx context.Context, by access.Actor, p Proof) (words string, err error) {
	who := account.User{ID: by.User, Account: by.Account, LogOn: by.LogOn, Factor: by.Factor}
	refused := func() audit.Event {
		return by.Event("users:confirm", "", string(by.User), "gave a wrong second factor").Ended(audit.Refused, "the code or passkey is wrong")
	}
	if len(p.Passkey) > 0 {
		return "a passkey", s.assert(ctx, &who, p.Site, forConfirm, p.Passkey, by.Address, refused)
	}
	if _, err := s.Accounts.Prove(ctx, by, p.Password); err != nil {
		return "", err
	}
	if !by.Factor {
		return "the password", nil
	}
	words, err = s.code(ctx, who, p.Code, by.Address, by.Call, refused)
	return "the password and " + words, err
}

// LogOn ends the log-on of somebody whose password was right with a code of
// their app or a recovery code. A wrong one is a fault on field "code".
func (s *Service) LogOn(ctx context.Context, u account.User, code, address string, call ident.Call) error {
	words, err := s.code(ctx, u, code, address, call, func() audit.Event { return refusedLogOn(u, address, call) })
	if err != nil {
		return err
	}
	return s.Accounts.Enter(ctx, u, "a password and "+words, address, call)
}

// Halfway finds who is in the middle of a log-on; missing when they are gone or
// disabled meanwhile.
func (s *Service) Halfway(ctx context.Context, u ident.User) (account.User, error) {
	return s.Store.Half(ctx, u)
}

func refusedLogOn(u account.User, address string, call ident.Call) audit.Event {
	return account.LogOnEvent(u, address, call, "users:log-on", "was refused the second step of a log-on").Ended(audit.Refused, "the code or passkey is wrong")
}

// code takes a one-time or recovery code, once.
func (s *Service) code(ctx context.Context, u account.User, code, address string, call ident.Call, refused func() audit.Event) (words string, err error) {
	if err := s.Throttle.Try(string(u.ID), address); err != nil {
		return "", err
	}
	words, err = s.take(ctx, u, code, address, call)
	if fault.Is(err, fault.Missing) {
		s.Trail.Record(refused())
		return "", fault.Field("code", "This code is wrong or was used already. Wait for the next one that the app shows.")
	}
	if err == nil {
		s.Throttle.Succeeded(string(u.ID), address)
	}
	return words, err
}

func (s *Service) take(ctx context.Context, u account.User, code, address string, call ident.Call) (words string, err error) {
	if len(bare(code)) != digits {
		why := account.LogOnEvent(u, address, call, "factors:use-code", "used up a recovery code")
		return "a recovery code", s.Store.TakeCode(ctx, u.Account, u.ID, s.digest(u.ID, code), why)
	}
	set, err := s.Store.Factors(ctx, u.Account, u.ID)
	if err != nil {
		return "", err
	}
	if !set.App.There() {
		return "", fault.NoSuch("authenticator app")
	}
	seed, err := s.Sealer.Open(set.App.Seed, appPlace(u.Account, u.ID))
	if err != nil {
		return "", err
	}
	step, right := s.step(seed.Reveal(), code, set.App.Step)
	if !right {
		return "", fault.NoSuch("code")
	}
	return "a one-time code", s.Store.TakeStep(ctx, u.Account, u.ID, step)
}
