package dashscope

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// largestPage bounds page_size.
const largestPage = 200

// entry is a model as lists show it.
type entry struct {
	Model     string     `json:"model"`
	Name      string     `json:"name"`
	Note      string     `json:"description"`
	Vendor    string     `json:"provider"`
	Kinds     []string   `json:"capabilities"`
	Features  []string   `json:"features"`
	Published string     `json:"published_time"`
	Modality  modalities `json:"inference_metadata"`
	Info      sizes      `json:"model_info"`
	Prices    []tier     `json:"prices"`
}

type modalities struct {
	Request  []string `json:"request_modality"`
	Response []string `json:"response_modality"`
}

type sizes struct {
	Context   int `json:"context_window"`
	MaxInput  int `json:"max_input_tokens"`
	MaxOutput int `json:"max_output_tokens"`
}

type tier struct {
	Range  string  `json:"range_name"`
	Prices []price `json:"prices"`
}

type price struct {
	Type  string `json:"type"`
	Price string `json:"price"`
	Unit  string `json:"price_unit"`
	Money string `json:"currency"`
}

type page struct {
	Total  int     `json:"total"`
	Number int     `json:"page_no"`
	Size   int     `json:"page_size"`
	Models []entry `json:"models"`
}

type envelope struct {
	Code    *string    `json:"code"`    // null: it went well
	Message *string    `json:"message"` // null
	Success bool       `json:"success"`
	Output  page       `json:"output"`
	Request ident.Call `json:"request_id"`
}

// List implements dialect.Dialect.
func (Dialect) List(r *http.Request, models []*policy.Model, id ident.Call) ([]byte, *dialect.Refusal) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &dialect.BadParameters
	}
	number, ok1 := count(q.Get("page_no"), 1, 1<<20)
	size, ok2 := count(q.Get("page_size"), 20, largestPage)
	below, ok3 := count(q.Get("context_window"), 0, 1<<40)
	if !ok1 || !ok2 || !ok3 {
		return nil, &dialect.BadParameters
	}
	found := slices.DeleteFunc(slices.Clone(models), func(m *policy.Model) bool { return !matches(m, q, below) })
	p := page{Total: len(found), Number: number, Size: size, Models: []entry{}}
	for i := (number - 1) * size; i < min(number*size, len(found)); i++ {
		p.Models = append(p.Models, entryOf(found[i]))
	}
	body, err := json.Marshal(envelope{Success: true, Output: p, Request: id})
	if err != nil {
		return nil, &dialect.Internal
	}
	return body, nil
}

func count(s string, otherwise, most int) (int, bool) {
	if s == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= most
}

// matches asks the filters of the query; several values of one mean any of them.
func matches(m *policy.Model, q url.Values, below int) bool {
	holds := func(part string, in string) bool { return strings.Contains(strings.ToLower(in), strings.ToLower(part)) }
	overlap := func(wanted, have []string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(have, w) })
	}
	return (holds(q.Get("name"), m.Name) || holds(q.Get("name"), string(m.ID))) &&
		(q.Get("model") == "" || q.Get("model") == string(m.ID)) &&
		overlap(q["providers"], []string{m.Vendor}) &&
		overlap(q["capabilities"], m.Kinds) &&
		overlap(q["features"], m.Features) &&
		(below == 0 || m.Context > 0 && m.Context < below)
}

func entryOf(m *policy.Model) entry {
	e := entry{
		Model: string(m.ID), Name: m.Name, Note: m.Note, Vendor: m.Vendor, Kinds: all(m.Kinds), Features: all(m.Features), Published: m.OnlineSince,
		Modality: modalities{all(m.Input), all(m.Output)},
		Info:     sizes{m.Context, m.MaxInput, m.MaxOutput}, Prices: []tier{},
	}
	for _, p := range m.Prices {
		if n := len(e.Prices); n == 0 || e.Prices[n-1].Range != p.Tier {
			e.Prices = append(e.Prices, tier{Range: p.Tier})
		}
		last := &e.Prices[len(e.Prices)-1]
		last.Prices = append(last.Prices, price{p.Item, p.Amount, p.Unit, p.Currency})
	}
	return e
}

// all makes a list that is written as [] when it is empty.
func all(list []string) []string { return append([]string{}, list...) }

func describe(m *policy.Model) []byte {
	b, _ := json.Marshal(entryOf(m)) // strings and numbers only
	return b
}
