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

const memberSelect = `SELECT m.*, u.name, u.role AS user_role, u.disabled FROM members m
	JOIN users u ON u.account_id = m.account_id AND u.id = m.user_id
	WHERE m.account_id = ? AND m.workspace_id = ?`

// Members implements workspace.MemberStore.
func (s *Store) Members(ctx context.Context, a ident.Account, ws ident.Workspace, f workspace.MemberFilter) (page []workspace.ListedMember, next string, err error) {
	query, args := memberSelect, []any{a, ws}
	if f.Search != "" {
		like, err := pattern(f.Search)
		if err != nil {
			return nil, "", err
		}
		query, args = query+` AND u.folded LIKE ? ESCAPE '\'`, append(args, like)
	}
	if f.After != "" {
		after, err := columnsOf(f.After, 1)
		if err != nil {
			return nil, "", err
		}
		query, args = query+" AND m.log_on > ?", append(args, after[0])
	}
	size := pageSize(f.Limit)
	rows, err := of[listedMemberRow](s.read).Raw(query+" ORDER BY m.log_on LIMIT ?", append(args, size+1)...).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "member")
	}
	rows, next = cut(rows, size, func(r listedMemberRow) string { return cursorOf(string(r.Row.LogOn)) })
	for _, r := range rows {
		page = append(page, r.listed())
	}
	return page, next, nil
}

// Member implements workspace.MemberStore.
func (s *Store) Member(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User) (workspace.ListedMember, error) {
	row, err := of[listedMemberRow](s.read).Raw(memberSelect+" AND m.user_id = ?", a, ws, u).Take(ctx)
	return row.listed(), explain(err, "member")
}

// Candidates implements workspace.MemberStore.
func (s *Store) Candidates(ctx context.Context, a ident.Account, ws ident.Workspace, f workspace.CandidateFilter) ([]workspace.Candidate, error) {
	like, err := pattern(f.Search)
	if err != nil {
		return nil, err
	}
	query := of[userRow](s.read).
		Where(`account_id = ? AND role <> ? AND folded LIKE ? ESCAPE '\'`, a, access.Root, like).
		Where("NOT EXISTS (SELECT 1 FROM members m WHERE m.workspace_id = ? AND m.user_id = users.id)", ws)
	if f.Among != nil {
		query = query.Where("id IN ?", f.Among)
	}
	rows, err := query.Order("log_on").Limit(pageSize(f.Limit)).Find(ctx)
	list := make([]workspace.Candidate, len(rows))
	for i, r := range rows {
		list[i] = workspace.Candidate{User: r.ID, LogOn: r.LogOn, Name: r.Name}
	}
	return list, explain(err, "user")
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
