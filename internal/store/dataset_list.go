package store

import (
	"context"
	"encoding/json"
	"strconv"

	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// listedDatasetRow is a dataset with what a list shows of its latest version.
type listedDatasetRow struct {
	Row      datasetRow `gorm:"embedded"`
	Number   int
	FileName string
	Size     int64
	SHA256   string `gorm:"column:sha256"`
	Examples int
	Tokens   int64
	Warnings int
	Came     stamp
	CameFrom string
	ByKey    ident.Key
}

func (r listedDatasetRow) listed() dataset.Listed {
	d := r.Row
	return dataset.Listed{
		Dataset: d.dataset(), Versions: d.Versions, Bytes: d.Bytes,
		Latest: dataset.Version{
			ID: d.Latest, Dataset: d.ID, Account: d.Account, Workspace: d.Workspace, Number: r.Number, FileName: r.FileName, Size: r.Size, SHA256: r.SHA256,
			Examples: r.Examples, Tokens: r.Tokens, Warnings: r.Warnings, CreatedAt: r.Came.time(), Creator: r.CameFrom, ByKey: r.ByKey,
			Method: d.Method, Description: d.Description,
		},
	}
}

const datasetSelect = `SELECT d.*, f.number, f.file_name, f.size, f.sha256, f.examples, f.tokens, f.warnings, f.created AS came, f.creator AS came_from, f.by_key
	FROM datasets d JOIN dataset_files f ON f.id = d.latest`

// Dataset implements dataset.Store.
func (s *Store) Dataset(ctx context.Context, ws ident.Workspace, id ident.Dataset) (dataset.Listed, error) {
	row, err := of[listedDatasetRow](s.read).Raw(datasetSelect+" WHERE d.workspace_id = ? AND d.id = ?", ws, id).Take(ctx)
	return row.listed(), explain(err, "dataset")
}

// datasetOrder is one way to sort datasets; there is an index for each, both ways.
type datasetOrder struct {
	column string
	of     func(datasetRow) string
	number bool // the column is one
	down   bool // the usual way begins with the greatest
}

var datasetOrders = map[dataset.Order]datasetOrder{
	dataset.ByChange: {"d.changed", func(r datasetRow) string { return strconv.FormatInt(int64(r.Changed), 10) }, true, true},
	dataset.ByName:   {"d.folded", func(r datasetRow) string { return r.Folded }, false, false},
	dataset.BySize:   {"d.bytes", func(r datasetRow) string { return strconv.FormatInt(r.Bytes, 10) }, true, true},
}

// Datasets implements dataset.Store.
func (s *Store) Datasets(ctx context.Context, ws ident.Workspace, f dataset.Filter) ([]dataset.Listed, string, error) {
	order, known := datasetOrders[f.Order]
	if !known {
		return nil, "", fault.Field("sort", "Datasets are sorted by change, name or size.")
	}
	text, args, err := datasetQuery(ws, f, order)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(f.Limit)
	rows, err := of[listedDatasetRow](s.read).Raw(text, append(args, size+1)...).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "dataset")
	}
	rows, next := cut(rows, size, func(r listedDatasetRow) string { return cursorOf(order.of(r.Row), string(r.Row.ID)) })
	page := make([]dataset.Listed, len(rows))
	for i, r := range rows {
		page[i] = r.listed()
	}
	return page, next, nil
}

// datasetQuery is put together from constant pieces; every value is an argument.
func datasetQuery(ws ident.Workspace, f dataset.Filter, order datasetOrder) (text string, args []any, err error) {
	text, args = datasetSelect+" WHERE d.workspace_id = ?", []any{ws}
	switch f.Method {
	case "":
	case provider.SFT, provider.DPO, provider.CPT:
		text, args = text+" AND d.method = ?", append(args, f.Method)
	default:
		return "", nil, fault.Field("method", "There is no such method.")
	}
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return "", nil, err
		}
		text += ` AND (d.folded LIKE ? ESCAPE '\' OR EXISTS (SELECT 1 FROM dataset_files x WHERE x.workspace_id = d.workspace_id AND x.dataset_id = d.id AND x.id LIKE ? ESCAPE '\'))`
		args = append(args, like, like)
	}
	sign, way := ">", ""
	if order.down != f.Reversed {
		sign, way = "<", " DESC"
	}
	if f.After != "" {
		columns, err := columnsOf(f.After, 2)
		if err != nil {
			return "", nil, err
		}
		var at any = columns[0]
		if order.number {
			if at, err = strconv.ParseInt(columns[0], 10, 64); err != nil {
				return "", nil, badCursor(err)
			}
		}
		text, args = text+" AND ("+order.column+", d.id) "+sign+" (?, ?)", append(args, at, columns[1])
	}
	return text + " ORDER BY " + order.column + way + ", d.id" + way + " LIMIT ?", args, nil
}

// Versions implements dataset.Store.
func (s *Store) Versions(ctx context.Context, ws ident.Workspace, id ident.Dataset) ([]dataset.Version, error) {
	rows, err := of[listedFileRow](s.read).Raw(fileSelect+" WHERE f.workspace_id = ? AND f.dataset_id = ? ORDER BY f.number DESC", ws, id).Find(ctx)
	return versionsOf(rows), explain(err, "dataset")
}

// File implements dataset.Store.
func (s *Store) File(ctx context.Context, ws ident.Workspace, id ident.File) (dataset.Version, error) {
	row, err := of[listedFileRow](s.read).Raw(fileSelect+" WHERE f.workspace_id = ? AND f.id = ?", ws, id).Take(ctx)
	return row.version(), explain(err, "file")
}

// FileReport implements dataset.Store.
func (s *Store) FileReport(ctx context.Context, ws ident.Workspace, id ident.File) (r dataset.Report, err error) {
	row, err := of[datasetFileRow](s.read).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
	if err != nil {
		return r, explain(err, "file")
	}
	return r, json.Unmarshal([]byte(row.Report), &r)
}

// Files implements dataset.Store.
func (s *Store) Files(ctx context.Context, ws ident.Workspace, f dataset.FileFilter) ([]dataset.Version, int, error) {
	total, err := of[datasetFileRow](s.read).Where("workspace_id = ?", ws).Count(ctx)
	if err != nil {
		return nil, 0, explain(err, "file")
	}
	text, args, sign, way := fileSelect+" WHERE f.workspace_id = ?", []any{ws}, "<", " DESC"
	if f.Oldest {
		sign, way = ">", ""
	}
	if f.After != "" {
		text += " AND (f.created, f.id) " + sign + " (SELECT created, id FROM dataset_files WHERE workspace_id = ? AND id = ?)"
		args = append(args, ws, f.After)
	}
	text += " ORDER BY f.created" + way + ", f.id" + way + " LIMIT ? OFFSET ?"
	rows, err := of[listedFileRow](s.read).Raw(text, append(args, pageSize(f.Limit), max(f.Skip, 0))...).Find(ctx)
	return versionsOf(rows), int(total), explain(err, "file")
}

// KeptFiles implements dataset.Store.
func (s *Store) KeptFiles(ctx context.Context, ws ident.Workspace) ([]ident.File, error) {
	ids, err := of[ident.File](s.read).Raw("SELECT id FROM dataset_files WHERE workspace_id = ?", ws).Find(ctx)
	return ids, explain(err, "file")
}

// HasWorkspace implements dataset.Store.
func (s *Store) HasWorkspace(ctx context.Context, ws ident.Workspace) (bool, error) {
	has, err := there[workspaceRow](ctx, s.read, "id = ?", ws)
	return has, explain(err, "workspace")
}
