package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	usages "bailiwick/internal/usage"
	"bailiwick/views/usage"
)

// chart fills the picture of a report.
func (a asked) chart(r usages.Report) usage.Chart {
	value, text, unit := a.measure(r.Sum)
	p := usage.Chart{Title: showWords[a.show] + " by " + dimensionWords[a.By].noun, Unit: unit}
	rest := usages.Sum{}
	for i, l := range r.Lines {
		if i < len(r.Top) {
			p.Legend = append(p.Legend, usage.Legend{Label: a.lineLabel(l), Text: text(value(l.Sum))})
		} else {
			rest.Add(l.Sum)
		}
	}
	others := len(r.Lines) > len(r.Top)
	if others {
		p.Legend = append(p.Legend, usage.Legend{Label: "Others", Text: text(value(rest)), Rest: true})
	}
	form, highest := "2 Jan", int64(0)
	if r.Step == usages.Hour {
		form = "2 Jan, 15:04"
	} else if r.From.Year() != r.To.Year() {
		form = "2 Jan 2006"
	}
	for _, c := range r.Columns {
		col := usage.Column{Label: c.At.Format(form), Text: text(value(c.Sum))}
		highest = max(highest, value(c.Sum))
		for i := range p.Legend {
			col.Parts = append(col.Parts, usage.Part{Value: value(c.Parts[i]), Text: text(value(c.Parts[i]))})
		}
		p.Columns = append(p.Columns, col)
	}
	if p.Top = round(highest); p.Top > 0 {
		p.Ticks = []string{short(p.Top, a.show), short(p.Top/2, a.show), "0"}
	}
	return p
}

// measure is what the picture shows of a sum, and in which words.
func (a asked) measure(all usages.Sum) (value func(usages.Sum) int64, text func(int64) string, unit string) {
	switch a.show {
	case "calls":
		return func(s usages.Sum) int64 { return int64(s.Calls) }, number[int64], "calls"
	case "cost":
		currency := greatest(all.Costs)
		return func(s usages.Sum) int64 { return s.Costs[currency] }, amount, currency
	}
	return func(s usages.Sum) int64 { return int64(s.Tokens()) }, number[int64], "tokens"
}

// greatest is the currency with the most of it.
func greatest(c usages.Costs) string {
	best := ""
	for _, currency := range slices.Sorted(maps.Keys(c)) {
		if best == "" || c[currency] > c[best] {
			best = currency
		}
	}
	return best
}

// round gives the next number that begins with 1, 2, 4, 5 or 8 and goes on with
// zeros, so that its half is round too.
func round(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, first := range []int64{2, 4, 5, 8, 10} {
			if first*unit >= n && n > 0 {
				return first * unit
			}
		}
		if n <= 0 || unit > 1e17 {
			return n
		}
	}
}

// short is a number at the edge of a picture.
func short(n int64, show string) string {
	if show == "cost" {
		return amount(n)
	}
	for _, u := range []struct {
		size int64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if n >= u.size {
			return strconv.FormatFloat(float64(n)/float64(u.size), 'g', 4, 64) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// costs writes costs, every currency of them.
func costs(c usages.Costs) string {
	var words []string
	for _, currency := range slices.Sorted(maps.Keys(c)) {
		words = append(words, inCurrency(currency, amount(c[currency])))
	}
	return strings.Join(words, " + ")
}

// amount writes millionths: to the hundredth from one on, below it as exactly as
// there is something to see.
func amount(n int64) string {
	if n >= 1_000_000 {
		n = (n + 5_000) / 10_000
		return number(n/100) + "." + pad(n%100, 2)
	}
	text := strings.TrimRight(pad(n, 6), "0")
	for len(text) < 2 {
		text += "0"
	}
	return "0." + text
}

func pad(n int64, width int) string {
	text := strconv.FormatInt(n, 10)
	return strings.Repeat("0", max(0, width-len(text))) + text
}
