package adminapi

import (
	"net/http"
	"slices"
	"sync"

	"bailiwick/internal/access"
)

// operation is one line of the table. The routes, the OpenAPI document and the
// console's page of it all come from here.
type operation struct {
	group   string // "Workspaces"
	id      string // "listWorkspaces"
	method  string
	path    string // below Prefix
	action  access.Action
	summary string
	notes   string // what else is to be known
	query   []parameter
	paged   bool // a page of a list: takes limit and after
	body    any  // the zero value of what is sent; nil: nothing
	answer  any  // the zero value of what is answered; nil: nothing
	status  int  // when it succeeds; 0: 200, or 204 without an answer
	match   bool // changes a version: If-Match is needed
	fails   []int
	run     func(*call) (any, error)
}

// parameter is one of the query.
type parameter struct {
	name    string
	about   string
	kind    string   // "string" unless given
	choices []string // empty: any
}

var paging = []parameter{
	{name: "limit", about: "How many items the page has at most, 1–1000. Usual: 50.", kind: "integer"},
	{name: "after", about: "Where the page begins: next of the page before."},
}

var search = parameter{name: "search", about: "Part of what is looked for, regardless of case, at most 100 characters."}

func (o operation) parameters() []parameter {
	if o.paged {
		return slices.Concat(o.query, paging)
	}
	return o.query
}

func (o operation) succeeds() int {
	switch {
	case o.status != 0:
		return o.status
	case o.answer == nil:
		return http.StatusNoContent
	}
	return http.StatusOK
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items" doc:"The items of this page, in the list's order."`
	Next  string `json:"next" doc:"Give it as after for the next page; empty: this is the last one."`
}

// pageOf makes a page of what a service found.
func pageOf[From, To any](found []From, next string, err error, as func(From) To) (any, error) {
	if err != nil {
		return nil, err
	}
	p := Page[To]{Items: make([]To, len(found)), Next: next}
	for i, f := range found {
		p.Items[i] = as(f)
	}
	return p, nil
}

// operations lists everything the management API does.
var operations = sync.OnceValue(func() []operation {
	return slices.Concat(accountOperations(), workspaceOperations(), userOperations(), memberOperations(), modelOperations(), grantOperations(), explainOperations(), keyOperations(), providerOperations(), auditOperations())
})
