package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/views/limits"
	"bailiwick/views/ui"
)

// The keys and addresses of these pages.
const (
	atLimits         = "limits"
	atAccountLimits  = "account-limits"
	accountLimitsURL = "/account/limits"
)

func limitsURL(ws ident.Workspace) string { return workspaceURL(ws) + "/limits" }

// limitURL and accountLimitURL escape the id: it may hold slashes.
func limitURL(ws ident.Workspace, m ident.Model) string {
	return limitsURL(ws) + "/" + url.PathEscape(string(m)) + "/edit"
}

func accountLimitURL(m ident.Model) string {
	return accountLimitsURL + "/edit?model=" + url.QueryEscape(string(m))
}

// listLimits answers GET /workspaces/:workspace/limits.
func (s *Server) listLimits(c echo.Context) error { return s.showLimits(c) }

// listAccountLimits answers GET /account/limits: what all workspaces share.
func (s *Server) listAccountLimits(c echo.Context) error { return s.showLimits(c) }

func (s *Server) showLimits(c echo.Context) error {
	return showList(s, c, s.limitList, limits.List, s.limitsPage)
}

// limitsPage is the list with a dialog over it, if there is one.
func (s *Server) limitsPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	rows, err := s.limitList(c)
	if err != nil {
		return nil, err
	}
	p := limits.IndexProps{List: rows, Title: "Account Limits", Intro: "How often and how much each model may be called by all workspaces together."}
	key := atAccountLimits
	if visitOf(c).here != nil {
		p.Title, p.Intro, key = "Limits", "How often and how much "+here(c).Name+" may call each model. What has no limit of its own shares the account's.", atLimits
	}
	p.Chrome, err = s.chrome(c, p.Title, key)
	p.Chrome.Overlay = overlay
	return limits.Index(p), err
}

// limited is the model whose limit a dialog is about, and what is set now.
type limited struct {
	model   *policy.Model
	limit   limit.Limit
	version int64
}

// findLimited finds the model that the address names, in the path of a
// workspace's pages and in the query of the account's.
func (s *Server) findLimited(c echo.Context) (limited, error) {
	name := c.QueryParam("model")
	if visitOf(c).here != nil {
		name = param(c, "model")
	}
	for _, m := range s.Policy.Now().Catalogue(actor(c).Account) {
		if string(m.ID) != name {
			continue
		}
		if visitOf(c).here == nil {
			return limited{m, limit.Of(m.Limit), m.Version}, nil
		}
		set, err := s.Limits.List(c.Request().Context(), actor(c), here(c).ID)
		return limited{m, set[m.ID].Limit, set[m.ID].Version}, err
	}
	return limited{}, fault.NoSuch("model")
}

// editLimit answers GET …/limits/:model/edit and GET /account/limits/edit, which
// leads to the list when it names no model.
func (s *Server) editLimit(c echo.Context) error {
	if visitOf(c).here == nil && c.QueryParam("model") == "" {
		return s.leave(c, accountLimitsURL)
	}
	m, err := s.findLimited(c)
	if err != nil {
		return err
	}
	p := limits.EditProps{RequestPeriods: periodChoices(m.limit.Requests.Period), TokenPeriods: periodChoices(m.limit.Tokens.Period)}
	p.Requests, p.Tokens = figure(m.limit.Requests), figure(m.limit.Tokens)
	return s.showEditLimit(c, http.StatusOK, m, p)
}

func (s *Server) showEditLimit(c echo.Context, status int, m limited, p limits.EditProps) error {
	lines, err := s.besideLines(c, m.model)
	if err != nil {
		return err
	}
	p.Title, p.Version, p.Lines = "Limit of "+m.model.Name, strconv.FormatInt(m.version, 10), lines
	p.Action, p.CancelURL, p.Sub = accountLimitURL(m.model.ID), accountLimitsURL, "All workspaces together"
	p.Hint = "Leave a figure empty for no limit."
	if visitOf(c).here != nil {
		p.Action, p.CancelURL, p.Sub = limitURL(here(c).ID, m.model.ID), limitsURL(here(c).ID), here(c).Name
		p.Hint = "Leave a figure empty to share the account's limit. A token limit needs a request limit beside it."
	}
	return s.showDialog(c, status, limits.EditDialog(p), s.limitsPage)
}

// changeLimit answers POST …/limits/:model/edit and POST /account/limits/edit.
// Somebody else's change is told, and what was typed is kept.
func (s *Server) changeLimit(c echo.Context) error {
	m, err := s.findLimited(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	change, err := limitChange(in, m.model.ID)
	if err == nil {
		err = s.keepLimit(c, change)
	}
	if mendable(err) {
		return s.showEditLimit(c, statusOf(err), m, typedLimit(in, err))
	}
	if err != nil {
		return err
	}
	place, message := accountLimitsURL, "Limit of "+m.model.Name+" saved"
	if visitOf(c).here != nil {
		place = limitsURL(here(c).ID)
	}
	return s.done(c, place, message, func() (templ.Component, error) {
		p, err := s.limitList(c)
		return limits.Changed(limits.ChangedProps{List: p, Toast: message}), err
	})
}

func (s *Server) keepLimit(c echo.Context, change limit.Change) error {
	if visitOf(c).here == nil {
		return s.Limits.ChangeAccount(c.Request().Context(), actor(c), change)
	}
	return s.Limits.Change(c.Request().Context(), actor(c), here(c).ID, []limit.Change{change})
}

// limitChange reads the form: a figure that is empty is no limit, whatever its period.
func limitChange(in form, m ident.Model) (limit.Change, error) {
	change := limit.Change{Model: m, Whole: true, Version: in.version()}
	var err error
	if change.Requests, change.RequestPeriod, err = rateOf(in, "request"); err == nil {
		change.Tokens, change.TokenPeriod, err = rateOf(in, "token")
	}
	if change.Version < 0 {
		change.Version = -2 // none that ever was, and not limit.AnyVersion
	}
	return change, err
}

func rateOf(in form, what string) (count, period *int, err error) {
	text := strings.NewReplacer(",", "", " ", "").Replace(in.Get(what + "s"))
	if text == "" {
		return nil, nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, nil, fault.Field(what+"s", "The limit is a whole number from 0 to %s.", number(limit.MaxCount))
	}
	seconds, err := strconv.Atoi(in.Get(what + "_period"))
	if err != nil {
		return nil, nil, fault.Field(what+"_period", "Choose a period.")
	}
	return &n, &seconds, nil
}

// typedLimit keeps what was typed and says what is wrong with it.
func typedLimit(in form, wrong error) limits.EditProps {
	requestPeriod, _ := strconv.Atoi(in.Get("request_period"))
	tokenPeriod, _ := strconv.Atoi(in.Get("token_period"))
	p := limits.EditProps{
		Requests: in.Get("requests"), RequestPeriods: periodChoices(requestPeriod), Tokens: in.Get("tokens"), TokenPeriods: periodChoices(tokenPeriod),
		RequestsError: about(wrong, "requests"), RequestPeriodError: about(wrong, "request_period"),
		TokensError: about(wrong, "tokens"), TokenPeriodError: about(wrong, "token_period"),
	}
	if fault.Is(wrong, fault.Conflict) {
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "The limit was changed meanwhile.", Text: "What you typed is kept below; Save puts it over that."}
	} else if p.RequestsError+p.RequestPeriodError+p.TokensError+p.TokenPeriodError == "" {
		p.Notice = bad(wrong)
	}
	return p
}
