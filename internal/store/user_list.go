package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/ident"
)

// Users implements account.PeopleStore.
func (s *Store) Users(ctx context.Context, a ident.Account, f account.UserFilter) (page []account.ListedUser, next string, err error) {
	var c conditions
	c.and("u.role <> ?", access.Root)
	c.inState(f.State)
	if err := c.behind("u.log_on", f.After); err != nil {
		return nil, "", err
	}
	err = s.view(ctx, func(tx *gorm.DB) (err error) {
		var rows []userRow
		if rows, next, err = pageOf(ctx, s, tx, s.reach.userLines(a, c), f.Search, f.Limit, userCursor); err != nil {
			return err
		}
		page, err = listedUsers(ctx, tx, a, rows)
		return err
	})
	return page, next, explain(err, "user")
}

func userCursor(r userRow) string { return cursorOf(string(r.LogOn)) }

// behind asks for what comes after a page of a list by one column.
func (c *conditions) behind(column, after string) error {
	if after == "" {
		return nil
	}
	columns, err := columnsOf(after, 1)
	if err == nil {
		c.and(column+" > ?", columns[0])
	}
	return err
}

func (c *conditions) inState(state account.UserState) {
	switch state {
	case account.Active:
		c.and("u.disabled = 0 AND u.password <> ''")
	case account.Invited:
		c.and("u.disabled = 0 AND u.password = ''")
	case account.Disabled:
		c.and("u.disabled <> 0")
	case account.Supers:
		c.and("u.role = ?", access.Super)
	}
}

// listedUsers counts what belongs to the users of a page, a query for each kind.
func listedUsers(ctx context.Context, tx *gorm.DB, a ident.Account, rows []userRow) ([]account.ListedUser, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]ident.User, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	var of [3]map[ident.User]int64
	for i, query := range []string{
		"SELECT user_id AS id, count(*) AS n FROM members WHERE account_id = ? AND user_id IN ? GROUP BY user_id",
		"SELECT owner_id AS id, count(*) AS n FROM keys WHERE account_id = ? AND owner_id IN ? GROUP BY owner_id",
		"SELECT user_id AS id, expires AS n FROM invitations WHERE account_id = ? AND user_id IN ?",
	} {
		numbers, err := numbersOf(ctx, tx, query, a, ids)
		if err != nil {
			return nil, err
		}
		of[i] = numbers
	}
	list := make([]account.ListedUser, len(rows))
	for i, r := range rows {
		list[i] = account.ListedUser{
			User: r.user(), Workspaces: int(of[0][r.ID]), Keys: int(of[1][r.ID]),
			LastLogOn: r.LastLogOn.time(), LinkUntil: stamp(of[2][r.ID]).time(),
		}
	}
	return list, nil
}

func numbersOf(ctx context.Context, tx *gorm.DB, query string, args ...any) (map[ident.User]int64, error) {
	type line struct {
		ID ident.User
		N  int64
	}
	lines, err := of[line](tx).Raw(query, args...).Find(ctx)
	numbers := make(map[ident.User]int64, len(lines))
	for _, l := range lines {
		numbers[l.ID] = l.N
	}
	return numbers, err
}

// User implements account.PeopleStore.
func (s *Store) User(ctx context.Context, a ident.Account, id ident.User) (u account.ListedUser, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		row, err := of[userRow](tx).Where("account_id = ? AND id = ?", a, id).Take(ctx)
		if err != nil {
			return err
		}
		list, err := listedUsers(ctx, tx, a, []userRow{row})
		if err == nil {
			u = list[0]
		}
		return err
	})
	return u, explain(err, "user")
}

// Taken implements account.PeopleStore.
func (s *Store) Taken(ctx context.Context, a ident.Account, names []ident.LogOn) (taken []ident.LogOn, err error) {
	for len(names) > 0 {
		n := min(atOnce, len(names))
		rows, err := of[userRow](s.read).Select("log_on").Where("account_id = ? AND log_on IN ?", a, names[:n]).Find(ctx)
		if err != nil {
			return nil, explain(err, "user")
		}
		for _, r := range rows {
			taken = append(taken, r.LogOn)
		}
		names = names[n:]
	}
	return taken, nil
}

// Seats implements account.PeopleStore.
func (s *Store) Seats(ctx context.Context, a ident.Account, id ident.User) ([]account.Seat, error) {
	type line struct {
		Row  memberRow `gorm:"embedded"`
		Name string
	}
	lines, err := of[line](s.read).Raw(`SELECT m.*, w.name FROM members m
		JOIN workspaces w ON w.account_id = m.account_id AND w.id = m.workspace_id
		WHERE m.account_id = ? AND m.user_id = ? ORDER BY w.folded`, a, id).Find(ctx)
	seats := make([]account.Seat, len(lines))
	for i, l := range lines {
		seats[i] = account.Seat{Workspace: l.Row.Workspace, Name: l.Name, Membership: l.Row.membership()}
	}
	return seats, explain(err, "user")
}

const (
	// impactKeys are the keys of a user that work, and whether the user belongs to their workspace.
	impactKeys = `SELECT CASE WHEN k.description = '' THEN k.id ELSE k.description END AS word, m.user_id IS NULL AS elsewhere
		FROM keys k LEFT JOIN members m ON m.workspace_id = k.workspace_id AND m.user_id = k.owner_id
		WHERE k.account_id = ? AND k.owner_id = ? AND k.disabled = 0 AND (k.expires = 0 OR k.expires > ?)
		ORDER BY k.created DESC, k.id DESC`
	// impactSeats are the workspaces of a user, and whether nobody else administers them.
	impactSeats = `SELECT w.name AS word, m.role = 'administrator' AND NOT EXISTS (
			SELECT 1 FROM members o JOIN users u ON u.account_id = o.account_id AND u.id = o.user_id
			WHERE o.workspace_id = m.workspace_id AND o.user_id <> m.user_id AND o.role = 'administrator' AND u.disabled = 0) AS alone
		FROM members m JOIN workspaces w ON w.account_id = m.account_id AND w.id = m.workspace_id
		WHERE m.account_id = ? AND m.user_id = ? ORDER BY w.folded`
	// impactAdminKeys are the admin keys of a user that work.
	impactAdminKeys = "SELECT name FROM admin_keys WHERE account_id = ? AND owner_id = ? AND expires > ? ORDER BY created DESC, id DESC"
)

// UserImpact implements account.PeopleStore.
func (s *Store) UserImpact(ctx context.Context, a ident.Account, id ident.User, at time.Time) (i account.Impact, err error) {
	type line struct {
		Word             string
		Elsewhere, Alone bool
	}
	err = s.view(ctx, func(tx *gorm.DB) error {
		keys, err := of[line](tx).Raw(impactKeys, a, id, stampOf(at)).Find(ctx)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if i.Keys = append(i.Keys, k.Word); k.Elsewhere {
				i.Elsewhere = append(i.Elsewhere, k.Word)
			}
		}
		seats, err := of[line](tx).Raw(impactSeats, a, id).Find(ctx)
		if err != nil {
			return err
		}
		for _, w := range seats {
			if i.Workspaces = append(i.Workspaces, w.Word); w.Alone {
				i.Alone = append(i.Alone, w.Word)
			}
		}
		if i.AdminKeys, err = of[string](tx).Raw(impactAdminKeys, a, id, stampOf(at)).Find(ctx); err != nil {
			return err
		}
		n, err := of[sessionRow](tx).Where("user_id = ? AND expires > ?", id, stampOf(at)).Count(ctx)
		i.Sessions = int(n)
		return err
	})
	return i, explain(err, "user")
}
