package account

import (
	"context"
	"errors"

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
// name or one address are Busy, for a time that ends. A user who has a second
// factor is not in yet: package factor ends their log-on.
func (s *Service) LogOn(ctx context.Context, name string, password secret.Text, address string, call ident.Call) (User, error) {
	if err := s.Throttle.Try(name, address); err != nil {
		return User{}, err
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
		s.refused(ctx, name, u, address, call)
		return User{}, wrong()
	}
	s.Throttle.Succeeded(name, address)
	if err := s.renew(ctx, u, password, address, call); err != nil || u.Factor {
		return u, err
	}
	return u, s.Enter(ctx, u, "a password", address, call)
}

// refused tells the trail of the account that was named, beside the request, so
// that a known name takes no longer than an unknown one. An unknown one is not
// written down: it may be a password that was typed into the wrong field.
func (s *Service) refused(ctx context.Context, name string, u User, address string, call ident.Call) {
	_, alias, err := ident.SplitLogOn(name)
	if err != nil {
		return
	}
	a, err := s.Store.AccountByAlias(ctx, alias)
	if err != nil {
		return // nobody's, or nothing can be written now
	}
	reason := "the password is wrong"
	switch {
	case u.ID == "":
		u, reason = User{Account: a.ID, LogOn: "somebody"}, "there is no such user"
	case !u.DisabledAt.IsZero():
		reason = "the user is disabled"
	case u.Password == "":
		reason = "the user has no password"
	}
	s.Trail.Record(LogOnEvent(u, address, call, "users:log-on", "was refused a log-on").Ended(audit.Refused, reason))
}

// LogOff notes that the actor logs off.
func (s *Service) LogOff(by access.Actor) {
	if by.User != "" {
		s.Trail.Record(by.Event("users:log-off", "", string(by.User), "logged off"))
	}
}

// Enter notes that somebody is logged on, and by what.
func (s *Service) Enter(ctx context.Context, u User, by, address string, call ident.Call) error {
	return s.Store.LoggedOn(ctx, u.Account, u.ID, s.Now(), LogOnEvent(u, address, call, "users:log-on", "logged on with "+by))
}

// renew hashes a password anew that was hashed with weaker parameters than ours.
func (s *Service) renew(ctx context.Context, u User, password secret.Text, address string, call ident.Call) error {
	if !secret.Outdated(u.Password) {
		return nil
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.Store.Rehash(ctx, u.Account, u.ID, u.Password, hash,
		LogOnEvent(u, address, call, "users:rehash", "had the password hashed with today's parameters"))
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

// LogOnEvent begins the audit line of something that a user does who is not
// logged on yet.
func LogOnEvent(u User, address string, call ident.Call, action, summary string) audit.Event {
	kind, name := audit.User, string(u.LogOn)
	if u.Role == access.Root {
		kind = audit.Root
	}
	if u.Alias != "" {
		name += "@" + string(u.Alias)
	}
	return audit.Event{
		ID: ident.NewEvent(), Account: u.Account, Actor: u.ID, ActorKind: kind, ActorName: name,
		Address: address, Call: call, Action: action, Object: string(u.ID), Summary: summary,
	}.About("user", string(u.LogOn))
}

// Actor gives who a logged-on user is now. It is asked on every request, so
// that a role withdrawn or a user disabled counts from the next one on.
func (s *Service) Actor(ctx context.Context, u ident.User) (access.Actor, error) {
	return s.Store.Actor(ctx, u)
}

// ChangePassword gives the actor another password, and ends every session of
// theirs. It needs self:change, which Prove asks for. A present password that
// is wrong is a fault on field "present"; too many of them are Busy, as at the
// log-on.
func (s *Service) ChangePassword(ctx context.Context, by access.Actor, present, to secret.Text) error {
	u, err := s.Prove(ctx, by, present)
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

// Prove makes sure that it is the actor who asks, by their present password. A
// wrong one is a fault on field "present"; too many are Busy. It needs
// self:change.
func (s *Service) Prove(ctx context.Context, by access.Actor, present secret.Text) (User, error) {
	if err := by.Require(access.Self); err != nil {
		return User{}, err
	}
	if err := s.Throttle.Try(by.FullName(), by.Address); err != nil {
		return User{}, err
	}
	u, err := s.Store.UserByLogOn(ctx, by.Alias, by.LogOn)
	if err != nil {
		return User{}, err
	}
	right, err := secret.PasswordMatches(ctx, present, u.Password)
	if err != nil {
		return User{}, err
	}
	if right {
		s.Throttle.Succeeded(by.FullName(), by.Address)
		return u, nil
	}
	s.Trail.Record(by.Event("users:confirm", "", string(by.User), "gave a wrong present password").Ended(audit.Refused, "the password is wrong"))
	return User{}, fault.Field("present", "This is not your present password.")
}
