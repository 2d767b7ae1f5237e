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
	sorts := q.whole() && f.Order == apikey.ByCreation && f.State == ""
	bound := s.reach.fetch
	if sorts {
		bound = s.reach.sort
	}
	items, err := among(ctx, tx, keyOwners(k.account, f.Only), q, bound, keyMarks(k.account, f, q)...)
	if err != nil {
		return nil, "", err
	}
	switch {
	case items == nil:
		return s.walkKeys(ctx, tx, k, keyHolds(tx, f.Search, q), f)
	case sorts:
		rows, err = k.these(ctx, tx, k.sorted(tx, *items))
	default:
		rows, err = k.these(ctx, tx, k.fetched(tx, *items, q))
	}
	rows, next = cut(rows, k.limit-1, k.cursor)
	return rows, next, err
}

// keyOwners are the workspaces whose keys are searched.
func keyOwners(a ident.Account, only []ident.Workspace) part {
	if only == nil {
		return part{"SELECT id FROM workspaces WHERE account_id = ?", []any{a}}
	}
	return part{"SELECT id FROM workspaces WHERE account_id = ? AND id IN ?", []any{a, only}}
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
func keyHolds(tx *gorm.DB, search string, q sought) part {
	holds := part{text: "("}.and(holding(tx, "k.folded", q.text))
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
func (k *keyQuery) sorted(tx *gorm.DB, items part) part {
	sign, way := ">", ""
	if k.order.down {
		sign, way = "<", " DESC"
	}
	if !postgresql(tx) { // it puts the numbers in order as it gathers them, and stops at the last that is wanted
		first := part{text: "SELECT f.number FROM keys f WHERE f.number IN ("}.and(items).then(")")
		if k.after != nil {
			first = first.then(" AND f.number "+sign+" ?", *k.after)
		}
		return first.then(" ORDER BY f.number" + way).limit(k.limit)
	}
	first := part{text: "SELECT DISTINCT item FROM ("}.and(items).then(") f")
	if k.after != nil {
		first = first.then(" WHERE item "+sign+" ?", *k.after)
	}
	return first.then(" ORDER BY item" + way).limit(k.limit)
}

// fetched looks at each of the items, which are of keys that may be read.
func (k *keyQuery) fetched(tx *gorm.DB, items part, q sought) part {
	keys := part{text: "SELECT k.number FROM "}.and(byNumber(tx, "keys", "k", "", items))
	if !q.whole() {
		keys = keys.then(" AND ").and(keyHolds(tx, k.search, q))
	}
	return keys.and(k.rest()).then(k.by()).limit(k.limit)
}

// walkKeys looks at the keys of the list in its order. A page that would be empty
// is worth a longer way than one that is short.
func (s *Store) walkKeys(ctx context.Context, tx *gorm.DB, k *keyQuery, holds part, f apikey.Filter) (rows []listedKeyRow, next string, err error) {
	if f.Order != apikey.ByCreation || f.State != "" {
		return k.walk(ctx, tx, holds, s.reach.step)
	}
	rows, next, err = k.walk(ctx, tx, holds, s.reach.some)
	if err != nil || len(rows) > 0 || next == "" {
		return rows, next, err
	}
	if err := k.behind(next); err != nil {
		return nil, "", err
	}
	return k.walk(ctx, tx, holds, s.reach.walk-s.reach.some)
}

// walk looks at so many keys of the list.
func (k *keyQuery) walk(ctx context.Context, tx *gorm.DB, holds part, limit int) (rows []listedKeyRow, next string, err error) {
	list := part{text: " FROM keys k WHERE "}.and(k.part()).then(k.by())
	next, err = walk(ctx, tx, limit, part{text: "SELECT k.id, " + k.order.reads}.and(list), k.order.cursor, func(limit int) (next string, err error) {
		rows, err = k.these(ctx, tx, walked(holds, "k", "", list, limit).limit(k.limit))
		rows, next = cut(rows, k.limit-1, k.cursor)
		return next, err
	})
	return rows, next, err
}
