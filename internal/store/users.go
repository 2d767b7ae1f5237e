package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

type userRow struct {
	ID          ident.User
	Number      int64         // what fragments name it by
	Account     ident.Account `gorm:"column:account_id"`
	LogOn       ident.LogOn
	Name        string
	Email       string
	Folded      string // what is searched
	Role        access.Role
	Password    string // empty: none yet, or none any more
	MustChange  bool
	Created     stamp
	LastLogOn   stamp // zero: never
	Disabled    stamp // zero: may log on
	Generation  int64
	Version     int64
	HasFactor   bool
	RemindAfter stamp // of a second factor; zero: at once
}

func (userRow) TableName() string { return "users" }

func userRowOf(u account.User) userRow {
	return userRow{
		ID: u.ID, Account: u.Account, LogOn: u.LogOn, Name: u.Name, Email: u.Email, Folded: foldedUser(string(u.LogOn), u.Name, u.Email),
		Role: u.Role, Password: u.Password, MustChange: u.MustChange,
		Created: stampOf(u.CreatedAt), Disabled: stampOf(u.DisabledAt), Generation: u.Generation, Version: u.Version, HasFactor: u.Factor,
	}
}

func (r userRow) user() account.User {
	return account.User{
		ID: r.ID, Account: r.Account, LogOn: r.LogOn, Name: r.Name, Email: r.Email, Role: r.Role, Password: r.Password, MustChange: r.MustChange,
		CreatedAt: r.Created.time(), DisabledAt: r.Disabled.time(), Generation: r.Generation, Version: r.Version, Factor: r.HasFactor,
	}
}

// foldedUser is what a search for a user looks into: a line for each part, so
// that what is typed is not found across two of them.
func foldedUser(logOn, name, email string) string { return fold(logOn + "\n" + name + "\n" + email) }

// ramUser finds a user that can be changed: not root.
func ramUser(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.User) (userRow, error) {
	row, err := of[userRow](tx).Where("account_id = ? AND id = ? AND role <> ?", a, id, access.Root).Take(ctx)
	return row, explain(err, "user")
}

// InsertUser implements account.Store.
func (s *Store) InsertUser(ctx context.Context, a ident.Account, u account.User, why audit.Event) error {
	err := s.InsertUsers(ctx, a, []account.Newcomer{{User: u, Why: why}})
	if f, ok := fault.On(err, "logon"); ok {
		return f.About("name")
	}
	return err
}

// InsertUsers implements account.PeopleStore.
func (s *Store) InsertUsers(ctx context.Context, a ident.Account, all []account.Newcomer) error {
	err := s.changes(ctx, func(tx *gorm.DB) (done []deed, err error) {
		owner, err := of[accountRow](tx).Where("id = ?", a).Take(ctx)
		if err != nil {
			return nil, explain(err, "account")
		}
		for _, n := range all {
			n.User.Account = a
			if err := insertNewcomer(ctx, tx, n); errors.Is(err, gorm.ErrDuplicatedKey) {
				return nil, fault.New(fault.Conflict, "There is already a user %s@%s.", n.User.LogOn, owner.Alias).About("logon").Because(err)
			} else if err != nil {
				return nil, err
			}
			done = append(done, deed{n.Why, aUser.of(a, string(n.User.ID))})
		}
		return done, nil
	})
	return explain(err, "user")
}

func insertNewcomer(ctx context.Context, tx *gorm.DB, n account.Newcomer) error {
	row := userRowOf(n.User)
	if err := createUser(tx.WithContext(ctx), &row); err != nil || n.Invitation.Token.Zero() {
		return err
	}
	return putInvitation(tx, n.User.Account, n.User.ID, n.Invitation)
}

// UserByLogOn implements account.Store.
func (s *Store) UserByLogOn(ctx context.Context, alias ident.Alias, name ident.LogOn) (account.User, error) {
	row, err := of[userRow](s.read).
		Where("log_on = ? AND account_id = (SELECT id FROM accounts WHERE alias = ?)", name, alias).Take(ctx)
	u := row.user()
	u.Alias = alias
	return u, explain(err, "user")
}

// UpdateUser implements account.PeopleStore.
func (s *Store) UpdateUser(ctx context.Context, a ident.Account, u account.User, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		row, err := ramUser(ctx, tx, a, u.ID)
		if err != nil {
			return err
		}
		if row.Version != u.Version {
			return stale("user")
		}
		folded := foldedUser(string(row.LogOn), u.Name, u.Email)
		if err := reshelve(tx, a, row.Number, row.Folded, folded); err != nil {
			return err
		}
		if _, err := exec(tx, "UPDATE members SET folded = ? WHERE account_id = ? AND user_id = ?", folded, a, u.ID); err != nil {
			return err
		}
		_, err = exec(tx, "UPDATE users SET name = ?, email = ?, folded = ?, version = version + 1 WHERE account_id = ? AND id = ?",
			u.Name, u.Email, folded, a, u.ID)
		return err
	})
	return explain(err, "user")
}

// SetUserRole implements account.PeopleStore.
func (s *Store) SetUserRole(ctx context.Context, a ident.Account, id ident.User, role access.Role, why audit.Event) error {
	err := s.change(ctx, why, aUser.of(a, string(id)), func(tx *gorm.DB) error {
		row, err := ramUser(ctx, tx, a, id)
		if err != nil {
			return err
		}
		if row.Role == role {
			return errUnchanged
		}
		return renew(tx, a, id, "role = ?", role)
	})
	return explain(err, "user")
}

// SetUserDisabled implements account.PeopleStore. A user who is as they shall
// be stays as they are, and no event is kept.
func (s *Store) SetUserDisabled(ctx context.Context, a ident.Account, id ident.User, at time.Time, why audit.Event) error {
	err := s.change(ctx, why, aUser.of(a, string(id)), func(tx *gorm.DB) error {
		row, err := ramUser(ctx, tx, a, id)
		if err != nil {
			return err
		}
		if (row.Disabled == 0) == at.IsZero() {
			return errUnchanged
		}
		return renew(tx, a, id, "disabled = ?", stampOf(at))
	})
	return explain(err, "user")
}

// DeleteUser implements account.PeopleStore.
func (s *Store) DeleteUser(ctx context.Context, a ident.Account, id ident.User, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		row, err := ramUser(ctx, tx, a, id)
		if err != nil {
			return deed{}, err
		}
		if err := unshelve(tx, a, row.Number, row.Folded); err != nil {
			return deed{}, err
		}
		touched, err := belongings(ctx, tx, a, id)
		if err != nil {
			return deed{}, err
		}
		return deed{why, append(touched, thing{aUser, a, string(id)})}, dropUser(tx, a, id)
	})
	return explain(err, "user")
}

// belongings are the workspaces and keys that change when a user goes.
func belongings(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.User) (touched []thing, err error) {
	seats, err := of[memberRow](tx).Where("account_id = ? AND user_id = ?", a, id).Find(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range seats {
		touched = append(touched, thing{aWorkspace, a, string(m.Workspace)})
	}
	keys, err := of[keyRow](tx).Select("id").Where("account_id = ? AND owner_id = ?", a, id).Find(ctx)
	for _, k := range keys {
		touched = append(touched, thing{aKey, a, string(k.ID)})
	}
	return touched, err
}

func dropUser(tx *gorm.DB, a ident.Account, id ident.User) error {
	if err := endSessions(tx, id); err != nil {
		return err
	}
	if err := dropFactors(tx, a, id); err != nil {
		return err
	}
	for _, statement := range []string{
		"DELETE FROM members WHERE account_id = ? AND user_id = ?",
		"DELETE FROM invitations WHERE account_id = ? AND user_id = ?",
		"DELETE FROM admin_claims WHERE admin_key_id IN (SELECT id FROM admin_keys WHERE account_id = ? AND owner_id = ?)",
		"DELETE FROM admin_keys WHERE account_id = ? AND owner_id = ?",
		"UPDATE keys SET owner_id = NULL, stranded = 1, version = version + 1 WHERE account_id = ? AND owner_id = ?",
		"DELETE FROM users WHERE account_id = ? AND id = ?",
	} {
		if _, err := exec(tx, statement, a, id); err != nil {
			return err
		}
	}
	return nil
}

// renew changes one column of a user and ends every session.
func renew(tx *gorm.DB, a ident.Account, id ident.User, set string, value any) error {
	n, err := exec(tx, "UPDATE users SET "+set+", generation = generation + 1 WHERE account_id = ? AND id = ?", value, a, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return gorm.ErrRecordNotFound
	}
	if err := strand(tx, a, id); err != nil {
		return err
	}
	return endSessions(tx, id)
}
