package store

import (
	"cmp"
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

type accountRow struct {
	ID             ident.Account
	Alias          ident.Alias
	Name           string
	NameWorkspace  bool
	WorkspaceLimit int
	WorkspaceCount int // without the Default Workspace
	KeyLimit       int // of one workspace
	KeyCalls       int // at once
	WorkspaceCalls int // at once
	AuditDays      int // 0: for ever
	RequireFactor  account.Circle
	DatasetFiles   int // of one workspace
	// DatasetMegabytes is what they may take together, and DatasetFileMegabytes each.
	DatasetMegabytes     int
	DatasetFileMegabytes int
	Created              stamp
	Version              int64

	KeyCallsSetBy, WorkspaceCallsSetBy string // empty: they are as the account began
	KeyCallsSetAt, WorkspaceCallsSetAt stamp
}

func (accountRow) TableName() string { return "accounts" }

func accountRowOf(a account.Account) accountRow {
	return accountRow{
		ID: a.ID, Alias: a.Alias, Name: a.Name, NameWorkspace: a.Settings.NameWorkspace,
		WorkspaceLimit: a.Settings.WorkspaceLimit, KeyLimit: a.Settings.KeyLimit, KeyCalls: a.Settings.KeyCalls, WorkspaceCalls: a.Settings.WorkspaceCalls,
		AuditDays: a.Settings.AuditDays, RequireFactor: cmp.Or(a.Settings.RequireFactor, account.Nobody),
		DatasetFiles: a.Settings.DatasetFiles, DatasetMegabytes: a.Settings.DatasetMegabytes, DatasetFileMegabytes: a.Settings.DatasetFileMegabytes, Created: stampOf(a.CreatedAt), Version: a.Version,
	}
}

func (r accountRow) account() account.Account {
	return account.Account{
		ID: r.ID, Alias: r.Alias, Name: r.Name, CreatedAt: r.Created.time(), Version: r.Version,
		Settings: account.Settings{
			NameWorkspace: r.NameWorkspace, WorkspaceLimit: r.WorkspaceLimit, KeyLimit: r.KeyLimit, KeyCalls: r.KeyCalls, WorkspaceCalls: r.WorkspaceCalls,
			AuditDays: r.AuditDays, RequireFactor: r.RequireFactor,
			DatasetFiles: r.DatasetFiles, DatasetMegabytes: r.DatasetMegabytes, DatasetFileMegabytes: r.DatasetFileMegabytes,
		},
	}
}

// OpenAccount implements account.Store.
func (s *Store) OpenAccount(ctx context.Context, o account.Opening, onlyFirst bool, why audit.Event) error {
	id := o.Account.ID
	touched := append(anAccount.of(id, string(id)), thing{aUser, id, string(o.Root.ID)}, thing{aWorkspace, id, string(o.Workspace)})
	err := s.change(ctx, why, touched, func(tx *gorm.DB) error {
		if onlyFirst {
			if err := isFirst(ctx, tx); err != nil {
				return err
			}
		}
		return insertOpening(ctx, tx, o)
	})
	return explain(err, "account", "alias")
}

func isFirst(ctx context.Context, tx *gorm.DB) error {
	taken, err := there[accountRow](ctx, tx, "1 = 1")
	if err == nil && taken {
		err = fault.New(fault.Conflict, "This installation is set up already. Log on instead.")
	}
	return err
}

func insertOpening(ctx context.Context, tx *gorm.DB, o account.Opening) error {
	owner := accountRowOf(o.Account)
	if err := of[accountRow](tx).Create(ctx, &owner); err != nil {
		return err
	}
	o.Root.Account = o.Account.ID
	root := userRowOf(o.Root)
	if err := createUser(tx.WithContext(ctx), &root); err != nil {
		return err
	}
	first := workspaceRowOf(workspace.Workspace{
		ID: o.Workspace, Account: o.Account.ID, Name: workspace.DefaultName, Default: true,
		CreatedAt: o.Account.CreatedAt, Version: 1,
	})
	return of[workspaceRow](tx).Create(ctx, &first)
}

// Accounts implements account.Store: all of them, by alias.
func (s *Store) Accounts(ctx context.Context) ([]account.Account, error) {
	rows, err := of[accountRow](s.read).Order("alias").Find(ctx)
	if err != nil {
		return nil, explain(err, "account")
	}
	all := make([]account.Account, len(rows))
	for i, r := range rows {
		all[i] = r.account()
	}
	return all, nil
}

// Account implements account.Store.
func (s *Store) Account(ctx context.Context, id ident.Account) (account.Account, error) {
	row, err := of[accountRow](s.read).Where("id = ?", id).Take(ctx)
	return row.account(), explain(err, "account")
}

// AccountByAlias implements account.Store.
func (s *Store) AccountByAlias(ctx context.Context, alias ident.Alias) (account.Account, error) {
	row, err := of[accountRow](s.read).Where("alias = ?", alias).Take(ctx)
	return row.account(), explain(err, "account")
}

// ChangeSettings implements account.Store. A limit below what is used is kept:
// no more can be added until enough are deleted.
func (s *Store) ChangeSettings(ctx context.Context, id ident.Account, to account.Settings, version int64, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		row, err := of[accountRow](tx).Where("id = ?", id).Take(ctx)
		if err != nil {
			return deed{}, err
		}
		if row.Version != version {
			return deed{}, stale("account")
		}
		to.RequireFactor = cmp.Or(to.RequireFactor, account.Nobody)
		if to.KeyCalls != row.KeyCalls {
			row.KeyCallsSetBy, row.KeyCallsSetAt = why.ActorName, stampOf(s.now())
		}
		if to.WorkspaceCalls != row.WorkspaceCalls {
			row.WorkspaceCallsSetBy, row.WorkspaceCallsSetAt = why.ActorName, stampOf(s.now())
		}
		_, err = exec(tx, `UPDATE accounts SET name_workspace = ?, workspace_limit = ?, key_limit = ?, key_calls = ?, workspace_calls = ?, audit_days = ?, require_factor = ?,
			dataset_files = ?, dataset_megabytes = ?, dataset_file_megabytes = ?,
			key_calls_set_by = ?, key_calls_set_at = ?, workspace_calls_set_by = ?, workspace_calls_set_at = ?, version = version + 1 WHERE id = ?`, to.NameWorkspace, to.WorkspaceLimit, to.KeyLimit, to.KeyCalls, to.WorkspaceCalls, to.AuditDays, to.RequireFactor,
			to.DatasetFiles, to.DatasetMegabytes, to.DatasetFileMegabytes,
			row.KeyCallsSetBy, row.KeyCallsSetAt, row.WorkspaceCallsSetBy, row.WorkspaceCallsSetAt, id)
		return deed{why.Between(row.account().Settings, to), anAccount.of(id, string(id))}, err
	})
	return explain(err, "account")
}
