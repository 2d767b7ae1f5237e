package web

import (
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
)

// RoutesOf lists the table of routes, for the test that walks them.
func RoutesOf(s *Server) []string {
	var list []string
	for _, r := range s.routes() {
		list = append(list, r.method+" "+r.path)
	}
	return list
}

// AddRoute puts one more route into force.
func AddRoute(s *Server, method, path string, do access.Action) error {
	return s.add(route{method, path, do, func(c echo.Context) error { return nil }})
}

// Reached is what a console of gates alone answers whoever they let through.
const Reached = 299

// Gates makes a console whose handlers do nothing, so that only the lines of the
// table keep anybody out. Its actions are what rewrite gives for them.
func Gates(config Config, rewrite func(path string, do access.Action) access.Action) (*Server, error) {
	s := newServer(config)
	table := s.routes()
	for i := range table {
		table[i].action = rewrite(table[i].method+" "+table[i].path, table[i].action)
		table[i].handle = func(c echo.Context) error { return c.NoContent(Reached) }
	}
	return s, s.serve(table)
}
