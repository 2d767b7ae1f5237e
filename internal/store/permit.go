package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
)

// PermitWorkspace implements grant.PermitStore. Lists that others look at get
// their next version, as if they had been edited. The rights of the Default
// Workspace cannot be changed.
func (s *Store) PermitWorkspace(ctx context.Context, a ident.Account, ws ident.Workspace, p grant.Permit, by string,
	why func(grant.Subject, bool) audit.Event, all func(open bool, cleared int) audit.Event) error {
	err := s.changes(ctx, func(tx *gorm.DB) (done []deed, err error) {
		row, err := workspaceOf(ctx, tx, a, ws)
		if err != nil {
			return nil, explain(err, "workspace")
		}
		if row.Default {
			return nil, fault.New(fault.Invalid, "The Default Workspace may do everything; its rights cannot be changed.")
		}
		touched := aWorkspace.of(a, string(ws))
		cleared, changed, err := s.permitAll(ctx, tx, row, p.All, by)
		if err != nil {
			return nil, err
		}
		if changed {
			done = append(done, deed{all(p.All == grant.Open, cleared), touched})
		}
		for _, f := range p.Models {
			if err := hasModel(ctx, tx, a, f.Model); err != nil {
				return nil, err
			}
			for _, c := range catalogue.All {
				subject := grant.Subject{Model: f.Model, Capability: c}
				changed, err := s.permitOne(ctx, tx, row, subject, f.Of(c), by)
				if err != nil {
					return nil, err
				}
				if changed {
					done = append(done, deed{why(subject, *f.Of(c)), touched})
				}
			}
		}
		if len(done) == 0 {
			return nil, errUnchanged
		}
		return done, nil
	})
	return explain(err, "authorization")
}

// permitAll opens or ends the right to call every model. Ending clears the
// calling grants too; how many is said.
func (s *Store) permitAll(ctx context.Context, tx *gorm.DB, w workspaceRow, to grant.All, by string) (cleared int, changed bool, err error) {
	if to == grant.Keep {
		return 0, false, nil
	}
	if to == grant.Close {
		rows, err := of[grantRow](tx).Where("account_id = ? AND workspace_id = ? AND capability = ?", w.Account, w.ID, int(catalogue.Call)).Find(ctx)
		if err != nil {
			return 0, false, err
		}
		for _, r := range rows {
			no := false
			if _, err := s.permitOne(ctx, tx, w, grant.Subject{Model: r.Model, Capability: catalogue.Call}, &no, by); err != nil {
				return 0, false, err
			}
		}
		cleared = len(rows)
	}
	if w.CallAll == (to == grant.Open) {
		return cleared, cleared > 0, nil
	}
	_, err = exec(tx, "UPDATE workspaces SET call_all = ?, version = version + 1 WHERE account_id = ? AND id = ?", to == grant.Open, w.Account, w.ID)
	return cleared, true, err
}

// permitOne grants or revokes one capability, if that changes anything.
func (s *Store) permitOne(ctx context.Context, tx *gorm.DB, w workspaceRow, subject grant.Subject, to *bool, by string) (changed bool, err error) {
	if to == nil {
		return false, nil
	}
	const one = "account_id = ? AND workspace_id = ? AND model_id = ? AND capability = ?"
	has, err := there[grantRow](ctx, tx, one, w.Account, w.ID, subject.Model, int(subject.Capability))
	if err != nil || has == *to {
		return false, err
	}
	version, err := listVersion(tx, w.Account, subject)
	if err != nil {
		return false, err
	}
	if err := s.nextList(tx, w.Account, subject, version, by); err != nil {
		return false, err
	}
	if *to {
		row := grantRow{Account: w.Account, Workspace: w.ID, Model: subject.Model, Capability: int(subject.Capability), Since: stampOf(s.now()), By: by}
		return true, of[grantRow](tx).Create(ctx, &row)
	}
	_, err = exec(tx, "DELETE FROM grants WHERE "+one, w.Account, w.ID, subject.Model, int(subject.Capability))
	return true, err
}
