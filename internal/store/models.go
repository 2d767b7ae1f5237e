package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// modelRow has columns for what is asked for, and JSON for what is only shown.
type modelRow struct {
	Account ident.Account `gorm:"column:account_id;primaryKey"`
	ID      ident.Model   `gorm:"primaryKey"`
	Name    string
	Vendor  string
	Offers  int
	Custom  bool
	Facts   string // modelFacts
	LimitBy string `gorm:"column:limit_set_by"` // empty: the limit is as the catalogue has it
	LimitAt stamp  `gorm:"column:limit_set_at"`
	Version int64
}

func (modelRow) TableName() string { return "models" }

type modelFacts struct {
	Kinds        []string            `json:"kinds"`
	Features     []string            `json:"features"`
	Input        []string            `json:"input"`
	Output       []string            `json:"output"`
	Context      int                 `json:"context"`
	MaxInput     int                 `json:"max_input"`
	MaxOutput    int                 `json:"max_output"`
	Snapshot     bool                `json:"snapshot"`
	OpenWeights  bool                `json:"open_weights"`
	OnlineSince  string              `json:"online_since"`
	TrainingWays map[string][]string `json:"training_ways"`
	Limit        modelLimit          `json:"limit"`
	Prices       []modelPrice        `json:"prices"`
	Note         string              `json:"note"`
}

type modelLimit struct {
	Requests      int    `json:"requests"`
	RequestPeriod int    `json:"request_period"`
	Usage         int    `json:"usage"`
	UsagePeriod   int    `json:"usage_period"`
	UsageField    string `json:"usage_field"`
}

type modelPrice struct {
	Tier     string `json:"tier"`
	Item     string `json:"item"`
	Amount   string `json:"amount"`
	Unit     string `json:"unit"`
	Currency string `json:"currency"`
}

func modelRowOf(a ident.Account, m catalogue.Model) (modelRow, error) {
	f := modelFacts{
		Kinds: m.Kinds, Features: m.Features, Input: m.Input, Output: m.Output,
		Context: m.Context, MaxInput: m.MaxInput, MaxOutput: m.MaxOutput,
		Snapshot: m.Snapshot, OpenWeights: m.OpenWeights, OnlineSince: m.OnlineSince,
		TrainingWays: m.TrainingWays, Note: m.Note,
		Limit: modelLimit{m.Limit.Requests, m.Limit.RequestPeriod, m.Limit.Usage, m.Limit.UsagePeriod, m.Limit.UsageField},
	}
	for _, p := range m.Prices {
		f.Prices = append(f.Prices, modelPrice(p))
	}
	text, err := json.Marshal(f)
	return modelRow{
		Account: a, ID: m.ID, Name: m.Name, Vendor: m.Vendor, Offers: int(m.Offers), Custom: m.Custom,
		Facts: string(text), LimitBy: m.Limit.SetBy, LimitAt: stampOf(m.Limit.SetAt), Version: m.Version,
	}, err
}

func (r modelRow) model() (catalogue.Model, error) {
	var f modelFacts
	if err := json.Unmarshal([]byte(r.Facts), &f); err != nil {
		return catalogue.Model{}, fmt.Errorf("facts of %s: %w", r.ID, err)
	}
	m := catalogue.Model{
		ID: r.ID, Account: r.Account, Name: r.Name, Vendor: r.Vendor, Custom: r.Custom, Version: r.Version,
		Offers: catalogue.Capabilities(r.Offers),
		Kinds:  f.Kinds, Features: f.Features, Input: f.Input, Output: f.Output,
		Context: f.Context, MaxInput: f.MaxInput, MaxOutput: f.MaxOutput,
		Snapshot: f.Snapshot, OpenWeights: f.OpenWeights, OnlineSince: f.OnlineSince,
		TrainingWays: f.TrainingWays, Note: f.Note,
		Limit: catalogue.Limit{
			Requests: f.Limit.Requests, RequestPeriod: f.Limit.RequestPeriod, Usage: f.Limit.Usage, UsagePeriod: f.Limit.UsagePeriod, UsageField: f.Limit.UsageField,
			SetBy: r.LimitBy, SetAt: r.LimitAt.time(),
		},
	}
	for _, p := range f.Prices {
		m.Prices = append(m.Prices, catalogue.Price(p))
	}
	return m, nil
}

// InstallModels implements catalogue.Store. When nothing is lacking nothing is
// written, no event either.
func (s *Store) InstallModels(ctx context.Context, a ident.Account, models []catalogue.Model, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		if _, err := of[accountRow](tx).Where("id = ?", a).Take(ctx); err != nil {
			return deed{}, explain(err, "account")
		}
		added, err := addModels(ctx, tx, a, models)
		if err == nil && len(added) == 0 {
			err = errUnchanged
		}
		return deed{why, aModel.of(a, added...)}, err
	})
	return explain(err, "model")
}

// addModels adds those the account does not have and names them.
func addModels(ctx context.Context, tx *gorm.DB, a ident.Account, models []catalogue.Model) (added []string, err error) {
	has, err := modelIDs(ctx, tx, a)
	if err != nil {
		return nil, err
	}
	put, err := deployedNames(ctx, tx, a)
	if err != nil {
		return nil, err
	}
	var rows []modelRow
	for _, m := range models {
		switch {
		case put[m.ID] && m.Custom:
			return nil, deployed(m.ID)
		case has[m.ID] || put[m.ID]:
			continue
		}
		row, err := modelRowOf(a, m)
		if err != nil {
			return nil, err
		}
		has[m.ID] = true
		rows, added = append(rows, row), append(added, string(m.ID))
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return added, of[modelRow](tx).CreateInBatches(ctx, &rows, 100)
}

// deployedNames are the ids that no model of the catalogue can have.
func deployedNames(ctx context.Context, tx *gorm.DB, a ident.Account) (map[ident.Model]bool, error) {
	rows, err := of[deploymentRow](tx).Select("name").Where("account_id = ?", a).Find(ctx)
	names := make(map[ident.Model]bool, len(rows))
	for _, r := range rows {
		names[r.Name] = true
	}
	return names, err
}

func deployed(m ident.Model) error {
	return fault.New(fault.Conflict, "A deployment of this account is called %s already.", m).About("model")
}

func modelIDs(ctx context.Context, tx *gorm.DB, a ident.Account) (map[ident.Model]bool, error) {
	rows, err := of[modelRow](tx).Select("id").Where("account_id = ?", a).Find(ctx)
	ids := make(map[ident.Model]bool, len(rows))
	for _, r := range rows {
		ids[r.ID] = true
	}
	return ids, err
}

// InsertModel implements catalogue.Store; an id that is taken is a conflict
// about the field "model".
func (s *Store) InsertModel(ctx context.Context, a ident.Account, m catalogue.Model, why audit.Event) error {
	err := s.change(ctx, why, aModel.of(a, string(m.ID)), func(tx *gorm.DB) error {
		if _, err := of[accountRow](tx).Where("id = ?", a).Take(ctx); err != nil {
			return explain(err, "account")
		}
		put, err := deployedNames(ctx, tx, a)
		if err != nil {
			return err
		}
		if put[m.ID] {
			return deployed(m.ID)
		}
		row, err := modelRowOf(a, m)
		if err != nil {
			return err
		}
		return of[modelRow](tx).Create(ctx, &row)
	})
	return explain(err, "model", "model")
}

// Models implements catalogue.Store: all of the account's, by id.
func (s *Store) Models(ctx context.Context, a ident.Account) ([]catalogue.Model, error) {
	rows, err := of[modelRow](s.read).Where("account_id = ?", a).Order("id").Find(ctx)
	if err != nil {
		return nil, explain(err, "model")
	}
	models := make([]catalogue.Model, len(rows))
	for i, r := range rows {
		if models[i], err = r.model(); err != nil {
			return nil, err
		}
	}
	return models, nil
}

// Model implements catalogue.Store and grant.Store.
func (s *Store) Model(ctx context.Context, a ident.Account, id ident.Model) (catalogue.Model, error) {
	row, err := of[modelRow](s.read).Where("account_id = ? AND id = ?", a, id).Take(ctx)
	if err != nil {
		return catalogue.Model{}, explain(err, "model")
	}
	return row.model()
}

// ChangeModelPrices implements catalogue.Store.
func (s *Store) ChangeModelPrices(ctx context.Context, a ident.Account, id ident.Model, to []catalogue.Price, version int64, why func([]catalogue.Price) audit.Event) error {
	return s.changeModel(ctx, a, id, version, func(m *catalogue.Model) (audit.Event, bool) {
		before := m.Prices
		m.Prices = to
		return why(before), !slices.Equal(before, to)
	})
}

// changeModel changes the facts of a model that has the version, and counts it
// up; change says whether anything is different.
func (s *Store) changeModel(ctx context.Context, a ident.Account, id ident.Model, version int64, change func(*catalogue.Model) (audit.Event, bool)) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		row, err := of[modelRow](tx).Where("account_id = ? AND id = ?", a, id).Take(ctx)
		if err != nil {
			return deed{}, err
		}
		if row.Version != version {
			return deed{}, stale("model")
		}
		m, err := row.model()
		if err != nil {
			return deed{}, err
		}
		why, differs := change(&m)
		if !differs {
			return deed{}, errUnchanged
		}
		if row, err = modelRowOf(a, m); err != nil {
			return deed{}, err
		}
		_, err = exec(tx, "UPDATE models SET facts = ?, limit_set_by = ?, limit_set_at = ?, version = version + 1 WHERE account_id = ? AND id = ?", row.Facts, row.LimitBy, row.LimitAt, a, id)
		return deed{why, aModel.of(a, string(id))}, err
	})
	return explain(err, "model")
}
