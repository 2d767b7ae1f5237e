package store

import (
	"context"
	"slices"
	"strings"

	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Keys implements apikey.Store.
func (s *Store) Keys(ctx context.Context, a ident.Account, f apikey.Filter) (page []apikey.Listed, next string, err error) {
	if f.Only != nil && len(f.Only) == 0 {
		return nil, "", nil
	}
	q, err := keyQueryOf(a, f)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(f.Limit)
	rows, err := of[listedKeyRow](s.read).Raw(q.text(), append(q.args, size+1)...).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "API key")
	}
	rows, next = cut(rows, size, func(r listedKeyRow) string { return timeCursor(q.order.of(r.Row), string(r.Row.ID)) })
	page = make([]apikey.Listed, len(rows))
	for i, r := range rows {
		if page[i], err = r.listed(); err != nil {
			return nil, "", err
		}
	}
	return page, next, nil
}

// keyOrder is one way to sort keys; there is an index for each, both ways.
type keyOrder struct {
	column string
	of     func(keyRow) stamp
	down   bool // the usual way begins with the greatest
}

var keyOrders = map[apikey.Order]keyOrder{
	apikey.ByCreation: {"k.created", func(r keyRow) stamp { return r.Created }, true},
	apikey.ByUse:      {"k.last_used", func(r keyRow) stamp { return r.LastUsed }, true},
	apikey.ByExpiry:   {keyLasts, keyRow.lasts, false},
}

var keyLasts = strings.ReplaceAll(lasts, "expires", "k.expires")

func (r keyRow) lasts() stamp {
	if r.Expires == 0 {
		return 1<<63 - 1
	}
	return r.Expires
}

// keyQuery is put together from constant pieces; every value is an argument.
type keyQuery struct {
	where []string
	args  []any
	order keyOrder
}

func (q *keyQuery) and(condition string, args ...any) {
	q.where, q.args = append(q.where, condition), append(q.args, args...)
}

func (q *keyQuery) text() string {
	way := ""
	if q.order.down {
		way = " DESC"
	}
	return keySelect + " WHERE " + strings.Join(q.where, " AND ") + " ORDER BY " + q.order.column + way + ", k.id" + way + " LIMIT ?"
}

func keyQueryOf(a ident.Account, f apikey.Filter) (*keyQuery, error) {
	order, known := keyOrders[f.Order]
	if !known {
		return nil, fault.Field("sort", "Keys are sorted by creation, last use or expiry.")
	}
	order.down = order.down != f.Reversed
	q := &keyQuery{order: order}
	q.and("k.account_id = ?", a)
	if len(f.Only) == 1 {
		q.and("k.workspace_id = ?", f.Only[0])
	} else if f.Only != nil {
		q.and("k.workspace_id IN ?", slices.Clone(f.Only))
	}
	if err := q.inState(f); err != nil {
		return nil, err
	}
	return q, q.found(f)
}

// inState asks for a state as apikey.Key.State tells it.
func (q *keyQuery) inState(f apikey.Filter) error {
	at := stampOf(f.At)
	works := func() {
		q.and("k.disabled = 0")
		q.and("(k.expires = 0 OR k.expires > ?)", at)
	}
	switch f.State {
	case "":
	case apikey.Disabled:
		q.and("k.disabled <> 0")
	case apikey.Expired:
		q.and("k.disabled = 0")
		q.and(keyLasts+" <= ?", at)
	case apikey.OwnerLeft, apikey.OwnerDisabled:
		works()
		q.and("k.stranded <> 0")
	case apikey.Enabled:
		works()
		q.and("k.stranded = 0")
	default:
		return fault.Field("state", "There is no such state of a key.")
	}
	return nil
}

// hintLen is how many characters of a secret are kept in clear.
const hintLen = 4

// found asks for what is searched for, and for what comes after a page.
func (q *keyQuery) found(f apikey.Filter) error {
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return err
		}
		if len(f.Search) == hintLen {
			q.and(`(k.folded LIKE ? ESCAPE '\' OR k.id LIKE ? ESCAPE '\' OR k.hint = ?)`, like, like, clip(f.Search, hintLen))
		} else {
			q.and(`(k.folded LIKE ? ESCAPE '\' OR k.id LIKE ? ESCAPE '\')`, like, like)
		}
	}
	if f.After == "" {
		return nil
	}
	at, id, err := readTimeCursor(f.After)
	if err != nil {
		return err
	}
	sign := ">"
	if q.order.down {
		sign = "<"
	}
	q.and("("+q.order.column+", k.id) "+sign+" (?, ?)", at, id)
	return nil
}
