package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/account"
	"bailiwick/internal/fault"
	"bailiwick/internal/secret"
	"bailiwick/views/welcome"
)

// showWelcome answers GET /welcome: the page behind a first log-on link.
func (s *Server) showWelcome(c echo.Context) error {
	token := c.QueryParam("token")
	u, err := s.People.Welcome(c.Request().Context(), token)
	if err != nil {
		return err
	}
	return s.sendWelcome(c, http.StatusOK, u, welcome.IndexProps{Token: token})
}

func (s *Server) sendWelcome(c echo.Context, status int, u account.User, p welcome.IndexProps) error {
	name, err := s.Accounts.FullName(c.Request().Context(), u)
	if err != nil {
		return err
	}
	p.Bare, p.Action, p.Name, p.LogOn, p.Minimum = s.bare("Welcome"), welcomeURL, u.Name, name, counted(secret.PasswordMin, "character")
	return s.send(c, status, welcome.Index(p))
}

// acceptWelcome answers POST /welcome: the link is used up, and who chose the
// password is logged on.
func (s *Server) acceptWelcome(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	ctx, token, password := c.Request().Context(), in.Get("token"), secret.NewText(in.Get("password"))
	u, err := s.People.Welcome(ctx, token)
	if err != nil {
		return err
	}
	if in.Get("password") != in.Get("repeat") {
		return s.sendWelcome(c, http.StatusUnprocessableEntity, u, welcome.IndexProps{Token: token, RepeatError: "The two passwords differ."})
	}
	if u, err = s.People.Accept(ctx, token, password, s.address(c.Request()), visitOf(c).call); fault.Is(err, fault.Invalid) {
		return s.sendWelcome(c, statusOf(err), u, welcome.IndexProps{Token: token, PasswordError: fault.Show(err)})
	}
	if err != nil {
		return err
	}
	return s.enterWith(c, u, password)
}

// enterWith logs somebody on who has just chosen a password. Where guessing is
// being slowed down for that name, they log on themselves in a moment.
func (s *Server) enterWith(c echo.Context, u account.User, password secret.Text) error {
	name, err := s.Accounts.FullName(c.Request().Context(), u)
	if err != nil {
		return err
	}
	in, err := s.Accounts.LogOn(c.Request().Context(), name, password, s.address(c.Request()), visitOf(c).call)
	if fault.Is(err, fault.Busy) {
		return s.leave(c, withQuery(logOnURL, "account", name))
	}
	if err != nil {
		return err
	}
	return s.welcome(c, in, "")
}
