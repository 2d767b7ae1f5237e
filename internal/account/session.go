package account

import (
	"context"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Session is a browser in which somebody is logged on.
type Session struct {
	ID      string // digest of the session's token, in hexadecimal digits
	Created time.Time
	Seen    time.Time // to the minute
	Address string    // at the log-on
	Agent   string    // what the browser says of itself
}

// PromptRest is how long somebody who was reminded of a second factor, and does
// not want one yet, is left alone.
const PromptRest = 30 * 24 * time.Hour

// SessionStore is what the service needs of storage for people's sessions.
type SessionStore interface {
	// UserSessions gives the sessions that live, the one seen last first.
	UserSessions(ctx context.Context, a ident.Account, u ident.User) ([]Session, error)
	// EndSession ends one; missing where it is none of the user's.
	EndSession(ctx context.Context, a ident.Account, u ident.User, id string, why audit.Event) error
	// EndOtherSessions ends all but one, those in the middle of a log-on too.
	EndOtherSessions(ctx context.Context, a ident.Account, u ident.User, keep string, why audit.Event) error
	// RemindAfter gives the time from which a user is reminded of a second factor; zero: at once.
	RemindAfter(ctx context.Context, a ident.Account, u ident.User) (time.Time, error)
	PutOffReminder(ctx context.Context, a ident.Account, u ident.User, until time.Time, why audit.Event) error
}

// Sessions gives the actor's own sessions. It needs self:change.
func (s *Service) Sessions(ctx context.Context, by access.Actor) ([]Session, error) {
	if err := by.Require(access.Self); err != nil {
		return nil, err
	}
	return s.Store.UserSessions(ctx, by.Account, by.User)
}

// EndSession ends one of the actor's own sessions. It needs self:change.
func (s *Service) EndSession(ctx context.Context, by access.Actor, id string) error {
	if err := by.Require(access.Self); err != nil {
		return err
	}
	return s.Store.EndSession(ctx, by.Account, by.User, id, by.Event("sessions:end", "", string(by.User), "ended one of the own sessions"))
}

// EndOtherSessions ends every session of the actor's but one. It needs self:change.
func (s *Service) EndOtherSessions(ctx context.Context, by access.Actor, keep string) error {
	if err := by.Require(access.Self); err != nil {
		return err
	}
	return s.Store.EndOtherSessions(ctx, by.Account, by.User, keep, by.Event("sessions:end-others", "", string(by.User), "ended every other session of the own"))
}

// Remind reports whether the actor should be reminded of a second factor: the
// account owner is who has none. It needs self:change.
func (s *Service) Remind(ctx context.Context, by access.Actor) (bool, error) {
	if err := by.Require(access.Self); err != nil {
		return false, err
	}
	if by.Role != access.Root || by.Factor {
		return false, nil
	}
	after, err := s.Store.RemindAfter(ctx, by.Account, by.User)
	if fault.Is(err, fault.Missing) { // gone meanwhile
		return false, nil
	}
	return err == nil && !s.Now().Before(after), err
}

// PutOff leaves the actor alone for PromptRest. It needs self:change.
func (s *Service) PutOff(ctx context.Context, by access.Actor) error {
	if err := by.Require(access.Self); err != nil {
		return err
	}
	why := by.Event("factors:put-off", "", string(by.User), "put off adding a second factor")
	return s.Store.PutOffReminder(ctx, by.Account, by.User, s.Now().Add(PromptRest), why)
}
