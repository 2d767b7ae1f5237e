package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

// listedMemberRow is a member with what a list shows of the user.
type listedMemberRow struct {
	Row      memberRow `gorm:"embedded"`
	Name     string
	UserRole access.Role
	Disabled stamp
}

func (r listedMemberRow) listed() workspace.ListedMember {
	return workspace.ListedMember{
		Member: r.Row.member(), LogOn: r.Row.LogOn, Name: r.Name, Disabled: r.Disabled != 0, Super: r.UserRole == access.Super,
	}
}

const (
	memberColumns = "m.*, u.name, u.role AS user_role, u.disabled"
	memberUsers   = "members m JOIN users u ON u.account_id = m.account_id AND u.id = m.user_id"
	memberSeats   = " AND m.user_id = u.id AND m.workspace_id = ?"
	memberSelect  = "SELECT " + memberColumns + " FROM " + memberUsers + " WHERE m.account_id = ? AND m.workspace_id = ?"
)

// memberLines lists the members of a workspace, after a page.
func (r reach) memberLines(a ident.Account, ws ident.Workspace, after string) (lines, error) {
	var c conditions
	if err := c.behind("m.log_on", after); err != nil {
		return lines{}, err
	}
	return lines{
		account: a, columns: memberColumns, plain: memberUsers, joined: " CROSS JOIN members m", seats: part{memberSeats, []any{ws}}, by: " ORDER BY m.log_on",
		owner: part{"m.account_id = ? AND m.workspace_id = ?", []any{a, ws}}, where: c, name: "m", look: r.step,
		list: part{" FROM members m WHERE m.workspace_id = ?", []any{ws}}.and(c.rest()).then(" ORDER BY m.log_on"),
	}, nil
}

// Members implements workspace.MemberStore.
func (s *Store) Members(ctx context.Context, a ident.Account, ws ident.Workspace, f workspace.MemberFilter) (page []workspace.ListedMember, next string, err error) {
	l, err := s.reach.memberLines(a, ws, f.After)
	if err != nil {
		return nil, "", err
	}
	err = s.view(ctx, func(tx *gorm.DB) error {
		cursor := func(r listedMemberRow) string { return cursorOf(string(r.Row.LogOn)) }
		rows, after, err := pageOf(ctx, s, tx, l, f.Search, f.Limit, cursor)
		for _, r := range rows {
			page = append(page, r.listed())
		}
		next = after
		return err
	})
	return page, next, explain(err, "member")
}

// Member implements workspace.MemberStore.
func (s *Store) Member(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User) (workspace.ListedMember, error) {
	row, err := of[listedMemberRow](s.read).Raw(memberSelect+" AND m.user_id = ?", a, ws, u).Take(ctx)
	return row.listed(), explain(err, "member")
}

// Candidates implements workspace.MemberStore.
func (s *Store) Candidates(ctx context.Context, a ident.Account, ws ident.Workspace, f workspace.CandidateFilter) (list []workspace.Candidate, more bool, err error) {
	var c conditions
	c.and("u.role <> ?", access.Root)
	if f.Among != nil {
		c.and("u.id IN ?", f.Among)
	}
	l := s.reach.userLines(a, c)
	l.also = part{" AND NOT EXISTS (SELECT 1 FROM members m WHERE m.workspace_id = ? AND m.log_on = u.log_on)", []any{ws}}
	err = s.view(ctx, func(tx *gorm.DB) error {
		rows, next, err := pageOf(ctx, s, tx, l, f.Search, f.Limit, userCursor)
		for _, r := range rows {
			list = append(list, workspace.Candidate{User: r.ID, LogOn: r.LogOn, Name: r.Name})
		}
		more = next != ""
		return err
	})
	return list, more, explain(err, "user")
}

// Administrators implements workspace.MemberStore.
func (s *Store) Administrators(ctx context.Context, a ident.Account, ws ident.Workspace) ([]string, error) {
	names, err := administrators(ctx, s.read, a, []ident.Workspace{ws})
	return names[ws], explain(err, "member")
}

// Leaving implements workspace.MemberStore. Who has full access keeps the keys.
func (s *Store) Leaving(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User) (l workspace.Leaving, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		row, err := of[listedMemberRow](tx).Raw(memberSelect+" AND m.user_id = ?", a, ws, u).Take(ctx)
		if err != nil {
			return err
		}
		n, err := administratorCount(ctx, tx, ws)
		if err != nil {
			return err
		}
		l.Last = n == 1 && row.Row.Role == access.Administrator && row.Disabled == 0
		if row.UserRole == access.Super {
			return nil
		}
		return tx.WithContext(ctx).Raw(`SELECT CASE WHEN description = '' THEN id ELSE description END FROM keys
			WHERE account_id = ? AND workspace_id = ? AND owner_id = ? AND disabled = 0 AND (expires = 0 OR expires > ?)
			ORDER BY created DESC, id DESC`, a, ws, u, stampOf(s.now())).Scan(&l.Keys).Error
	})
	return l, explain(err, "member")
}

// administrators gives the display names of those who administer the
// workspaces and may log on, all of them with one query.
func administrators(ctx context.Context, tx *gorm.DB, a ident.Account, in []ident.Workspace) (map[ident.Workspace][]string, error) {
	type line struct {
		Workspace ident.Workspace `gorm:"column:workspace_id"`
		Name      string
	}
	lines, err := of[line](tx).Raw(`SELECT m.workspace_id, u.name FROM members m
		JOIN users u ON u.account_id = m.account_id AND u.id = m.user_id
		WHERE m.account_id = ? AND m.workspace_id IN ? AND m.role = ? AND u.disabled = 0
		ORDER BY m.workspace_id, u.name, u.id`, a, in, access.Administrator).Find(ctx)
	names := map[ident.Workspace][]string{}
	for _, l := range lines {
		names[l.Workspace] = append(names[l.Workspace], l.Name)
	}
	return names, err
}
