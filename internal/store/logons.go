package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Actor implements account.Store.
func (s *Store) Actor(ctx context.Context, u ident.User) (access.Actor, error) {
	var actor access.Actor
	err := s.view(ctx, func(tx *gorm.DB) error {
		row, err := of[userRow](tx).Where("id = ? AND disabled = 0", u).Take(ctx)
		if err != nil {
			return err
		}
		owner, err := of[accountRow](tx).Where("id = ?", row.Account).Take(ctx)
		if err != nil {
			return err
		}
		actor = access.Actor{
			Account: row.Account, Alias: owner.Alias, User: row.ID, LogOn: row.LogOn, Name: row.Name, Role: row.Role, Factor: row.HasFactor,
		}
		actor.In, err = memberships(ctx, tx, row.Account, u)
		switch {
		case row.MustChange:
			actor.Duty = access.ChangePassword
		case !row.HasFactor && owner.RequireFactor.Holds(actor):
			actor.Duty = access.AddFactor
		}
		return err
	})
	return actor, explain(err, "user")
}

// LoggedOn implements account.Store.
func (s *Store) LoggedOn(ctx context.Context, a ident.Account, u ident.User, at time.Time, why audit.Event) error {
	return s.noting(ctx, why, func(tx *gorm.DB) error {
		_, err := exec(tx, "UPDATE users SET last_log_on = ? WHERE account_id = ? AND id = ?", stampOf(at), a, u)
		return err
	})
}

// Rehash implements account.Store.
func (s *Store) Rehash(ctx context.Context, a ident.Account, u ident.User, old, hash string, why audit.Event) error {
	err := s.noting(ctx, why, func(tx *gorm.DB) error {
		n, err := exec(tx, "UPDATE users SET password = ? WHERE account_id = ? AND id = ? AND password = ?", hash, a, u, old)
		if err == nil && n == 0 {
			err = errUnchanged
		}
		return err
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// SetPassword implements account.Store and account.PeopleStore.
func (s *Store) SetPassword(ctx context.Context, a ident.Account, u ident.User, hash string, mustChange bool, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error { return setPassword(tx, a, u, hash, mustChange) })
	return explain(err, "user")
}

func setPassword(tx *gorm.DB, a ident.Account, u ident.User, hash string, mustChange bool) error {
	if err := renew(tx, a, u, "password = ?", hash); err != nil {
		return err
	}
	if _, err := exec(tx, "UPDATE users SET must_change = ? WHERE account_id = ? AND id = ?", mustChange, a, u); err != nil {
		return err
	}
	_, err := exec(tx, "DELETE FROM invitations WHERE account_id = ? AND user_id = ?", a, u)
	return err
}

// Invite implements account.PeopleStore.
func (s *Store) Invite(ctx context.Context, a ident.Account, id ident.User, i account.Invitation, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		if _, err := ramUser(ctx, tx, a, id); err != nil {
			return err
		}
		if err := setPassword(tx, a, id, "", false); err != nil {
			return err
		}
		return putInvitation(tx, a, id, i)
	})
	return explain(err, "user")
}

func putInvitation(tx *gorm.DB, a ident.Account, id ident.User, i account.Invitation) error {
	_, err := exec(tx, "INSERT INTO invitations (user_id, account_id, digest, created, expires) VALUES (?, ?, ?, ?, ?)",
		id, a, i.Token[:], stampOf(i.Created), stampOf(i.Until))
	return err
}

const invited = `SELECT u.* FROM invitations i JOIN users u ON u.account_id = i.account_id AND u.id = i.user_id
	WHERE i.digest = ? AND i.expires > ? AND u.disabled = 0`

// Invitation implements account.PeopleStore.
func (s *Store) Invitation(ctx context.Context, token secret.Digest, at time.Time) (account.User, error) {
	row, err := of[userRow](s.read).Raw(invited, token[:], stampOf(at)).Take(ctx)
	if err != nil {
		return account.User{}, explain(err, "invitation")
	}
	owner, err := s.Account(ctx, row.Account)
	u := row.user()
	u.Alias = owner.Alias
	return u, err
}

// AcceptInvitation implements account.PeopleStore.
func (s *Store) AcceptInvitation(ctx context.Context, token secret.Digest, at time.Time, hash string, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		row, err := of[userRow](tx).Raw(invited, token[:], stampOf(at)).Take(ctx)
		if err != nil {
			return err
		}
		return setPassword(tx, row.Account, row.ID, hash, false)
	})
	return explain(err, "invitation")
}

// EndSessions implements account.PeopleStore. Sessions that are in the middle
// of a log-on end as well.
func (s *Store) EndSessions(ctx context.Context, a ident.Account, id ident.User, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		if _, err := ramUser(ctx, tx, a, id); err != nil {
			return err
		}
		if _, err := exec(tx, "UPDATE users SET generation = generation + 1 WHERE account_id = ? AND id = ?", a, id); err != nil {
			return err
		}
		return endSessions(tx, id)
	})
	return explain(err, "user")
}
