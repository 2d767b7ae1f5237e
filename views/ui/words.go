package ui

import (
	"net/url"
	"slices"
	"sort"
	"strings"
)

func (f Field) id() string     { return "f-" + f.Name }
func (f Field) noteID() string { return f.id() + "-note" }

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func noticeIcon(t Tone) string {
	switch t {
	case Good:
		return "check"
	case Warn, Bad:
		return "alert"
	default:
		return "info"
	}
}

func sortIcon(direction string) string {
	switch direction {
	case "ascending":
		return "up"
	case "descending":
		return "down"
	default:
		return "sort"
	}
}

func confirmKind(t Tone) Kind {
	if t == Bad {
		return Danger
	}
	return Primary
}

// chosen reports whether something else than the first option is selected.
func chosen(options []Option) bool {
	for i, o := range options {
		if o.Selected {
			return i > 0
		}
	}
	return false
}

// bare is the address without its query, which a form with method get drops.
func bare(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return path
}

// query is what the address carries after the question mark, as the hidden
// fields that take its place in such a form.
func query(address string) [][2]string {
	_, raw, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil
	}
	var pairs [][2]string
	for name, all := range values {
		for _, value := range all {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	return pairs
}

func dialects(list []Sample) []string {
	return each(list, func(s Sample) string { return s.Dialect })
}

func languages(list []Sample) []string {
	return each(list, func(s Sample) string { return s.Language })
}

// each collects what the samples say of themselves, once each, in their order.
func each(list []Sample, of func(Sample) string) []string {
	var words []string
	for _, s := range list {
		if w := of(s); !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// word makes a label fit for an id or an attribute: "model-calling".
func word(label string) string {
	return strings.ReplaceAll(strings.ToLower(label), " ", "-")
}
