package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"bailiwick/internal/audit"
	"bailiwick/internal/deployment"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/work"
)

var _ deployment.LoopStore = (*Store)(nil)

// InsertDeployment implements deployment.Store. Those of a workspace are counted
// while the clock is held, which puts those who add at once in line.
func (s *Store) InsertDeployment(ctx context.Context, ws ident.Workspace, d deployment.Deployment, limit int, why audit.Event) error {
	err := s.change(ctx, why, aModel.of(d.Account, string(d.Name)), func(tx *gorm.DB) error {
		if _, err := workspaceOf(ctx, tx, d.Account, ws); err != nil {
			return explain(err, "workspace")
		}
		n, err := of[deploymentRow](tx).Where("workspace_id = ?", ws).Count(ctx)
		if err != nil {
			return err
		}
		if n >= int64(limit) {
			return fault.New(fault.Full, "This workspace may have %d deployments. Delete one first.", limit)
		}
		if err := freeForDeployment(ctx, tx, &d); err != nil {
			return err
		}
		d.Workspace = ws
		row := deploymentRowOf(d)
		if err := of[deploymentRow](tx).Create(ctx, &row); err != nil {
			return err
		}
		first := []deployment.Moved{{At: d.CreatedAt, To: d.State}}
		if err := insertMoves(ctx, tx, d, first); err != nil {
			return err
		}
		return ask(tx, deployment.Work, deployment.Ref(ws, d.ID))
	})
	return explain(err, "deployment")
}

// freeForDeployment makes sure that a public name is nobody's but the model's own
// that is put up, which is there as long as that needs it.
func freeForDeployment(ctx context.Context, tx *gorm.DB, d *deployment.Deployment) error {
	if d.Tuned != "" {
		own, err := there[tunedRow](ctx, tx, "account_id = ? AND workspace_id = ? AND id = ?", d.Account, d.Workspace, d.Tuned)
		if err == nil && !own {
			err = fault.NoSuch("model")
		}
		if err != nil {
			return err
		}
	}
	model, err := there[modelRow](ctx, tx, "account_id = ? AND id = ?", d.Account, d.Name)
	if err != nil {
		return err
	}
	tuned, err := there[tunedRow](ctx, tx, "account_id = ? AND name = ? AND id <> ?", d.Account, d.Name, d.Tuned)
	if err != nil {
		return err
	}
	put, err := there[deploymentRow](ctx, tx, "account_id = ? AND name = ?", d.Account, d.Name)
	if err == nil && (model || tuned || put) {
		err = deployment.Taken(d.Name)
	}
	return err
}

// Deployment implements deployment.Store.
func (s *Store) Deployment(ctx context.Context, ws ident.Workspace, id ident.Deployment) (deployment.Deployment, error) {
	row, err := of[deploymentRow](s.read).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
	return row.deployment(), explain(err, "deployment")
}

// DeploymentNamed implements deployment.Store.
func (s *Store) DeploymentNamed(ctx context.Context, ws ident.Workspace, name ident.Model) (deployment.Deployment, error) {
	row, err := of[deploymentRow](s.read).Where("workspace_id = ? AND name = ?", ws, name).Take(ctx)
	return row.deployment(), explain(err, "deployment")
}

// Deployments implements deployment.Store.
func (s *Store) Deployments(ctx context.Context, ws ident.Workspace, f deployment.Filter) (page []deployment.Deployment, next string, total int, err error) {
	query := of[deploymentRow](s.read).Where("workspace_id = ?", ws)
	if f.State != "" {
		query = query.Where("state = ?", f.State)
	}
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return nil, "", 0, err
		}
		query = query.Where(`folded LIKE ? ESCAPE '\'`, like)
	}
	rows, next, total, err := newest(ctx, query, f.After, f.Skip, f.Limit, func(r deploymentRow) string { return timeCursor(r.Created, string(r.ID)) })
	for _, r := range rows {
		page = append(page, r.deployment())
	}
	return page, next, total, explain(err, "deployment")
}

// newest reads one page of rows that have a column created and an id, newest
// first, and counts them all.
func newest[T any](ctx context.Context, query query[T], after string, skip, limit int, cursor func(T) string) (page []T, next string, total int, err error) {
	n, err := query.Count(ctx)
	if err != nil {
		return nil, "", 0, err
	}
	if after != "" {
		at, id, err := readTimeCursor(after)
		if err != nil {
			return nil, "", 0, err
		}
		query = query.Where("(created, id) < (?, ?)", at, id)
	}
	size := pageSize(limit)
	rows, err := query.Order("created DESC, id DESC").Skip(skip).Limit(size + 1).Find(ctx)
	page, next = cut(rows, size, cursor)
	return page, next, int(n), err
}

// DeploymentsAt implements deployment.LoopStore.
func (s *Store) DeploymentsAt(ctx context.Context, a ident.Account, p ident.Provider) (list []deployment.Deployment, err error) {
	rows, err := of[deploymentRow](s.read).Where("account_id = ? AND provider_id = ?", a, p).Find(ctx)
	for _, r := range rows {
		list = append(list, r.deployment())
	}
	return list, explain(err, "deployment")
}

// DeploymentMoves implements deployment.Store.
func (s *Store) DeploymentMoves(ctx context.Context, ws ident.Workspace, id ident.Deployment, most int) (list []deployment.Moved, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		d, err := of[deploymentRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
		if err != nil {
			return err
		}
		rows, err := of[deploymentMoveRow](tx).Where("account_id = ? AND deployment_id = ?", d.Account, id).Order("number DESC").Limit(most).Find(ctx)
		for _, r := range rows {
			list = append(list, deployment.Moved{At: r.At.time(), From: r.From, To: r.To, Reason: r.Reason})
		}
		return err
	})
	return list, explain(err, "deployment")
}

// lockDeployment reads one that nobody else changes until the transaction ends.
func lockDeployment(ctx context.Context, tx *gorm.DB, ws ident.Workspace, id ident.Deployment) (deployment.Deployment, error) {
	var with []clause.Expression
	if postgresql(tx) {
		with = []clause.Expression{clause.Locking{Strength: "UPDATE"}}
	}
	row, err := of[deploymentRow](tx, with...).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
	return row.deployment(), err
}

// ChangeDeployment implements deployment.Store. Whoever works on it is nudged.
func (s *Store) ChangeDeployment(ctx context.Context, ws ident.Workspace, id ident.Deployment, do func(*deployment.Deployment) (deployment.Moved, audit.Event, error)) (d deployment.Deployment, err error) {
	err = s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		if d, err = lockDeployment(ctx, tx, ws, id); err != nil {
			return deed{}, err
		}
		before := d
		moved, why, err := do(&d)
		if err != nil {
			return deed{}, err
		}
		if err := s.writeDeployment(ctx, tx, before, &d, some(moved)); err != nil {
			return deed{}, err
		}
		return deed{why, aModel.of(d.Account, string(d.Name))}, ask(tx, deployment.Work, deployment.Ref(ws, id))
	})
	return d, explain(err, "deployment")
}

func some(m deployment.Moved) []deployment.Moved {
	if m.To == "" {
		return nil
	}
	return []deployment.Moved{m}
}

// NoteDeployment implements deployment.LoopStore.
func (s *Store) NoteDeployment(ctx context.Context, ws ident.Workspace, d deployment.Deployment, l work.Lease, moved []deployment.Moved, why audit.Event) error {
	write := func(tx *gorm.DB) error {
		before, err := unchanged(ctx, tx, ws, d, l)
		if err != nil {
			return err
		}
		d.Version++
		return s.writeDeployment(ctx, tx, before, &d, moved)
	}
	if why.ID == "" {
		return explain(s.write.WithContext(ctx).Transaction(write), "deployment")
	}
	return explain(s.change(ctx, why, aModel.of(d.Account, string(d.Name)), write), "deployment")
}

// unchanged makes sure that a deployment is still as the worker read it, and that
// the worker still holds its lease.
func unchanged(ctx context.Context, tx *gorm.DB, ws ident.Workspace, d deployment.Deployment, l work.Lease) (before deployment.Deployment, err error) {
	if before, err = lockDeployment(ctx, tx, ws, d.ID); err != nil {
		return before, err
	}
	if err := fenced(tx, l); err != nil {
		return before, err
	}
	if before.Version != d.Version {
		return before, stale("deployment")
	}
	return before, nil
}

// DropDeployment implements deployment.LoopStore.
func (s *Store) DropDeployment(ctx context.Context, ws ident.Workspace, d deployment.Deployment, l work.Lease, why audit.Event) error {
	err := s.change(ctx, why, aModel.of(d.Account, string(d.Name)), func(tx *gorm.DB) error {
		if _, err := unchanged(ctx, tx, ws, d, l); err != nil {
			return err
		}
		_, err := exec(tx, "DELETE FROM deployments WHERE workspace_id = ? AND id = ?", ws, d.ID)
		return err
	})
	return explain(err, "deployment")
}

// writeDeployment keeps a deployment that was changed, its moves, and the hours
// that it was up until now.
func (s *Store) writeDeployment(ctx context.Context, tx *gorm.DB, before deployment.Deployment, d *deployment.Deployment, moved []deployment.Moved) error {
	if err := s.bookUp(tx, before, d); err != nil {
		return err
	}
	row := deploymentRowOf(*d)
	if _, err := exec(tx, `UPDATE deployments SET title = ?, folded = ?, calls = ?, handle = ?, capacity = ?, capacity_before = ?, ready = ?, requests = ?, tokens = ?, limits_set_by = ?, limits_set_at = ?,
		state = ?, reason = ?, desired = ?, observed = ?, updated = ?, up_since = ?, booked = ?, version = ? WHERE id = ?`,
		row.Title, row.Folded, row.Calls, row.Handle, row.Capacity, row.Before, row.Ready, row.Requests, row.Tokens, row.LimitsBy, row.LimitsAt,
		row.State, row.Reason, row.Desired, row.Observed, row.Updated, row.UpSince, row.Booked, row.Version, row.ID); err != nil {
		return err
	}
	return insertMoves(ctx, tx, *d, moved)
}

func insertMoves(ctx context.Context, tx *gorm.DB, d deployment.Deployment, moved []deployment.Moved) error {
	if len(moved) == 0 {
		return nil
	}
	var last int64
	if err := tx.Raw("SELECT COALESCE(MAX(number), 0) FROM deployment_moves WHERE account_id = ? AND deployment_id = ?", d.Account, d.ID).Scan(&last).Error; err != nil {
		return err
	}
	var rows []deploymentMoveRow
	for i, m := range moved {
		rows = append(rows, deploymentMoveRow{d.Account, d.ID, last + int64(i) + 1, stampOf(m.At), m.From, m.To, clip(m.Reason, 1000)})
	}
	return of[deploymentMoveRow](tx).CreateInBatches(ctx, &rows, len(rows))
}

// BeginSweeps has orphans looked for from now on, at intervals. It is asked at
// each start.
func (s *Store) BeginSweeps(ctx context.Context) error {
	return ask(s.write.WithContext(ctx), deployment.Sweep, deployment.SweepRef)
}
