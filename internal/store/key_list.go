package store

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

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
	var rows []listedKeyRow
	err = s.view(ctx, func(tx *gorm.DB) (err error) {
		if f.Search == "" {
			rows, next, err = q.list(ctx, tx)
		} else {
			rows, next, err = s.searchKeys(ctx, tx, q, f)
		}
		return err
	})
	if err != nil {
		return nil, "", explain(err, "API key")
	}
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
	down   bool   // the usual way begins with the greatest
	reads  string // the columns it is made of
	alone  bool   // no two keys are the same in it
}

func (o keyOrder) cursor(r keyRow) string { return timeCursor(o.of(r), string(r.ID)) }

var keyOrders = map[apikey.Order]keyOrder{
	apikey.ByCreation: {"k.number", func(r keyRow) stamp { return stamp(r.Number) }, true, "k.number", true},
	apikey.ByUse:      {"k.last_used", func(r keyRow) stamp { return r.LastUsed }, true, "k.number, k.last_used", false},
	apikey.ByExpiry:   {keyLasts, keyRow.lasts, false, "k.number, k.expires", false},
}

var keyLasts = strings.ReplaceAll(lasts, "expires", "k.expires")

func (r keyRow) lasts() stamp {
	if r.Expires == 0 {
		return 1<<63 - 1
	}
	return r.Expires
}

// keyQuery asks for one page of keys, and one row further. Its conditions are
// those beside whose keys they are.
type keyQuery struct {
	conditions
	owner   conditions
	place   conditions // behind the page before
	account ident.Account
	search  string
	order   keyOrder
	after   *stamp // what the page before ended with
	limit   int
}

func (q *keyQuery) part() part { return q.owner.part().and(q.rest()) }

func (q *keyQuery) rest() part { return q.conditions.rest().and(q.place.rest()) }

// by is the order.
func (q *keyQuery) by() string {
	way := ""
	if q.order.down {
		way = " DESC"
	}
	return " ORDER BY " + q.order.column + way + ", k.id" + way
}

func (q *keyQuery) cursor(r listedKeyRow) string { return q.order.cursor(r.Row) }

func (q *keyQuery) list(ctx context.Context, tx *gorm.DB) (rows []listedKeyRow, next string, err error) {
	all := part{text: keySelect + " WHERE "}.and(q.part()).then(q.by()).limit(q.limit)
	rows, err = of[listedKeyRow](tx).Raw(all.text, all.args...).Find(ctx)
	rows, next = cut(rows, q.limit-1, q.cursor)
	return rows, next, err
}

func keyQueryOf(a ident.Account, f apikey.Filter) (*keyQuery, error) {
	order, known := keyOrders[f.Order]
	if !known {
		return nil, fault.Field("sort", "Keys are sorted by creation, last use or expiry.")
	}
	order.down = order.down != f.Reversed
	q := &keyQuery{account: a, search: f.Search, order: order, limit: pageSize(f.Limit) + 1}
	switch len(f.Only) {
	case 0:
		q.owner.and("k.account_id = ?", a)
	case 1: // the index of a workspace holds all that a walk looks at, without the account
		q.owner.and("k.workspace_id = (SELECT w.id FROM workspaces w WHERE w.account_id = ? AND w.id = ?)", a, f.Only[0])
	default:
		q.owner.and("k.account_id = ? AND k.workspace_id IN ?", a, slices.Clone(f.Only))
	}
	if err := q.inState(f); err != nil {
		return nil, err
	}
	return q, q.behind(f.After)
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

// behind asks for what comes after a page.
func (q *keyQuery) behind(after string) error {
	if after == "" {
		return nil
	}
	at, id, err := readTimeCursor(after)
	if err != nil {
		return err
	}
	sign := ">"
	if q.order.down {
		sign = "<"
	}
	q.after, q.place = &at, conditions{}
	if q.order.alone {
		q.place.and(q.order.column+" "+sign+" ?", at)
		return nil
	}
	q.place.and("("+q.order.column+", k.id) "+sign+" (?, ?)", at, id)
	return nil
}
