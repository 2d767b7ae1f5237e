package store

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"bailiwick/internal/apikey"
	"bailiwick/internal/ident"
)

// Keys implements apikey.Store.
func (s *Store) Keys(ctx context.Context, a ident.Account, f apikey.Filter) (page []apikey.Listed, next string, err error) {
	if f.Only != nil && len(f.Only) == 0 {
		return nil, "", nil
	}
	where, args, err := keyConditions(a, f)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(f.Limit)
	rows, err := gorm.G[listedKeyRow](s.read).
		Raw(keySelect+where+" ORDER BY k.created DESC, k.id DESC LIMIT ?", append(args, size+1)...).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "API key")
	}
	rows, next = cut(rows, size, func(r listedKeyRow) string { return timeCursor(r.Row.Created, string(r.Row.ID)) })
	page = make([]apikey.Listed, len(rows))
	for i, r := range rows {
		if page[i], err = r.listed(); err != nil {
			return nil, "", err
		}
	}
	return page, next, nil
}

// keyConditions puts together constant pieces; every value is an argument.
func keyConditions(a ident.Account, f apikey.Filter) (where string, args []any, err error) {
	where, args = " WHERE k.account_id = ?", []any{a}
	switch {
	case len(f.Only) == 1:
		where, args = where+" AND k.workspace_id = ?", append(args, f.Only[0])
	case f.Only != nil:
		where, args = where+" AND k.workspace_id IN ?", append(args, slices.Clone(f.Only))
	}
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return "", nil, err
		}
		where, args = where+` AND (k.folded LIKE ? ESCAPE '\' OR k.id LIKE ? ESCAPE '\')`, append(args, like, like)
	}
	if f.After != "" {
		at, id, err := readTimeCursor(f.After)
		if err != nil {
			return "", nil, err
		}
		where, args = where+" AND (k.created, k.id) < (?, ?)", append(args, at, id)
	}
	return where, args, nil
}
