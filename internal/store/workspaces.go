package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

type workspaceRow struct {
	ID       ident.Workspace
	Account  ident.Account `gorm:"column:account_id"`
	Name     string
	Folded   string // the name as it is compared
	Default  bool   `gorm:"column:is_default"`
	CallAll  bool
	KeyCount int
	Created  stamp
	Version  int64
}

func (workspaceRow) TableName() string { return "workspaces" }

func workspaceRowOf(w workspace.Workspace) workspaceRow {
	return workspaceRow{
		ID: w.ID, Account: w.Account, Name: w.Name, Folded: fold(w.Name), Default: w.Default, CallAll: w.CallAll,
		Created: stampOf(w.CreatedAt), Version: w.Version,
	}
}

func (r workspaceRow) workspace() workspace.Workspace {
	return workspace.Workspace{
		ID: r.ID, Account: r.Account, Name: r.Name, Default: r.Default, CallAll: r.CallAll,
		CreatedAt: r.Created.time(), Version: r.Version,
	}
}

// InsertWorkspace implements workspace.Store. The count on the account's row
// is what holds the limit when many add at once.
func (s *Store) InsertWorkspace(ctx context.Context, a ident.Account, w workspace.Workspace, why audit.Event) error {
	err := s.change(ctx, why, aWorkspace.of(a, string(w.ID)), func(tx *gorm.DB) error {
		n, err := exec(tx, "UPDATE accounts SET workspace_count = workspace_count + 1 WHERE id = ? AND workspace_count < workspace_limit", a)
		if err != nil {
			return err
		}
		if n == 0 {
			return noRoom(ctx, tx, a)
		}
		w.Account, w.Default = a, false
		row := workspaceRowOf(w)
		return of[workspaceRow](tx).Create(ctx, &row)
	})
	return explain(err, "workspace", "name")
}

func noRoom(ctx context.Context, tx *gorm.DB, a ident.Account) error {
	owner, err := of[accountRow](tx).Where("id = ?", a).Take(ctx)
	if err != nil {
		return explain(err, "account")
	}
	return fault.New(fault.Full, "This account may hold %d workspaces beside the Default Workspace and holds %d. "+
		"Delete one that is no longer used, or raise the limit in the account's settings.", owner.WorkspaceLimit, owner.WorkspaceCount)
}

// RenameWorkspace implements workspace.Store.
func (s *Store) RenameWorkspace(ctx context.Context, a ident.Account, id ident.Workspace, name string, version int64, why audit.Event) error {
	err := s.change(ctx, why, aWorkspace.of(a, string(id)), func(tx *gorm.DB) error {
		row, err := workspaceOf(ctx, tx, a, id)
		if err != nil {
			return err
		}
		if row.Version != version {
			return stale("workspace")
		}
		_, err = exec(tx, "UPDATE workspaces SET name = ?, folded = ?, version = version + 1 WHERE account_id = ? AND id = ?",
			name, fold(name), a, id)
		return err
	})
	return explain(err, "workspace", "name")
}

// DeleteWorkspace implements workspace.Store.
func (s *Store) DeleteWorkspace(ctx context.Context, a ident.Account, id ident.Workspace, why audit.Event) (left []workspace.Remain, err error) {
	err = s.change(ctx, why, aWorkspace.of(a, string(id)), func(tx *gorm.DB) error {
		row, err := workspaceOf(ctx, tx, a, id)
		if err != nil {
			return err
		}
		if row.Default {
			return gorm.ErrRecordNotFound
		}
		if left, err = remains(ctx, tx, a, id); err != nil {
			return err
		}
		if len(left) > 0 {
			return errUnchanged
		}
		if _, err := exec(tx, "DELETE FROM limits WHERE account_id = ? AND workspace_id = ?", a, id); err != nil {
			return err
		}
		if _, err := exec(tx, "DELETE FROM shelves WHERE owner = ?", id); err != nil {
			return err
		}
		if _, err := exec(tx, "DELETE FROM workspaces WHERE account_id = ? AND id = ?", a, id); err != nil {
			return err
		}
		_, err = exec(tx, "UPDATE accounts SET workspace_count = workspace_count - 1 WHERE id = ?", a)
		return err
	})
	return left, explain(err, "workspace")
}

// Remains implements workspace.Store.
func (s *Store) Remains(ctx context.Context, a ident.Account, id ident.Workspace) (left []workspace.Remain, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		if _, err := workspaceOf(ctx, tx, a, id); err != nil {
			return err
		}
		left, err = remains(ctx, tx, a, id)
		return err
	})
	return left, explain(err, "workspace")
}

// remains counts what a workspace still holds, in the order in which it is best
// cleared away. Usage stays behind when a workspace goes.
func remains(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Workspace) (left []workspace.Remain, err error) {
	const held = "account_id = ? AND workspace_id = ?"
	for _, kind := range []struct {
		name  string
		count func() (int64, error)
	}{
		{"deployments", func() (int64, error) { return of[deploymentRow](tx).Where(held, a, id).Count(ctx) }},
		{"models", func() (int64, error) { return of[tunedRow](tx).Where(held, a, id).Count(ctx) }},
		{"trainings", func() (int64, error) { return of[trainingRow](tx).Where(held, a, id).Count(ctx) }},
		{"datasets", func() (int64, error) { return of[datasetRow](tx).Where(held, a, id).Count(ctx) }},
		{"keys", func() (int64, error) { return of[keyRow](tx).Where(held, a, id).Count(ctx) }},
		{"grants", func() (int64, error) { return of[grantRow](tx).Where(held, a, id).Count(ctx) }},
		{"members", func() (int64, error) { return of[memberRow](tx).Where(held, a, id).Count(ctx) }},
	} {
		n, err := kind.count()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			left = append(left, workspace.Remain{Kind: kind.name, Count: int(n)})
		}
	}
	return left, nil
}

// Workspace implements workspace.Store.
func (s *Store) Workspace(ctx context.Context, a ident.Account, id ident.Workspace) (workspace.Workspace, error) {
	row, err := workspaceOf(ctx, s.read, a, id)
	return row.workspace(), explain(err, "workspace")
}

func workspaceOf(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Workspace) (workspaceRow, error) {
	return of[workspaceRow](tx).Where("account_id = ? AND id = ?", a, id).Take(ctx)
}

// Allowance implements workspace.Store.
func (s *Store) Allowance(ctx context.Context, a ident.Account) (workspace.Allowance, error) {
	row, err := of[accountRow](s.read).Where("id = ?", a).Take(ctx)
	return workspace.Allowance{Used: row.WorkspaceCount, Limit: row.WorkspaceLimit}, explain(err, "account")
}
