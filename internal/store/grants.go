package store

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
)

type grantRow struct {
	Account    ident.Account   `gorm:"column:account_id"`
	Workspace  ident.Workspace `gorm:"column:workspace_id;primaryKey"`
	Model      ident.Model     `gorm:"column:model_id;primaryKey"`
	Capability int             `gorm:"primaryKey;autoIncrement:false"`
	Since      stamp
	By         string `gorm:"column:granted_by"`
}

func (grantRow) TableName() string { return "grants" }

// holderRow is a sub-workspace beside its grant, if it has one.
type holderRow struct {
	ID      ident.Workspace
	Name    string
	CallAll bool
	Since   *stamp // nil: not granted
	By      string `gorm:"column:granted_by"`
}

func (r holderRow) holder(c catalogue.Capability) grant.Holder {
	h := grant.Holder{Workspace: r.ID, Name: r.Name, Granted: r.Since != nil, By: r.By}
	if h.Granted {
		h.Since = r.Since.time()
	}
	h.All = r.CallAll && c == catalogue.Call
	return h
}

const holdersSelect = `SELECT w.id, w.name, w.call_all, g.since, COALESCE(g.granted_by, '') AS granted_by
	FROM workspaces w
	LEFT JOIN grants g ON g.workspace_id = w.id AND g.model_id = ? AND g.capability = ?
	WHERE w.account_id = ? AND w.is_default = ?
	ORDER BY w.folded, w.id`

func holders(ctx context.Context, tx *gorm.DB, a ident.Account, s grant.Subject) ([]holderRow, error) {
	return of[holderRow](tx).Raw(holdersSelect, s.Model, int(s.Capability), a, false).Find(ctx)
}

// listVersion gives the version of a list; one that nobody edited has grant.Unedited.
func listVersion(tx *gorm.DB, a ident.Account, s grant.Subject) (version int64, err error) {
	err = tx.Raw(`SELECT COALESCE(MAX(version), ?) FROM grant_lists WHERE account_id = ? AND model_id = ? AND capability = ?`,
		grant.Unedited, a, s.Model, int(s.Capability)).Scan(&version).Error
	return version, err
}

// lastEdit reads a list's version, and who made it what it is.
func lastEdit(tx *gorm.DB, a ident.Account, s grant.Subject, list *grant.List) error {
	var row struct {
		Version  int64
		EditedAt stamp
		EditedBy string
	}
	row.Version = grant.Unedited
	err := tx.Raw(`SELECT version, edited_at, edited_by FROM grant_lists WHERE account_id = ? AND model_id = ? AND capability = ?`,
		a, s.Model, int(s.Capability)).Scan(&row).Error
	list.Version, list.EditedAt, list.EditedBy = row.Version, row.EditedAt.time(), row.EditedBy
	return err
}

// GrantList implements grant.Store. The model is missing if the account does
// not have it.
func (s *Store) GrantList(ctx context.Context, a ident.Account, subject grant.Subject) (list grant.List, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		if err := hasModel(ctx, tx, a, subject.Model); err != nil {
			return err
		}
		if err := lastEdit(tx, a, subject, &list); err != nil {
			return err
		}
		rows, err := holders(ctx, tx, a, subject)
		for _, r := range rows {
			list.Holders = append(list.Holders, r.holder(subject.Capability))
		}
		return err
	})
	return list, explain(err, "model")
}

func hasModel(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Model) error {
	ok, err := there[modelRow](ctx, tx, "account_id = ? AND id = ?", a, id)
	if err == nil && !ok {
		err = gorm.ErrRecordNotFound
	}
	return explain(err, "model")
}

// ReplaceGrants implements grant.Store. An edit that changes nothing writes
// nothing: the version stays and no event is kept.
func (s *Store) ReplaceGrants(ctx context.Context, a ident.Account, subject grant.Subject, e grant.Edit, by string, why func(grant.Change) audit.Event) (c grant.Change, err error) {
	err = s.changes(ctx, func(tx *gorm.DB) ([]deed, error) {
		if err := hasModel(ctx, tx, a, subject.Model); err != nil {
			return nil, err
		}
		version, err := listVersion(tx, a, subject)
		if err != nil {
			return nil, err
		}
		if version != e.Version {
			return nil, stale("authorization")
		}
		if c, err = grantChange(ctx, tx, a, subject, e.Authorized); err != nil {
			return nil, err
		}
		if len(c.Granted)+len(c.Revoked) == 0 {
			return nil, errUnchanged
		}
		return s.regrant(ctx, tx, a, subject, c, version, by, why)
	})
	if err != nil {
		c = grant.Change{}
	}
	return c, explain(err, "authorization")
}

// grantChange compares who holds the subject with who shall. Whatever is not a
// sub-workspace of the account is missing.
func grantChange(ctx context.Context, tx *gorm.DB, a ident.Account, s grant.Subject, shall []ident.Workspace) (c grant.Change, err error) {
	rows, err := holders(ctx, tx, a, s)
	if err != nil {
		return c, err
	}
	wanted := map[ident.Workspace]bool{}
	for _, id := range shall {
		wanted[id] = true
	}
	for _, r := range rows {
		if r.CallAll && s.Capability == catalogue.Call { // holds every model; its grants stay as they are until that ends
			delete(wanted, r.ID)
			continue
		}
		granted := r.Since != nil
		if wanted[r.ID] && !granted {
			c.Granted = append(c.Granted, r.ID)
		}
		if !wanted[r.ID] && granted {
			c.Revoked = append(c.Revoked, r.ID)
		}
		delete(wanted, r.ID)
	}
	if len(wanted) > 0 {
		return c, fault.NoSuch("workspace")
	}
	slices.Sort(c.Granted)
	slices.Sort(c.Revoked)
	return c, nil
}

// regrant writes a change and the list's next version. Each workspace has an
// event of its own, in its own trail.
func (s *Store) regrant(ctx context.Context, tx *gorm.DB, a ident.Account, subject grant.Subject, c grant.Change, version int64, by string, why func(grant.Change) audit.Event) ([]deed, error) {
	if err := s.nextList(tx, a, subject, version, by); err != nil {
		return nil, err
	}
	var done []deed
	did := func(id ident.Workspace, c grant.Change) {
		done = append(done, deed{why(c), aWorkspace.of(a, string(id))})
	}
	for _, id := range c.Granted {
		row := grantRow{Account: a, Workspace: id, Model: subject.Model, Capability: int(subject.Capability), Since: stampOf(s.now()), By: by}
		if err := of[grantRow](tx).Create(ctx, &row); err != nil {
			return nil, err
		}
		did(id, grant.Change{Granted: []ident.Workspace{id}})
	}
	for _, id := range c.Revoked {
		if _, err := exec(tx, "DELETE FROM grants WHERE account_id = ? AND workspace_id = ? AND model_id = ? AND capability = ?",
			a, id, subject.Model, int(subject.Capability)); err != nil {
			return nil, err
		}
		did(id, grant.Change{Revoked: []ident.Workspace{id}})
	}
	return done, nil
}

// nextList gives a list the version after this one.
func (s *Store) nextList(tx *gorm.DB, a ident.Account, subject grant.Subject, version int64, by string) error {
	_, err := exec(tx, `INSERT INTO grant_lists (account_id, model_id, capability, version, edited_at, edited_by) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, model_id, capability) DO UPDATE SET version = excluded.version, edited_at = excluded.edited_at, edited_by = excluded.edited_by`,
		a, subject.Model, int(subject.Capability), version+1, stampOf(s.now()), by)
	return err
}
