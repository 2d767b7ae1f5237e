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
	joined  string // to users u, where lines are something else
	seats   part   // from users u to their lines
	by      string // the order
	owner   part   // whose lines they are
	where   conditions
	name    string // of a line in the list
	list    part   // the lines in their order, as an index alone holds them: what follows what is read of them
	look    int    // how many of them a search looks at
	also    part   // what is asked of each user then; empty: nothing
}

// userLines lists users, who are named u in the conditions.
func (r reach) userLines(a ident.Account, c conditions) lines {
	return lines{
		account: a, columns: "u.*", plain: "users u", by: " ORDER BY u.log_on",
		owner: part{"u.account_id = ?", []any{a}}, where: c, name: "u", look: r.step,
		list: part{" FROM users u WHERE u.account_id = ?", []any{a}}.and(c.rest()).then(" ORDER BY u.log_on"),
	}
}

// all is the list where nothing is searched.
func (l lines) all() part {
	return part{text: "SELECT " + l.columns + " FROM " + l.plain + " WHERE "}.and(l.owner).and(l.where.rest()).then(l.by)
}

// these are the lines of the users of these numbers. The account is asked for in
// a way that no index answers, so that nothing but the numbers is read.
func (l lines) these(numbers part) part {
	return part{text: "SELECT " + l.columns + " FROM users u" + l.joined + " WHERE u.number IN ("}.and(numbers).then(") AND u.account_id || '' = ?", l.account).and(l.seats).then(l.by)
}

// walked looks at so many lines of the list for those that hold the text.
func (l lines) walked(holds part, limit, most int) part {
	if l.also.text == "" {
		return walked(holds, l.name, "", l.list, limit).limit(most)
	}
	return walked(holds, l.name, ", u.log_on", l.list, limit).and(l.also).limit(most)
}

// fetched looks at the lines of these users.
func (l lines) fetched(tx *gorm.DB, items part, q sought, most int) part {
	if l.seats.text != "" { // the lines themselves know the numbers of their users
		numbers := part{text: "SELECT m.number FROM "}.and(byNumber(tx, "members", "m", "", items)).
			then(" AND m.account_id || '' = ? AND m.workspace_id || '' = ?", l.owner.args...).and(l.where.rest())
		if !q.whole() {
			numbers = numbers.then(" AND ").and(holding(tx, "m.folded", q.text))
		}
		return l.these(numbers.then(l.by).limit(most))
	}
	list := part{text: "SELECT " + l.columns + " FROM "}.and(byNumber(tx, "users", "u", l.joined, items)).
		then(" AND u.account_id || '' = ?", l.account).and(l.seats).and(l.where.rest()).and(l.also)
	if !q.whole() {
		list = list.then(" AND ").and(holding(tx, "u.folded", q.text))
	}
	return list.then(" ORDER BY u.log_on").limit(most)
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
		err = read(l.all().limit(size + 1))
		return page, next, err
	}
	items, err := l.rare(ctx, tx, q, s.reach.fetch)
	if err != nil {
		return nil, "", err
	}
	if items != nil {
		err = read(l.fetched(tx, *items, q, size+1))
		return page, next, err
	}
	holds := part{text: "1 = 1"}
	if q.text != "" {
		holds = holding(tx, l.name+".folded", q.text)
	}
	next, err = walk(ctx, tx, l.look, part{text: "SELECT " + l.name + ".log_on"}.and(l.list), cursor, func(limit int) (string, error) {
		err := read(l.these(l.walked(holds, limit, size+1)))
		return next, err
	})
	return page, next, err
}

// rare finds the users that a rare text chooses.
func (l lines) rare(ctx context.Context, tx *gorm.DB, q sought, most int) (*part, error) {
	return among(ctx, tx, part{"?", []any{l.account}}, q, most)
}
