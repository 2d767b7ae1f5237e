package web

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
	"bailiwick/views/models"
	"bailiwick/views/ui"
)

// listModels answers GET /workspaces/:workspace/models: the gallery.
func (s *Server) listModels(c echo.Context) error {
	return showList(s, c, func(c echo.Context) (models.ListProps, error) { return s.modelList(c, here(c)) }, models.List, s.modelsPage)
}

// showModel answers GET /workspaces/:workspace/models/:model: the panel.
func (s *Server) showModel(c echo.Context) error {
	m, err := s.findModel(c)
	if err != nil {
		return err
	}
	p, err := s.panel(c, here(c), m)
	if err != nil {
		return err
	}
	return s.showDialog(c, http.StatusOK, models.Panel(p), s.modelsPage)
}

// findModel finds the model that the path names. What cannot be a model's id is
// no model.
func (s *Server) findModel(c echo.Context) (catalogue.Model, error) {
	id, err := ident.ParseModel(param(c, "model"))
	if err != nil {
		return catalogue.Model{}, fault.NoSuch("model")
	}
	return s.Catalogue.Find(c.Request().Context(), actor(c), here(c).ID, id)
}

// modelsPage is the gallery, with a panel or dialog over it or without.
func (s *Server) modelsPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	chrome, err := s.chrome(c, "Models", atModels)
	if err != nil {
		return nil, err
	}
	rows, err := s.modelList(c, here(c))
	chrome.Overlay = overlay
	return models.Index(models.IndexProps{Chrome: chrome, Workspace: here(c).Name, Own: s.ownModels(c), List: rows}), err
}

// panel says everything about one model in one workspace.
func (s *Server) panel(c echo.Context, w workspace.Workspace, m catalogue.Model) (models.PanelProps, error) {
	rights, err := s.rights(c, w, m)
	p := models.PanelProps{
		URL: modelURL(w.ID, m.ID), BackURL: modelsURL(w.ID), Name: m.Name, ID: string(m.ID),
		Vendor: catalogue.VendorTitle(m.Vendor), Type: modelType(m), Tags: modelTags(m), Facts: modelFacts(m),
		Limits: modelLimits(m), Prices: priceTiers(m), Rights: rights,
	}
	p.PricesURL = when(actor(c).May(access.ChangePrices), pricesURL(w.ID, m.ID))
	if m.Offers.Has(catalogue.Call) && textual(m) {
		p.Samples = s.samples(c, w, m.ID)
	}
	if !s.Policy.Now().Served(m.Account, m.ID) {
		p.Notice = unserved(actor(c))
	}
	return p, err
}

func unserved(by access.Actor) *ui.Notice {
	n := &ui.Notice{Tone: ui.Info, Title: "No provider serves this model yet.", Text: "Calls to it are refused until the account owner lets a provider serve it."}
	if by.May(access.ReadProviders) {
		n.Links = []ui.Link{{Label: "Providers", URL: providersURL}}
	}
	return n
}

// rights are the rows Model Calling, Model Training and Model Deployment. In
// the Default Workspace they name who is authorized, for those who may know.
func (s *Server) rights(c echo.Context, w workspace.Workspace, m catalogue.Model) (models.RightsProps, error) {
	p := models.RightsProps{
		Default: w.Default && actor(c).May(access.ReadGrants),
		Who:     "Only the account owner or a super administrator can change this, in the Default Workspace.",
	}
	for _, capability := range catalogue.All {
		row, err := s.right(c, w, m, capability, p.Default)
		if err != nil {
			return p, err
		}
		p.Rows = append(p.Rows, row)
	}
	return p, nil
}

func (s *Server) right(c echo.Context, w workspace.Workspace, m catalogue.Model, capability catalogue.Capability, listed bool) (models.Right, error) {
	r := models.Right{Capability: capability.Title(), State: s.state(w, m, capability)}
	if capability == catalogue.Deploy {
		r.Note = m.Note
	}
	if r.State == models.NotOffered || !listed {
		return r, nil
	}
	r.AuthorizeURL = when(actor(c).May(access.ChangeGrants), authorizeURL(w.ID, m.ID, capability))
	holders, err := s.Grants.List(c.Request().Context(), actor(c), grant.Subject{Model: m.ID, Capability: capability})
	for _, h := range holders.Holders {
		if h.Granted || h.All {
			r.Authorized = append(r.Authorized, h.Name)
		}
	}
	return r, err
}

// state is what a workspace may do with a model, as the policy sees it.
func (s *Server) state(w workspace.Workspace, m catalogue.Model, capability catalogue.Capability) models.RightState {
	switch {
	case !m.Offers.Has(capability):
		return models.NotOffered
	case s.Policy.Now().Holds(w.ID, m.ID, capability):
		return models.Authorized
	}
	return models.NotAuthorized
}
