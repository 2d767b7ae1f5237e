package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
)

// Facts implements policy.Source. Everything is read at one moment. Asking
// again with nothing changed costs one row, and no transaction: it is done all the
// time.
func (s *Store) Facts(ctx context.Context, after int64) (f policy.Facts, err error) {
	if err := s.clock.QueryRowContext(ctx).Scan(&f.Version); err == nil && f.Version == after {
		return f, nil
	}
	err = s.view(ctx, func(tx *gorm.DB) error {
		if err := tx.Raw(clockSelect).Scan(&f.Version).Error; err != nil || f.Version == after {
			return err
		}
		if f.Version < after {
			return fmt.Errorf("the database is at version %d and was at %d: it was put back, start the program again", f.Version, after)
		}
		wanted, err := changedAfter(ctx, tx, after)
		if err != nil {
			return err
		}
		return (&loader{extent: wanted, names: map[string]string{}}).load(ctx, tx, &f)
	})
	if err != nil {
		return policy.Facts{}, fmt.Errorf("facts: %w", err)
	}
	return f, nil
}

// extent is which things are wanted; nil: everything.
type extent map[kind]map[ident.Account][]string

func changedAfter(ctx context.Context, tx *gorm.DB, after int64) (extent, error) {
	if after == 0 {
		return nil, nil
	}
	things, err := of[thing](tx).Raw("SELECT kind, account_id, id FROM change_log WHERE seq > ?", after).Find(ctx)
	if err != nil {
		return nil, err
	}
	e := extent{}
	for _, t := range things {
		if e[t.Kind] == nil {
			e[t.Kind] = map[ident.Account][]string{}
		}
		e[t.Kind][t.Account] = append(e[t.Kind][t.Account], t.ID)
	}
	return e, nil
}

// atOnce bounds the arguments of one statement.
const atOnce = 500

// rowsOf reads the rows of what is wanted of a kind. The select ends in WHERE
// or in a condition and AND; where an account's column and an id's are named,
// the wanted ones are asked for in pieces.
func rowsOf[T any](ctx context.Context, tx *gorm.DB, e extent, k kind, query, account, id string) (rows []T, err error) {
	if e == nil {
		return of[T](tx).Raw(query + " 1 = 1").Find(ctx)
	}
	for a, ids := range e[k] {
		for len(ids) > 0 {
			n := min(atOnce, len(ids))
			piece, err := of[T](tx).Raw(query+" "+account+" = ? AND "+id+" IN ?", a, ids[:n]).Find(ctx)
			if err != nil {
				return nil, err
			}
			rows, ids = append(rows, piece...), ids[n:]
		}
	}
	return rows, nil
}

// gone names what is wanted and was not found.
func gone[K comparable](e extent, k kind, found map[K]bool, name func(a ident.Account, id string) K) (list []K) {
	for a, ids := range e[k] {
		for _, id := range ids {
			if key := name(a, id); !found[key] {
				list = append(list, key)
			}
		}
	}
	return list
}

func named[K ~string](_ ident.Account, id string) K { return K(id) }

func (l *loader) load(ctx context.Context, tx *gorm.DB, f *policy.Facts) error {
	for _, load := range []func(context.Context, *gorm.DB, *policy.Facts) error{
		l.loadAccounts, l.loadUsers, l.loadWorkspaces, l.loadModels, l.loadKeys, l.loadProviders,
	} {
		if err := load(ctx, tx, f); err != nil {
			return err
		}
	}
	if l.extent == nil {
		gather(f)
	}
	return nil
}

func (l *loader) loadAccounts(ctx context.Context, tx *gorm.DB, f *policy.Facts) error {
	type line struct {
		ID             ident.Account
		NameWorkspace  bool
		KeyCalls       int
		WorkspaceCalls int
		First          ident.Workspace

		KeyCallsSetBy, WorkspaceCallsSetBy string
		KeyCallsSetAt, WorkspaceCallsSetAt stamp
	}
	lines, err := rowsOf[line](ctx, tx, l.extent, anAccount, `SELECT a.id, a.name_workspace, a.key_calls, a.workspace_calls, w.id AS first,
		a.key_calls_set_by, a.key_calls_set_at, a.workspace_calls_set_by, a.workspace_calls_set_at FROM accounts a
		JOIN workspaces w ON w.account_id = a.id AND w.is_default WHERE`, "a.id", "a.id")
	for _, r := range lines {
		f.Accounts = append(f.Accounts, policy.Account{
			ID: once(l, r.ID), Default: once(l, r.First), NameWorkspace: r.NameWorkspace, KeyCalls: r.KeyCalls, WorkspaceCalls: r.WorkspaceCalls,
			KeyCallsSet:       limit.Setter{By: r.KeyCallsSetBy, At: r.KeyCallsSetAt.time()},
			WorkspaceCallsSet: limit.Setter{By: r.WorkspaceCallsSetBy, At: r.WorkspaceCallsSetAt.time()},
		})
	}
	return err
}

func (l *loader) loadUsers(ctx context.Context, tx *gorm.DB, f *policy.Facts) error {
	rows, err := rowsOf[userRow](ctx, tx, l.extent, aUser, "SELECT id, account_id, role, disabled FROM users WHERE", "account_id", "id")
	found := make(map[ident.User]bool, len(rows))
	for _, r := range rows {
		found[r.ID] = true
		f.Users = append(f.Users, r.fact())
	}
	f.Gone.Users = gone(l.extent, aUser, found, named[ident.User])
	return err
}

func (l *loader) loadKeys(ctx context.Context, tx *gorm.DB, f *policy.Facts) error {
	rows, err := rowsOf[keyRow](ctx, tx, l.extent, aKey, `SELECT id, account_id, workspace_id, owner_id, digest, previous, previous_until,
		disabled, expires, models, networks FROM keys WHERE`, "account_id", "id")
	if err != nil {
		return err
	}
	found := make(map[ident.Key]bool, len(rows))
	f.Keys = make([]policy.Key, len(rows))
	for i, r := range rows {
		found[r.ID] = true
		if f.Keys[i], err = r.fact(); err != nil {
			return err
		}
		k := &f.Keys[i]
		k.ID, k.Account, k.Workspace, k.Owner = behind(l, k.ID), once(l, k.Account), once(l, k.Workspace), once(l, k.Owner)
	}
	f.Gone.Keys = gone(l.extent, aKey, found, named[ident.Key])
	return nil
}

func (l *loader) loadProviders(ctx context.Context, tx *gorm.DB, f *policy.Facts) error {
	rows, err := rowsOf[providerRow](ctx, tx, l.extent, aProvider, "SELECT * FROM providers WHERE", "account_id", "id")
	found := make(map[ident.Provider]bool, len(rows))
	f.Providers = make([]provider.Provider, len(rows))
	for i, r := range rows {
		found[r.ID] = true
		f.Providers[i] = r.provider()
		f.Providers[i].TestedAt, f.Providers[i].TestError = stamp(0).time(), "" // noted without a change of version
	}
	f.Gone.Providers = gone(l.extent, aProvider, found, named[ident.Provider])
	return err
}
