package web

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/views/ui"
	"bailiwick/views/why"
)

// findWhy answers GET /why, to which refusals lead: it goes on to the page on
// which this person may read about the refused call.
func (s *Server) findWhy(c echo.Context) error {
	request := c.QueryParam("request")
	ws, err := s.Why.Place(c.Request().Context(), actor(c), request)
	if err != nil {
		return err
	}
	return s.leave(c, withQuery(whyURL(ws), "request", request))
}

// showWhy answers GET /account/why and GET /workspaces/:workspace/why.
func (s *Server) showWhy(c echo.Context) error {
	look, status, err := s.lookWhy(c)
	if err != nil {
		return err
	}
	recent, err := s.recentRefusals(c)
	if err != nil {
		return err
	}
	q, err := s.whyForm(c, whyAsked(c))
	if err != nil {
		return err
	}
	return s.show(c, status, why.Recent(recent), func() (templ.Component, error) { return s.whyPage(c, look, q, recent) })
}

// askWhy answers POST /account/why and POST /workspaces/:workspace/why.
func (s *Server) askWhy(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	ask := explanation.Ask{
		Key: in.Get("key"), Secret: secret.NewText(in.Get("secret")), Header: in.Get("header"), Path: in.Get("path"), Host: in.Get("host"),
		Model: in.Get("model"), Capability: in.Get("capability"), Address: in.Get("address"),
	}
	answer, wrong := s.Why.Explain(c.Request().Context(), actor(c), whyPlace(c), ask)
	if wrong != nil && !fault.Is(wrong, fault.Invalid) {
		return wrong
	}
	if wrong == nil && answer.Key != "" {
		ask.Key = string(answer.Key) // so that the next question is about the same key
	}
	q, err := s.whyForm(c, ask)
	if err != nil {
		return err
	}
	if wrong != nil {
		mistaken(&q, wrong)
	} else {
		q.Answer = s.verdict(c, answer)
	}
	return s.show(c, statusOr(wrong, http.StatusOK), why.Question(q), func() (templ.Component, error) {
		recent, err := s.recentRefusals(c)
		if err != nil {
			return nil, err
		}
		return s.whyPage(c, why.LookProps{URL: whyURL(whyPlace(c))}, q, recent)
	})
}

// statusOr is the status of an error, or another one where there is none.
func statusOr(err error, status int) int {
	if err != nil {
		return statusOf(err)
	}
	return status
}

func mistaken(q *why.QuestionProps, wrong error) {
	q.KeyError, q.SecretError, q.WorkspaceError = about(wrong, "key"), about(wrong, "secret"), about(wrong, "workspace")
	q.ModelError, q.AddressError = about(wrong, "model"), about(wrong, "address")
	if q.KeyError+q.WorkspaceError+q.ModelError+q.AddressError == "" {
		q.KeyError = fault.Show(wrong)
	}
}

// whyPlace is the workspace that is asked about; empty: the whole account.
func whyPlace(c echo.Context) ident.Workspace {
	if v := visitOf(c); v.here != nil {
		return v.here.ID
	}
	return ""
}

// whyAsked is what the address fills into the form, for links from other pages.
func whyAsked(c echo.Context) explanation.Ask {
	values := c.QueryParams()
	if ordinary(values) != nil {
		values = nil
	}
	ask := explanation.Ask{Key: values.Get("key"), Header: values.Get("workspace"), Model: values.Get("model"), Capability: values.Get("capability")}
	if v := visitOf(c); ask.Header == "" && v.here != nil && !v.here.Default && v.actor.MayIn(v.here.ID, readID) {
		ask.Header = string(v.here.ID)
	}
	return ask
}

// lookWhy finds the refused call that the address names.
func (s *Server) lookWhy(c echo.Context) (why.LookProps, int, error) {
	p := why.LookProps{URL: whyURL(whyPlace(c)), Request: trimmed(c.QueryParam("request"))}
	if p.Request == "" || ordinary(c.QueryParams()) != nil {
		p.Request = ""
		return p, http.StatusOK, nil
	}
	past, err := s.Why.Refused(c.Request().Context(), actor(c), whyPlace(c), p.Request)
	if f, ok := fault.On(err, "request"); ok {
		p.Error = f.Message
		return p, statusOf(err), nil
	}
	if err == nil {
		p.Past, err = s.pastProps(c, past)
	}
	return p, http.StatusOK, err
}

// whyPage is the whole page.
func (s *Server) whyPage(c echo.Context, look why.LookProps, q why.QuestionProps, recent why.RecentProps) (templ.Component, error) {
	p := why.IndexProps{Look: look, Question: q, Recent: recent}
	key := atAccountWhy
	if v := visitOf(c); v.here != nil {
		p.Workspace, key = v.here.Name, atWhy
	}
	var err error
	p.Chrome, err = s.chrome(c, "Why?", key)
	return why.Index(p), err
}

// capabilityChoices are the capabilities, one of them chosen.
func capabilityChoices(chosen string) []ui.Option {
	var options []ui.Option
	for _, k := range catalogue.All {
		options = append(options, ui.Option{Value: k.String(), Label: k.Title(), Selected: k.String() == chosen})
	}
	return options
}
