package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/secret"
	"bailiwick/views/password"
)

// showPassword answers GET /account/security/password.
func (s *Server) showPassword(c echo.Context) error {
	return s.sendPassword(c, http.StatusOK, password.FormProps{Next: localPath(c.QueryParam("next"))})
}

// sendPassword shows the form, inside the console or, to somebody who must
// change the password first, without it.
func (s *Server) sendPassword(c echo.Context, status int, f password.FormProps) error {
	f.Action, f.LogOn, f.Minimum, f.BackURL, f.LogOffURL = passwordURL, actor(c).FullName(), counted(secret.PasswordMin, "character"), homeURL, logOffURL
	if duty := actor(c).Duty; duty != access.NoDuty {
		given := when(duty == access.ChangePassword, "Yours was given to you by somebody else. Choose one that only you know; then the console opens.")
		return s.send(c, status, password.Due(password.IndexProps{Bare: s.bare("Change your password"), Why: given, Form: f}))
	}
	chrome, err := s.chrome(c, "Change Password", "")
	if err != nil {
		return err
	}
	return s.send(c, status, password.Index(password.IndexProps{Chrome: chrome, Form: f}))
}

// changePassword answers POST /account/security/password. It ends every session
// of the person and begins another one here.
func (s *Server) changePassword(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	f := password.FormProps{Next: localPath(in.Get("next"))}
	if in.Get("password") != in.Get("repeat") {
		f.RepeatError = "The two passwords differ."
		return s.sendPassword(c, http.StatusUnprocessableEntity, f)
	}
	err = s.Accounts.ChangePassword(c.Request().Context(), actor(c), secret.NewText(in.Get("present")), secret.NewText(in.Get("password")))
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Busy) {
		f.PresentError, f.PasswordError = about(err, "present"), about(err, "password")
		if f.PresentError+f.PasswordError == "" {
			f.Notice = bad(err)
		}
		return s.sendPassword(c, statusOf(err), f)
	}
	if err != nil {
		return err
	}
	if err := s.beginSession(c, actor(c).User, s.Now()); err != nil {
		return err
	}
	return s.leaveSaying(c, orElse(f.Next, homeURL), "Password changed. Your other sessions have ended.")
}
