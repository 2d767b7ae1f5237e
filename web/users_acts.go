package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/views/ui"
	"bailiwick/views/users"
)

// confirmResetUser answers GET /account/users/:user/reset.
func (s *Server) confirmResetUser(c echo.Context) error {
	u, impact, err := s.impact(c)
	if err != nil {
		return err
	}
	stops := []string{"The present password and any log-on link that is out."}
	return s.showDialog(c, http.StatusOK, users.ResetDialog(users.ResetProps{
		Action: userURL(u.ID, "reset"), CancelURL: userURL(u.ID), Name: u.Name, Stops: append(stops, sessionStops(impact)...),
	}), s.usersPage)
}

// resetUser answers POST /account/users/:user/reset.
func (s *Server) resetUser(c echo.Context) error {
	u, err := s.findUser(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	way, err := s.giveWayIn(c, u.ID, in.Get("way"))
	if err != nil {
		return err
	}
	way.Title = "Password reset"
	return s.showWayIn(c, http.StatusOK, u.User, way, true)
}

func (s *Server) giveWayIn(c echo.Context, id ident.User, way string) (users.WayInProps, error) {
	if way == "password" {
		password := secret.NewPassword()
		return users.WayInProps{Password: password.Reveal()}, s.People.GivePassword(c.Request().Context(), actor(c), id, password)
	}
	token, err := s.People.Invite(c.Request().Context(), actor(c), id)
	return s.linkFor(c, token), err
}

// impact finds the user that the path names, and what stops without them.
func (s *Server) impact(c echo.Context) (account.User, account.Impact, error) {
	u, err := s.findUser(c)
	if err != nil {
		return account.User{}, account.Impact{}, err
	}
	return s.People.Impact(c.Request().Context(), actor(c), u.ID)
}

// confirmUser asks before an act on a RAM user.
func (s *Server) confirmUser(c echo.Context, act string, say func(account.User, account.Impact) ui.Confirm) error {
	u, impact, err := s.impact(c)
	if err != nil {
		return err
	}
	p := say(u, impact)
	p.Action, p.CancelURL = userURL(u.ID, act), userURL(u.ID)
	return s.showDialog(c, http.StatusOK, users.ConfirmDialog(act, p), s.usersPage)
}

// confirmDisableUser answers GET /account/users/:user/disable.
func (s *Server) confirmDisableUser(c echo.Context) error {
	return s.confirmUser(c, "disable", func(u account.User, i account.Impact) ui.Confirm {
		return ui.Confirm{
			Title: "Disable " + u.Name + "?", Text: "They can be enabled again at any time; what stopped works again then.",
			Stops: userStops(i), Notice: leftAlone(i), Button: "Disable", Tone: ui.Bad,
		}
	})
}

// confirmDeleteUser answers GET /account/users/:user/delete.
func (s *Server) confirmDeleteUser(c echo.Context) error {
	return s.confirmUser(c, "delete", func(u account.User, i account.Impact) ui.Confirm {
		return ui.Confirm{
			Title: "Delete " + u.Name + "?", Text: "They are gone for good, and the keys they own never work again, even if somebody gets the same log-on name.",
			Stops: userStops(i), Notice: leftAlone(i), Button: "Delete", Tone: ui.Bad,
		}
	})
}

// confirmPromoteUser answers GET /account/users/:user/promote.
func (s *Server) confirmPromoteUser(c echo.Context) error {
	return s.confirmUser(c, "promote", func(u account.User, i account.Impact) ui.Confirm {
		return ui.Confirm{
			Title:  "Give " + u.Name + " full access?",
			Text:   "As a super administrator they enter every workspace, authorize models, and change RAM users, this right included. Their sessions end; they log on again with it.",
			Button: "Give full access",
		}
	})
}

// confirmDemoteUser answers GET /account/users/:user/demote.
func (s *Server) confirmDemoteUser(c echo.Context) error {
	return s.confirmUser(c, "demote", func(u account.User, i account.Impact) ui.Confirm {
		stops := append([]string{"They enter only the workspaces they belong to: " + orElse(some(i.Workspaces), "none") + "."}, append(adminKeyStops(i.AdminKeys), keyStops(i.Elsewhere)...)...)
		return ui.Confirm{
			Title: "Take full access from " + u.Name + "?", Text: "It can be given again at any time.",
			Stops: append(stops, sessionStops(i)...), Button: "Take full access", Tone: ui.Bad,
		}
	})
}

// disableUser answers POST /account/users/:user/disable.
func (s *Server) disableUser(c echo.Context) error {
	return s.actOnUser(c, s.People.Disable, "RAM user disabled", users.Changed)
}

// enableUser answers POST /account/users/:user/enable.
func (s *Server) enableUser(c echo.Context) error {
	return s.actOnUser(c, s.People.Enable, "RAM user enabled", users.Told)
}

// endUserSessions answers POST /account/users/:user/end-sessions.
func (s *Server) endUserSessions(c echo.Context) error {
	return s.actOnUser(c, s.People.EndSessions, "Sessions ended", users.Told)
}

// promoteUser answers POST /account/users/:user/promote.
func (s *Server) promoteUser(c echo.Context) error { return s.setFullAccess(c, true) }

// demoteUser answers POST /account/users/:user/demote.
func (s *Server) demoteUser(c echo.Context) error { return s.setFullAccess(c, false) }

func (s *Server) setFullAccess(c echo.Context, super bool) error {
	message := "Full access taken"
	if super {
		message = "Full access given"
	}
	return s.actOnUser(c, func(ctx context.Context, by access.Actor, id ident.User) error {
		return s.People.Promote(ctx, by, id, super)
	}, message, users.Changed)
}

// deleteUser answers POST /account/users/:user/delete. The panel is about
// nobody then, so that the list is loaded.
func (s *Server) deleteUser(c echo.Context) error {
	u, err := s.findUser(c)
	if err != nil {
		return err
	}
	if err := s.People.Delete(c.Request().Context(), actor(c), u.ID); err != nil {
		return err
	}
	return s.leaveSaying(c, listBehind(c, usersURL).carried(usersURL), "RAM user "+u.Name+" deleted")
}

// actOnUser does something to the RAM user that the path names. The answer
// closes a dialog, or tells of what a button did.
func (s *Server) actOnUser(c echo.Context, do func(context.Context, access.Actor, ident.User) error, message string, answer func(users.ChangedProps) templ.Component) error {
	u, err := s.findUser(c)
	if err != nil {
		return err
	}
	if err := do(c.Request().Context(), actor(c), u.ID); err != nil {
		return err
	}
	return s.userChanged(c, u.ID, message, answer)
}

// userChanged ends what changed a RAM user.
func (s *Server) userChanged(c echo.Context, id ident.User, message string, answer func(users.ChangedProps) templ.Component) error {
	return s.done(c, userURL(id), message, func() (templ.Component, error) {
		p, err := s.usersChange(c, id, message)
		return answer(p), err
	})
}
