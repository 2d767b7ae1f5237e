package store

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
)

// GrantMatrix implements grant.MatrixStore.
func (s *Store) GrantMatrix(ctx context.Context, a ident.Account, f grant.MatrixFilter) (page []grant.Row, next string, err error) {
	where, args, err := matrixConditions(a, f)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(f.Limit)
	err = s.view(ctx, func(tx *gorm.DB) error {
		rows, err := of[modelRow](tx).Raw("SELECT m.account_id, m.id, m.name, m.offers FROM models m WHERE "+where+" ORDER BY m.id LIMIT ?", append(args, size+1)...).Find(ctx)
		if err != nil {
			return err
		}
		rows, next = cut(rows, size, func(r modelRow) string { return cursorOf(string(r.ID)) })
		for _, r := range rows {
			page = append(page, matrixRow(r))
		}
		return fillMatrix(ctx, tx, a, f.Workspace, page)
	})
	return page, next, explain(err, "model")
}

func matrixConditions(a ident.Account, f grant.MatrixFilter) (where string, args []any, err error) {
	conditions, args := []string{"m.account_id = ?"}, []any{a}
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return "", nil, err
		}
		conditions, args = append(conditions, `(LOWER(m.id) LIKE ? ESCAPE '\' OR LOWER(m.name) LIKE ? ESCAPE '\')`), append(args, like, like)
	}
	if f.Workspace != "" {
		conditions, args = append(conditions, "EXISTS (SELECT 1 FROM grants g WHERE g.account_id = m.account_id AND g.model_id = m.id AND g.workspace_id = ?)"), append(args, f.Workspace)
	}
	if f.After != "" {
		columns, err := columnsOf(f.After, 1)
		if err != nil {
			return "", nil, err
		}
		conditions, args = append(conditions, "m.id > ?"), append(args, columns[0])
	}
	return strings.Join(conditions, " AND "), args, nil
}

func matrixRow(r modelRow) grant.Row {
	row := grant.Row{Model: r.ID, Name: r.Name, Offers: catalogue.Capabilities(r.Offers), Versions: map[catalogue.Capability]int64{}, Holders: map[catalogue.Capability][]ident.Workspace{}}
	for _, c := range catalogue.All {
		if row.Offers.Has(c) {
			row.Versions[c] = grant.Unedited
		}
	}
	return row
}

// fillMatrix adds who holds what, and the versions of the lists.
func fillMatrix(ctx context.Context, tx *gorm.DB, a ident.Account, only ident.Workspace, page []grant.Row) error {
	if len(page) == 0 {
		return nil
	}
	models := make([]ident.Model, len(page))
	for i, r := range page {
		models[i] = r.Model
	}
	at := func(m ident.Model) *grant.Row { return &page[slices.Index(models, m)] }
	lists, err := of[struct {
		Model      ident.Model `gorm:"column:model_id"`
		Capability int
		Version    int64
	}](tx).Raw("SELECT model_id, capability, version FROM grant_lists WHERE account_id = ? AND model_id IN ?", a, models).Find(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		at(l.Model).Versions[catalogue.Capability(l.Capability)] = l.Version
	}
	grants, err := of[grantRow](tx).Where("account_id = ? AND model_id IN ?", a, models).Order("workspace_id").Find(ctx)
	for _, g := range grants {
		if only == "" || g.Workspace == only {
			row, c := at(g.Model), catalogue.Capability(g.Capability)
			row.Holders[c] = append(row.Holders[c], g.Workspace)
		}
	}
	return err
}
