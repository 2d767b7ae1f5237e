package web

import (
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/views/models"
	"bailiwick/views/ui"
)

// ownModels are the deployments of a workspace as models that it may call.
func (s *Server) ownModels(c echo.Context) (list []models.Own) {
	now, ws := s.Policy.Now(), here(c).ID
	for _, m := range now.Private(ws) {
		o := models.Own{Name: m.Name, ID: string(m.ID), Base: string(m.Base), State: "Not up", Tone: ui.Quiet}
		switch {
		case !now.Holds(ws, m.ID, catalogue.Call):
			o.State, o.Tone = "Not authorized any more", ui.Warn
		case len(m.Servings) > 0:
			o.State, o.Tone = "Callable", ui.Good
		}
		o.URL = when(actor(c).MayIn(ws, access.ReadDeployments), withQuery(deploymentsURL(ws), "q", string(m.ID)))
		list = append(list, o)
	}
	return list
}
