package adminapi

import (
	"net/http"
	"net/http/httptest"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
)

// Operation is a line of the table, for the tests that walk it.
type Operation struct {
	ID, Method, Path string
	Action           access.Action
	Match            bool
	Status           int
	HasBody          bool
	Paged            bool
}

// Operations lists the table.
func Operations() (all []Operation) {
	for _, o := range operations() {
		all = append(all, Operation{o.id, o.method, o.path, o.action, o.match, o.succeeds(), o.body != nil, o.paged})
	}
	return all
}

// AddOperation puts one more operation into force.
func AddOperation(s *Server, do access.Action) error {
	return s.add(operation{id: "more", method: "GET", path: "/more", action: do})
}

// Admit asks for an operation as somebody, whoever they are, in a workspace. The
// operation is not run: what keeps anybody out is the gate before it.
func Admit(s *Server, id string, by access.Actor, ws ident.Workspace) error {
	for _, o := range operations() {
		if o.id == id {
			o.match, o.body = false, nil
			r := httptest.NewRequest(o.method, Prefix, http.NoBody)
			if strings.Contains(o.path, "{workspace}") {
				r.SetPathValue("workspace", string(ws))
			}
			c := &call{server: s, w: httptest.NewRecorder(), r: r, ctx: r.Context(), by: by, op: o, services: s.Services}
			return c.admit()
		}
	}
	panic("there is no operation " + id)
}
