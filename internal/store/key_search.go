package store

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"bailiwick/internal/apikey"
	"bailiwick/internal/ident"
)

// hintLen is how many characters of a secret are kept in clear.
const hintLen = 4

// idBegins is how ids of keys begin. They are found by their beginning.
const idBegins = "key-"

// searchKeys gives the page of a search; when it ended before the page was full,
// the cursor from which it goes on.
func (s *Store) searchKeys(ctx context.Context, tx *gorm.DB, k *keyQuery, f apikey.Filter) (rows []listedKeyRow, next string, err error) {
	q, err := soughtOf(f.Search)
	if err != nil {
		return nil, "", err
	}
	shelves, err := keyShelves(ctx, tx, k.account, f.Only)
	if err != nil {
		return nil, "", err
	}
	sorts := q.whole() && f.Order == apikey.ByCreation && f.State == ""
	bound := s.reach.fetch
	if sorts {
		bound = s.reach.sort
	}
	items, err := among(ctx, tx, shelves, q, bound, keyMarks(k.account, f, q)...)
	if err != nil {
		return nil, "", err
	}
	holds := keyHolds(f.Search, q)
	switch {
	case items == nil:
		return s.walkKeys(ctx, tx, k, holds, f)
	case sorts:
		rows, err = k.these(ctx, tx, k.sorted(*items))
	default:
		rows, err = k.these(ctx, tx, k.fetched(*items, holds))
	}
	rows, next = cut(rows, k.limit-1, k.cursor)
	return rows, next, err
}

func keyShelves(ctx context.Context, tx *gorm.DB, a ident.Account, only []ident.Workspace) ([]int64, error) {
	if only == nil {
		return shelvesOf(ctx, tx, "IN (SELECT id FROM workspaces WHERE account_id = ?)", a)
	}
	return shelvesOf(ctx, tx, "IN (SELECT id FROM workspaces WHERE account_id = ? AND id IN ?)", a, only)
}

// keyMarks find keys by the end of their secret and the beginning of their id,
// each by the one index that is meant for it.
func keyMarks(a ident.Account, f apikey.Filter, q sought) (marks []part) {
	if len(f.Search) == hintLen {
		marks = append(marks, part{"SELECT number AS item FROM keys WHERE account_id = ? AND hint = ?", []any{a, clip(f.Search, hintLen)}})
	}
	if strings.HasPrefix(q.text, idBegins) {
		marks = append(marks, part{"SELECT number AS item FROM keys WHERE id BETWEEN ? AND ? AND account_id || '' = ?", []any{q.text, q.text + lastLetter, a}})
	}
	for i := range marks {
		if f.Only != nil {
			marks[i] = marks[i].then(" AND workspace_id || '' IN ?", f.Only)
		}
	}
	return marks
}

// keyHolds says of a key that it is what was sought.
func keyHolds(search string, q sought) part {
	holds := part{`(k.folded LIKE ? ESCAPE '\'`, []any{q.like}}
	if len(search) == hintLen {
		holds = holds.then(" OR k.hint = ?", clip(search, hintLen))
	}
	if strings.HasPrefix(q.text, idBegins) {
		holds = holds.then(" OR k.id BETWEEN ? AND ?", q.text, q.text+lastLetter)
	}
	return holds.then(")")
}

// these lists the keys of these numbers. The account is asked for in a way that
// no index answers, so that nothing but the numbers is read.
func (k *keyQuery) these(ctx context.Context, tx *gorm.DB, numbers part) ([]listedKeyRow, error) {
	all := part{keySelect + " WHERE k.account_id || '' = ? AND k.number IN (", []any{k.account}}.and(numbers).then(")" + k.by())
	return of[listedKeyRow](tx).Raw(all.text, all.args...).Find(ctx)
}

// sorted takes the first of the items: their order is the list's.
func (k *keyQuery) sorted(items part) part {
	sign, way := ">", ""
	if k.order.down {
		sign, way = "<", " DESC"
	}
	if k.after != nil {
		items = items.then(" AND item "+sign+" ?", *k.after)
	}
	return items.then(" ORDER BY item"+way+" LIMIT ?", k.limit)
}

// fetched looks at each of the items.
func (k *keyQuery) fetched(items, holds part) part {
	return part{text: "SELECT k.number FROM (SELECT k.* FROM ("}.and(items).then(") f CROSS JOIN keys k WHERE k.number = f.item LIMIT ?) k WHERE ", everyOne).
		and(k.part()).then(" AND ").and(holds).then(k.by()+" LIMIT ?", k.limit)
}

// walkKeys looks at the keys of the list in its order.
func (s *Store) walkKeys(ctx context.Context, tx *gorm.DB, k *keyQuery, holds part, f apikey.Filter) (rows []listedKeyRow, next string, err error) {
	limit := s.reach.step
	if f.Order == apikey.ByCreation && f.State == "" {
		limit = s.reach.walk
	}
	list := part{text: "SELECT k.id, k.folded, k.hint, " + k.order.reads + " FROM keys k WHERE "}.and(k.part()).then(k.by())
	next, err = walk(ctx, tx, limit, list, k.order.cursor, func(limit int) (next string, err error) {
		rows, err = k.these(ctx, tx, part{text: "SELECT k.number FROM ("}.and(list).then(" LIMIT ?) k WHERE ", limit).and(holds).then(k.by()+" LIMIT ?", k.limit))
		rows, next = cut(rows, k.limit-1, k.cursor)
		return next, err
	})
	return rows, next, err
}
