package catalogue

import (
	"math"
	"strconv"
	"strings"
)

// Consumption is what one call is charged for.
type Consumption struct {
	Input, Output int // tokens
	Cached        int // of Input: tokens read from a cache
	Reasoning     int // of Output; with some of it the call was made in thinking mode
	Batch         bool
}

// Tariff is the prices of a model, ready to reckon with. Nil: it has none, and
// costs nothing that is known.
type Tariff struct {
	Currency string
	tiers    []tier // by length of the input; the last one also takes what is longer
}

type tier struct {
	upTo  int      // tokens of input
	rates [4]rates // by mode: thinking 1, batch 2
}

// rates are millionths of the currency per million tokens; missing: no such price.
type rates struct{ input, cached, output int64 }

const (
	missing  = -1
	thinking = 1
	batch    = 2
)

// The items that are charged for by the token, in the order they are looked for.
var (
	inputItems  = []string{"input_token", "text_input_token", "embedding_token"}
	outputItems = []string{"output_token", "purein_text_output_token", "multi_output_token"}
	cachedItems = []string{"input_token_cache", "input_token_cache_read"}
)

// Tariff makes the model's prices ready. Prices of pictures, seconds and
// characters are not in it: calls say nothing of them.
func (m Model) Tariff() *Tariff {
	t := &Tariff{}
	var names []string
	for _, p := range m.Prices {
		if p.Unit == "1M tokens" && (len(names) == 0 || names[len(names)-1] != p.Tier) {
			names = append(names, p.Tier)
		}
	}
	for _, name := range names {
		one := tier{upTo: upperEnd(name)}
		for mode := range one.rates {
			one.rates[mode] = rates{t.find(m, name, mode, inputItems), t.find(m, name, mode, cachedItems), t.find(m, name, mode, outputItems)}
		}
		one.fill()
		t.tiers = append(t.tiers, one)
	}
	if len(t.tiers) == 0 {
		return nil
	}
	return t
}

func (t *Tariff) find(m Model, tier string, mode int, items []string) int64 {
	for _, item := range items {
		if mode&thinking != 0 {
			item = "thinking_" + item
		}
		if mode&batch != 0 {
			item += "_batch"
		}
		for _, p := range m.Prices {
			if p.Tier != tier || p.Item != item || p.Unit != "1M tokens" || t.Currency != "" && t.Currency != p.Currency {
				continue
			}
			if n, ok := Millionths(p.Amount); ok {
				t.Currency = p.Currency
				return n
			}
		}
	}
	return missing
}

// fill puts the nearest price in the place of those that are not given: of
// batches the ordinary one, of thinking the plain one, of cached input that of
// input. A price is never taken for zero while there is another.
func (t *tier) fill() {
	for mode := range t.rates {
		r := &t.rates[mode]
		for _, plain := range []int{mode &^ batch, mode &^ thinking, 0} {
			from := t.rates[plain]
			r.input, r.output, r.cached = given(r.input, from.input), given(r.output, from.output), given(r.cached, from.cached)
		}
		r.input = given(r.input, 0)
		r.cached, r.output = given(r.cached, r.input), given(r.output, 0)
	}
}

func given(n, otherwise int64) int64 {
	if n == missing {
		return otherwise
	}
	return n
}

// upperEnd reads the end of a tier such as "32k<Input<=128k": k is 1024 and m
// is 1024 k, as in the models' own sizes. Without one the tier has no end.
func upperEnd(name string) int {
	_, end, found := strings.Cut(name, "<=")
	unit := 1
	if n, ok := strings.CutSuffix(end, "k"); ok {
		end, unit = n, 1<<10
	} else if n, ok := strings.CutSuffix(end, "m"); ok {
		end, unit = n, 1<<20
	}
	n, err := strconv.Atoi(end)
	if !found || err != nil || n > math.MaxInt>>20 {
		return math.MaxInt
	}
	return n * unit
}

// Millionths reads a decimal amount of 0 to 1,000,000 with at most six digits
// behind the point.
func Millionths(amount string) (int64, bool) {
	whole, rest, _ := strings.Cut(amount, ".")
	if whole == "" || len(whole) > 7 || len(rest) > 6 || !digits(whole) || !digits(rest) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+rest+"000000"[len(rest):], 10, 64)
	return n, err == nil && n <= 1e12
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// Cost gives what a call costs, in millionths of the currency, to the nearest.
func (t *Tariff) Cost(c Consumption) int64 {
	if t == nil {
		return 0
	}
	one := t.tiers[len(t.tiers)-1]
	for _, o := range t.tiers {
		if c.Input <= o.upTo {
			one = o
			break
		}
	}
	mode := 0
	if c.Reasoning > 0 {
		mode |= thinking
	}
	if c.Batch {
		mode |= batch
	}
	r := one.rates[mode]
	cached := min(c.Cached, c.Input)
	sum := int64(c.Input-cached)*r.input + int64(cached)*r.cached + int64(c.Output)*r.output
	return (sum + 500_000) / 1_000_000
}
