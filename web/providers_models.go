package web

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/views/providers"
	"bailiwick/views/ui"
)

// showServed answers GET …/:provider/served.
func (s *Server) showServed(c echo.Context) error {
	p, servings, err := s.findProvider(c)
	if err != nil {
		return err
	}
	return s.sendServed(c, http.StatusOK, p, servings, form{}, nil)
}

func (s *Server) sendServed(c echo.Context, status int, p provider.Provider, servings []provider.Serving, typed form, wrong error) error {
	all, err := s.everyModel(c)
	if err != nil {
		return err
	}
	chrome, err := s.chrome(c, "Models of "+p.Name, atProviders)
	if err != nil {
		return err
	}
	props := providers.ServedProps{
		Chrome: chrome, Provider: p.Name, Action: providerURL(p.ID, "served"), BackURL: providersURL, ImportURL: providerURL(p.ID, "import"),
		Version: strconv.FormatInt(p.Version, 10),
	}
	for _, m := range all {
		i := slices.IndexFunc(servings, func(v provider.Serving) bool { return v.Model == m.ID })
		if i < 0 {
			props.Choices = append(props.Choices, ui.Option{Value: string(m.ID), Label: m.Name})
			continue
		}
		r := providers.Served{Model: string(m.ID), Name: m.Name, Upstream: servings[i].Name, Order: strconv.Itoa(max(servings[i].Order, 1)), Weight: strconv.Itoa(max(servings[i].Weight, 1)), Error: about(wrong, string(m.ID))}
		if row := slices.Index(typed.Values["model"], r.Model); row >= 0 {
			r.Order, r.Weight = orElse(typedIn(typed.Values["order"], row), "1"), orElse(typedIn(typed.Values["weight"], row), "1")
		}
		props.Rows = append(props.Rows, r)
	}
	if wrong != nil && !slices.ContainsFunc(props.Rows, func(r providers.Served) bool { return r.Error != "" }) {
		props.Notice = bad(wrong)
	}
	return s.send(c, status, providers.ServedPage(props))
}

// everyModel is the account's catalogue, as it is seen in its first workspace.
func (s *Server) everyModel(c echo.Context) ([]catalogue.Model, error) {
	mine, err := s.mine(c.Request().Context(), actor(c))
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	return s.Catalogue.List(c.Request().Context(), actor(c), mine[0].ID)
}

// changeServed answers POST …/:provider/served. A row whose name was emptied is
// served no longer; the row for adding counts when a model is chosen in it.
func (s *Server) changeServed(c echo.Context) error {
	p, now, err := s.findProvider(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	wanted, err := servingsOf(in, now)
	if err != nil {
		return err
	}
	err = s.Providers.Serve(c.Request().Context(), actor(c), p.ID, wanted)
	if mendable(err) {
		return s.sendServed(c, statusOf(err), p, wanted, in, err)
	}
	if err != nil {
		return err
	}
	return s.done(c, providerURL(p.ID, "served"), "Models of "+p.Name+" saved", s.nothing)
}

func servingsOf(in form, now []provider.Serving) ([]provider.Serving, error) {
	ids, names, orders, weights := in.Values["model"], in.Values["upstream"], in.Values["order"], in.Values["weight"]
	if len(ids) != len(names) {
		return nil, fault.New(fault.Invalid, "The form is damaged. Load the page again.")
	}
	var wanted []provider.Serving
	for i, text := range ids {
		if text == "" {
			continue
		}
		id, err := ident.ParseModel(text)
		if err != nil {
			return nil, fault.NoSuch("model")
		}
		served := slices.ContainsFunc(now, func(v provider.Serving) bool { return v.Model == id })
		if names[i] == "" && served {
			continue
		}
		wanted = append(wanted, provider.Serving{Model: id, Name: names[i], Order: bounded(orders, i, provider.OrderMax), Weight: bounded(weights, i, provider.WeightMax)})
	}
	return wanted, nil
}

// bounded reads the whole number of a row; none is 1, and what is no number is
// more than most, so that it is refused with the bounds.
func bounded(column []string, row, most int) int {
	text := typedIn(column, row)
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return most + 1
	}
	return n
}

// typedIn is what a row of a column says.
func typedIn(column []string, row int) string {
	if row >= len(column) {
		return ""
	}
	return column[row]
}

// showImport answers GET …/:provider/import: what the provider says it has.
func (s *Server) showImport(c echo.Context) error {
	p, servings, err := s.findProvider(c)
	if err != nil {
		return err
	}
	return s.sendImport(c, http.StatusOK, p, servings, nil, nil)
}

func (s *Server) sendImport(c echo.Context, status int, p provider.Provider, servings, chosen []provider.Serving, wrong error) error {
	names, asked := s.Providers.Remote(c.Request().Context(), actor(c), p.ID)
	if asked != nil && !fault.Is(asked, fault.Unavailable) {
		return asked
	}
	all, err := s.everyModel(c)
	if err != nil {
		return err
	}
	chrome, err := s.chrome(c, "Import models", atProviders)
	if err != nil {
		return err
	}
	props := providers.ImportProps{Chrome: chrome, Provider: p.Name, Action: providerURL(p.ID, "import"), BackURL: providerURL(p.ID, "served")}
	if asked != nil {
		props.Notice = bad(asked)
	} else if wrong != nil {
		props.Notice = bad(wrong)
	}
	for _, name := range names {
		props.Rows = append(props.Rows, remoteRow(name, all, servings, chosen, wrong))
	}
	return s.send(c, status, providers.ImportPage(props))
}

// remoteRow is one model as the provider names it. What is named as a model of
// the catalogue becomes that one, unless somebody says otherwise.
func remoteRow(name string, all []catalogue.Model, servings, chosen []provider.Serving, wrong error) providers.Remote {
	named := func(v provider.Serving) bool { return v.Name == name }
	r := providers.Remote{ID: name, Served: slices.ContainsFunc(servings, named), Error: about(wrong, name)}
	as := ident.Model("")
	if i := slices.IndexFunc(chosen, named); i >= 0 {
		r.Chosen, as = true, chosen[i].Model
	} else if i := slices.IndexFunc(all, func(m catalogue.Model) bool { return string(m.ID) == name }); i >= 0 {
		as = all[i].ID
	}
	r.Choices = []ui.Option{{Label: "A new model of this name", Selected: as == ""}}
	for _, m := range all {
		r.Choices = append(r.Choices, ui.Option{Value: string(m.ID), Label: m.Name, Selected: m.ID == as})
	}
	return r
}

// importModels answers POST …/:provider/import.
func (s *Server) importModels(c echo.Context) error {
	p, servings, err := s.findProvider(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	var chosen []provider.Serving
	for _, name := range in.Values["remote"] {
		chosen = append(chosen, provider.Serving{Name: name, Model: ident.Model(in.Get("as:" + name))})
	}
	if len(chosen) == 0 {
		return s.sendImport(c, http.StatusUnprocessableEntity, p, servings, nil, fault.New(fault.Invalid, "Choose at least one model."))
	}
	err = s.Providers.Import(c.Request().Context(), actor(c), p.ID, slices.Clone(chosen))
	if mendable(err) {
		return s.sendImport(c, statusOf(err), p, servings, chosen, err)
	}
	if err != nil {
		return err
	}
	return s.done(c, providerURL(p.ID, "served"), counted(len(chosen), "model")+" imported", s.nothing)
}
