package catalogue

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// What a list of prices may hold.
const (
	PricesMost = 100
	usualUnit  = "1M tokens"
)

// Units are what prices are for.
var Units = []string{usualUnit, "image", "second", "10k characters"}

// Currencies are those a model may be charged in.
var Currencies = []string{"CNY", "USD", "EUR", "GBP", "JPY", "SGD", "HKD"}

var (
	itemForm = regexp.MustCompile(`^[A-Za-z0-9_]{1,60}$`)
	tierForm = regexp.MustCompile(`^([1-9][0-9]{0,6}[km]?<)?Input<=[1-9][0-9]{0,6}[km]?$`)
)

// PricesText writes prices as people edit them: one a line, and above those of a
// range of input its name.
//
//	Input<=128k:
//	input_token 0.8 / 1M tokens
func PricesText(prices []Price) string {
	var b strings.Builder
	tier := ""
	for _, p := range prices {
		if p.Tier != tier {
			tier = p.Tier
			b.WriteString(tier + ":\n")
		}
		b.WriteString(p.Item + " " + p.Amount + " / " + p.Unit + "\n")
	}
	return b.String()
}

// ParsePrices reads what PricesText writes; without a unit a price is for a
// million tokens. Ranges are put in the order of their ends. What is wrong is a
// fault on field "prices" or "currency" that names the line.
func ParsePrices(text, currency string) ([]Price, error) {
	if !slices.Contains(Currencies, currency) {
		return nil, fault.Field("currency", "Choose a currency.")
	}
	var prices []Price
	tier := ""
	for i, line := range strings.Split(text, "\n") {
		wrong := func(format string, args ...any) error {
			return fault.Field("prices", "Line %d: "+format, append([]any{i + 1}, args...)...)
		}
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if name, heads := strings.CutSuffix(line, ":"); heads {
			if tier = strings.ReplaceAll(name, " ", ""); !tierForm.MatchString(tier) {
				return nil, wrong("a range of input is written as Input<=128k: or 128k<Input<=256k:.")
			}
			continue
		}
		p, mistake := priceOf(line)
		if mistake != "" {
			return nil, wrong("%s", mistake)
		}
		p.Tier, p.Currency = tier, currency
		if slices.ContainsFunc(prices, func(o Price) bool { return o.Tier == p.Tier && o.Item == p.Item }) {
			return nil, wrong("%s has a price already.", p.Item)
		}
		if prices = append(prices, p); len(prices) > PricesMost {
			return nil, wrong("a model has at most %d prices.", PricesMost)
		}
	}
	if slices.ContainsFunc(prices, func(p Price) bool { return (p.Tier == "") != (prices[0].Tier == "") }) {
		return nil, fault.Field("prices", "Either all prices belong to a range of input, or none does.")
	}
	slices.SortStableFunc(prices, func(a, b Price) int { return cmp.Compare(upperEnd(a.Tier), upperEnd(b.Tier)) })
	return prices, nil
}

// priceOf reads "input_token 0.8 / 1M tokens".
func priceOf(line string) (p Price, mistake string) {
	line, unit, given := strings.Cut(line, "/")
	words := strings.Fields(line)
	if len(words) != 2 {
		return p, "write what is paid for and its price, such as input_token 0.8."
	}
	p = Price{Item: words[0], Amount: words[1], Unit: strings.Join(strings.Fields(unit), " ")}
	if !given {
		p.Unit = usualUnit
	}
	switch _, ok := Millionths(p.Amount); {
	case !itemForm.MatchString(p.Item):
		return p, "what is paid for is one word, such as input_token or thinking_output_token."
	case !ok:
		return p, "a price is a number from 0 to 1000000 with at most six digits behind the point."
	case !slices.Contains(Units, p.Unit):
		return p, "a price is for one of: " + strings.Join(Units, ", ") + "."
	}
	return p, ""
}

// PriceChange is new prices for a model, as PricesText writes them.
type PriceChange struct {
	Model    ident.Model
	Text     string // empty: it has none
	Currency string
	Version  int64 // of the model that was looked at
}

// ChangePrices gives a model other prices, from now on: what was called before
// stays booked as it is. It needs prices:change. What is wrong is a fault on
// field "prices" or "currency"; a conflict if the model was changed meanwhile.
func (s *Service) ChangePrices(ctx context.Context, by access.Actor, c PriceChange) error {
	if err := by.Require(access.ChangePrices); err != nil {
		return err
	}
	to, err := ParsePrices(c.Text, c.Currency)
	if err != nil {
		return err
	}
	return s.Store.ChangeModelPrices(ctx, by.Account, c.Model, to, c.Version, func(before []Price) audit.Event {
		return between(by.Event(access.ChangePrices, "", string(c.Model), "changed the prices of "+string(c.Model)), before, to)
	})
}

// between says of each price what it was and is.
func between(why audit.Event, before, after []Price) audit.Event {
	name := func(p Price) string { return strings.TrimSpace(p.Tier + " " + p.Item) }
	words := func(list []Price, of string) string {
		for _, p := range list {
			if name(p) == of {
				return p.Amount + " " + p.Currency + " / " + p.Unit
			}
		}
		return ""
	}
	var seen []string
	for _, p := range slices.Concat(before, after) {
		if n := name(p); !slices.Contains(seen, n) {
			seen = append(seen, n)
			why = why.Changed(n, words(before, n), words(after, n))
		}
	}
	return why
}
