package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/deployment"
	"bailiwick/internal/fault"
	"bailiwick/views/deployments"
	"bailiwick/views/ui"
)

// newDeployment answers GET /workspaces/:workspace/deployments/new; a model may be named.
func (s *Server) newDeployment(c echo.Context) error {
	in := form{c.QueryParams()}
	if ordinary(in.Values) != nil {
		in = form{}
	}
	return s.showDeploy(c, http.StatusOK, in, nil)
}

// createDeployment answers POST /workspaces/:workspace/deployments.
func (s *Server) createDeployment(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	w := deployment.Wanted{Model: in.Get("model"), Title: in.Get("name"), Suffix: in.Get("suffix")}
	w.Capacity, err = figureIn(in, "capacity", 1)
	if err == nil {
		w.Requests, w.Tokens, err = limitsOf(in)
	}
	var d deployment.Deployment
	if err == nil {
		d, err = s.Deployments.Create(c.Request().Context(), actor(c), here(c).ID, w)
	}
	if besideField(err) {
		return s.showDeploy(c, statusOf(err), in, err)
	}
	if err != nil {
		return err
	}
	return s.leaveSaying(c, deploymentURL(here(c).ID, d.ID), "Deployment created")
}

// figureIn reads a whole number; an empty one is what else it is.
func figureIn(in form, name string, otherwise int) (int, error) {
	text := strings.TrimSpace(in.Get(name))
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fault.Field(name, "Enter a whole number.")
	}
	return n, nil
}

func limitsOf(in form) (requests, tokens int, err error) {
	if requests, err = figureIn(in, "rpm_limit", 0); err == nil {
		tokens, err = figureIn(in, "tpm_limit", 0)
	}
	return requests, tokens, err
}

func (s *Server) showDeploy(c echo.Context, status int, in form, cause error) error {
	p, err := s.deployForm(c, in, cause)
	if err != nil {
		return err
	}
	if visitOf(c).scripted {
		return s.send(c, status, deployments.Task(p))
	}
	if p.Chrome, err = s.chrome(c, "Deploy a model", atDeployments); err != nil {
		return err
	}
	return s.send(c, status, deployments.Form(p))
}

func (s *Server) deployForm(c echo.Context, in form, cause error) (deployments.FormProps, error) {
	w := here(c)
	offers, err := s.Deployments.Offers(c.Request().Context(), actor(c), w.ID)
	p := deployments.FormProps{
		Workspace: w.Name, Action: deploymentsURL(w.ID), CancelURL: deploymentsURL(w.ID), ModelError: about(cause, "model"),
		Name:     ui.Field{Name: "name", Label: "Name", Value: in.Get("name"), Hint: "For people. Left empty, it is the name that callers write.", Error: about(cause, "name"), MaxLength: deployment.TitleMost},
		Suffix:   ui.Field{Name: "suffix", Label: "Suffix", Value: in.Get("suffix"), Hint: "Ends the name that callers write: up to 8 lower-case letters and digits.", Error: about(cause, "suffix"), MaxLength: deployment.SuffixMost, Mono: true, NoSpell: true},
		Capacity: ui.Field{Name: "capacity", Label: "Replicas", Value: orElse(in.Get("capacity"), "1"), Hint: "1–999; 0 keeps it stopped.", Error: about(cause, "capacity")},
		Requests: ui.Field{Name: "rpm_limit", Label: "Requests a minute", Value: in.Get("rpm_limit"), Hint: "Left empty: no limit.", Error: about(cause, "rpm_limit")},
		Tokens:   ui.Field{Name: "tpm_limit", Label: "Tokens a minute", Value: in.Get("tpm_limit"), Hint: "Left empty: no limit.", Error: about(cause, "tpm_limit")},
	}
	if cause != nil && p.ModelError+p.Name.Error+p.Suffix.Error+p.Capacity.Error+p.Requests.Error+p.Tokens.Error == "" {
		p.Notice = bad(cause)
	}
	for _, o := range offers {
		label := o.Name + " (" + string(o.Model) + ") · " + hourPrice(o.Price, o.Demo)
		if o.Tuned {
			label = "Own: " + label
		}
		p.Models = append(p.Models, ui.Option{Value: string(o.Model), Label: label, Selected: in.Get("model") == string(o.Model)})
	}
	if len(offers) == 0 {
		p.Nothing = s.nothingToDeploy(c)
	}
	return p, err
}

func (s *Server) nothingToDeploy(c echo.Context) *ui.Notice {
	n := &ui.Notice{
		Tone: ui.Info, Title: "There is nothing to deploy yet.",
		Text: "This workspace may deploy models that the account owner authorized it to deploy and a provider keeps ready, and models that it trained itself.",
	}
	if actor(c).MayIn(here(c).ID, access.ReadModels) {
		n.Links = append(n.Links, ui.Link{Label: "Models", URL: withQuery(modelsURL(here(c).ID), "capability", "deploy")})
	}
	if actor(c).MayIn(here(c).ID, access.ChangeTrainings) {
		n.Links = append(n.Links, ui.Link{Label: "Train a model", URL: newTrainingURL(here(c).ID)})
	}
	return n
}

// askScale answers GET …/deployments/:deployment/scale.
func (s *Server) askScale(c echo.Context) error { return s.showScale(c, http.StatusOK, nil, nil) }

func (s *Server) showScale(c echo.Context, status int, in *form, cause error) error {
	d, err := s.findDeployment(c)
	if err != nil {
		return err
	}
	address := deploymentURL(d.Workspace, d.ID)
	now := strconv.Itoa(d.Capacity)
	if in != nil {
		now = in.Get("capacity")
	}
	p := deployments.ChangeProps{
		Title: "Scale " + d.Title, Text: "One replica costs: " + hourPrice(d.Price, d.Demo) + ".", Action: address + "/scale", CancelURL: address, Button: "Scale",
		Fields: []ui.Field{{Name: "capacity", Label: "Replicas", Value: now, Hint: "1–999; 0 stops it.", Error: about(cause, "capacity"), Focus: true}},
	}
	if cause != nil && p.Fields[0].Error == "" {
		p.Notice = bad(cause)
	}
	return s.showDialog(c, status, deployments.ChangeDialog(p), s.deploymentPage)
}

// scaleDeployment answers POST …/deployments/:deployment/scale.
func (s *Server) scaleDeployment(c echo.Context) error {
	return s.changeDeployment(c, "Deployment changing", s.showScale, func(in form, d deployment.Deployment) error {
		n, err := figureIn(in, "capacity", -1)
		if err == nil {
			_, err = s.Deployments.Scale(c.Request().Context(), actor(c), d.Workspace, d.ID, n)
		}
		return err
	})
}

// askLimits answers GET …/deployments/:deployment/limits.
func (s *Server) askLimits(c echo.Context) error {
	return s.showDeploymentLimits(c, http.StatusOK, nil, nil)
}

func (s *Server) showDeploymentLimits(c echo.Context, status int, in *form, cause error) error {
	d, err := s.findDeployment(c)
	if err != nil {
		return err
	}
	address := deploymentURL(d.Workspace, d.ID)
	requests, tokens := figureOf(d.Requests), figureOf(d.Tokens)
	if in != nil {
		requests, tokens = in.Get("rpm_limit"), in.Get("tpm_limit")
	}
	p := deployments.ChangeProps{
		Title: "Limits of " + d.Title, Text: "Calls beyond them are refused until there is room again. Left empty, there is no limit.", Action: address + "/limits", CancelURL: address, Button: "Save",
		Fields: []ui.Field{
			{Name: "rpm_limit", Label: "Requests a minute", Value: requests, Error: about(cause, "rpm_limit"), Focus: true},
			{Name: "tpm_limit", Label: "Tokens a minute", Value: tokens, Error: about(cause, "tpm_limit")},
		},
	}
	if cause != nil && p.Fields[0].Error+p.Fields[1].Error == "" {
		p.Notice = bad(cause)
	}
	return s.showDialog(c, status, deployments.ChangeDialog(p), s.deploymentPage)
}

// limitDeployment answers POST …/deployments/:deployment/limits.
func (s *Server) limitDeployment(c echo.Context) error {
	return s.changeDeployment(c, "Limits saved", s.showDeploymentLimits, func(in form, d deployment.Deployment) error {
		requests, tokens, err := limitsOf(in)
		if err == nil {
			_, err = s.Deployments.Limit(c.Request().Context(), actor(c), d.Workspace, d.ID, requests, tokens)
		}
		return err
	})
}

// changeDeployment reads a form, has it done, and shows it again where it cannot
// be done as said.
func (s *Server) changeDeployment(c echo.Context, message string, again func(echo.Context, int, *form, error) error, do func(form, deployment.Deployment) error) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	d, err := s.findDeployment(c)
	if err != nil {
		return err
	}
	switch err := do(in, d); {
	case besideField(err):
		return again(c, statusOf(err), &in, err)
	case err != nil:
		return err
	}
	return s.leaveSaying(c, deploymentURL(d.Workspace, d.ID), message)
}
