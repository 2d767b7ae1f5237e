package store

import (
	"cmp"
	"context"
	"slices"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
)

func (r userRow) fact() policy.User {
	return policy.User{
		ID: r.ID, Account: r.Account, Disabled: r.Disabled != 0,
		Root: r.Role == access.Root, Everywhere: r.Role == access.Root || r.Role == access.Super,
	}
}

func (r keyRow) fact() (policy.Key, error) {
	k, err := r.key()
	return policy.Key{
		ID: k.ID, Account: k.Account, Workspace: k.Workspace, Owner: k.Owner, Digest: k.Digest,
		Disabled: !k.DisabledAt.IsZero(), Expires: k.ExpiresAt, Rare: rareOf(k),
	}, err
}

// rareOf gives what few keys have, nil to the others.
func rareOf(k apikey.Key) *policy.Rare {
	if k.Previous.Zero() && k.Models == nil && k.Networks == nil {
		return nil
	}
	return &policy.Rare{Previous: k.Previous, PreviousUntil: k.PreviousUntil, Models: k.Models, Networks: k.Networks}
}

// loadWorkspaces reads workspaces with their grants, members and limits, four queries
// for all of them.
func (l *loader) loadWorkspaces(ctx context.Context, tx *gorm.DB, f *policy.Facts) error {
	rows, err := rowsOf[workspaceRow](ctx, tx, l.extent, aWorkspace, "SELECT id, account_id, name, is_default, call_all FROM workspaces WHERE", "account_id", "id")
	if err != nil {
		return err
	}
	grants, err := l.grants(ctx, tx)
	if err != nil {
		return err
	}
	members, err := l.members(ctx, tx)
	if err != nil {
		return err
	}
	limits, err := l.limits(ctx, tx)
	if err != nil {
		return err
	}
	found := make(map[ident.Workspace]bool, len(rows))
	for _, r := range rows {
		found[r.ID] = true
		f.Workspaces = append(f.Workspaces, policy.Workspace{
			ID: once(l, r.ID), Account: once(l, r.Account), Name: behind(l, r.Name), Default: r.Default, CallAll: r.CallAll,
			Grants: grants[r.ID], Members: members[r.ID], Limits: limits[r.ID],
		})
	}
	f.Gone.Workspaces = gone(l.extent, aWorkspace, found, named[ident.Workspace])
	return nil
}

func (l *loader) grants(ctx context.Context, tx *gorm.DB) (map[ident.Workspace]policy.Pairs[ident.Model, catalogue.Capabilities], error) {
	rows, err := rowsOf[grantRow](ctx, tx, l.extent, aWorkspace, "SELECT workspace_id, model_id, capability FROM grants WHERE", "account_id", "workspace_id")
	slices.SortFunc(rows, func(a, b grantRow) int { return cmp.Compare(a.Model, b.Model) })
	in := map[ident.Workspace]policy.Pairs[ident.Model, catalogue.Capabilities]{}
	for _, r := range rows {
		list, has := in[r.Workspace], catalogue.Of(catalogue.Capability(r.Capability))
		if last := len(list) - 1; last >= 0 && list[last].Key == r.Model {
			list[last].Value |= has
			continue
		}
		in[r.Workspace] = append(list, policy.Pair[ident.Model, catalogue.Capabilities]{Key: once(l, r.Model), Value: has})
	}
	return in, err
}

func (l *loader) members(ctx context.Context, tx *gorm.DB) (map[ident.Workspace][]ident.User, error) {
	rows, err := rowsOf[memberRow](ctx, tx, l.extent, aWorkspace, "SELECT workspace_id, user_id FROM members WHERE", "account_id", "workspace_id")
	slices.SortFunc(rows, func(a, b memberRow) int { return cmp.Compare(a.User, b.User) })
	in := map[ident.Workspace][]ident.User{}
	for _, r := range rows {
		in[r.Workspace] = append(in[r.Workspace], once(l, r.User))
	}
	return in, err
}

func (l *loader) limits(ctx context.Context, tx *gorm.DB) (map[ident.Workspace]policy.Pairs[ident.Model, limit.Setting], error) {
	rows, err := rowsOf[limitRow](ctx, tx, l.extent, aWorkspace, "SELECT * FROM limits WHERE", "account_id", "workspace_id")
	slices.SortFunc(rows, func(a, b limitRow) int { return cmp.Compare(a.Model, b.Model) })
	in := map[ident.Workspace]policy.Pairs[ident.Model, limit.Setting]{}
	for _, r := range rows {
		in[r.Workspace] = append(in[r.Workspace], policy.Pair[ident.Model, limit.Setting]{Key: once(l, r.Model), Value: r.setting()})
	}
	return in, err
}

func (l *loader) loadModels(ctx context.Context, tx *gorm.DB, f *policy.Facts) error {
	rows, err := rowsOf[modelRow](ctx, tx, l.extent, aModel, "SELECT * FROM models WHERE", "account_id", "id")
	if err != nil {
		return err
	}
	servings, trainers, err := l.servings(ctx, tx)
	if err != nil {
		return err
	}
	found := make(map[policy.ModelOf]bool, len(rows))
	f.Models = make([]policy.Model, 0, len(rows))
	alike := map[string]policy.Model{} // by their facts: what is said of many models is read and kept once
	for i, r := range rows {
		m, known := alike[r.Facts]
		if !known {
			if m.Model, err = r.model(); err != nil {
				return err
			}
			m.Tariff = m.Model.Tariff()
			alike[r.Facts] = m
		}
		rows[i].Facts = "" // of many models, all texts together are more than what comes of them
		m.ID, m.Account, m.Name, m.Vendor, m.Offers, m.Custom, m.Version = once(l, r.ID), once(l, r.Account), once(l, r.Name), once(l, r.Vendor), catalogue.Capabilities(r.Offers), r.Custom, r.Version
		m.Limit.SetBy, m.Limit.SetAt = once(l, r.LimitBy), r.LimitAt.time()
		of := policy.ModelOf{Account: r.Account, Model: r.ID}
		m.Servings, m.Trainers = servings[of], trainers[of]
		found[of] = true
		f.Models = append(f.Models, m)
	}
	if err := l.loadDeployments(ctx, tx, f, found); err != nil {
		return err
	}
	f.Gone.Models = gone(l.extent, aModel, found, func(a ident.Account, id string) policy.ModelOf {
		return policy.ModelOf{Account: a, Model: ident.Model(id)}
	})
	return nil
}

// loadDeployments reads the models that are a workspace's alone: those that are
// wanted by name, and those whose base is. One that is being deleted is gone.
func (l *loader) loadDeployments(ctx context.Context, tx *gorm.DB, f *policy.Facts, found map[policy.ModelOf]bool) error {
	type line struct {
		Row  deploymentRow `gorm:"embedded"`
		Like modelRow      `gorm:"embedded;embeddedPrefix:like_"`
	}
	read := func(by string) error {
		lines, err := rowsOf[line](ctx, tx, l.extent, aModel, `SELECT d.*, COALESCE(m.vendor, '') AS like_vendor, COALESCE(m.facts, '{}') AS like_facts FROM deployments d
			LEFT JOIN models m ON m.account_id = d.account_id AND m.id = d.base_id WHERE d.state <> 'deleting' AND`, "d.account_id", by)
		for _, line := range lines {
			of := policy.ModelOf{Account: line.Row.Account, Model: line.Row.Name}
			if found[of] {
				continue
			}
			base, err := line.Like.model()
			if err != nil {
				return err
			}
			found[of] = true
			f.Models = append(f.Models, line.Row.fact(base))
		}
		return err
	}
	if err := read("d.name"); err != nil || l.extent == nil {
		return err
	}
	return read("d.base_id")
}

// servings gives the places models are served at, by order and by when the
// provider was configured, and apart from them those that only train.
func (l *loader) servings(ctx context.Context, tx *gorm.DB) (at, trained map[policy.ModelOf][]policy.Serving, err error) {
	type line struct {
		Row     servingRow    `gorm:"embedded"`
		Created stamp         // of the provider
		Kind    provider.Kind // likewise
	}
	lines, err := rowsOf[line](ctx, tx, l.extent, aModel, `SELECT s.*, p.created, p.kind FROM servings s
		JOIN providers p ON p.account_id = s.account_id AND p.id = s.provider_id WHERE`, "s.account_id", "s.model_id")
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.Row.Place, b.Row.Place), cmp.Compare(a.Created, b.Created), cmp.Compare(a.Row.Provider, b.Row.Provider))
	})
	at, trained = map[policy.ModelOf][]policy.Serving{}, map[policy.ModelOf][]policy.Serving{}
	for _, r := range lines {
		of, into := policy.ModelOf{Account: r.Row.Account, Model: r.Row.Model}, at
		if r.Kind == provider.Command {
			into = trained
		}
		into[of] = append(into[of], policy.Serving{Provider: once(l, r.Row.Provider), Name: once(l, r.Row.Name), Order: r.Row.Place, Weight: r.Row.Weight})
	}
	return at, trained, err
}
