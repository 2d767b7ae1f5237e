package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/training"
)

// PublishCheckpoint implements training.Store.
func (s *Store) PublishCheckpoint(ctx context.Context, ws ident.Workspace, m training.Tuned, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		if _, err := lockTraining(ctx, tx, ws, m.Training); err != nil {
			return explain(err, "training")
		}
		taken, err := there[tunedRow](ctx, tx, "account_id = ? AND training_id = ? AND checkpoint = ?", m.Account, m.Training, m.Checkpoint)
		if err != nil {
			return err
		}
		if taken {
			return fault.New(fault.Conflict, "This checkpoint was published already.")
		}
		m.Workspace = ws
		row := tunedRowOf(m)
		return of[tunedRow](tx).Create(ctx, &row)
	})
	return explain(err, "model")
}

// Tuned implements training.Store.
func (s *Store) Tuned(ctx context.Context, ws ident.Workspace, id ident.Tuned) (training.Tuned, error) {
	return s.tuned(ctx, "workspace_id = ? AND id = ?", ws, id)
}

// TunedByName implements training.Store.
func (s *Store) TunedByName(ctx context.Context, ws ident.Workspace, name ident.Model) (training.Tuned, error) {
	return s.tuned(ctx, "workspace_id = ? AND name = ?", ws, name)
}

func (s *Store) tuned(ctx context.Context, where string, args ...any) (training.Tuned, error) {
	row, err := of[tunedRow](s.read).Where(where, args...).Take(ctx)
	if err != nil {
		return training.Tuned{}, explain(err, "model")
	}
	return row.tuned()
}

// TunedModels implements training.Store.
func (s *Store) TunedModels(ctx context.Context, ws ident.Workspace, f training.ModelFilter) (page []training.Tuned, next string, err error) {
	query := of[tunedRow](s.read).Where("workspace_id = ?", ws)
	if f.Base != "" {
		query = query.Where("base_id = ?", f.Base)
	}
	if f.Training != "" {
		query = query.Where("training_id = ?", f.Training)
	}
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return nil, "", err
		}
		query = query.Where(`folded LIKE ? ESCAPE '\'`, like)
	}
	if f.After != "" {
		at, id, err := readTimeCursor(f.After)
		if err != nil {
			return nil, "", err
		}
		query = query.Where("(created, id) < (?, ?)", at, id)
	}
	size := pageSize(f.Limit)
	rows, err := query.Order("created DESC, id DESC").Limit(size + 1).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "model")
	}
	rows, next = cut(rows, size, func(r tunedRow) string { return timeCursor(r.Created, string(r.ID)) })
	page = make([]training.Tuned, len(rows))
	for i, r := range rows {
		if page[i], err = r.tuned(); err != nil {
			return nil, "", err
		}
	}
	return page, next, nil
}

// RenameTuned implements training.Store.
func (s *Store) RenameTuned(ctx context.Context, ws ident.Workspace, id ident.Tuned, title string, version int64, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		row, err := of[tunedRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
		if err != nil {
			return err
		}
		if row.Version != version {
			return stale("model")
		}
		_, err = exec(tx, "UPDATE tuned_models SET title = ?, folded = ?, version = version + 1 WHERE id = ?", title, tunedFolded(title, row.Name, row.Base), id)
		return err
	})
	return explain(err, "model")
}

// DeleteTuned implements training.Store.
func (s *Store) DeleteTuned(ctx context.Context, ws ident.Workspace, id ident.Tuned, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		row, err := of[tunedRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
		if err != nil {
			return err
		}
		going, err := of[trainingRow](tx).Where("account_id = ? AND from_id = ? AND ended = 0", row.Account, id).Limit(1).Find(ctx)
		if err != nil {
			return err
		}
		if len(going) > 0 {
			return fault.New(fault.Conflict, "The training %s goes on from this model. Cancel it, or wait for its end.", going[0].Name)
		}
		put, err := of[deploymentRow](tx).Where("account_id = ? AND tuned_id = ?", row.Account, id).Limit(1).Find(ctx)
		if err != nil {
			return err
		}
		if len(put) > 0 {
			return fault.New(fault.Conflict, "The model is deployed as %s. Delete that deployment first.", put[0].Name)
		}
		_, err = exec(tx, "DELETE FROM tuned_models WHERE id = ?", id)
		return err
	})
	return explain(err, "model")
}
