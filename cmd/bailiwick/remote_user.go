package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"bailiwick/internal/adminapi"
)

type userCommand struct {
	List        userListCommand        `cmd:"" help:"List RAM users."`
	Show        userShowCommand        `cmd:"" help:"Show a RAM user, and what they are in which workspace."`
	Add         userAddCommand         `cmd:"" help:"Add a RAM user: alice through a server, alice@acme in this machine's database."`
	Edit        userEditCommand        `cmd:"" help:"Change display name or e-mail."`
	Delete      userDeleteCommand      `cmd:"" help:"Delete a RAM user for good."`
	Disable     userDisableCommand     `cmd:"" help:"Keep a RAM user out, with the keys they own."`
	Enable      userEnableCommand      `cmd:"" help:"Let a disabled RAM user in again."`
	Promote     userPromoteCommand     `cmd:"" help:"Give full access (super administrator)."`
	Demote      userDemoteCommand      `cmd:"" help:"Take full access away."`
	Invite      userInviteCommand      `cmd:"" help:"Make a one-time log-on link; the present password stops."`
	EndSessions userEndSessionsCommand `cmd:"" help:"Log a RAM user off everywhere."`
	hostUserResets
}

type userListCommand struct {
	remote
	Search string `help:"Part of log-on name, display name or e-mail."`
	State  string `help:"active, invited, disabled or super." enum:",active,invited,disabled,super" default:""`
}

// Run lists RAM users.
func (c userListCommand) Run(ctx context.Context) error {
	found, err := every[adminapi.User](ctx, c.remote, "/users", said("search", c.Search, "state", c.State), 0)
	if err != nil {
		return err
	}
	return show(c.remote, found, "LOGON NAME ROLE STATE WORKSPACES KEYS LAST-LOGON ID", func(u adminapi.User) []string {
		return []string{u.LogOn, u.Name, u.Role, u.State, strconv.Itoa(u.Workspaces), strconv.Itoa(u.Keys), date(u.LastLogOn), u.ID}
	})
}

// aUser names a RAM user.
type aUser struct {
	remote
	User string `arg:"" help:"Their log-on name or id."`
}

// act does something to the user and says so.
func (c aUser) act(ctx context.Context, what, done string) error {
	u, err := c.userNamed(ctx, c.User)
	if err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodPost, "/users/"+u.ID+"/"+what, nil, &u); err != nil {
		return err
	}
	return say(c.remote, u, "%s %s", u.LogOn, done)
}

type (
	userShowCommand        struct{ aUser }
	userDisableCommand     struct{ aUser }
	userEnableCommand      struct{ aUser }
	userPromoteCommand     struct{ aUser }
	userDemoteCommand      struct{ aUser }
	userInviteCommand      struct{ aUser }
	userEndSessionsCommand struct{ aUser }
)

// Run shows a user with their memberships.
func (c userShowCommand) Run(ctx context.Context) error {
	u, err := c.userNamed(ctx, c.User)
	if err != nil {
		return err
	}
	var seats adminapi.Seats
	if err := c.do(ctx, http.MethodGet, "/users/"+u.ID+"/workspaces", nil, &seats); err != nil {
		return err
	}
	if c.Output == "json" {
		return printJSON(map[string]any{"user": u, "workspaces": seats.Items})
	}
	fmt.Fprintf(stdout, "%s  %s  %s, %s  %s\n\n", u.LogOn, cell(u.Name), u.Role, u.State, u.ID)
	return show(c.remote, seats.Items, "WORKSPACE NAME ROLE PAGES", func(s adminapi.Seat) []string {
		return []string{s.Workspace, s.Name, s.Role, strings.Join(s.Pages, ", ")}
	})
}

// Run disables a user.
func (c userDisableCommand) Run(ctx context.Context) error {
	return c.act(ctx, "disable", "is disabled")
}

// Run enables a user.
func (c userEnableCommand) Run(ctx context.Context) error { return c.act(ctx, "enable", "is enabled") }

// Run gives full access.
func (c userPromoteCommand) Run(ctx context.Context) error {
	return c.act(ctx, "promote", "is a super administrator")
}

// Run takes full access away.
func (c userDemoteCommand) Run(ctx context.Context) error {
	return c.act(ctx, "demote", "is a regular user")
}

// Run ends every session.
func (c userEndSessionsCommand) Run(ctx context.Context) error {
	return c.act(ctx, "end-sessions", "is logged off everywhere")
}

// Run makes a one-time link.
func (c userInviteCommand) Run(ctx context.Context) error {
	u, err := c.userNamed(ctx, c.User)
	if err != nil {
		return err
	}
	var i adminapi.Invitation
	if err := c.do(ctx, http.MethodPost, "/users/"+u.ID+"/invite", nil, &i); err != nil {
		return err
	}
	return say(c.remote, i, "%s", i.Link)
}

type userEditCommand struct {
	aUser
	Name  *string `help:"Display name."`
	Email *string `help:"E-mail address; empty: none."`
}

// Run changes a user.
func (c userEditCommand) Run(ctx context.Context) error {
	u, err := c.userNamed(ctx, c.User)
	if err != nil {
		return err
	}
	change := map[string]string{}
	if c.Name != nil {
		change["name"] = *c.Name
	}
	if c.Email != nil {
		change["email"] = *c.Email
	}
	if err := c.do(ctx, http.MethodPatch, "/users/"+u.ID, change, &u, ifMatch(u.Version)...); err != nil {
		return err
	}
	return say(c.remote, u, "%s is changed", u.LogOn)
}

type userDeleteCommand struct {
	aUser
	Yes bool `help:"Delete it; without, only what would stop is said."`
}

// Run deletes a user, once it is said that this is meant.
func (c userDeleteCommand) Run(ctx context.Context) error {
	u, err := c.userNamed(ctx, c.User)
	if err != nil {
		return err
	}
	if !c.Yes {
		var i adminapi.Impact
		if err := c.do(ctx, http.MethodGet, "/users/"+u.ID+"/impact", nil, &i); err != nil {
			return err
		}
		return &remoteError{exitUsage, fmt.Sprintf("deleting %s stops %s and %s and ends %s, for good: say --yes if this is meant",
			u.LogOn, counted(len(i.Keys), "API key"), counted(i.Sessions, "session"), counted(len(i.Workspaces), "membership"))}
	}
	if err := c.do(ctx, http.MethodDelete, "/users/"+u.ID, nil, nil); err != nil {
		return err
	}
	return say(c.remote, nil, "%s is deleted", u.LogOn)
}

type userAddCommand struct {
	remote
	hostUserAddCommand
	Email string `help:"E-mail address. Through a server only."`
}

// Run adds a RAM user: with a whole log-on name such as alice@acme in this
// machine's database, else through the server, in the admin key's account.
func (c userAddCommand) Run(ctx context.Context) error {
	if strings.Contains(c.LogOn, "@") {
		return c.hostUserAddCommand.Run(ctx)
	}
	var w adminapi.Workspace
	if c.Workspace != "" {
		var err error
		if w, err = c.workspaceNamed(ctx, c.Workspace); err != nil {
			return err
		}
	}
	body := map[string]any{"logon": c.LogOn, "name": c.Name, "email": c.Email}
	if c.PasswordStdin {
		text, err := c.get()
		if err != nil {
			return err
		}
		body["password"] = text.Reveal()
	}
	var added adminapi.AddedUser
	if err := c.do(ctx, http.MethodPost, "/users", body, &added); err != nil {
		return err
	}
	if err := c.settle(ctx, &added.User, w); err != nil {
		return err
	}
	if added.Invitation == nil {
		return say(c.remote, added, "%s", added.User.LogOn)
	}
	return say(c.remote, added, "%s %s", added.User.LogOn, added.Invitation.Link)
}

// settle gives the new user full access and a seat, where that was asked.
func (c userAddCommand) settle(ctx context.Context, u *adminapi.User, w adminapi.Workspace) error {
	if c.Super {
		if err := c.do(ctx, http.MethodPost, "/users/"+u.ID+"/promote", nil, u); err != nil {
			return err
		}
	}
	if w.ID == "" {
		return nil
	}
	return c.do(ctx, http.MethodPost, "/workspaces/"+w.ID+"/members", seat(u.ID, c.Role, c.Pages, false), nil)
}

func seat(user, role string, pages []string, alone bool) adminapi.NewMember {
	return adminapi.NewMember{User: user, MemberRole: adminapi.MemberRole{Role: role, Pages: pages, Alone: alone}}
}

type memberCommand struct {
	List   memberListCommand   `cmd:"" help:"List the members of a workspace."`
	Add    memberAddCommand    `cmd:"" help:"Add a RAM user to a workspace."`
	Set    memberSetCommand    `cmd:"" help:"Set a member's role and pages."`
	Remove memberRemoveCommand `cmd:"" help:"Remove a member; the keys they own there stop."`
}

type memberListCommand struct {
	remote
	Workspace string `arg:"" help:"Its id or name."`
	Search    string `help:"Part of log-on or display name."`
}

// Run lists members.
func (c memberListCommand) Run(ctx context.Context) error {
	w, err := c.workspaceNamed(ctx, c.Workspace)
	if err != nil {
		return err
	}
	found, err := every[adminapi.Member](ctx, c.remote, "/workspaces/"+w.ID+"/members", said("search", c.Search), 0)
	if err != nil {
		return err
	}
	return show(c.remote, found, "LOGON NAME ROLE PAGES ID", func(m adminapi.Member) []string {
		return []string{m.LogOn, m.Name, m.Role, strings.Join(m.Pages, ", "), m.User}
	})
}

// aMember names a user and a workspace.
type aMember struct {
	remote
	Workspace string `arg:"" help:"Its id or name."`
	User      string `arg:"" help:"Their log-on name or id."`
	Alone     bool   `help:"The workspace may be left without an administrator."`
}

func (c aMember) find(ctx context.Context) (w adminapi.Workspace, u adminapi.User, err error) {
	if w, err = c.workspaceNamed(ctx, c.Workspace); err != nil {
		return w, u, err
	}
	u, err = c.userNamed(ctx, c.User)
	return w, u, err
}

type memberAddCommand struct {
	aMember
	Role string   `help:"administrator or regular." enum:"administrator,regular" default:"regular"`
	Page []string `help:"Page a regular user may open, such as keys or usage; may be repeated."`
}

// Run adds a member.
func (c memberAddCommand) Run(ctx context.Context) error {
	w, u, err := c.find(ctx)
	if err != nil {
		return err
	}
	var m adminapi.Member
	if err := c.do(ctx, http.MethodPost, "/workspaces/"+w.ID+"/members", seat(u.ID, c.Role, c.Page, c.Alone), &m); err != nil {
		return err
	}
	return say(c.remote, m, "%s is %s in %s", m.LogOn, m.Role, w.Name)
}

type memberSetCommand struct{ memberAddCommand }

// Run sets role and pages.
func (c memberSetCommand) Run(ctx context.Context) error {
	w, u, err := c.find(ctx)
	if err != nil {
		return err
	}
	path := "/workspaces/" + w.ID + "/members/" + u.ID
	var m adminapi.Member
	if err := c.do(ctx, http.MethodGet, path, nil, &m); err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodPut, path, seat("", c.Role, c.Page, c.Alone).MemberRole, &m, ifMatch(m.Version)...); err != nil {
		return err
	}
	return say(c.remote, m, "%s is %s in %s", m.LogOn, m.Role, w.Name)
}

type memberRemoveCommand struct{ aMember }

// Run removes a member.
func (c memberRemoveCommand) Run(ctx context.Context) error {
	w, u, err := c.find(ctx)
	if err != nil {
		return err
	}
	path := "/workspaces/" + w.ID + "/members/" + u.ID
	if c.Alone {
		path += "?alone=true"
	}
	if err := c.do(ctx, http.MethodDelete, path, nil, nil); err != nil {
		return err
	}
	return say(c.remote, nil, "%s is no member of %s", u.LogOn, w.Name)
}
