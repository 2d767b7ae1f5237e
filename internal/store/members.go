package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

type memberRow struct {
	Account   ident.Account   `gorm:"column:account_id"`
	Workspace ident.Workspace `gorm:"column:workspace_id;primaryKey"`
	User      ident.User      `gorm:"column:user_id;primaryKey"`
	Role      access.Role
	Pages     *string
}

func (memberRow) TableName() string { return "members" }

func memberRowOf(a ident.Account, ws ident.Workspace, m workspace.Member) memberRow {
	return memberRow{Account: a, Workspace: ws, User: m.User, Role: m.Role, Pages: joined(m.Pages)}
}

func (r memberRow) membership() access.Membership {
	return access.Membership{Role: r.Role, Pages: split[access.Page](r.Pages)}
}

// PutMember implements workspace.Store: it adds the member or changes role and pages.
func (s *Store) PutMember(ctx context.Context, a ident.Account, ws ident.Workspace, m workspace.Member, why audit.Event) error {
	err := s.change(ctx, why, aWorkspace.of(a, string(ws)), func(tx *gorm.DB) error {
		if _, err := workspaceOf(ctx, tx, a, ws); err != nil {
			return explain(err, "workspace")
		}
		if _, err := gorm.G[userRow](tx).Where("account_id = ? AND id = ?", a, m.User).Take(ctx); err != nil {
			return explain(err, "user")
		}
		row := memberRowOf(a, ws, m)
		return gorm.G[memberRow](tx, clause.OnConflict{
			Columns:   []clause.Column{{Name: "workspace_id"}, {Name: "user_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"role", "pages"}),
		}).Create(ctx, &row)
	})
	return explain(err, "member")
}

func memberships(ctx context.Context, tx *gorm.DB, a ident.Account, u ident.User) (map[ident.Workspace]access.Membership, error) {
	rows, err := gorm.G[memberRow](tx).Where("account_id = ? AND user_id = ?", a, u).Find(ctx)
	if err != nil {
		return nil, err
	}
	in := make(map[ident.Workspace]access.Membership, len(rows))
	for _, r := range rows {
		in[r.Workspace] = r.membership()
	}
	return in, nil
}

// administrators gives the display names of those who administer the
// workspaces, all of them with one query.
func administrators(ctx context.Context, tx *gorm.DB, a ident.Account, in []ident.Workspace) (map[ident.Workspace][]string, error) {
	type line struct {
		Workspace ident.Workspace `gorm:"column:workspace_id"`
		Name      string
	}
	lines, err := gorm.G[line](tx).Raw(`SELECT m.workspace_id, u.name FROM members m
		JOIN users u ON u.account_id = m.account_id AND u.id = m.user_id
		WHERE m.account_id = ? AND m.workspace_id IN ? AND m.role = ?
		ORDER BY m.workspace_id, u.name, u.id`, a, in, access.Administrator).Find(ctx)
	names := map[ident.Workspace][]string{}
	for _, l := range lines {
		names[l.Workspace] = append(names[l.Workspace], l.Name)
	}
	return names, err
}
