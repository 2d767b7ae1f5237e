package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

type providerRow struct {
	ID        ident.Provider
	Account   ident.Account `gorm:"column:account_id"`
	Name      string
	Folded    string // the name as it is compared
	Kind      provider.Kind
	BaseURL   string
	Sealed    []byte // nil: no credential
	Created   stamp
	Tested    stamp
	TestError string
	Version   int64
}

func (providerRow) TableName() string { return "providers" }

func providerRowOf(p provider.Provider) providerRow {
	return providerRow{
		ID: p.ID, Account: p.Account, Name: p.Name, Folded: fold(p.Name), Kind: p.Kind, BaseURL: p.BaseURL, Sealed: p.Sealed,
		Created: stampOf(p.CreatedAt), Tested: stampOf(p.TestedAt), TestError: clip(p.TestError, 1000), Version: p.Version,
	}
}

func (r providerRow) provider() provider.Provider {
	return provider.Provider{
		ID: r.ID, Account: r.Account, Name: r.Name, Kind: r.Kind, BaseURL: r.BaseURL, Sealed: r.Sealed,
		CreatedAt: r.Created.time(), TestedAt: r.Tested.time(), TestError: r.TestError, Version: r.Version,
	}
}

// InsertProvider implements provider.Store; a name that is taken is a conflict
// about the field "name".
func (s *Store) InsertProvider(ctx context.Context, a ident.Account, p provider.Provider, why audit.Event) error {
	err := s.change(ctx, why, aProvider.of(a, string(p.ID)), func(tx *gorm.DB) error {
		if _, err := of[accountRow](tx).Where("id = ?", a).Take(ctx); err != nil {
			return explain(err, "account")
		}
		p.Account = a
		row := providerRowOf(p)
		return of[providerRow](tx).Create(ctx, &row)
	})
	return explain(err, "provider", "name")
}

// UpdateProvider implements provider.Store.
func (s *Store) UpdateProvider(ctx context.Context, a ident.Account, p provider.Provider, why audit.Event) error {
	err := s.change(ctx, why, aProvider.of(a, string(p.ID)), func(tx *gorm.DB) error {
		row, err := providerOf(ctx, tx, a, p.ID)
		if err != nil {
			return err
		}
		if row.Version != p.Version {
			return stale("provider")
		}
		_, err = exec(tx, `UPDATE providers SET name = ?, folded = ?, base_url = ?, sealed = ?, tested = 0, test_error = '', version = version + 1
			WHERE account_id = ? AND id = ?`, p.Name, fold(p.Name), p.BaseURL, p.Sealed, a, p.ID)
		return err
	})
	return explain(err, "provider", "name")
}

// DeleteProvider implements provider.Store. What it served it serves no more.
func (s *Store) DeleteProvider(ctx context.Context, a ident.Account, id ident.Provider, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		if _, err := providerOf(ctx, tx, a, id); err != nil {
			return deed{}, err
		}
		needs, err := dependents(ctx, tx, a, id)
		if err != nil {
			return deed{}, err
		}
		if len(needs) > 0 {
			return deed{}, fault.New(fault.Conflict, "This provider still keeps %s of %s. Delete or end what it keeps first.", needs[0].What, needs[0].Workspace)
		}
		served, err := servingsOf(ctx, tx, a, id)
		if err != nil {
			return deed{}, err
		}
		if _, err := exec(tx, "DELETE FROM servings WHERE account_id = ? AND provider_id = ?", a, id); err != nil {
			return deed{}, err
		}
		_, err = exec(tx, "DELETE FROM providers WHERE account_id = ? AND id = ?", a, id)
		touched := aProvider.of(a, string(id))
		for _, r := range served {
			touched = append(touched, thing{aModel, a, string(r.Model)})
		}
		return deed{why, touched}, err
	})
	return explain(err, "provider")
}

// Dependents implements provider.Store.
func (s *Store) Dependents(ctx context.Context, a ident.Account, id ident.Provider) (list []provider.Dependent, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		if _, err := providerOf(ctx, tx, a, id); err != nil {
			return err
		}
		list, err = dependents(ctx, tx, a, id)
		return err
	})
	return list, explain(err, "provider")
}

func dependents(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Provider) ([]provider.Dependent, error) {
	return of[provider.Dependent](tx).Raw(`SELECT 'the deployment ' || d.name AS what, w.name AS workspace FROM deployments d
			JOIN workspaces w ON w.account_id = d.account_id AND w.id = d.workspace_id WHERE d.account_id = ? AND d.provider_id = ?
		UNION ALL SELECT 'the training ' || t.name AS what, w.name AS workspace FROM trainings t
			JOIN workspaces w ON w.account_id = t.account_id AND w.id = t.workspace_id WHERE t.account_id = ? AND t.provider_id = ? AND t.ended = 0
		ORDER BY what LIMIT 100`, a, id, a, id).Find(ctx)
}

// Provider implements provider.Store.
func (s *Store) Provider(ctx context.Context, a ident.Account, id ident.Provider) (provider.Provider, error) {
	row, err := providerOf(ctx, s.read, a, id)
	return row.provider(), explain(err, "provider")
}

func providerOf(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Provider) (providerRow, error) {
	return of[providerRow](tx).Where("account_id = ? AND id = ?", a, id).Take(ctx)
}

// Providers implements provider.Store: all of the account's, by name.
func (s *Store) Providers(ctx context.Context, a ident.Account) ([]provider.Listed, error) {
	type line struct {
		Row    providerRow `gorm:"embedded"`
		Serves int
	}
	lines, err := of[line](s.read).Raw(`SELECT p.*, (SELECT COUNT(*) FROM servings s WHERE s.provider_id = p.id) AS serves
		FROM providers p WHERE p.account_id = ? ORDER BY p.folded`, a).Find(ctx)
	if err != nil {
		return nil, explain(err, "provider")
	}
	list := make([]provider.Listed, len(lines))
	for i, l := range lines {
		list[i] = provider.Listed{Provider: l.Row.provider(), Serves: l.Serves}
	}
	return list, nil
}

// NoteTest implements provider.Store.
func (s *Store) NoteTest(ctx context.Context, a ident.Account, id ident.Provider, at time.Time, testError string, why audit.Event) error {
	err := s.noting(ctx, why, func(tx *gorm.DB) error {
		n, err := exec(tx, "UPDATE providers SET tested = ?, test_error = ? WHERE account_id = ? AND id = ?", stampOf(at), clip(testError, 1000), a, id)
		if err == nil && n == 0 {
			err = gorm.ErrRecordNotFound
		}
		return err
	})
	return explain(err, "provider")
}
