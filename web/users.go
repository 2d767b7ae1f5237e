package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/account"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/views/ui"
	"bailiwick/views/users"
)

// listUsers answers GET /account/users: RAM Users.
func (s *Server) listUsers(c echo.Context) error {
	return showList(s, c, s.userList, users.List, s.usersPage)
}

// showUser answers GET /account/users/:user: the panel.
func (s *Server) showUser(c echo.Context) error {
	u, err := s.findUser(c)
	if err != nil {
		return err
	}
	body, err := s.userBody(c, u)
	if err != nil {
		return err
	}
	l := listBehind(c, usersURL)
	p := users.PanelProps{URL: l.carried(userURL(u.ID)), BackURL: l.carried(usersURL), Name: u.Name, LogOn: s.logOnName(c, u.LogOn), Body: body}
	return s.showDialog(c, http.StatusOK, users.Panel(p), s.usersPage)
}

// findUser finds the RAM user that the path names.
func (s *Server) findUser(c echo.Context) (account.ListedUser, error) {
	id, err := ident.ParseUser(param(c, "user"))
	if err != nil {
		return account.ListedUser{}, err
	}
	return s.People.Find(c.Request().Context(), actor(c), id)
}

// newUser answers GET /account/users/new.
func (s *Server) newUser(c echo.Context) error {
	return s.showCreateUser(c, http.StatusOK, users.CreateProps{})
}

func (s *Server) showCreateUser(c echo.Context, status int, p users.CreateProps) error {
	p.Action, p.CancelURL, p.Alias = usersURL, usersURL, string(actor(c).Alias)
	return s.showDialog(c, status, users.CreateDialog(p), s.usersPage)
}

// createUser answers POST /account/users. The answer itself holds the link or
// the password: they are kept nowhere, so no other page could show them.
func (s *Server) createUser(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	profile := account.Profile{LogOn: in.Get("logon"), Name: in.Get("name"), Email: in.Get("email")}
	u, way, err := s.addUser(c, profile, in.Get("way"))
	if mendable(err) {
		p := users.CreateProps{LogOn: profile.LogOn, Name: profile.Name, Email: profile.Email, Way: in.Get("way")}
		p.LogOnError, p.NameError, p.EmailError = about(err, "logon"), about(err, "name"), about(err, "email")
		if p.LogOnError+p.NameError+p.EmailError == "" {
			p.Notice = bad(err)
		}
		return s.showCreateUser(c, statusOf(err), p)
	}
	if err != nil {
		return err
	}
	way.Title = "RAM user created"
	return s.showWayIn(c, http.StatusCreated, u, way, false)
}

// addUser adds a RAM user with the way in that was chosen.
func (s *Server) addUser(c echo.Context, profile account.Profile, way string) (account.User, users.WayInProps, error) {
	ctx, by := c.Request().Context(), actor(c)
	if way == "password" {
		password := secret.NewPassword()
		u, err := s.People.AddWithPassword(ctx, by, profile, password)
		return u, users.WayInProps{Password: password.Reveal()}, err
	}
	u, token, err := s.People.Add(ctx, by, profile)
	return u, s.linkFor(c, token), err
}

// linkFor is the first log-on link that holds a token.
func (s *Server) linkFor(c echo.Context, token secret.Text) users.WayInProps {
	return users.WayInProps{Link: s.welcomeLink(c, token), Until: moment(s.Now().Add(account.InvitationLife))}
}

func (s *Server) welcomeLink(c echo.Context, token secret.Text) string {
	return withQuery(s.base(c)+welcomeURL, "token", token.Reveal())
}

// showWayIn shows a link or a password, this once.
func (s *Server) showWayIn(c echo.Context, status int, u account.User, p users.WayInProps, panel bool) error {
	p.Name, p.LogOn, p.LogOnURL, p.DoneURL = u.Name, s.logOnName(c, u.LogOn), s.base(c)+logOnURL, usersURL
	if panel {
		p.DoneURL = userURL(u.ID)
	}
	if visitOf(c).scripted {
		changed, err := s.usersChange(c, u.ID, "")
		if err != nil {
			return err
		}
		p.Changed = &changed
	}
	return s.showDialog(c, status, users.WayInDialog(p), s.usersPage)
}

// editUser answers GET /account/users/:user/edit.
func (s *Server) editUser(c echo.Context) error {
	u, err := s.findUser(c)
	if err != nil {
		return err
	}
	return s.showEditUser(c, http.StatusOK, u, users.EditProps{Name: u.Name, Email: u.Email})
}

func (s *Server) showEditUser(c echo.Context, status int, u account.ListedUser, p users.EditProps) error {
	p.Action, p.CancelURL = userURL(u.ID, "edit"), userURL(u.ID)
	p.LogOn, p.Version = s.logOnName(c, u.LogOn), strconv.FormatInt(u.Version, 10)
	return s.showDialog(c, status, users.EditDialog(p), s.usersPage)
}

// changeUser answers POST /account/users/:user/edit. Somebody else's change is
// shown, and what was typed is kept.
func (s *Server) changeUser(c echo.Context) error {
	u, err := s.findUser(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	p := users.EditProps{Name: in.Get("name"), Email: in.Get("email")}
	err = s.People.Edit(c.Request().Context(), actor(c), u.ID, account.Profile{Name: p.Name, Email: p.Email}, in.version())
	switch {
	case fault.Is(err, fault.Conflict):
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "This RAM user was changed meanwhile.", Text: "The name is now “" + u.Name + "” and the e-mail address “" + u.Email + "”. What you typed is kept below; OK saves it over that."}
		return s.showEditUser(c, statusOf(err), u, p)
	case fault.Is(err, fault.Invalid):
		p.NameError, p.EmailError = about(err, "name"), about(err, "email")
		return s.showEditUser(c, statusOf(err), u, p)
	}
	if err != nil {
		return err
	}
	return s.userChanged(c, u.ID, "RAM user saved", users.Changed)
}
