package web

import (
	"crypto/subtle"
	"net/http"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/account"
	"bailiwick/internal/fault"
	"bailiwick/internal/secret"
	"bailiwick/views/setup"
)

// setUpDue reports whether there is no account yet. Once there is one it is not
// asked of the database again.
func (s *Server) setUpDue(c echo.Context) bool {
	if s.SetUp.Empty() || s.opened.Load() {
		return false
	}
	empty, err := s.Accounts.Empty(c.Request().Context())
	if err == nil && !empty {
		s.opened.Store(true)
	}
	return err == nil && empty
}

// maySetUp refuses a set-up link that is not ours. There is no such page when
// there is an account.
func (s *Server) maySetUp(c echo.Context, token string) error {
	if !s.setUpDue(c) {
		return fault.NoSuch("page")
	}
	given, wanted := secret.TokenDigest(token), secret.TokenDigest(s.SetUp.Reveal())
	if subtle.ConstantTimeCompare(given[:], wanted[:]) == 0 {
		return fault.New(fault.Forbidden, "This set-up link is not valid. Open the one that the program printed at its last start.")
	}
	return nil
}

// showSetUp answers GET /setup.
func (s *Server) showSetUp(c echo.Context) error {
	token := c.QueryParam("token")
	if err := s.maySetUp(c, token); err != nil {
		return err
	}
	return s.sendSetUp(c, http.StatusOK, setup.IndexProps{Token: token})
}

func (s *Server) sendSetUp(c echo.Context, status int, p setup.IndexProps) error {
	p.Bare, p.Action = s.bare("Set up"), setUpURL
	return s.send(c, status, setup.Index(p))
}

// setUp answers POST /setup: it makes the account and logs its owner on.
func (s *Server) setUp(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	if err := s.maySetUp(c, in.Get("token")); err != nil {
		return err
	}
	p := setup.IndexProps{Token: in.Get("token"), Company: in.Get("company"), Alias: in.Get("alias")}
	if in.Get("password") != in.Get("repeat") {
		p.RepeatError = "The two passwords differ."
		return s.sendSetUp(c, http.StatusUnprocessableEntity, p)
	}
	password := secret.NewText(in.Get("password"))
	a, err := s.Accounts.SetUp(c.Request().Context(), account.NewAccount{Name: p.Company, Alias: p.Alias, Password: password}, s.address(c.Request()))
	if err != nil {
		return s.setUpAgain(c, p, err)
	}
	if err := s.Catalogue.Install(c.Request().Context(), a.ID); err != nil {
		return err
	}
	s.opened.Store(true)
	name := string(account.RootLogOn) + "@" + string(a.Alias)
	u, err := s.Accounts.LogOn(c.Request().Context(), name, password, s.address(c.Request()), visitOf(c).call)
	if err != nil {
		return err
	}
	return s.welcome(c, u, "")
}

// setUpAgain shows the form with its mistakes.
func (s *Server) setUpAgain(c echo.Context, p setup.IndexProps, err error) error {
	kind := fault.KindOf(err)
	if kind != fault.Invalid && kind != fault.Conflict {
		return err
	}
	p.CompanyError, p.AliasError, p.PasswordError = about(err, "company"), about(err, "alias"), about(err, "password")
	if p.CompanyError+p.AliasError+p.PasswordError == "" {
		p.Error = fault.Show(err)
	}
	return s.sendSetUp(c, statusOf(err), p)
}

// about is what a fault says of one field, or nothing.
func about(err error, field string) string {
	if f, ok := fault.On(err, field); ok {
		return f.Message
	}
	return ""
}
