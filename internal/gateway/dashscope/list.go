package dashscope

import (
	"net/http"
	"slices"
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
	Server    string     `json:"inference_provider"`
	Kinds     []string   `json:"capabilities"`
	Features  []string   `json:"features"`
	Published string     `json:"published_time"`
	Modality  modalities `json:"inference_metadata"`
	Info      sizes      `json:"model_info"`
	Prices    []tier     `json:"prices"`
	Snapshot  *string    `json:"equivalent_snapshot"`    // not known
	Offline   *string    `json:"inference_offline_info"` // none is announced
}

type modalities struct {
	Request  []string `json:"request_modality"`
	Response []string `json:"response_modality"`
}

// sizes are null where they are not known; those of reasoning never are.
type sizes struct {
	Context            *int `json:"context_window"`
	MaxInput           *int `json:"max_input_tokens"`
	MaxOutput          *int `json:"max_output_tokens"`
	MaxReasoning       *int `json:"max_reasoning_tokens"`
	ReasoningMaxInput  *int `json:"reasoning_max_input_tokens"`
	ReasoningMaxOutput *int `json:"reasoning_max_output_tokens"`
}

type tier struct {
	Range  string  `json:"range_name"`
	Prices []price `json:"prices"`
}

type price struct {
	Type  string `json:"type"`
	Price string `json:"price"`
	Unit  string `json:"price_unit"`
	Name  string `json:"price_name"`
	Money string `json:"currency"`
}

// List implements dialect.Dialect. A language is taken and changes nothing, as
// there are no texts in others; nor does a service site, as there is one.
func (Dialect) List(r *http.Request, models []*policy.Model, id ident.Call) ([]byte, *dialect.Refusal) {
	q, refusal := readQuery(r, "language", "providers", "inference_providers", "capabilities", "features", "context_window", "service_site", "supports", "deployment_methods")
	if refusal != nil {
		return nil, refusal
	}
	below, ok := count(q.Get("context_window"), 0, 1<<40)
	if !ok {
		return nil, dialect.Range("context_window", "Range of context_window should be [1, %d]", 1<<40)
	}
	for name, words := range map[string][]string{
		"language": {"", "zh-CN", "en-US"}, "supports": {"inference", "deploy"}, "deployment_methods": {"", "ptu"},
	} {
		if _, refusal := q.one(name, words...); refusal != nil {
			return nil, refusal
		}
	}
	found := []entry{}
	for _, m := range models {
		if q.named(m) && q.matches(m, below) {
			found = append(found, entryOf(m))
		}
	}
	return enveloped(struct {
		Total  int     `json:"total"`
		Number int     `json:"page_no"`
		Size   int     `json:"page_size"`
		Models []entry `json:"models"`
	}{len(found), q.number, q.size, page(q, found)}, id)
}

// matches asks the filters of the query; several values of one mean any of them.
func (q query) matches(m *policy.Model, below int) bool {
	overlap := func(name string, have ...string) bool {
		wanted := q.Values[name]
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(have, w) })
	}
	return overlap("providers", m.Vendor) && overlap("inference_providers", inferenceProvider) &&
		overlap("capabilities", m.Kinds...) && overlap("features", m.Features...) &&
		(below == 0 || m.Context > 0 && m.Context < below) &&
		q.Get("deployment_methods") == "" // the one that can be asked for is none of ours: compute units are
}

// inferenceProvider is who serves every model, as callers may know it: where
// models really run is the administrators' business.
const inferenceProvider = "bailiwick"

func entryOf(m *policy.Model) entry {
	e := entry{
		Model: string(m.ID), Name: m.Name, Note: m.Note, Vendor: m.Vendor, Server: inferenceProvider, Kinds: all(m.Kinds), Features: all(m.Features), Published: m.OnlineSince,
		Modality: modalities{all(m.Input), all(m.Output)},
		Info:     sizes{Context: given(m.Context), MaxInput: given(m.MaxInput), MaxOutput: given(m.MaxOutput)}, Prices: []tier{},
	}
	for _, p := range m.Prices {
		if n := len(e.Prices); n == 0 || e.Prices[n-1].Range != p.Tier {
			e.Prices = append(e.Prices, tier{Range: p.Tier})
		}
		last := &e.Prices[len(e.Prices)-1]
		last.Prices = append(last.Prices, price{p.Item, p.Amount, p.Unit, strings.ReplaceAll(p.Item, "_", " "), p.Currency})
	}
	return e
}

// given is a size; nil: it is not known.
func given(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// all makes a list that is written as [] when it is empty.
func all(list []string) []string { return append([]string{}, list...) }

func describe(m *policy.Model) []byte {
	b, _ := json.Marshal(entryOf(m)) // strings and numbers only
	return b
}
