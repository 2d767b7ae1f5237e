package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

type servingRow struct {
	Account  ident.Account  `gorm:"column:account_id"`
	Provider ident.Provider `gorm:"column:provider_id;primaryKey"`
	Model    ident.Model    `gorm:"column:model_id;primaryKey"`
	Name     string
	Place    int // the order
	Weight   int
}

func (servingRow) TableName() string { return "servings" }

func servingRowOf(a ident.Account, id ident.Provider, v provider.Serving) servingRow {
	return servingRow{Account: a, Provider: id, Model: v.Model, Name: v.Name, Place: max(v.Order, 1), Weight: max(v.Weight, 1)}
}

func (r servingRow) serving() provider.Serving {
	return provider.Serving{Provider: r.Provider, Model: r.Model, Name: r.Name, Order: r.Place, Weight: r.Weight}
}

// Servings implements provider.Store: what the provider serves, by model.
func (s *Store) Servings(ctx context.Context, a ident.Account, id ident.Provider) (list []provider.Serving, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		if _, err := providerOf(ctx, tx, a, id); err != nil {
			return err
		}
		rows, err := servingsOf(ctx, tx, a, id)
		for _, r := range rows {
			list = append(list, r.serving())
		}
		return err
	})
	return list, explain(err, "provider")
}

func servingsOf(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Provider) ([]servingRow, error) {
	return of[servingRow](tx).Where("account_id = ? AND provider_id = ?", a, id).Order("model_id").Find(ctx)
}

// ReplaceServings implements provider.Store. What changes nothing writes nothing.
func (s *Store) ReplaceServings(ctx context.Context, a ident.Account, id ident.Provider, servings []provider.Serving, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		before, err := servingsOf(ctx, tx, a, id)
		if err != nil {
			return deed{}, err
		}
		added, err := putServings(ctx, tx, a, id, servings)
		if err != nil {
			return deed{}, err
		}
		gone, err := dropServings(ctx, tx, a, id, servings)
		if err == nil && len(added)+len(gone) == 0 {
			err = errUnchanged
		}
		if err == nil {
			why, err = servedNow(ctx, tx, a, id, before, why)
		}
		return deed{why, aModel.of(a, append(added, gone...)...)}, err
	})
	return explain(err, "provider")
}

// ImportModels implements provider.Store. What changes nothing writes nothing.
func (s *Store) ImportModels(ctx context.Context, a ident.Account, id ident.Provider, models []catalogue.Model, servings []provider.Serving, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		if _, err := providerOf(ctx, tx, a, id); err != nil {
			return deed{}, err
		}
		before, err := servingsOf(ctx, tx, a, id)
		if err != nil {
			return deed{}, err
		}
		added, err := addModels(ctx, tx, a, models)
		if err != nil {
			return deed{}, err
		}
		served, err := putServings(ctx, tx, a, id, servings)
		if err == nil && len(added)+len(served) == 0 {
			err = errUnchanged
		}
		if err == nil {
			why, err = servedNow(ctx, tx, a, id, before, why)
		}
		return deed{why, aModel.of(a, append(added, served...)...)}, err
	})
	return explain(err, "provider")
}

// servedNow notes which models a provider serves otherwise than before, and
// under which names.
func servedNow(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Provider, before []servingRow, why audit.Event) (audit.Event, error) {
	was, is := map[ident.Model]string{}, map[ident.Model]bool{}
	for _, r := range before {
		was[r.Model] = r.words()
	}
	after, err := servingsOf(ctx, tx, a, id)
	for _, r := range after {
		is[r.Model] = true
		why = why.Changed("model "+string(r.Model), was[r.Model], r.words())
	}
	for _, r := range before {
		if !is[r.Model] {
			why = why.Changed("model "+string(r.Model), r.words(), "")
		}
	}
	return why, err
}

func (r servingRow) words() string {
	return fmt.Sprintf("%s, order %d, weight %d", r.Name, r.Place, r.Weight)
}

// putServings adds or changes what the provider serves and names the models
// for which something changed.
func putServings(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Provider, servings []provider.Serving) (changed []string, err error) {
	if _, err := providerOf(ctx, tx, a, id); err != nil {
		return nil, err
	}
	known, err := modelIDs(ctx, tx, a)
	if err != nil {
		return nil, err
	}
	present, err := servingsOf(ctx, tx, a, id)
	if err != nil {
		return nil, err
	}
	there := make(map[ident.Model]servingRow, len(present))
	for _, r := range present {
		there[r.Model] = r
	}
	for _, v := range servings {
		if !known[v.Model] {
			return nil, fault.NoSuch("model")
		}
		row := servingRowOf(a, id, v)
		if there[v.Model] == row {
			continue
		}
		if err := of[servingRow](tx, clause.OnConflict{
			Columns:   []clause.Column{{Name: "provider_id"}, {Name: "model_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"name", "place", "weight"}),
		}).Create(ctx, &row); err != nil {
			return nil, err
		}
		changed = append(changed, string(v.Model))
	}
	return changed, nil
}

// dropServings ends what is not in the list and names the models.
func dropServings(ctx context.Context, tx *gorm.DB, a ident.Account, id ident.Provider, keep []provider.Serving) (gone []string, err error) {
	kept := map[ident.Model]bool{}
	for _, v := range keep {
		kept[v.Model] = true
	}
	present, err := servingsOf(ctx, tx, a, id)
	if err != nil {
		return nil, err
	}
	for _, r := range present {
		if kept[r.Model] {
			continue
		}
		if _, err := exec(tx, "DELETE FROM servings WHERE account_id = ? AND provider_id = ? AND model_id = ?", a, id, r.Model); err != nil {
			return nil, err
		}
		gone = append(gone, string(r.Model))
	}
	return gone, nil
}
