package store

import (
	"context"
	"math"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
)

// curvesMost is how many curves a job may have; an engine may invent names.
const curvesMost = 20

// insertPoints keeps what was measured. A step that is told again, after a
// restart, replaces what was told of it; what is no number is left out.
func insertPoints(ctx context.Context, tx *gorm.DB, j *training.Job, points []provider.Point) error {
	names := map[string]bool{}
	at := map[[2]any]int{}
	var rows []pointRow
	for _, p := range points {
		if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || p.Step < 0 || p.Name == "" {
			continue
		}
		row := pointRow{j.Account, j.ID, clip(p.Name, 50), p.Step, p.Value}
		key := [2]any{row.Name, row.Step}
		if i, told := at[key]; told { // one statement cannot replace a row twice
			rows[i] = row
			continue
		}
		at[key], names[row.Name] = len(rows), true
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	again := clause.OnConflict{
		Columns:   []clause.Column{{Name: "account_id"}, {Name: "training_id"}, {Name: "name"}, {Name: "step"}},
		DoUpdates: clause.AssignmentColumns([]string{"value"}),
	}
	if err := of[pointRow](tx, again).CreateInBatches(ctx, &rows, 200); err != nil {
		return err
	}
	for name := range names {
		if err := thin(ctx, tx, j, name); err != nil {
			return err
		}
	}
	return nil
}

// thin leaves out steps of a curve until it has as many points as are kept: those
// that a stride does not divide, which doubles whenever the curve is full.
func thin(ctx context.Context, tx *gorm.DB, j *training.Job, name string) error {
	const curve = "account_id = ? AND training_id = ? AND name = ?"
	kept, err := of[int64](tx).Raw("SELECT stride FROM training_curves WHERE "+curve, j.Account, j.ID, name).Find(ctx)
	if err != nil {
		return err
	}
	stride := int64(1)
	if len(kept) == 1 {
		stride = kept[0]
	} else {
		n, err := of[int64](tx).Raw("SELECT COUNT(*) FROM training_curves WHERE account_id = ? AND training_id = ?", j.Account, j.ID).Take(ctx)
		if err != nil {
			return err
		}
		if n >= curvesMost {
			_, err := exec(tx, "DELETE FROM training_points WHERE "+curve, j.Account, j.ID, name)
			return err
		}
	}
	for ; ; stride *= 2 {
		if stride > 1 {
			if _, err := exec(tx, "DELETE FROM training_points WHERE "+curve+" AND step % ? <> 0 AND step < (SELECT MAX(step) FROM training_points WHERE "+curve+")",
				j.Account, j.ID, name, stride, j.Account, j.ID, name); err != nil {
				return err
			}
		}
		n, err := of[pointRow](tx).Where(curve, j.Account, j.ID, name).Count(ctx)
		if err != nil {
			return err
		}
		if n <= training.CurveMost || stride > 1<<40 {
			break
		}
	}
	if len(kept) == 1 && kept[0] == stride {
		return nil
	}
	_, err = exec(tx, `INSERT INTO training_curves (account_id, training_id, name, stride) VALUES (?, ?, ?, ?)
		ON CONFLICT (account_id, training_id, name) DO UPDATE SET stride = excluded.stride`, j.Account, j.ID, name, stride)
	return err
}

// TrainingCurves implements training.Store.
func (s *Store) TrainingCurves(ctx context.Context, ws ident.Workspace, id ident.Training) (list []training.Curve, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		j, err := of[trainingRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
		if err != nil {
			return err
		}
		rows, err := of[pointRow](tx).Where("account_id = ? AND training_id = ?", j.Account, id).Order("name, step").Find(ctx)
		for _, r := range rows {
			if n := len(list); n == 0 || list[n-1].Name != r.Name {
				list = append(list, training.Curve{Name: r.Name})
			}
			c := &list[len(list)-1]
			c.Points = append(c.Points, provider.Point{Step: r.Step, Name: r.Name, Value: r.Value})
		}
		return err
	})
	return list, explain(err, "training")
}
