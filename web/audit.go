package web

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	audits "bailiwick/views/audit"
)

// auditOf is whose trail the path is about: one workspace's, or the account's.
func auditOf(c echo.Context) (ws ident.Workspace, address string) {
	if v := visitOf(c); v.here != nil {
		return v.here.ID, workspaceAuditURL(v.here.ID)
	}
	return "", auditURL
}

// listAudit answers GET /account/audit and GET /workspaces/:workspace/audit.
func (s *Server) listAudit(c echo.Context) error {
	return showList(s, c, s.eventList, audits.List, s.auditPage)
}

// auditPage is the list, with a panel over it or without.
func (s *Server) auditPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	ws, address := auditOf(c)
	key := atAudit
	if ws == "" {
		key = atAccountAudit
	}
	chrome, err := s.chrome(c, "Audit", key)
	if err != nil {
		return nil, err
	}
	chrome.Overlay = overlay
	p := audits.IndexProps{Chrome: chrome, Filters: eventFilters(listBehind(c, address))}
	if ws != "" {
		p.Workspace = here(c).Name
	}
	if p.List, err = s.eventList(c); err != nil {
		return nil, err
	}
	p.Chain, err = s.chainLine(c)
	return audits.Index(p), err
}

// showEvent answers GET …/audit/:event: the panel of one line, under an address
// that stays.
func (s *Server) showEvent(c echo.Context) error {
	id, err := ident.ParseEvent(param(c, "event"))
	if err != nil {
		return err
	}
	ws, _ := auditOf(c)
	line, err := s.Audit.Find(c.Request().Context(), actor(c), ws, id)
	if err != nil {
		return err
	}
	return s.showDialog(c, http.StatusOK, audits.Panel(s.eventPanel(c, line)), s.auditPage)
}

// verifyPatience is how long the button waits for the end of a verification.
const verifyPatience = 3 * time.Second

// verifyAudit answers POST /account/audit/chain.
func (s *Server) verifyAudit(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), verifyPatience)
	defer cancel()
	found, err := s.Audit.Verify(ctx, actor(c))
	if err != nil {
		return err
	}
	message := verified(found)
	return s.done(c, auditURL, message, func() (templ.Component, error) {
		chain, err := s.chainLine(c)
		return audits.Verified(audits.VerifiedProps{Chain: chain, Toast: message}), err
	})
}

func verified(c audit.Checkup) string {
	switch {
	case c.Running:
		return "The chain is being verified"
	case c.Failed:
		return "The chain could not be verified"
	case !c.Report.Whole():
		return "The audit trail is not what it was"
	}
	return "The chain is whole"
}

// showChain answers GET /account/audit/chain, which the page asks while the
// chain is verified.
func (s *Server) showChain(c echo.Context) error {
	chain, err := s.chainLine(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, audits.Chain(chain), func() (templ.Component, error) { return s.auditPage(c, nil) })
}

// eventFilter reads what the address chooses.
func eventFilter(c echo.Context, l listed) account.TrailFilter {
	f := account.TrailFilter{
		Actor: whoOf(l.get("who"), string(actor(c).Alias)), Action: l.get("action"), Object: l.get("object"), Result: audit.Result(l.get("result")),
		Text: l.search(), After: l.after(), Limit: pageSize, From: dayOf(l.get("from")),
	}
	if to := dayOf(l.get("to")); !to.IsZero() {
		f.To = to.AddDate(0, 0, 1)
	}
	return f
}

// dayOf reads a day; what is none is left out.
func dayOf(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1970 || day.Year() > 9000 {
		return time.Time{}
	}
	return day
}
