package catalogue_test

import (
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
)

func TestTheCatalogueHasFiftyModelsWithTheirFacts(t *testing.T) {
	models, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(models) != 50 {
		t.Fatalf("%d models", len(models))
	}
	byID := map[ident.Model]catalogue.Model{}
	for _, m := range models {
		if _, err := ident.ParseModel(string(m.ID)); err != nil {
			t.Errorf("%s: %v", m.ID, err)
		}
		if m.Name == "" || m.Vendor == "" || len(m.Kinds) == 0 || !m.Offers.Has(catalogue.Call) {
			t.Errorf("%s is not complete: %+v", m.ID, m)
		}
		byID[m.ID] = m
	}
	turbo := byID["qwen-turbo"]
	if turbo.Name != "Qwen-Turbo" || turbo.Offers != catalogue.Of(catalogue.Call, catalogue.Train, catalogue.Deploy) || turbo.Context != 131072 {
		t.Errorf("Qwen-Turbo: %+v", turbo)
	}
	if got := catalogue.PerMinute(turbo.Limit.Requests, turbo.Limit.RequestPeriod); got != 1200 {
		t.Errorf("Qwen-Turbo may be called %d times a minute", got)
	}
	if p, ok := turbo.PriceOf("input_token"); !ok || p.Amount != "0.3" || p.Currency != "CNY" {
		t.Errorf("Qwen-Turbo's input price: %+v", p)
	}
	if m := byID["qwen-max"]; m.Offers != catalogue.Of(catalogue.Call) {
		t.Errorf("qwen-max offers %b", m.Offers)
	}
	if m := byID["qwen-plus"]; m.Offers.Has(catalogue.Deploy) || m.Note == "" {
		t.Errorf("only a snapshot of qwen-plus can be deployed: %+v", m)
	}
	if m := byID["qwen-plus"]; len(m.Prices) < 6 || m.Prices[0].Tier == "" {
		t.Errorf("qwen-plus has prices by tier: %+v", m.Prices)
	}
}
