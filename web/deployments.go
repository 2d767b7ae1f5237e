package web

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/deployment"
	"bailiwick/internal/ident"
	"bailiwick/views/deployments"
	"bailiwick/views/ui"
)

const atDeployments = "deployments"

func deploymentsURL(ws ident.Workspace) string { return workspaceURL(ws) + "/deployments" }

func deploymentURL(ws ident.Workspace, id ident.Deployment, act ...string) string {
	return strings.Join(append([]string{deploymentsURL(ws), string(id)}, act...), "/")
}

// listDeployments answers GET /workspaces/:workspace/deployments.
func (s *Server) listDeployments(c echo.Context) error {
	rows, err := s.deploymentList(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, deployments.List(rows), func() (templ.Component, error) {
		p := deployments.IndexProps{Workspace: here(c).Name, List: rows}
		var err error
		p.Chrome, err = s.chrome(c, "Deployments", atDeployments)
		return deployments.Index(p), err
	})
}

// findDeployment finds the deployment that the path names, in its workspace.
func (s *Server) findDeployment(c echo.Context) (deployment.Deployment, error) {
	id, err := ident.ParseDeployment(param(c, "deployment"))
	if err != nil {
		return deployment.Deployment{}, err
	}
	return s.Deployments.Find(c.Request().Context(), actor(c), here(c).ID, id)
}

// showDeployment answers GET …/deployments/:deployment: the page, or what changes of it.
func (s *Server) showDeployment(c echo.Context) error {
	d, err := s.findDeployment(c)
	if err != nil {
		return err
	}
	live, err := s.deploymentLive(c, d)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, deployments.Live(live), func() (templ.Component, error) { return s.deploymentPage(c, nil) })
}

// deploymentPage is the page of a deployment with a dialog over it, if there is one.
func (s *Server) deploymentPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	d, err := s.findDeployment(c)
	if err != nil {
		return nil, err
	}
	p := deployments.PageProps{Title: d.Title, Name: string(d.Name), BackURL: deploymentsURL(d.Workspace), Samples: s.samples(c, here(c), d.Name)}
	if p.Live, err = s.deploymentLive(c, d); err != nil {
		return nil, err
	}
	for _, b := range s.place(c, d.Workspace).baseURLs() {
		p.Bases = append(p.Bases, deployments.Base{Dialect: b.Label, URL: b.URL})
	}
	p.Chrome, err = s.chrome(c, d.Title, atDeployments)
	p.Chrome.Overlay = overlay
	return deployments.Page(p), err
}

// startDeployment answers POST …/deployments/:deployment/start.
func (s *Server) startDeployment(c echo.Context) error {
	d, err := s.findDeployment(c)
	if err != nil {
		return err
	}
	if _, err := s.Deployments.Start(c.Request().Context(), actor(c), d.Workspace, d.ID); err != nil {
		return err
	}
	return s.leaveSaying(c, deploymentURL(d.Workspace, d.ID), "Deployment starting")
}

// confirmStopDeployment answers GET …/deployments/:deployment/stop.
func (s *Server) confirmStopDeployment(c echo.Context) error {
	return s.confirmDeployment(c, "stop", http.StatusOK, nil)
}

// confirmDeleteDeployment answers GET …/deployments/:deployment/delete.
func (s *Server) confirmDeleteDeployment(c echo.Context) error {
	return s.confirmDeployment(c, "delete", http.StatusOK, nil)
}

func (s *Server) confirmDeployment(c echo.Context, act string, status int, cause error) error {
	d, err := s.findDeployment(c)
	if err != nil {
		return err
	}
	address := deploymentURL(d.Workspace, d.ID)
	p := ui.Confirm{
		Title: "Stop " + d.Title + "?", Text: "It is kept, costs nothing while it is stopped, and can be started again.", Action: address + "/" + act, Button: "Stop", CancelURL: address, Tone: ui.Bad,
		Stops: []string{"Calls of the model " + string(d.Name) + " are refused from then on."},
	}
	if act == "delete" {
		p.Title, p.Text, p.Button = "Delete "+d.Title+"?", "It is taken away for good. The model that is deployed stays as it is.", "Delete"
		p.Stops = append(p.Stops, "API keys that are narrowed to it can call nothing by that name.")
	}
	if cause != nil {
		p.Notice = bad(cause)
	}
	return s.showDialog(c, status, deployments.ConfirmDialog(p), s.deploymentPage)
}

// stopDeployment answers POST …/deployments/:deployment/stop.
func (s *Server) stopDeployment(c echo.Context) error {
	d, err := s.findDeployment(c)
	if err != nil {
		return err
	}
	_, err = s.Deployments.Stop(c.Request().Context(), actor(c), d.Workspace, d.ID)
	if mendable(err) {
		return s.confirmDeployment(c, "stop", statusOf(err), err)
	}
	if err != nil {
		return err
	}
	return s.leaveSaying(c, deploymentURL(d.Workspace, d.ID), "Deployment stopping")
}

// deleteDeployment answers POST …/deployments/:deployment/delete.
func (s *Server) deleteDeployment(c echo.Context) error {
	d, err := s.findDeployment(c)
	if err != nil {
		return err
	}
	_, err = s.Deployments.Delete(c.Request().Context(), actor(c), d.Workspace, d.ID)
	if mendable(err) {
		return s.confirmDeployment(c, "delete", statusOf(err), err)
	}
	if err != nil {
		return err
	}
	return s.leaveSaying(c, deploymentsURL(d.Workspace), "Deployment deleted")
}

// mayDeploy gives an address to those who may change deployments.
func mayDeploy(c echo.Context, address string) string {
	return when(actor(c).MayIn(here(c).ID, access.ChangeDeployments), address)
}
