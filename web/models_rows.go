package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/workspace"
	"bailiwick/views/models"
	"bailiwick/views/ui"
)

// modelList is the table of the gallery. A catalogue is small, so it is
// searched, sorted and cut into pages here.
func (s *Server) modelList(c echo.Context, w workspace.Workspace) (models.ListProps, error) {
	all, err := s.Catalogue.List(c.Request().Context(), actor(c), w.ID)
	if err != nil {
		return models.ListProps{}, err
	}
	l := list(c, modelsURL(w.ID))
	found := slices.DeleteFunc(slices.Clone(all), func(m catalogue.Model) bool { return !s.fits(l, w, m) })
	sortModels(found, l.get("sort"), l.get("order") == "desc")
	page := l.page(len(found))
	p := models.ListProps{
		URL: l.url, Search: l.search(), Vendors: vendorOptions(all, l.get("vendor")), Capabilities: capabilityOptions(l.get("capability")),
		Name: l.sorted("name", ""), Vendor: l.sorted("vendor", ""), Context: l.sorted("context", ""), Price: l.sorted("price", ""),
		Pager: l.numbered(page, len(found), "model"),
	}
	if l.search()+l.get("vendor")+l.get("capability") != "" {
		p.ClearURL = l.url
	}
	for _, m := range found[page*pageSize : min(len(found), (page+1)*pageSize)] {
		p.Rows = append(p.Rows, s.modelRow(w, m))
	}
	return p, nil
}

func (s *Server) modelRow(w workspace.Workspace, m catalogue.Model) models.Row {
	price, unit := priceWords(m)
	return models.Row{
		Name: m.Name, ID: string(m.ID), Vendor: catalogue.VendorTitle(m.Vendor), Type: modelType(m), Context: tokens(m.Context),
		Price: price, PriceUnit: unit, ViewURL: modelURL(w.ID, m.ID), Unserved: !s.Policy.Now().Served(m.Account, m.ID),
		Call: s.state(w, m, catalogue.Call), Train: s.state(w, m, catalogue.Train), Deploy: s.state(w, m, catalogue.Deploy),
	}
}

// fits reports whether a model is one of those that are looked for.
func (s *Server) fits(l listed, w workspace.Workspace, m catalogue.Model) bool {
	if v := l.get("vendor"); v != "" && catalogue.VendorTitle(m.Vendor) != v {
		return false
	}
	if capability, err := catalogue.ParseCapability(l.get("capability")); err == nil && s.state(w, m, capability) != models.Authorized {
		return false
	}
	words := strings.ToLower(m.Name + " " + string(m.ID) + " " + catalogue.VendorTitle(m.Vendor) + " " + modelType(m))
	for _, wanted := range strings.Fields(strings.ToLower(l.search())) {
		if !strings.Contains(words, wanted) {
			return false
		}
	}
	return true
}

// sortModels sorts by a column; those that say nothing of it come last.
func sortModels(list []catalogue.Model, column string, down bool) {
	var by func(a, b catalogue.Model) int
	switch column {
	case "name":
		by = func(a, b catalogue.Model) int {
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		}
	case "vendor":
		by = func(a, b catalogue.Model) int {
			return strings.Compare(catalogue.VendorTitle(a.Vendor), catalogue.VendorTitle(b.Vendor))
		}
	case "context":
		by = func(a, b catalogue.Model) int { return cmp.Compare(a.Context, b.Context) }
	case "price":
		by = func(a, b catalogue.Model) int { return cmp.Compare(priceNumber(a), priceNumber(b)) }
	default:
		return // as the catalogue has them
	}
	slices.SortStableFunc(list, func(a, b catalogue.Model) int {
		if d := cmp.Compare(silent(a, column), silent(b, column)); d != 0 {
			return d
		}
		if down {
			return by(b, a)
		}
		return by(a, b)
	})
}

// silent is 1 for a model that says nothing about a column.
func silent(m catalogue.Model, column string) int {
	if column == "context" && m.Context == 0 || column == "price" && len(m.Prices) == 0 {
		return 1
	}
	return 0
}

func vendorOptions(all []catalogue.Model, chosen string) []ui.Option {
	var names []string
	for _, m := range all {
		names = append(names, catalogue.VendorTitle(m.Vendor))
	}
	slices.Sort(names)
	options := []ui.Option{{Label: "All vendors", Selected: chosen == ""}}
	for _, n := range slices.Compact(names) {
		options = append(options, ui.Option{Value: n, Label: n, Selected: n == chosen})
	}
	return options
}

func capabilityOptions(chosen string) []ui.Option {
	options := []ui.Option{{Label: "Every right", Selected: chosen == ""}}
	for _, c := range catalogue.All {
		options = append(options, ui.Option{Value: c.String(), Label: "May " + c.String(), Selected: c.String() == chosen})
	}
	return options
}
