package adminapi

import "bailiwick/internal/access"

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
