package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

// Workspaces implements workspace.Store.
func (s *Store) Workspaces(ctx context.Context, a ident.Account, f workspace.Filter) (page []workspace.Listed, next string, err error) {
	if f.Only != nil && len(f.Only) == 0 {
		return nil, "", nil
	}
	err = s.view(ctx, func(tx *gorm.DB) error {
		query, err := workspaceQuery(tx, a, f)
		if err != nil {
			return err
		}
		size := pageSize(f.Limit)
		rows, err := query.Order("is_default DESC, folded, id").Limit(size + 1).Find(ctx)
		if err != nil {
			return err
		}
		rows, next = cut(rows, size, workspaceCursor)
		page, err = listedWorkspaces(ctx, tx, a, rows)
		return err
	})
	return page, next, explain(err, "workspace")
}

func workspaceQuery(tx *gorm.DB, a ident.Account, f workspace.Filter) (query[workspaceRow], error) {
	query := of[workspaceRow](tx).Where("account_id = ?", a)
	if f.Only != nil {
		query = query.Where("id IN ?", f.Only)
	}
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return query, err
		}
		query = query.Where(`(folded LIKE ? ESCAPE '\' OR id LIKE ? ESCAPE '\')`, like, like)
	}
	if f.After == "" {
		return query, nil
	}
	after, err := columnsOf(f.After, 3)
	if err != nil {
		return query, err
	}
	query = query.Where("is_default = ?", false) // the one default stands first
	if after[0] != "default" {
		query = query.Where("(folded, id) > (?, ?)", after[1], after[2])
	}
	return query, nil
}

func workspaceCursor(r workspaceRow) string {
	place := "sub"
	if r.Default {
		place = "default"
	}
	return cursorOf(place, r.Folded, string(r.ID))
}

func listedWorkspaces(ctx context.Context, tx *gorm.DB, a ident.Account, rows []workspaceRow) ([]workspace.Listed, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]ident.Workspace, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	names, err := administrators(ctx, tx, a, ids)
	if err != nil {
		return nil, err
	}
	list := make([]workspace.Listed, len(rows))
	for i, r := range rows {
		list[i] = workspace.Listed{Workspace: r.workspace(), Administrators: names[r.ID]}
	}
	return list, nil
}
