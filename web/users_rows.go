package web

import (
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/ident"
	"bailiwick/views/ui"
	"bailiwick/views/users"
)

// usersPage is the list, with a panel or dialog over it or without.
func (s *Server) usersPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	chrome, err := s.chrome(c, "RAM Users", atUsers)
	if err != nil {
		return nil, err
	}
	rows, err := s.userList(c)
	chrome.Overlay = overlay
	change := actor(c).May(access.ChangeUsers)
	return users.Index(users.IndexProps{
		Chrome: chrome, Alias: string(actor(c).Alias), List: rows, CreateURL: when(change, newUserURL), ImportURL: when(change, importUsersURL),
	}), err
}

// userList is the table of RAM users.
func (s *Server) userList(c echo.Context) (users.ListProps, error) {
	l := listBehind(c, usersURL)
	f := account.UserFilter{Search: l.search(), State: account.UserState(l.get("state")), After: l.after(), Limit: pageSize}
	found, next, err := s.People.List(c.Request().Context(), actor(c), f)
	if err != nil {
		return users.ListProps{}, err
	}
	p := users.ListProps{URL: l.url, Search: l.search(), States: userStates(f.State), Pager: l.shortPager(len(found), next), ClearURL: when(l.search()+l.get("state") != "", l.url)}
	for _, u := range found {
		p.Rows = append(p.Rows, s.userRow(c, l, u))
	}
	return p, nil
}

func userStates(chosen account.UserState) []ui.Option {
	options := []ui.Option{
		{Value: "", Label: "Everybody"}, {Value: string(account.Active), Label: "Active"}, {Value: string(account.Invited), Label: "Invited"},
		{Value: string(account.Disabled), Label: "Disabled"}, {Value: string(account.Supers), Label: "Super administrators"},
	}
	for i := range options {
		options[i].Selected = options[i].Value == string(chosen)
	}
	return options
}

func (s *Server) userRow(c echo.Context, l listed, u account.ListedUser) users.Row {
	state, tone := userState(u, s.Now())
	return users.Row{
		ID: string(u.ID), Name: u.Name, LogOn: s.logOnName(c, u.LogOn), Email: u.Email, State: state, Tone: tone, Super: u.Role == access.Super,
		Workspaces: u.Workspaces, Keys: u.Keys, LastLogOn: moment(u.LastLogOn), ViewURL: l.carried(userURL(u.ID)),
	}
}

// logOnName is how somebody of the account logs on.
func (s *Server) logOnName(c echo.Context, name ident.LogOn) string {
	return string(name) + "@" + string(actor(c).Alias)
}

func userState(u account.ListedUser, now time.Time) (string, ui.Tone) {
	switch {
	case !u.DisabledAt.IsZero():
		return "Disabled", ui.Quiet
	case u.Password != "":
		return "Active", ui.Good
	case now.Before(u.LinkUntil):
		return "Invited", ui.Warn
	}
	return "Link expired", ui.Bad
}

// userBody is what the panel shows of a RAM user.
func (s *Server) userBody(c echo.Context, u account.ListedUser) (users.BodyProps, error) {
	seats, err := s.People.Seats(c.Request().Context(), actor(c), u.ID)
	state, tone := userState(u, s.Now())
	p := users.BodyProps{
		ID: string(u.ID), Email: u.Email, State: state, Tone: tone, Super: u.Role == access.Super, Self: u.ID == actor(c).User,
		Created: moment(u.CreatedAt), LastLogOn: moment(u.LastLogOn), Keys: u.Keys,
	}
	if s.Now().Before(u.LinkUntil) {
		p.Link = "A log-on link is out. It works until " + moment(u.LinkUntil).Text + "."
	}
	for _, seat := range seats {
		p.Seats = append(p.Seats, users.Seat{
			Workspace: seat.Name, URL: when(actor(c).MayIn(seat.Workspace, access.ReadMembers), memberURL(seat.Workspace, u.ID)),
			Role: roleTitle(seat.Role), May: seat.Words(),
		})
	}
	if actor(c).May(access.ChangeUsers) {
		userActs(&p, u)
	}
	return p, err
}

// userActs offers what can be done with a RAM user as they are now. Nobody
// resets, disables, promotes or deletes themselves.
func userActs(p *users.BodyProps, u account.ListedUser) {
	disabled := !u.DisabledAt.IsZero()
	p.EditURL, p.EndURL = userURL(u.ID, "edit"), userURL(u.ID, "end-sessions")
	p.EnableURL = when(disabled, userURL(u.ID, "enable"))
	if p.Self {
		return
	}
	p.ResetURL, p.DeleteURL = userURL(u.ID, "reset"), userURL(u.ID, "delete")
	p.DisableURL = when(!disabled, userURL(u.ID, "disable"))
	p.PromoteURL = when(!p.Super, userURL(u.ID, "promote"))
	p.DemoteURL = when(p.Super, userURL(u.ID, "demote"))
}

func roleTitle(r access.Role) string {
	if r == access.Administrator {
		return "Administrator"
	}
	return "User"
}

// usersChange is what differs on the page after one RAM user was changed.
func (s *Server) usersChange(c echo.Context, id ident.User, toast string) (users.ChangedProps, error) {
	rows, err := s.userList(c)
	if err != nil {
		return users.ChangedProps{}, err
	}
	u, err := s.People.Find(c.Request().Context(), actor(c), id)
	if err != nil {
		return users.ChangedProps{}, err
	}
	body, err := s.userBody(c, u)
	return users.ChangedProps{List: rows, Body: &body, Toast: toast}, err
}

// shownStops is how many keys are named one by one.
const shownStops = 5

// userStops says what stops without a user.
func userStops(i account.Impact) []string {
	var stops []string
	if len(i.Workspaces) > 0 {
		stops = append(stops, "They no longer enter "+some(i.Workspaces)+".")
	}
	stops = append(stops, append(adminKeyStops(i.AdminKeys), keyStops(i.Keys)...)...)
	if stops = append(stops, sessionStops(i)...); len(stops) == 0 {
		stops = []string{"They can no longer log on. No key, session or workspace of theirs is in use."}
	}
	return stops
}

// adminKeyStops names the admin keys that are refused from now on.
func adminKeyStops(names []string) []string {
	return keysStop(names, "Admin key", "more admin key", "what administers with it is refused at once.")
}

// keyStops names the keys that are refused from now on.
func keyStops(keys []string) []string {
	return keysStop(keys, "API key", "more API key", "every program that presents it is refused at once.")
}

// keysStop says of the first keys what becomes of them, and how many more there are.
func keysStop(keys []string, noun, more, becomes string) (stops []string) {
	for n, k := range keys {
		if n == shownStops {
			return append(stops, counted(len(keys)-n, more)+" of theirs.")
		}
		stops = append(stops, noun+" “"+k+"”: "+becomes)
	}
	return stops
}

func sessionStops(i account.Impact) []string {
	if i.Sessions == 0 {
		return nil
	}
	return []string{counted(i.Sessions, "session") + " of theirs: they are logged off at once."}
}

// leftAlone warns of workspaces that nobody administers afterwards.
func leftAlone(i account.Impact) *ui.Notice {
	if len(i.Alone) == 0 {
		return nil
	}
	return &ui.Notice{Tone: ui.Warn, Title: some(i.Alone) + " will have no administrator.", Text: "Only the account owner and super administrators can change its members then."}
}
