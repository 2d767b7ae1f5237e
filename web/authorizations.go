package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/workspace"
	"bailiwick/views/authorizations"
	"bailiwick/views/ui"
)

// How many workspaces the matrix knows, and how many it shows side by side.
const (
	matrixMost   = 1000
	matrixAcross = 8
)

// listAuthorizations answers GET /account/authorizations: the matrix.
func (s *Server) listAuthorizations(c echo.Context) error {
	return showList(s, c, s.matrix, authorizations.Matrix, s.authorizationsPage)
}

// authorizationsPage is the matrix, with a dialog over it or without.
func (s *Server) authorizationsPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	visitOf(c).here = nil // it is a page of the account, whichever workspace a dialog is about
	p := authorizations.IndexProps{}
	var err error
	if p.Matrix, err = s.matrix(c); err != nil {
		return nil, err
	}
	p.Chrome, err = s.chrome(c, "Model Authorizations", atAuthorizations)
	p.Chrome.Overlay = overlay
	return authorizations.Index(p), err
}

// matrix is models by workspaces, as the policy decides about them now.
func (s *Server) matrix(c echo.Context) (authorizations.MatrixProps, error) {
	l := list(c, authorizationsURL)
	p := authorizations.MatrixProps{URL: l.url, Search: l.search(), ClearURL: when(l.search() != "", l.url)}
	places, _, err := s.Workspaces.List(c.Request().Context(), actor(c), workspace.Filter{Limit: matrixMost})
	if err != nil || len(places) == 0 {
		return p, err
	}
	home := places[0] // the Default Workspace is the first
	shown, across := l.across(places[1:])
	shown = append([]workspace.Listed{home}, shown...)
	p.Across = across
	for _, w := range shown {
		p.Places = append(p.Places, s.matrixPlace(c, w))
	}
	now := s.Policy.Now()
	models := slices.DeleteFunc(now.Catalogue(actor(c).Account), func(m *policy.Model) bool { return !l.finds(m) })
	page := l.page(len(models))
	p.Pager = l.numbered(page, len(models), "model")
	for _, m := range models[page*pageSize : min(len(models), (page+1)*pageSize)] {
		p.Rows = append(p.Rows, s.matrixRow(c, home.ID, m, shown))
	}
	return p, nil
}

// across cuts the workspaces that stand side by side.
func (l listed) across(places []workspace.Listed) ([]workspace.Listed, ui.Pager) {
	n, _ := strconv.Atoi(l.get("workspaces")) // what is no number is the first page
	last := max(0, len(places)-1) / matrixAcross
	n = min(max(0, n-1), last)
	begin, end := n*matrixAcross, min(len(places), (n+1)*matrixAcross)
	p := ui.Pager{Summary: "Workspaces " + strconv.Itoa(begin+1) + "–" + strconv.Itoa(end) + " of " + strconv.Itoa(len(places))}
	if n > 0 {
		p.PrevURL = l.with("workspaces", strconv.Itoa(n))
	}
	if n < last {
		p.NextURL = l.with("workspaces", strconv.Itoa(n+2))
	}
	return places[begin:end], p
}

// finds reports whether a model is one of those that are looked for.
func (l listed) finds(m *policy.Model) bool {
	words := strings.ToLower(m.Name + " " + string(m.ID) + " " + catalogue.VendorTitle(m.Vendor))
	for _, wanted := range strings.Fields(strings.ToLower(l.search())) {
		if !strings.Contains(words, wanted) {
			return false
		}
	}
	return true
}

var (
	capabilityLetters = map[catalogue.Capability]string{catalogue.Call: "C", catalogue.Train: "T", catalogue.Deploy: "D"}
	capabilityWords   = map[catalogue.Capability]string{catalogue.Call: "Calling", catalogue.Train: "Training", catalogue.Deploy: "Deployment"}
)

func (s *Server) matrixRow(c echo.Context, home ident.Workspace, m *policy.Model, places []workspace.Listed) authorizations.Row {
	r := authorizations.Row{ID: string(m.ID), Name: m.Name, URL: modelURL(home, m.ID)}
	for _, w := range places {
		r.Cells = append(r.Cells, s.matrixCell(m, w))
	}
	for _, k := range catalogue.All {
		if m.Offers.Has(k) && mayGrant(c) {
			r.Subjects = append(r.Subjects, authorizations.Subject{
				ID: "authorize-" + k.String() + "-" + string(m.ID), Label: capabilityWords[k], Name: "Authorize " + k.Title() + " of " + m.Name,
				URL: withQuery(authorizeURL(home, m.ID, k), "from", fromMatrix),
			})
		}
	}
	return r
}

func (s *Server) matrixCell(m *policy.Model, w workspace.Listed) authorizations.Cell {
	var cell authorizations.Cell
	var held []string
	for _, k := range catalogue.All {
		state := authorizations.Absent
		switch {
		case !m.Offers.Has(k):
			state = authorizations.Never
		case s.Policy.Now().Holds(w.ID, m.ID, k):
			held = append(held, k.Title())
			if state = authorizations.Held; k == catalogue.Call && w.CallAll {
				state = authorizations.All
			}
		}
		cell.Marks = append(cell.Marks, authorizations.Mark{Letter: capabilityLetters[k], State: state})
	}
	cell.Words = w.Name + ": nothing"
	if len(held) > 0 {
		cell.Words = w.Name + ": " + strings.Join(held, ", ")
	}
	return cell
}

func (s *Server) matrixPlace(c echo.Context, w workspace.Listed) authorizations.Place {
	return authorizations.Place{
		ID: string(w.ID), Name: w.Name, URL: modelsURL(w.ID), Default: w.Default, All: w.CallAll,
		AllURL: when(!w.Default && mayGrant(c), authorizeAllURL(w.ID)),
	}
}

// confirmAuthorizeAll answers GET /workspaces/:workspace/authorize-all: it asks
// before a workspace may call every model, or before that ends.
func (s *Server) confirmAuthorizeAll(c echo.Context) error {
	w := here(c)
	if w.Default {
		return fault.NoSuch("page")
	}
	p := authorizations.AllProps{
		Workspace: w.Name, Open: !w.CallAll, Action: authorizeAllURL(w.ID), CancelURL: authorizationsURL,
		Text: "Its programs may then call every model of the catalogue, and every one that is added to it later. Training and deployment stay as they are.",
	}
	if w.CallAll {
		p.Text = "Authorize single models again afterwards: its earlier calling authorizations end as well, as in the original."
		p.Stops = []string{"Every call of a program of " + w.Name + " is refused at once, whatever the model.", "Training and deployment stay as they are."}
	}
	return s.showDialog(c, http.StatusOK, authorizations.AllDialog(p), s.authorizationsPage)
}

// authorizeAll answers POST /workspaces/:workspace/authorize-all.
func (s *Server) authorizeAll(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	w := here(c)
	to, message := grant.Close, w.Name+" may no longer call every model"
	if in.Get("open") == "yes" {
		to, message = grant.Open, w.Name+" may call every model"
	}
	if err := s.Grants.Permit(c.Request().Context(), actor(c), w.ID, grant.Permit{All: to}); err != nil {
		return err
	}
	return s.matrixChanged(c, message)
}
