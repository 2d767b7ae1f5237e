package catalogue

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"bailiwick/internal/ident"
)

// builtin holds 50 models as the original's gallery published them on
// 27 May 2026 (Beijing region): ids, labels and numbers. Which can be trained
// and deployed is from its training and deployment pages.
//
//go:embed models.json
var builtin []byte

type entry struct {
	Model          ident.Model         `json:"model"`
	Name           string              `json:"name"`
	Provider       string              `json:"provider"`
	Capabilities   []string            `json:"capabilities"`
	Features       []string            `json:"features"`
	Input          []string            `json:"input_modality"`
	Output         []string            `json:"output_modality"`
	Context        int                 `json:"context_window"`
	MaxInput       int                 `json:"max_input_tokens"`
	MaxOutput      int                 `json:"max_output_tokens"`
	Version        string              `json:"version"`
	OpenSource     bool                `json:"open_source"`
	OnlineSince    string              `json:"online_since"`
	TrainingTypes  map[string][]string `json:"training_types"`
	Trainable      string              `json:"trainable"`
	Deployable     string              `json:"deployable"`
	Limit          entryLimit          `json:"limit"`
	Prices         []entryPrice        `json:"prices_cny"`
	TieredPricesOf []entryTier         `json:"tiered_prices_cny"`
}

type entryLimit struct {
	Requests      int    `json:"request_limit"`
	RequestPeriod int    `json:"request_limit_period"`
	Usage         int    `json:"usage_limit"`
	UsagePeriod   int    `json:"usage_limit_period"`
	UsageField    string `json:"usage_limit_field"`
}

type entryPrice struct {
	Type  string `json:"type"`
	Price string `json:"price"`
	Unit  string `json:"unit"`
}

type entryTier struct {
	Range  string       `json:"range"`
	Prices []entryPrice `json:"prices"`
}

// Builtin gives the models of our catalogue, by id, belonging to no account yet.
var Builtin = sync.OnceValues(func() ([]Model, error) {
	var entries []entry
	if err := json.Unmarshal(builtin, &entries); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	models := make([]Model, len(entries))
	for i, e := range entries {
		models[i] = e.model()
	}
	slices.SortFunc(models, func(a, b Model) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return models, nil
})

func (e entry) model() Model {
	m := Model{
		ID: e.Model, Name: e.Name, Vendor: e.Provider, Kinds: e.Capabilities, Features: e.Features,
		Input: e.Input, Output: e.Output, Context: e.Context, MaxInput: e.MaxInput, MaxOutput: e.MaxOutput,
		Snapshot: e.Version == "SNAPSHOT", OpenWeights: e.OpenSource, OnlineSince: e.OnlineSince,
		TrainingWays: e.TrainingTypes, Offers: Of(Call), Version: 1,
		Limit: Limit{
			Requests: e.Limit.Requests, RequestPeriod: e.Limit.RequestPeriod, Usage: e.Limit.Usage, UsagePeriod: e.Limit.UsagePeriod, UsageField: e.Limit.UsageField,
		},
	}
	switch e.Trainable {
	case "no", "flag set": // "flag set": the gallery says so, the training pages do not
	default:
		m.Offers |= Of(Train)
	}
	switch e.Deployable {
	case "yes", "yes (era A)":
		m.Offers |= Of(Deploy)
	case "snapshot":
		m.Note = "Only a dated snapshot of this model can be deployed."
	case "after tuning":
		m.Note = "Only your own tuned version of this model can be deployed."
	}
	for _, p := range e.Prices {
		m.Prices = append(m.Prices, p.price(""))
	}
	for _, tier := range e.TieredPricesOf {
		for _, p := range tier.Prices {
			m.Prices = append(m.Prices, p.price(tier.Range))
		}
	}
	return m
}

func (p entryPrice) price(tier string) Price {
	return Price{Tier: tier, Item: p.Type, Amount: p.Price, Unit: p.Unit, Currency: "CNY"}
}
