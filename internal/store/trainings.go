package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"bailiwick/internal/audit"
	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/training"
	"bailiwick/internal/work"
)

// InsertTraining implements training.Store. The job, the first line of its log
// and its work are kept together. Jobs of a workspace are counted while the
// clock is held, which puts those who add at once in line.
func (s *Store) InsertTraining(ctx context.Context, ws ident.Workspace, j training.Job, first training.Entry, limit int, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		if _, err := workspaceOf(ctx, tx, j.Account, ws); err != nil {
			return explain(err, "workspace")
		}
		n, err := of[trainingRow](tx).Where("workspace_id = ? AND ended = 0", ws).Count(ctx)
		if err != nil {
			return err
		}
		if n >= int64(limit) {
			return fault.New(fault.Full, "This workspace may have %d trainings that are not over. Wait for one to end, or cancel one.", limit)
		}
		if err := freeName(ctx, tx, &j); err != nil {
			return err
		}
		j.Workspace = ws
		row := trainingRowOf(j)
		row.Lines = 1
		if err := of[trainingRow](tx).Create(ctx, &row); err != nil {
			return err
		}
		if err := insertFiles(ctx, tx, j); err != nil {
			return err
		}
		e := entryRow{j.Account, j.ID, 1, stampOf(first.At), first.State, clip(first.Text, lineMost)}
		if err := of[entryRow](tx).Create(ctx, &e); err != nil {
			return err
		}
		return ask(tx, training.Work, training.Ref(ws, j.ID))
	})
	return explain(err, "training", "id")
}

// freeName makes sure that the result's name is nobody's: no job's, no model's.
func freeName(ctx context.Context, tx *gorm.DB, j *training.Job) error {
	job, err := there[trainingRow](ctx, tx, "account_id = ? AND output_id = ?", j.Account, j.Output)
	if err != nil {
		return err
	}
	tuned, err := there[tunedRow](ctx, tx, "account_id = ? AND name = ?", j.Account, j.Output)
	if err != nil {
		return err
	}
	model, err := there[modelRow](ctx, tx, "account_id = ? AND id = ?", j.Account, j.Output)
	if err != nil {
		return err
	}
	put, err := there[deploymentRow](ctx, tx, "account_id = ? AND name = ?", j.Account, j.Output)
	if err == nil && (job || tuned || model || put) {
		err = fault.New(fault.Conflict, "There is a model %s already.", j.Output).About("id")
	}
	return err
}

func insertFiles(ctx context.Context, tx *gorm.DB, j training.Job) error {
	known := map[ident.File]bool{}
	var rows []trainingFileRow
	for _, list := range [][]training.Source{j.Train, j.Valid} {
		for _, f := range list {
			if !known[f.File] {
				known[f.File] = true
				rows = append(rows, trainingFileRow{j.Account, j.ID, f.File})
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return of[trainingFileRow](tx).CreateInBatches(ctx, &rows, len(rows))
}

// Training implements training.Store.
func (s *Store) Training(ctx context.Context, ws ident.Workspace, id ident.Training) (training.Job, error) {
	row, err := of[trainingRow](s.read).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
	if err != nil {
		return training.Job{}, explain(err, "training")
	}
	return row.job()
}

// Trainings implements training.Store.
func (s *Store) Trainings(ctx context.Context, ws ident.Workspace, f training.Filter) (page []training.Job, next string, total int, err error) {
	query := of[trainingRow](s.read).Where("workspace_id = ?", ws)
	if f.State != "" {
		query = query.Where("state = ?", f.State)
	}
	if f.Model != "" {
		query = query.Where("model_id = ?", f.Model)
	}
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return nil, "", 0, err
		}
		query = query.Where(`folded LIKE ? ESCAPE '\'`, like)
	}
	n, err := query.Count(ctx)
	if err != nil {
		return nil, "", 0, explain(err, "training")
	}
	if f.After != "" {
		at, id, err := readTimeCursor(f.After)
		if err != nil {
			return nil, "", 0, err
		}
		query = query.Where("(created, id) < (?, ?)", at, id)
	}
	size := pageSize(f.Limit)
	rows, err := query.Order("created DESC, id DESC").Skip(f.Skip).Limit(size + 1).Find(ctx)
	if err != nil {
		return nil, "", 0, explain(err, "training")
	}
	rows, next = cut(rows, size, func(r trainingRow) string { return timeCursor(r.Created, string(r.ID)) })
	page = make([]training.Job, len(rows))
	for i, r := range rows {
		if page[i], err = r.job(); err != nil {
			return nil, "", 0, err
		}
	}
	return page, next, int(n), nil
}

// lockTraining reads a job that nobody else changes until the transaction ends.
func lockTraining(ctx context.Context, tx *gorm.DB, ws ident.Workspace, id ident.Training) (training.Job, error) {
	var with []clause.Expression
	if postgresql(tx) {
		with = []clause.Expression{clause.Locking{Strength: "UPDATE"}}
	}
	row, err := of[trainingRow](tx, with...).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
	if err != nil {
		return training.Job{}, err
	}
	return row.job()
}

// MoveTraining implements training.Store. Whoever works on the job is nudged.
func (s *Store) MoveTraining(ctx context.Context, ws ident.Workspace, id ident.Training, do func(*training.Job) (training.Entry, audit.Event, error)) (j training.Job, err error) {
	err = s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		if j, err = lockTraining(ctx, tx, ws, id); err != nil {
			return deed{}, err
		}
		before := j
		e, why, err := do(&j)
		if err != nil {
			return deed{}, err
		}
		if err := s.writeTraining(ctx, tx, before, &j, training.News{Entries: []training.Entry{e}}); err != nil {
			return deed{}, err
		}
		return deed{why: why}, ask(tx, training.Work, training.Ref(ws, id))
	})
	return j, explain(err, "training")
}

// NoteTraining implements training.LoopStore. The job is locked before its work
// is looked at, as a change that asks for the work does.
func (s *Store) NoteTraining(ctx context.Context, ws ident.Workspace, id ident.Training, l work.Lease, do func(*training.Job) (training.News, error)) (j training.Job, err error) {
	err = s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if j, err = lockTraining(ctx, tx, ws, id); err != nil {
			return err
		}
		if err := fenced(tx, l); err != nil {
			return err
		}
		before := j
		news, err := do(&j)
		if err != nil {
			return err
		}
		return s.writeTraining(ctx, tx, before, &j, news)
	})
	return j, explain(err, "training")
}

// EndTraining implements training.LoopStore.
func (s *Store) EndTraining(ctx context.Context, ws ident.Workspace, id ident.Training, l work.Lease, do func(*training.Job) (training.News, audit.Event, error)) (j training.Job, err error) {
	err = s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		if j, err = lockTraining(ctx, tx, ws, id); err != nil {
			return deed{}, err
		}
		if err := fenced(tx, l); err != nil {
			return deed{}, err
		}
		before := j
		news, why, err := do(&j)
		if err != nil {
			return deed{}, err
		}
		return deed{why: why}, s.writeTraining(ctx, tx, before, &j, news)
	})
	return j, explain(err, "training")
}

// writeTraining keeps a job that was changed, and what is new about it.
func (s *Store) writeTraining(ctx context.Context, tx *gorm.DB, before training.Job, j *training.Job, news training.News) error {
	j.UpdatedAt = s.now()
	j.Version = before.Version + 1
	entries := lineUp(j, news.Entries)
	row := trainingRowOf(*j)
	n, err := exec(tx, `UPDATE trainings SET provider_id = ?, engine = ?, demo = ?, adapter = ?, handle = ?, cursor = ?, state = ?, reason = ?, message = ?, step = ?, steps = ?, epoch = ?,
		time_left = ?, trained_tokens = ?, attempts = ?, restarts = ?, lines = ?, train = ?, valid = ?, tokens = ?, price = ?, currency = ?, started = ?, ended = ?, updated = ?, version = ?
		WHERE account_id = ? AND id = ? AND version = ?`, row.Provider, row.Engine, row.Demo, row.Adapter, row.Handle, row.Cursor, row.State, row.Reason, row.Message, row.Step, row.Steps, row.Epoch,
		row.TimeLeft, row.TrainedTokens, row.Attempts, row.Restarts, row.Lines, row.Train, row.Valid, row.Tokens, row.Price, row.Currency, row.Started, row.Ended, row.Updated, row.Version, row.Account, row.ID, before.Version)
	if err == nil && n == 0 {
		err = stale("training")
	}
	if err == nil {
		err = bookTraining(tx, before, j)
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		if err := of[entryRow](tx).CreateInBatches(ctx, &entries, 100); err != nil {
			return err
		}
	}
	if err := insertPoints(ctx, tx, j, news.Points); err != nil {
		return err
	}
	for _, c := range news.Checkpoints {
		_, err := exec(tx, `INSERT INTO training_checkpoints (account_id, training_id, name, step, epoch, artifact, at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (account_id, training_id, name) DO NOTHING`, j.Account, j.ID, clip(c.Name, 100), c.Step, c.Epoch, jsonText(c.Model), stampOf(c.At))
		if err != nil {
			return err
		}
	}
	if news.Model == nil {
		return nil
	}
	model := tunedRowOf(*news.Model)
	return of[tunedRow](tx).Create(ctx, &model)
}

// lineMost is how many bytes of one line of a log are kept.
const lineMost = 2000

// lineUp gives the lines of a log their numbers, as many as it has room for.
func lineUp(j *training.Job, entries []training.Entry) (rows []entryRow) {
	for _, e := range entries {
		if e.State == "" && j.Lines >= training.LinesMost {
			continue
		}
		j.Lines++
		rows = append(rows, entryRow{j.Account, j.ID, j.Lines, stampOf(e.At), e.State, clip(e.Text, lineMost)})
	}
	return rows
}

// TrainingsWith says which trainings of a workspace use some of its files.
func (s *Store) TrainingsWith(ctx context.Context, ws ident.Workspace, files []ident.File) ([]dataset.Job, error) {
	var list []dataset.Job
	rows, err := of[trainingRow](s.read).Raw(`SELECT t.* FROM trainings t WHERE t.workspace_id = ? AND EXISTS (
		SELECT 1 FROM training_files f WHERE f.account_id = t.account_id AND f.training_id = t.id AND f.file_id IN ?) ORDER BY t.created DESC, t.id DESC`, ws, files).Find(ctx)
	for _, r := range rows {
		list = append(list, dataset.Job{ID: r.ID, Name: r.Name, Over: r.State.Over()})
	}
	return list, explain(err, "training")
}

// DeleteTraining implements training.Store.
func (s *Store) DeleteTraining(ctx context.Context, ws ident.Workspace, id ident.Training, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		n, err := exec(tx, "DELETE FROM trainings WHERE workspace_id = ? AND id = ? AND ended <> 0", ws, id)
		if err != nil || n > 0 {
			return err
		}
		if _, err := lockTraining(ctx, tx, ws, id); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "This training is not over. Cancel it first.").About("state")
	})
	return explain(err, "training")
}

// TrainingLog implements training.Store.
func (s *Store) TrainingLog(ctx context.Context, ws ident.Workspace, id ident.Training, from int64, most int) ([]training.Entry, int64, error) {
	var list []training.Entry
	var total int64
	err := s.view(ctx, func(tx *gorm.DB) error {
		j, err := of[trainingRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
		if err != nil {
			return err
		}
		total = j.Lines
		rows, err := of[entryRow](tx).Where("account_id = ? AND training_id = ? AND number >= ?", j.Account, id, from).Order("number").Limit(pageSize(most)).Find(ctx)
		for _, r := range rows {
			list = append(list, training.Entry{Number: r.Number, At: r.At.time(), State: r.State, Text: r.Text})
		}
		return err
	})
	return list, total, explain(err, "training")
}

// TrainingCheckpoints implements training.Store.
func (s *Store) TrainingCheckpoints(ctx context.Context, ws ident.Workspace, id ident.Training) (list []training.Checkpoint, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		j, err := of[trainingRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
		if err != nil {
			return err
		}
		rows, err := of[checkpointRow](tx).Raw(`SELECT c.*, m.name AS published FROM training_checkpoints c
			LEFT JOIN tuned_models m ON m.account_id = c.account_id AND m.training_id = c.training_id AND m.checkpoint = c.name
			WHERE c.account_id = ? AND c.training_id = ? ORDER BY c.step, c.name`, j.Account, id).Find(ctx)
		for _, r := range rows {
			c, err := r.checkpoint()
			if err != nil {
				return err
			}
			list = append(list, c)
		}
		return err
	})
	return list, explain(err, "training")
}
