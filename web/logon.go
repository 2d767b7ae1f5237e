package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/account"
	"bailiwick/internal/fault"
	"bailiwick/internal/secret"
	"bailiwick/internal/workspace"
	"bailiwick/views/logon"
)

// home leads to where somebody works: the first workspace they may enter.
func (s *Server) home(c echo.Context) error {
	to, err := s.firstWorkspace(c)
	if err != nil {
		return err
	}
	return s.leave(c, to)
}

// firstWorkspace is the address of the first workspace the actor may enter.
func (s *Server) firstWorkspace(c echo.Context) (string, error) {
	mine, _, err := s.Workspaces.List(c.Request().Context(), actor(c), workspace.Filter{Limit: 1})
	if err != nil || len(mine) == 0 {
		return workspacesURL, err
	}
	return modelsURL(mine[0].ID), nil
}

// showLogOn answers GET /logon.
func (s *Server) showLogOn(c echo.Context) error {
	next := localPath(c.QueryParam("next"))
	if actor(c).User != "" {
		return s.leave(c, orElse(next, homeURL))
	}
	p := logon.IndexProps{Next: next, Account: c.QueryParam("account")}
	if c.QueryParam("off") != "" {
		p.Notice = "You have logged off."
	}
	if s.setUpDue(c) {
		p.Notice = "This installation has no account yet. Open the link that the program printed when it started."
	}
	return s.sendLogOn(c, http.StatusOK, p)
}

func (s *Server) sendLogOn(c echo.Context, status int, p logon.IndexProps) error {
	p.Bare, p.Action, p.PasskeyAction = s.bare("Log on"), logOnURL, passkeyLogOnURL
	if site := s.site(c); site.Trouble() == "" {
		options, err := s.Factors.AskPasskey(c.Request().Context(), site, "", "", false)
		if err != nil {
			return err
		}
		p.Passkey.Act, p.Passkey.Name, p.Passkey.Options, p.Passkey.Label = "get", "passkey", options, "Log on with a passkey"
	}
	return s.send(c, status, logon.Index(p))
}

// logOn answers POST /logon.
func (s *Server) logOn(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	p := logon.IndexProps{Account: in.Get("account"), Next: localPath(in.Get("next"))}
	address := s.address(c.Request())
	u, err := s.Accounts.LogOn(c.Request().Context(), p.Account, secret.NewText(in.Get("password")), address, visitOf(c).call)
	switch fault.KindOf(err) {
	case fault.Unauthenticated:
		p.Error = fault.Show(err)
		return s.sendLogOn(c, http.StatusUnauthorized, p)
	case fault.Busy:
		return s.slowDown(c, p, address, err)
	}
	if err != nil {
		return err
	}
	return s.welcome(c, u, p.Next)
}

// slowDown tells somebody who guesses passwords, or shares a name or address
// with one who does, how long to wait.
func (s *Server) slowDown(c echo.Context, p logon.IndexProps, address string, err error) error {
	p.Error = fault.Show(err)
	if wait := s.Accounts.Throttle.Wait(p.Account, address); wait > 0 {
		p.Wait = within(wait)
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	}
	return s.sendLogOn(c, http.StatusTooManyRequests, p)
}

// welcome lets somebody in whose password is right; whoever has a second factor
// shows that first.
func (s *Server) welcome(c echo.Context, u account.User, next string) error {
	if !u.Factor {
		return s.enter(c, u, next)
	}
	if err := s.beginHalf(c, u.ID); err != nil {
		return err
	}
	return s.leave(c, withQuery(factorURL, "next", next))
}

// enter begins the session of somebody who has shown who they are.
func (s *Server) enter(c echo.Context, u account.User, next string) error {
	if err := s.beginSession(c, u.ID, s.Now()); err != nil {
		return err
	}
	if next != "" {
		return s.leave(c, next)
	}
	who, err := s.Accounts.Actor(c.Request().Context(), u.ID)
	if err != nil {
		return err
	}
	if place, due := dutyURLs[who.Duty]; due {
		return s.leave(c, place)
	}
	if who.Everywhere() {
		return s.leave(c, workspacesURL)
	}
	visitOf(c).actor = who
	return s.home(c)
}

// logOff answers POST /logoff.
func (s *Server) logOff(c echo.Context) error {
	s.Accounts.LogOff(actor(c))
	if err := s.endSession(c); err != nil {
		return err
	}
	c.Response().Header().Set("Clear-Site-Data", `"cache"`)
	return s.leave(c, logOnURL+"?off=1")
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
