package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

type userRow struct {
	ID         ident.User
	Account    ident.Account `gorm:"column:account_id"`
	LogOn      ident.LogOn
	Name       string
	Role       access.Role
	Password   string
	Created    stamp
	Disabled   stamp // zero: may log on
	Generation int64
}

func (userRow) TableName() string { return "users" }

func userRowOf(u account.User) userRow {
	return userRow{
		ID: u.ID, Account: u.Account, LogOn: u.LogOn, Name: u.Name, Role: u.Role, Password: u.Password,
		Created: stampOf(u.CreatedAt), Disabled: stampOf(u.DisabledAt), Generation: u.Generation,
	}
}

func (r userRow) user() account.User {
	return account.User{
		ID: r.ID, Account: r.Account, LogOn: r.LogOn, Name: r.Name, Role: r.Role, Password: r.Password,
		CreatedAt: r.Created.time(), DisabledAt: r.Disabled.time(), Generation: r.Generation,
	}
}

// InsertUser implements account.Store.
func (s *Store) InsertUser(ctx context.Context, a ident.Account, u account.User, why audit.Event) error {
	err := s.change(ctx, why, aUser.of(a, string(u.ID)), func(tx *gorm.DB) error {
		if _, err := gorm.G[accountRow](tx).Where("id = ?", a).Take(ctx); err != nil {
			return explain(err, "account")
		}
		u.Account = a
		row := userRowOf(u)
		return gorm.G[userRow](tx).Create(ctx, &row)
	})
	return explain(err, "user", "name")
}

// UserByLogOn implements account.Store.
func (s *Store) UserByLogOn(ctx context.Context, alias ident.Alias, name ident.LogOn) (account.User, error) {
	row, err := gorm.G[userRow](s.read).
		Where("log_on = ? AND account_id = (SELECT id FROM accounts WHERE alias = ?)", name, alias).Take(ctx)
	return row.user(), explain(err, "user")
}

// SetPassword implements account.Store. Every session of the user ends with it.
func (s *Store) SetPassword(ctx context.Context, a ident.Account, u ident.User, hash string, why audit.Event) error {
	err := s.change(ctx, why, aUser.of(a, string(u)), func(tx *gorm.DB) error {
		n, err := exec(tx, "UPDATE users SET password = ?, generation = generation + 1 WHERE account_id = ? AND id = ?", hash, a, u)
		if err != nil {
			return err
		}
		if n == 0 {
			return gorm.ErrRecordNotFound
		}
		return endSessions(tx, u)
	})
	return explain(err, "user")
}

// Actor implements account.Store.
func (s *Store) Actor(ctx context.Context, u ident.User) (access.Actor, error) {
	var actor access.Actor
	err := s.view(ctx, func(tx *gorm.DB) error {
		row, err := gorm.G[userRow](tx).Where("id = ? AND disabled = 0", u).Take(ctx)
		if err != nil {
			return err
		}
		owner, err := gorm.G[accountRow](tx).Where("id = ?", row.Account).Take(ctx)
		if err != nil {
			return err
		}
		actor = access.Actor{
			Account: row.Account, Alias: owner.Alias, User: row.ID, LogOn: row.LogOn, Name: row.Name, Role: row.Role,
		}
		actor.In, err = memberships(ctx, tx, row.Account, u)
		return err
	})
	return actor, explain(err, "user")
}
