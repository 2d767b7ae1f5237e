package adminapi

import (
	"net/http"
	"net/url"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// User is a RAM user.
type User struct {
	ID         string     `json:"id" example:"usr-7d2k9f0a1c3e5g8h"`
	LogOn      string     `json:"logon" doc:"The name in log-ons, before the @." example:"alice"`
	Name       string     `json:"name" doc:"Display name." example:"Alice Doe"`
	Email      string     `json:"email" doc:"Empty: not given."`
	Role       string     `json:"role" enum:"super,regular" doc:"super: full access (super administrator)."`
	State      string     `json:"state" enum:"active,invited,disabled" doc:"invited: has no password yet, or none any more."`
	MustChange bool       `json:"must_change_password" doc:"The password was given by somebody else."`
	Workspaces int        `json:"workspaces" doc:"How many they belong to."`
	Keys       int        `json:"keys" doc:"How many API keys they own."`
	CreatedAt  time.Time  `json:"created_at"`
	LastLogOn  *time.Time `json:"last_logon_at" doc:"null: never."`
	DisabledAt *time.Time `json:"disabled_at" doc:"null: may log on."`
	LinkUntil  *time.Time `json:"link_until" doc:"When the first log-on link ends; null: none is out."`
	Version    int64      `json:"version" doc:"The ETag is this number in quotes."`
}

func (u User) version() int64 { return u.Version }

// NewUser is what is said to add a RAM user.
type NewUser struct {
	LogOn    string      `json:"logon" required:"true" doc:"1–64 of a–z 0–9 . _ -" example:"alice"`
	Name     string      `json:"name" doc:"Display name; absent: the log-on name." example:"Alice Doe"`
	Email    string      `json:"email" example:"alice@example.com"`
	Password Opt[string] `json:"password" secret:"true" doc:"A first password, which must be changed at the first log-on. Absent: the answer holds a one-time link instead."`
}

// Invitation is a one-time link.
type Invitation struct {
	Link  string    `json:"link" secret:"true" doc:"Opens once, and lets the user choose a password. It is shown in this answer alone."`
	Until time.Time `json:"until"`
}

// AddedUser is a new RAM user, and how they come in.
type AddedUser struct {
	User       User        `json:"user"`
	Invitation *Invitation `json:"invitation" doc:"null: a password was given."`
}

func (a AddedUser) version() int64 { return a.User.Version }

// UserChange is what is said to change a RAM user. What is absent stays.
type UserChange struct {
	Name  Opt[string] `json:"name" example:"Alice Doe"`
	Email Opt[string] `json:"email" doc:"null or empty: none."`
}

// Password is a password that somebody is told.
type Password struct {
	Password string `json:"password" required:"true" secret:"true" doc:"At least 15 characters; it must be changed at the next log-on."`
}

// Impact is what stops when a user is disabled or deleted.
type Impact struct {
	Keys       []string `json:"keys" doc:"Descriptions or ids of the API keys that stop working."`
	Workspaces []string `json:"workspaces" doc:"Names of the workspaces they belong to."`
	Alone      []string `json:"alone" doc:"Names of those whose only administrator they are."`
	AdminKeys  []string `json:"admin_keys" doc:"Names of the admin keys that stop working."`
	Sessions   int      `json:"sessions"`
}

// Seat is what a RAM user is in one workspace.
type Seat struct {
	Workspace string   `json:"workspace"`
	Name      string   `json:"name" doc:"Of the workspace."`
	Role      string   `json:"role" enum:"administrator,regular"`
	Pages     []string `json:"pages" doc:"The pages granted to a regular user."`
}

// Seats are all of them.
type Seats struct {
	Items []Seat `json:"items"`
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func userOf(u account.ListedUser) User {
	state := account.Active
	switch {
	case !u.DisabledAt.IsZero():
		state = account.Disabled
	case u.Password == "":
		state = account.Invited
	}
	return User{
		ID: string(u.ID), LogOn: string(u.LogOn), Name: u.Name, Email: u.Email, Role: string(u.Role), State: string(state), MustChange: u.MustChange,
		Workspaces: u.Workspaces, Keys: u.Keys, CreatedAt: u.CreatedAt, LastLogOn: when(u.LastLogOn), DisabledAt: when(u.DisabledAt), LinkUntil: when(u.LinkUntil), Version: u.Version,
	}
}

func userOperations() []operation {
	const group = "RAM users"
	one := func(id, method, path string, action access.Action, summary, notes string, run func(*call, ident.User) error) operation {
		return operation{group: group, id: id, method: method, path: path, action: action, summary: summary, notes: notes, answer: User{}, run: onUser(run)}
	}
	const user = "/users/{user}"
	states := []string{string(account.Active), string(account.Invited), string(account.Disabled), string(account.Supers)}
	return []operation{
		{group: group, id: "listUsers", method: "GET", path: "/users", action: access.ReadUsers, summary: "List RAM users", notes: "By log-on name. The account owner is none.",
			query: []parameter{search, {name: "state", about: "Those alone that are so.", choices: states}}, paged: true, answer: Page[User]{}, run: listUsers},
		{group: group, id: "addUser", method: "POST", path: "/users", action: access.ChangeUsers, summary: "Add a RAM user",
			body: NewUser{}, answer: AddedUser{}, status: http.StatusCreated, fails: []int{409}, run: addUser},
		{group: group, id: "getUser", method: "GET", path: user, action: access.ReadUsers, summary: "Read a RAM user",
			answer: User{}, run: onUser(func(*call, ident.User) error { return nil })},
		{group: group, id: "changeUser", method: "PATCH", path: user, action: access.ChangeUsers, summary: "Change display name and e-mail",
			body: UserChange{}, answer: User{}, match: true, run: onUser(changeUser)},
		{group: group, id: "deleteUser", method: "DELETE", path: user, action: access.ChangeUsers, summary: "Delete a RAM user",
			notes: "With memberships, sessions and admin keys; the API keys they own stop for good. Read what it stops first: getUserImpact.", run: deleteUser},
		{group: group, id: "getUserImpact", method: "GET", path: user + "/impact", action: access.ReadUsers, summary: "Read what disabling or deleting a user stops", answer: Impact{}, run: userImpact},
		{group: group, id: "listUserWorkspaces", method: "GET", path: user + "/workspaces", action: access.ReadUsers, summary: "List the workspaces a user belongs to", answer: Seats{}, run: userSeats},
		one("disableUser", "POST", user+"/disable", access.ChangeUsers, "Disable a RAM user", "Their sessions end, their API keys and admin keys stop until they are enabled again.",
			func(c *call, u ident.User) error { return c.services.People.Disable(c.ctx, c.by, u) }),
		one("enableUser", "POST", user+"/enable", access.ChangeUsers, "Enable a RAM user", "",
			func(c *call, u ident.User) error { return c.services.People.Enable(c.ctx, c.by, u) }),
		one("promoteUser", "POST", user+"/promote", access.ChangeUsers, "Give full access", "Makes a super administrator. Their sessions end.",
			func(c *call, u ident.User) error { return c.services.People.Promote(c.ctx, c.by, u, true) }),
		one("demoteUser", "POST", user+"/demote", access.ChangeUsers, "Take full access away", "Their sessions end, their admin keys stop.",
			func(c *call, u ident.User) error { return c.services.People.Promote(c.ctx, c.by, u, false) }),
		{group: group, id: "inviteUser", method: "POST", path: user + "/invite", action: access.ChangeUsers, summary: "Make a one-time log-on link",
			notes: "It is how a password is reset: the present one stops, and every session ends.", answer: Invitation{}, run: inviteUser},
		{group: group, id: "setUserPassword", method: "POST", path: user + "/password", action: access.ChangeUsers, summary: "Set a password that must be changed",
			notes: "Every session ends.", body: Password{}, answer: User{}, run: onUser(setPassword)},
		one("endUserSessions", "POST", user+"/end-sessions", access.ChangeUsers, "End every session of a user", "",
			func(c *call, u ident.User) error { return c.services.People.EndSessions(c.ctx, c.by, u) }),
	}
}

// onUser does something to the user that the path names and answers with what
// the user is then.
func onUser(do func(*call, ident.User) error) func(*call) (any, error) {
	return onPerson(do, (*call).readUser)
}

// onPerson does something to whom the path names and answers with what read
// finds then.
func onPerson[T any](do func(*call, ident.User) error, read func(*call, ident.User) (T, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		id, err := c.user()
		if err != nil {
			return nil, err
		}
		if err := do(c, id); err != nil {
			return nil, err
		}
		return read(c, id)
	}
}

func (c *call) readUser(id ident.User) (User, error) {
	u, err := c.services.People.Find(c.ctx, c.by, id)
	return userOf(u), err
}

func listUsers(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	state := account.UserState(c.text("state"))
	found, next, err := c.services.People.List(c.ctx, c.by, account.UserFilter{Search: c.text("search"), State: state, After: c.text("after"), Limit: limit})
	return pageOf(found, next, err, userOf)
}

func addUser(c *call) (any, error) {
	var in NewUser
	if err := c.read(&in); err != nil {
		return nil, err
	}
	profile := account.Profile{LogOn: in.LogOn, Name: in.Name, Email: in.Email}
	if in.Password.Said && !in.Password.Null {
		u, err := c.services.People.AddWithPassword(c.ctx, c.by, profile, secret.NewText(in.Password.Value))
		if err != nil {
			return nil, err
		}
		kept, err := c.readUser(u.ID)
		return AddedUser{User: kept}, err
	}
	u, token, err := c.services.People.Add(c.ctx, c.by, profile)
	if err != nil {
		return nil, err
	}
	kept, err := c.readUser(u.ID)
	return AddedUser{kept, c.invitation(kept, token)}, err
}

// invitation makes the link of a token.
func (c *call) invitation(u User, token secret.Text) *Invitation {
	i := &Invitation{Link: c.server.BaseURL + "/welcome?token=" + url.QueryEscape(token.Reveal())}
	if u.LinkUntil != nil {
		i.Until = *u.LinkUntil
	}
	return i
}

func changeUser(c *call, id ident.User) error {
	var in UserChange
	if err := c.read(&in); err != nil {
		return err
	}
	u, err := c.services.People.Find(c.ctx, c.by, id)
	if err != nil {
		return err
	}
	to := account.Profile{Name: in.Name.or(u.Name), Email: in.Email.or(u.Email)}
	if in.Email.Null {
		to.Email = ""
	}
	return c.services.People.Edit(c.ctx, c.by, id, to, c.match)
}

func deleteUser(c *call) (any, error) {
	id, err := c.user()
	if err != nil {
		return nil, err
	}
	return nil, c.services.People.Delete(c.ctx, c.by, id)
}

func userImpact(c *call) (any, error) {
	id, err := c.user()
	if err != nil {
		return nil, err
	}
	_, i, err := c.services.People.Impact(c.ctx, c.by, id)
	return Impact{i.Keys, i.Workspaces, i.Alone, i.AdminKeys, i.Sessions}, err
}

func userSeats(c *call) (any, error) {
	id, err := c.user()
	if err != nil {
		return nil, err
	}
	if _, err := c.services.People.Find(c.ctx, c.by, id); err != nil {
		return nil, err
	}
	found, err := c.services.People.Seats(c.ctx, c.by, id)
	all := Seats{Items: make([]Seat, len(found))}
	for i, s := range found {
		all.Items[i] = Seat{string(s.Workspace), s.Name, string(s.Role), words(s.Pages)}
	}
	return all, err
}

func inviteUser(c *call) (any, error) {
	id, err := c.user()
	if err != nil {
		return nil, err
	}
	token, err := c.services.People.Invite(c.ctx, c.by, id)
	if err != nil {
		return nil, err
	}
	u, err := c.readUser(id)
	return c.invitation(u, token), err
}

func setPassword(c *call, id ident.User) error {
	var in Password
	if err := c.read(&in); err != nil {
		return err
	}
	return c.services.People.GivePassword(c.ctx, c.by, id, secret.NewText(in.Password))
}

// words writes a list of words as plain texts; nil is the empty list.
func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}
