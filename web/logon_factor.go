package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/account"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/views/logon"
	"bailiwick/views/ui"
)

// halfway finds who is in the middle of a log-on.
func (s *Server) halfway(c echo.Context) (account.User, bool, error) {
	id, err := ident.ParseUser(kept(visitOf(c).session, sessionPending))
	if err != nil {
		return account.User{}, false, nil
	}
	u, err := s.Factors.Halfway(c.Request().Context(), id)
	if fault.Is(err, fault.Missing) {
		return account.User{}, false, nil
	}
	return u, err == nil, err
}

// showFactor answers GET /logon/factor.
func (s *Server) showFactor(c echo.Context) error {
	u, there, err := s.halfway(c)
	if err != nil {
		return err
	}
	next := localPath(c.QueryParam("next"))
	if !there {
		return s.leave(c, logOnFor(next))
	}
	return s.sendFactor(c, http.StatusOK, u, logon.FactorProps{Next: next})
}

func (s *Server) sendFactor(c echo.Context, status int, u account.User, p logon.FactorProps) error {
	p.Bare, p.Name, p.Action, p.PasskeyAction, p.LogOffURL = s.bare("Second factor"), u.Name, factorURL, passkeyLogOnURL, logOffURL
	if site := s.site(c); site.Trouble() == "" {
		options, err := s.Factors.AskPasskey(c.Request().Context(), site, u.Account, u.ID, false)
		if err != nil {
			return err
		}
		p.Passkey.Act, p.Passkey.Name, p.Passkey.Options, p.Passkey.Label, p.Passkey.Kind = "get", "passkey", options, "Use a passkey", ui.Primary
	}
	return s.send(c, status, logon.Factor(p))
}

// logOnByCode answers POST /logon/factor.
func (s *Server) logOnByCode(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	p := logon.FactorProps{Next: localPath(in.Get("next"))}
	u, there, err := s.halfway(c)
	if err != nil {
		return err
	}
	if !there {
		return s.leave(c, logOnFor(p.Next))
	}
	err = s.Factors.LogOn(c.Request().Context(), u, in.Get("code"), s.address(c.Request()), visitOf(c).call)
	if wrong, ok := fault.On(err, "code"); ok {
		p.CodeError = wrong.Message
		return s.sendFactor(c, http.StatusUnauthorized, u, p)
	}
	if fault.Is(err, fault.Busy) {
		p.Wait = fault.Show(err)
		return s.sendFactor(c, http.StatusTooManyRequests, u, p)
	}
	if err != nil {
		return err
	}
	return s.enter(c, u, p.Next)
}

// logOnByPasskey answers POST /logon/passkey: after the password, or alone.
func (s *Server) logOnByPasskey(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	half, _, err := s.halfway(c)
	if err != nil {
		return err
	}
	next := localPath(in.Get("next"))
	u, err := s.Factors.LogOnWithPasskey(c.Request().Context(), half, s.site(c), []byte(in.Get("passkey")), s.address(c.Request()), visitOf(c).call)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Busy) {
		status := http.StatusUnauthorized
		if fault.Is(err, fault.Busy) {
			status = http.StatusTooManyRequests
		}
		wrong := ui.Passkey{Error: fault.Show(err)}
		if half.ID != "" {
			return s.sendFactor(c, status, half, logon.FactorProps{Next: next, Passkey: wrong})
		}
		return s.sendLogOn(c, status, logon.IndexProps{Next: next, Passkey: wrong})
	}
	if err != nil {
		return err
	}
	return s.enter(c, u, next)
}
