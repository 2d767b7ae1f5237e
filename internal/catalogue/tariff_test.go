package catalogue_test

import (
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
)

func builtin(t *testing.T, id ident.Model) catalogue.Model {
	t.Helper()
	models, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		if m.ID == id {
			return m
		}
	}
	t.Fatalf("no model %s", id)
	return catalogue.Model{}
}

func TestACallIsChargedAtThePricesOfItsTierAndMode(t *testing.T) {
	const million = 1_000_000
	for _, c := range []struct {
		model ident.Model
		used  catalogue.Consumption
		cost  int64 // millionths
	}{
		{"qwen-turbo", catalogue.Consumption{Input: million}, 300_000},
		{"qwen-turbo", catalogue.Consumption{Output: million}, 600_000},
		{"qwen-turbo", catalogue.Consumption{Output: million, Reasoning: 1}, 3 * million},
		{"qwen-turbo", catalogue.Consumption{Input: million, Cached: million}, 60_000},
		{"qwen-turbo", catalogue.Consumption{Input: million, Batch: true}, 150_000},
		{"qwen-turbo", catalogue.Consumption{Output: million, Reasoning: 5, Batch: true}, 1_500_000},
		{"qwen-turbo", catalogue.Consumption{Input: 10, Output: 20}, 15},
		{"qwen-turbo", catalogue.Consumption{Input: 1}, 0}, // 0.3 of a millionth
		{"qwen-turbo", catalogue.Consumption{Input: 2}, 1}, // 0.6
		{"qwen-plus", catalogue.Consumption{Input: 128 << 10}, 104_858},
		{"qwen-plus", catalogue.Consumption{Input: 128<<10 + 1}, 314_575},
		{"qwen-plus", catalogue.Consumption{Input: 3 << 20}, 3 << 20 * 48 / 10},
	} {
		if got := builtin(t, c.model).Tariff().Cost(c.used); got != c.cost {
			t.Errorf("%s for %+v: %d, want %d", c.model, c.used, got, c.cost)
		}
	}
	if catalogue.Model.Tariff(catalogue.Model{}) != nil || (*catalogue.Tariff)(nil).Cost(catalogue.Consumption{Input: million}) != 0 {
		t.Error("a model without prices costs something")
	}
}

// More tokens never cost less within a tier, and every model of our catalogue
// that is charged by the token has a tariff.
func TestEveryModelChargedByTheTokenHasATariff(t *testing.T) {
	models, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	with := 0
	for _, m := range models {
		tariff := m.Tariff()
		if tariff == nil {
			continue
		}
		with++
		for _, mode := range []catalogue.Consumption{{}, {Reasoning: 1}, {Batch: true}, {Reasoning: 1, Batch: true}} {
			last := int64(0)
			for n := 1000; n <= 20_000; n += 1000 {
				mode.Input, mode.Output, mode.Cached = n, n, n/2
				cost := tariff.Cost(mode)
				if cost < last || cost == 0 && n == 20_000 || tariff.Currency != "CNY" {
					t.Fatalf("%s: %d %s for %+v after %d", m.ID, cost, tariff.Currency, mode, last)
				}
				last = cost
			}
		}
	}
	if with != 37 {
		t.Errorf("only %d models have a tariff", with)
	}
}

func TestAmountsAreReadExactly(t *testing.T) {
	for text, want := range map[string]int64{"0.3": 300_000, "12": 12_000_000, "0.000001": 1, "1000000": 1e12, "0": 0} {
		if n, ok := catalogue.Millionths(text); !ok || n != want {
			t.Errorf("%q: %d %v", text, n, ok)
		}
	}
	for _, text := range []string{"", ".5", "-1", "1e3", "0.0000001", "1000000.1", "NaN", "1.2.3", "99999999"} {
		if n, ok := catalogue.Millionths(text); ok {
			t.Errorf("%q was read as %d", text, n)
		}
	}
}
