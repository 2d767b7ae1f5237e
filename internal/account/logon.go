package account

import (
	"context"
	"errors"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// wrong is the one answer to a log-on that fails, whatever the reason.
func wrong() error {
	return fault.New(fault.Unauthenticated, "The account or the password is wrong.")
}

// LogOn finds who logs on with "name@alias" and a password. Unknown, disabled
// and wrong give the same answer in the same time. Too many failures for one
// name or one address are Busy, for a time that ends.
func (s *Service) LogOn(ctx context.Context, name string, password secret.Text, address string, call ident.Call) (User, error) {
	if wait := s.Throttle.Wait(name, address); wait > 0 {
		return User{}, fault.New(fault.Busy, "Too many attempts. Try again in %s.", wait.Round(time.Second))
	}
	u, known, err := s.find(ctx, name)
	if err != nil {
		return User{}, err
	}
	kept := u.Password
	if kept == "" { // unknown, or invited and not yet in
		kept = secret.Nobody
	}
	right, err := secret.PasswordMatches(ctx, password, kept)
	if err != nil {
		return User{}, err
	}
	if !known || !right || !u.DisabledAt.IsZero() {
		s.Throttle.Failed(name, address)
		if known {
			if err := s.Store.Note(ctx, s.logOnEvent(u, address, call, "users:log-on-refused", "refused a log-on of "+string(u.LogOn))); err != nil {
				return User{}, err
			}
		}
		return User{}, wrong()
	}
	s.Throttle.Succeeded(name, address)
	return u, s.Store.LoggedOn(ctx, u.Account, u.ID, s.Now(), s.logOnEvent(u, address, call, "users:log-on", string(u.LogOn)+" logged on"))
}

func (s *Service) find(ctx context.Context, name string) (u User, known bool, err error) {
	logOn, alias, err := ident.SplitLogOn(name)
	if err != nil {
		return User{}, false, nil
	}
	u, err = s.Store.UserByLogOn(ctx, alias, logOn)
	var f *fault.Fault
	if errors.As(err, &f) && f.Kind == fault.Missing {
		return User{}, false, nil
	}
	return u, err == nil, err
}

func (s *Service) logOnEvent(u User, address string, call ident.Call, action, summary string) audit.Event {
	return audit.Event{
		ID: ident.NewEvent(), Account: u.Account, Actor: u.ID, ActorName: string(u.LogOn),
		Address: address, Call: call, Action: action, Object: string(u.ID), Summary: summary,
	}
}

// Actor gives who a logged-on user is now. It is asked on every request, so
// that a role withdrawn or a user disabled counts from the next one on.
func (s *Service) Actor(ctx context.Context, u ident.User) (access.Actor, error) {
	return s.Store.Actor(ctx, u)
}

// ChangePassword gives the actor another password, and ends every session of
// theirs. It needs self:change. A present password that is wrong is a fault on field "present"; too
// many of them are Busy, as at the log-on.
func (s *Service) ChangePassword(ctx context.Context, by access.Actor, present, to secret.Text) error {
	if err := by.Require(access.Self); err != nil {
		return err
	}
	if wait := s.Throttle.Wait(by.FullName(), by.Address); wait > 0 {
		return fault.New(fault.Busy, "Too many attempts. Try again in %s.", wait.Round(time.Second))
	}
	u, err := s.confirm(ctx, by, present)
	if err != nil {
		return err
	}
	if to.Reveal() == present.Reveal() {
		return fault.Field("password", "Choose another password than the present one.")
	}
	if err := u.CheckPassword("password", to, string(by.Alias)); err != nil {
		return err
	}
	hash, err := secret.HashPassword(ctx, to)
	if err != nil {
		return err
	}
	return s.Store.SetPassword(ctx, by.Account, by.User, hash, false, by.Event("password:change", "", string(by.User), "changed the own password"))
}

// confirm makes sure that it is the actor who asks, by their present password.
func (s *Service) confirm(ctx context.Context, by access.Actor, present secret.Text) (User, error) {
	u, err := s.Store.UserByLogOn(ctx, by.Alias, by.LogOn)
	if err != nil {
		return User{}, err
	}
	right, err := secret.PasswordMatches(ctx, present, u.Password)
	if err != nil || right {
		return u, err
	}
	s.Throttle.Failed(by.FullName(), by.Address)
	if err := s.Store.Note(ctx, by.Event("password:change-refused", "", string(by.User), "refused a change of password")); err != nil {
		return User{}, err
	}
	return User{}, fault.Field("present", "This is not your present password.")
}
