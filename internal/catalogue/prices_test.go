package catalogue_test

import (
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
)

func TestThePricesOfEveryModelComeBackAsTheyAreEdited(t *testing.T) {
	all, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if len(m.Prices) == 0 {
			continue
		}
		got, err := catalogue.ParsePrices(catalogue.PricesText(m.Prices), m.Prices[0].Currency)
		if err != nil || !slices.Equal(got, m.Prices) {
			t.Errorf("%s: %v, %v", m.ID, got, err)
		}
	}
}

func TestAPriceListSaysWhatIsWrongAndWhere(t *testing.T) {
	for text, says := range map[string]string{
		"input_token":                                 "Line 1: write what is paid for",
		"input_token x":                               "Line 1: a price is a number",
		"input_token -1":                              "Line 1: a price is a number",
		"input_token 1e3":                             "Line 1: a price is a number",
		"input_token 0.1234567":                       "six digits",
		"input_token 1000001":                         "1000000",
		"\n\ninput_token 1 / hour":                    "Line 3: a price is for one of: 1M tokens, image",
		"in-put 1":                                    "Line 1: what is paid for is one word",
		"input_token 1\ninput_token 2":                "Line 2: input_token has a price already",
		"long:\ninput_token 1":                        "Line 1: a range of input",
		"input_token 1\nInput<=1k:\ninput_token 2":    "Either all prices belong to a range",
		strings.Repeat("Input<=1k:\n", 1) + many(101): "at most 100 prices",
	} {
		_, err := catalogue.ParsePrices(text, "CNY")
		if f, ok := fault.On(err, "prices"); !ok || !strings.Contains(f.Message, says) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	if _, err := catalogue.ParsePrices("", "DOGE"); err == nil {
		t.Error("a currency that is none was taken")
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("item_" + strings.Repeat("x", i%50) + string(rune('a'+i/50)) + " 1\n")
	}
	return b.String()
}

func TestRangesAreReckonedByTheirEndsHoweverTheyWereTyped(t *testing.T) {
	prices, err := catalogue.ParsePrices("1k<Input <= 2k:\ninput_token 9\n\nInput<=1k:\n input_token   1 / 1M tokens\r\noutput_token 2", "USD")
	if err != nil {
		t.Fatal(err)
	}
	m := catalogue.Model{Prices: prices}
	for input, cost := range map[int]int64{1000: 1000, 2000: 18000} {
		if got := m.Tariff().Cost(catalogue.Consumption{Input: input}); got != cost || m.Tariff().Currency != "USD" {
			t.Errorf("%d tokens cost %d", input, got)
		}
	}
	if none, err := catalogue.ParsePrices(" \n", "CNY"); err != nil || len(none) != 0 {
		t.Errorf("no prices: %v, %v", none, err)
	}
}
