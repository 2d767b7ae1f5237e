package web

import (
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/deployment"
	"bailiwick/internal/limit"
	"bailiwick/views/deployments"
	"bailiwick/views/ui"
)

var deploymentWords = map[deployment.State]string{
	deployment.Pending: "Waiting", deployment.Deploying: "Deploying", deployment.Running: "Running", deployment.Updating: "Updating",
	deployment.Degraded: "Degraded", deployment.Stopped: "Stopped", deployment.Failed: "Failed", deployment.Deleting: "Deleting",
}

var deploymentTones = map[deployment.State]ui.Tone{
	deployment.Pending: ui.Info, deployment.Deploying: ui.Info, deployment.Running: ui.Good, deployment.Updating: ui.Info,
	deployment.Degraded: ui.Warn, deployment.Failed: ui.Bad, deployment.Deleting: ui.Warn,
}

func deploymentStates(chosen deployment.State) []ui.Option {
	options := []ui.Option{{Label: "Every state"}}
	for _, st := range deployment.States {
		options = append(options, ui.Option{Value: string(st), Label: deploymentWords[st], Selected: st == chosen})
	}
	return options
}

func (s *Server) deploymentList(c echo.Context) (deployments.ListProps, error) {
	w := here(c)
	l := list(c, deploymentsURL(w.ID))
	f := deployment.Filter{Search: l.search(), State: deployment.State(l.get("state")), After: l.after(), Limit: pageSize}
	found, next, _, err := s.Deployments.List(c.Request().Context(), actor(c), w.ID, f)
	if err != nil {
		return deployments.ListProps{}, err
	}
	p := deployments.ListProps{
		URL: l.url, Search: l.search(), States: deploymentStates(f.State), ClearURL: when(l.search()+l.get("state") != "", l.url),
		DeployURL: mayDeploy(c, deploymentsURL(w.ID)+"/new"), Pager: l.pager(len(found), next),
	}
	for _, d := range found {
		p.Rows = append(p.Rows, s.deploymentRow(c, d))
		if !d.Resting() {
			p.PollURL = l.carried(l.url)
		}
	}
	return p, nil
}

func (s *Server) deploymentRow(c echo.Context, d deployment.Deployment) deployments.Row {
	return deployments.Row{
		ID: string(d.ID), Title: d.Title, Name: string(d.Name), Model: string(d.Model), Demo: d.Demo, State: deploymentWords[d.State], Tone: deploymentTones[d.State],
		Reason: d.Reason, Capacity: strconv.Itoa(d.Ready) + " of " + strconv.Itoa(d.Capacity), Price: hourPrice(d.Price, d.Demo), Creator: d.Creator,
		Created: moment(d.CreatedAt), URL: deploymentURL(d.Workspace, d.ID), TalkURL: s.talkTo(c, d),
	}
}

// talkTo is the playground with a deployment chosen, for those who may use it while it is up.
func (s *Server) talkTo(c echo.Context, d deployment.Deployment) string {
	up := d.State.Up() && s.withdrawn(d) == "" && actor(c).MayIn(d.Workspace, access.UsePlayground)
	return when(up, withQuery(playgroundURL(d.Workspace), "model", string(d.Name)))
}

// withdrawn says that calls are refused because the right is gone by which a
// deployment was made; empty: they are not.
func (s *Server) withdrawn(d deployment.Deployment) string {
	need := catalogue.Deploy
	if d.Tuned != "" {
		need = catalogue.Train
	}
	if s.Policy.Now().Holds(d.Workspace, d.Base, need) {
		return ""
	}
	return "Calls are refused: this workspace is not authorized for " + need.Title() + " of " + string(d.Base) + " any more. It still costs what it costs until it is stopped."
}

// hourPrice words what a replica costs for an hour.
func hourPrice(p deployment.Price, demo bool) string {
	switch {
	case demo:
		return "Free: demo engine"
	case p.Currency == "":
		return "Not in the price list"
	}
	return money(catalogue.Price{Amount: strconv.FormatFloat(float64(p.Millionths)/1e6, 'f', -1, 64), Currency: p.Currency}) + " an hour"
}

// deploymentLive is what changes of a deployment.
func (s *Server) deploymentLive(c echo.Context, d deployment.Deployment) (deployments.LiveProps, error) {
	address := deploymentURL(d.Workspace, d.ID)
	p := deployments.LiveProps{
		PollURL: when(!d.Resting(), address), State: deploymentWords[d.State], Tone: deploymentTones[d.State], Demo: d.Demo, Reason: d.Reason,
		Withdrawn: s.withdrawn(d), Facts: s.deploymentFacts(c, d), TalkURL: s.talkTo(c, d), StartWord: "Start",
	}
	if d.State != deployment.Deleting {
		p.ScaleURL, p.LimitURL, p.DeleteURL = mayDeploy(c, address+"/scale"), mayDeploy(c, address+"/limits"), mayDeploy(c, address+"/delete")
		p.StopURL = when(d.Capacity > 0, mayDeploy(c, address+"/stop"))
		p.StartURL = when(d.Capacity == 0 || d.State == deployment.Failed, mayDeploy(c, address+"/start"))
	}
	if d.State == deployment.Failed {
		p.StartWord = "Try again"
	}
	moves, err := s.Deployments.History(c.Request().Context(), actor(c), d.Workspace, d.ID)
	for _, m := range moves {
		p.Moves = append(p.Moves, deployments.Move{At: moment(m.At), State: deploymentWords[m.To], Tone: deploymentTones[m.To], Reason: m.Reason})
	}
	return p, err
}

func (s *Server) deploymentFacts(c echo.Context, d deployment.Deployment) []deployments.Fact {
	model := deployments.Fact{Name: "Model", Text: string(d.Model), URL: modelURL(d.Workspace, d.Base)}
	if d.Tuned != "" {
		model.URL = when(actor(c).MayIn(d.Workspace, access.ReadTrainings), ownModelURL(d.Workspace, d.Tuned))
	}
	facts := []deployments.Fact{model}
	if d.Tuned != "" {
		facts = append(facts, deployments.Fact{Name: "Trained from", Text: string(d.Base), URL: modelURL(d.Workspace, d.Base)})
	}
	facts = append(facts,
		deployments.Fact{Name: "Replicas", Text: strconv.Itoa(d.Ready) + " of " + strconv.Itoa(d.Capacity) + " answer"},
		deployments.Fact{Name: "Price", Text: hourPrice(d.Price, d.Demo)},
		deployments.Fact{Name: "Limits", Text: withSetter(deploymentLimits(d), limit.Setter{By: d.LimitsBy, At: d.LimitsAt})},
		deployments.Fact{Name: "Up since", Text: orElse(moment(d.UpSince).Text, "Not up")},
		deployments.Fact{Name: "Created", Text: moment(d.CreatedAt).Text + " by " + d.Creator},
	)
	if p := s.Policy.Now().Provider(d.Provider); p != nil {
		facts = append(facts, deployments.Fact{Name: "Provider", Text: p.Name})
	}
	return append(facts, deployments.Fact{Name: "ID", Text: string(d.ID), Copy: true})
}

// withSetter adds to a sentence who set what it says.
func withSetter(words string, who limit.Setter) string {
	if by := setBy(who); by != "" {
		return strings.TrimSuffix(words, ".") + ". " + by + "."
	}
	return words
}

func deploymentLimits(d deployment.Deployment) string {
	switch {
	case d.Requests == 0 && d.Tokens == 0:
		return "None"
	case d.Tokens == 0:
		return counted(d.Requests, "request") + " a minute"
	case d.Requests == 0:
		return counted(d.Tokens, "token") + " a minute"
	}
	return counted(d.Requests, "request") + " and " + counted(d.Tokens, "token") + " a minute"
}
