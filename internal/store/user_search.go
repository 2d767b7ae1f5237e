package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/ident"
)

// lines is a list by log-on name whose lines are about users, in the pieces from
// which its pages and searches are made. The user of a line is u.
type lines struct {
	account ident.Account
	columns string
	plain   string // the lines, each with its user
	seats   part   // from users u to their lines
	by      string // the order
	where   part
	walk    part // the lines in their order, as an index alone holds them
	to      part // from such a line, named l, to what the index of users says of its user
	look    int  // how many of them a search looks at
	also    part // what is asked of each line then; empty: nothing
}

// userLines lists users, who are named u in the conditions.
func (r reach) userLines(a ident.Account, c conditions) lines {
	return lines{
		account: a, columns: "u.*", plain: "users u", seats: part{text: " WHERE 1 = 1"}, by: " ORDER BY u.log_on", where: c.part(), look: r.step,
		walk: part{text: "SELECT u.log_on, u.number, u.folded FROM users u WHERE "}.and(c.part()).then(" ORDER BY u.log_on"),
	}
}

// all is the list where nothing is searched.
func (l lines) all() part {
	return part{text: "SELECT " + l.columns + " FROM " + l.plain + " WHERE "}.and(l.where).then(l.by)
}

// these are the lines of the users of these numbers. The account is asked for in
// a way that no index answers, so that nothing but the numbers is read.
func (l lines) these(numbers part) part {
	return part{text: "SELECT " + l.columns + " FROM users u"}.and(l.seats).then(" AND u.number IN (").and(numbers).then(") AND u.account_id || '' = ?"+l.by, l.account)
}

// walked looks at so many lines of the list for those that hold the text.
func (l lines) walked(holds part, limit, most int) part {
	users := "u"
	if l.to.text != "" {
		users = "l CROSS JOIN users u"
	}
	return part{text: "SELECT u.number FROM ("}.and(l.walk).then(" LIMIT ?) "+users+" WHERE ", limit).and(l.to).and(holds).and(l.also).then(" ORDER BY u.log_on LIMIT ?", most)
}

// fetched looks at the lines of these users.
func (l lines) fetched(items, holds part, most int) part {
	return part{text: "SELECT u.number FROM (SELECT u.* FROM ("}.and(items).then(") f CROSS JOIN users u WHERE u.number = f.item LIMIT ?) u", everyOne).and(l.seats).then(" AND ").
		and(l.where).then(" AND ").and(holds).and(l.also).then(l.by+" LIMIT ?", most)
}

// pageOf gives one page of the list, or of a search in it; next is empty where
// nothing comes after. A search looks no further than its reach.
func pageOf[T any](ctx context.Context, s *Store, tx *gorm.DB, l lines, search string, limit int, cursor func(T) string) (page []T, next string, err error) {
	q, err := soughtOf(search)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(limit)
	read := func(all part) (err error) {
		page, err = of[T](tx).Raw(all.text, all.args...).Find(ctx)
		page, next = cut(page, size, cursor)
		return err
	}
	if q.text == "" && l.also.text == "" {
		err = read(l.all().then(" LIMIT ?", size+1))
		return page, next, err
	}
	holds := part{`u.folded LIKE ? ESCAPE '\'`, []any{q.like}}
	items, err := l.rare(ctx, tx, q, s.reach.fetch)
	if err != nil {
		return nil, "", err
	}
	if items != nil {
		err = read(l.these(l.fetched(*items, holds, size+1)))
		return page, next, err
	}
	next, err = walk(ctx, tx, l.look, l.walk, cursor, func(limit int) (string, error) {
		err := read(l.these(l.walked(holds, limit, size+1)))
		return next, err
	})
	return page, next, err
}

// rare finds the users that a rare text chooses.
func (l lines) rare(ctx context.Context, tx *gorm.DB, q sought, most int) (*part, error) {
	shelves, err := shelvesOf(ctx, tx, "= ?", l.account)
	if err != nil {
		return nil, err
	}
	return among(ctx, tx, shelves, q, most)
}
