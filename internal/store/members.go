package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

type memberRow struct {
	Account   ident.Account   `gorm:"column:account_id"`
	Workspace ident.Workspace `gorm:"column:workspace_id;primaryKey"`
	User      ident.User      `gorm:"column:user_id;primaryKey"`
	LogOn     ident.LogOn     // of the user; it never changes
	Number    int64           // likewise
	Folded    string          // what is searched, as the user's row has it
	Role      access.Role
	Pages     *string
	Version   int64
}

func (memberRow) TableName() string { return "members" }

func (r memberRow) membership() access.Membership {
	return access.Membership{Role: r.Role, Pages: split[access.Page](r.Pages)}
}

func (r memberRow) member() workspace.Member {
	return workspace.Member{User: r.User, Role: r.Role, Pages: split[access.Page](r.Pages), Version: r.Version}
}

// PutMembers implements workspace.MemberStore. What stays as it is keeps its
// version, and no event.
func (s *Store) PutMembers(ctx context.Context, a ident.Account, ws ident.Workspace, all []workspace.Member, alone bool, why func(workspace.MemberChange) audit.Event) error {
	err := s.changes(ctx, func(tx *gorm.DB) (done []deed, err error) {
		if _, err := workspaceOf(ctx, tx, a, ws); err != nil {
			return nil, explain(err, "workspace")
		}
		lowered := false
		for _, m := range all {
			change, err := putMember(ctx, tx, a, ws, m)
			if err != nil {
				return nil, err
			}
			if !change.same() {
				done = append(done, deed{why(change.MemberChange), aWorkspace.of(a, string(ws))})
				lowered = lowered || change.lowers()
			}
		}
		switch {
		case len(done) == 0:
			return nil, errUnchanged
		case lowered && !alone:
			return done, headed(ctx, tx, ws)
		}
		return done, nil
	})
	return explain(err, "member")
}

// memberChange is a change as rows.
type memberChange struct {
	workspace.MemberChange
	before, after memberRow
}

func (c memberChange) same() bool {
	return c.before.Role == c.after.Role && (c.before.Pages == nil) == (c.after.Pages == nil) &&
		(c.before.Pages == nil || *c.before.Pages == *c.after.Pages)
}

// lowers reports whether somebody is no longer an administrator.
func (c memberChange) lowers() bool {
	return c.before.Role == access.Administrator && c.after.Role != access.Administrator
}

func putMember(ctx context.Context, tx *gorm.DB, a ident.Account, ws ident.Workspace, m workspace.Member) (c memberChange, err error) {
	u, err := ramUser(ctx, tx, a, m.User)
	if err != nil {
		return c, err
	}
	found, err := of[memberRow](tx).Where("account_id = ? AND workspace_id = ? AND user_id = ?", a, ws, m.User).Find(ctx)
	if err != nil {
		return c, err
	}
	if len(found) > 0 {
		c.before = found[0]
	}
	if m.Version != workspace.AnyVersion && m.Version != c.before.Version {
		return c, moved(u, m.Version, c.before)
	}
	c.after = memberRow{Account: a, Workspace: ws, User: m.User, LogOn: u.LogOn, Number: u.Number, Folded: u.Folded, Role: m.Role, Pages: joined(m.Pages), Version: c.before.Version + 1}
	c.MemberChange = workspace.MemberChange{LogOn: u.LogOn, Before: c.before.member(), After: c.after.member()}
	if c.same() {
		return c, nil
	}
	if len(found) == 0 {
		if err := of[memberRow](tx).Create(ctx, &c.after); err != nil {
			return c, err
		}
		return c, strand(tx, a, m.User)
	}
	_, err = exec(tx, "UPDATE members SET role = ?, pages = ?, version = ? WHERE workspace_id = ? AND user_id = ?",
		c.after.Role, c.after.Pages, c.after.Version, ws, m.User)
	return c, err
}

// moved is the conflict of an edit that began from what is no longer there.
func moved(u userRow, from int64, now memberRow) error {
	switch {
	case now.Role == "":
		return fault.New(fault.Conflict, "Somebody removed %s from this workspace meanwhile.", u.Name).About("version")
	case from == 0:
		return fault.New(fault.Conflict, "%s is a member of this workspace already.", u.Name).About("version")
	}
	return stale("member")
}

// headed makes sure that the workspace has an administrator.
func headed(ctx context.Context, tx *gorm.DB, ws ident.Workspace) error {
	n, err := administratorCount(ctx, tx, ws)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "This workspace has no other administrator.").About("alone")
	}
	return err
}

func administratorCount(ctx context.Context, tx *gorm.DB, ws ident.Workspace) (n int, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT count(*) FROM members m JOIN users u ON u.account_id = m.account_id AND u.id = m.user_id
		WHERE m.workspace_id = ? AND m.role = ? AND u.disabled = 0`, ws, access.Administrator).Scan(&n).Error
	return n, err
}

// RemoveMember implements workspace.MemberStore.
func (s *Store) RemoveMember(ctx context.Context, a ident.Account, ws ident.Workspace, u ident.User, alone bool, why func(workspace.MemberChange) audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		row, err := of[memberRow](tx).Where("account_id = ? AND workspace_id = ? AND user_id = ?", a, ws, u).Take(ctx)
		if err != nil {
			return deed{}, err
		}
		if _, err := exec(tx, "DELETE FROM members WHERE workspace_id = ? AND user_id = ?", ws, u); err != nil {
			return deed{}, err
		}
		if err := strand(tx, a, u); err != nil {
			return deed{}, err
		}
		done := deed{why(workspace.MemberChange{LogOn: row.LogOn, Before: row.member()}), aWorkspace.of(a, string(ws))}
		if row.Role != access.Administrator || alone {
			return done, nil
		}
		return done, headed(ctx, tx, ws)
	})
	return explain(err, "member")
}

func memberships(ctx context.Context, tx *gorm.DB, a ident.Account, u ident.User) (map[ident.Workspace]access.Membership, error) {
	rows, err := of[memberRow](tx).Where("account_id = ? AND user_id = ?", a, u).Find(ctx)
	if err != nil {
		return nil, err
	}
	in := make(map[ident.Workspace]access.Membership, len(rows))
	for _, r := range rows {
		in[r.Workspace] = r.membership()
	}
	return in, nil
}
