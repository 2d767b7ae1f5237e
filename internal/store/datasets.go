package store

import (
	"context"
	"encoding/json"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/dataset"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

type datasetRow struct {
	ID          ident.Dataset
	Account     ident.Account   `gorm:"column:account_id"`
	Workspace   ident.Workspace `gorm:"column:workspace_id"`
	Name        string
	Folded      string // the name as it is searched
	Description string
	Method      provider.Method
	Created     stamp
	CreatedBy   ident.User
	Creator     string
	Changed     stamp // when its latest version came
	Latest      ident.File
	Numbers     int   // given so far, of deleted versions too
	Versions    int   // that are there
	Bytes       int64 // of all of them
}

func (datasetRow) TableName() string { return "datasets" }

func (r datasetRow) dataset() dataset.Dataset {
	return dataset.Dataset{
		ID: r.ID, Account: r.Account, Workspace: r.Workspace, Name: r.Name, Description: r.Description, Method: r.Method,
		CreatedAt: r.Created.time(), CreatedBy: r.CreatedBy, Creator: r.Creator,
	}
}

type datasetFileRow struct {
	ID        ident.File
	Dataset   ident.Dataset   `gorm:"column:dataset_id"`
	Account   ident.Account   `gorm:"column:account_id"`
	Workspace ident.Workspace `gorm:"column:workspace_id"`
	Number    int
	FileName  string
	Size      int64
	SHA256    string `gorm:"column:sha256"`
	MD5       string `gorm:"column:md5"`
	Examples  int
	Tokens    int64
	Warnings  int
	Created   stamp
	CreatedBy ident.User
	Creator   string
	ByKey     ident.Key
	Report    string // JSON
}

func (datasetFileRow) TableName() string { return "dataset_files" }

func datasetFileRowOf(v dataset.Version, r dataset.Report) (datasetFileRow, error) {
	report, err := json.Marshal(r)
	return datasetFileRow{
		ID: v.ID, Dataset: v.Dataset, Account: v.Account, Workspace: v.Workspace, Number: v.Number, FileName: v.FileName, Size: v.Size,
		SHA256: v.SHA256, MD5: v.MD5, Examples: v.Examples, Tokens: v.Tokens, Warnings: v.Warnings,
		Created: stampOf(v.CreatedAt), CreatedBy: v.CreatedBy, Creator: v.Creator, ByKey: v.ByKey, Report: string(report),
	}, err
}

// listedFileRow is a file with what its dataset says.
type listedFileRow struct {
	Row         datasetFileRow `gorm:"embedded"`
	Method      provider.Method
	Description string
}

func (r listedFileRow) version() dataset.Version {
	f := r.Row
	return dataset.Version{
		ID: f.ID, Dataset: f.Dataset, Account: f.Account, Workspace: f.Workspace, Number: f.Number, FileName: f.FileName, Size: f.Size,
		SHA256: f.SHA256, MD5: f.MD5, Examples: f.Examples, Tokens: f.Tokens, Warnings: f.Warnings,
		CreatedAt: f.Created.time(), CreatedBy: f.CreatedBy, Creator: f.Creator, ByKey: f.ByKey, Method: r.Method, Description: r.Description,
	}
}

// The report is read alone: lists have no use for it.
const fileSelect = `SELECT f.id, f.dataset_id, f.account_id, f.workspace_id, f.number, f.file_name, f.size, f.sha256, f.md5, f.examples, f.tokens,
		f.warnings, f.created, f.created_by, f.creator, f.by_key, d.method, d.description
	FROM dataset_files f JOIN datasets d ON d.id = f.dataset_id`

func versionsOf(rows []listedFileRow) []dataset.Version {
	list := make([]dataset.Version, len(rows))
	for i, r := range rows {
		list[i] = r.version()
	}
	return list
}

// DatasetQuota implements dataset.Store.
func (s *Store) DatasetQuota(ctx context.Context, a ident.Account) (dataset.Quota, error) {
	row, err := of[accountRow](s.read).Where("id = ?", a).Take(ctx)
	return dataset.Quota{Bytes: int64(row.DatasetMegabytes) << 20, Files: row.DatasetFiles, FileSize: int64(row.DatasetFileMegabytes) << 20}, explain(err, "account")
}

// DatasetUse implements dataset.Store.
func (s *Store) DatasetUse(ctx context.Context, ws ident.Workspace) (dataset.Use, error) {
	return datasetUse(ctx, s.read, ws)
}

func datasetUse(ctx context.Context, tx *gorm.DB, ws ident.Workspace) (dataset.Use, error) {
	return of[dataset.Use](tx).Raw("SELECT COALESCE(SUM(versions), 0) AS files, COALESCE(SUM(bytes), 0) AS bytes FROM datasets WHERE workspace_id = ?", ws).Take(ctx)
}

// InsertDataset implements dataset.Store. The workspace must be of the dataset's account.
func (s *Store) InsertDataset(ctx context.Context, ws ident.Workspace, d dataset.Dataset, v dataset.Version, r dataset.Report, q dataset.Quota, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		if _, err := workspaceOf(ctx, tx, d.Account, ws); err != nil {
			return explain(err, "workspace")
		}
		if err := hasRoom(ctx, tx, ws, q, v.Size); err != nil {
			return err
		}
		row := datasetRow{
			ID: d.ID, Account: d.Account, Workspace: ws, Name: d.Name, Folded: fold(d.Name), Description: d.Description, Method: d.Method,
			Created: stampOf(d.CreatedAt), CreatedBy: d.CreatedBy, Creator: d.Creator, Changed: stampOf(v.CreatedAt), Latest: v.ID,
			Numbers: 1, Versions: 1, Bytes: v.Size,
		}
		if err := of[datasetRow](tx).Create(ctx, &row); err != nil {
			return err
		}
		return insertFile(ctx, tx, ws, v, r)
	})
	return explain(err, "dataset")
}

// InsertVersion implements dataset.Store.
func (s *Store) InsertVersion(ctx context.Context, ws ident.Workspace, v dataset.Version, r dataset.Report, q dataset.Quota, why audit.Event) (int, error) {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		row, err := datasetIn(ctx, tx, ws, v.Dataset)
		if err != nil {
			return err
		}
		if err := hasRoom(ctx, tx, ws, q, v.Size); err != nil {
			return err
		}
		v.Account, v.Number = row.Account, row.Numbers+1
		if err := insertFile(ctx, tx, ws, v, r); err != nil {
			return err
		}
		_, err = exec(tx, "UPDATE datasets SET latest = ?, changed = ?, numbers = numbers + 1, versions = versions + 1, bytes = bytes + ? WHERE workspace_id = ? AND id = ?",
			v.ID, stampOf(v.CreatedAt), v.Size, ws, v.Dataset)
		return err
	})
	return v.Number, explain(err, "dataset")
}

func insertFile(ctx context.Context, tx *gorm.DB, ws ident.Workspace, v dataset.Version, r dataset.Report) error {
	v.Workspace = ws
	row, err := datasetFileRowOf(v, r)
	if err != nil {
		return err
	}
	return of[datasetFileRow](tx).Create(ctx, &row)
}

// hasRoom counts within the transaction that adds: changes stand in line, so that
// two uploads cannot both take the last place.
func hasRoom(ctx context.Context, tx *gorm.DB, ws ident.Workspace, q dataset.Quota, size int64) error {
	used, err := datasetUse(ctx, tx, ws)
	if err != nil {
		return err
	}
	return q.Admits(used, size)
}

func datasetIn(ctx context.Context, tx *gorm.DB, ws ident.Workspace, id ident.Dataset) (datasetRow, error) {
	return of[datasetRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
}

// RenameDataset implements dataset.Store.
func (s *Store) RenameDataset(ctx context.Context, ws ident.Workspace, id ident.Dataset, seen, to dataset.Words, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		row, err := datasetIn(ctx, tx, ws, id)
		if err != nil {
			return deed{}, err
		}
		if row.dataset().Words() != seen {
			return deed{}, stale("dataset")
		}
		if seen == to {
			return deed{}, errUnchanged
		}
		n, err := exec(tx, "UPDATE datasets SET name = ?, folded = ?, description = ? WHERE workspace_id = ? AND id = ? AND name = ? AND description = ?",
			to.Name, fold(to.Name), to.Description, ws, id, seen.Name, seen.Description)
		if err == nil && n == 0 { // somebody else was quicker
			err = stale("dataset")
		}
		return deed{why: why}, err
	})
	return explain(err, "dataset")
}

// DeleteFile implements dataset.Store.
func (s *Store) DeleteFile(ctx context.Context, ws ident.Workspace, id ident.File, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		f, err := of[datasetFileRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
		if err != nil {
			return err
		}
		d, err := datasetIn(ctx, tx, ws, f.Dataset)
		if err != nil {
			return err
		}
		if d.Versions == 1 {
			return dropDataset(tx, ws, d.ID)
		}
		if _, err := exec(tx, "DELETE FROM dataset_files WHERE workspace_id = ? AND id = ?", ws, id); err != nil {
			return err
		}
		_, err = exec(tx, `UPDATE datasets SET versions = versions - 1, bytes = bytes - ?,
			latest = (SELECT id FROM dataset_files WHERE workspace_id = ? AND dataset_id = ? ORDER BY number DESC LIMIT 1) WHERE workspace_id = ? AND id = ?`,
			f.Size, ws, d.ID, ws, d.ID)
		return err
	})
	return explain(err, "file")
}

// DeleteDataset implements dataset.Store.
func (s *Store) DeleteDataset(ctx context.Context, ws ident.Workspace, id ident.Dataset, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		if _, err := datasetIn(ctx, tx, ws, id); err != nil {
			return err
		}
		return dropDataset(tx, ws, id)
	})
	return explain(err, "dataset")
}

// dropDataset deletes a dataset; its files go with it.
func dropDataset(tx *gorm.DB, ws ident.Workspace, id ident.Dataset) error {
	if _, err := exec(tx, "DELETE FROM dataset_files WHERE workspace_id = ? AND dataset_id = ?", ws, id); err != nil {
		return err
	}
	_, err := exec(tx, "DELETE FROM datasets WHERE workspace_id = ? AND id = ?", ws, id)
	return err
}
