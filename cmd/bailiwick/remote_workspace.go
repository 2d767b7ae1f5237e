package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"bailiwick/internal/adminapi"
)

type workspaceCommand struct {
	List   workspaceListCommand   `cmd:"" help:"List workspaces."`
	Add    workspaceAddCommand    `cmd:"" help:"Add a workspace."`
	Rename workspaceRenameCommand `cmd:"" help:"Rename a workspace; its id stays."`
	Delete workspaceDeleteCommand `cmd:"" help:"Delete an empty workspace."`
}

type workspaceListCommand struct {
	remote
	Search string `help:"Part of the name or id."`
}

// Run lists workspaces.
func (c workspaceListCommand) Run(ctx context.Context) error {
	found, err := every[adminapi.ListedWorkspace](ctx, c.remote, "/workspaces", said("search", c.Search), 0)
	if err != nil {
		return err
	}
	return show(c.remote, found, "ID NAME ADMINISTRATORS CREATED", func(w adminapi.ListedWorkspace) []string {
		return []string{w.ID, w.Name, strings.Join(w.Administrators, ", "), date(&w.CreatedAt)}
	})
}

type workspaceAddCommand struct {
	remote
	Name string `arg:"" help:"1–30 characters."`
}

// Run adds a workspace.
func (c workspaceAddCommand) Run(ctx context.Context) error {
	var w adminapi.Workspace
	if err := c.do(ctx, http.MethodPost, "/workspaces", adminapi.WorkspaceName{Name: c.Name}, &w); err != nil {
		return err
	}
	return say(c.remote, w, "%s", w.ID)
}

type workspaceRenameCommand struct {
	remote
	Workspace string `arg:"" help:"Its id or name."`
	Name      string `arg:"" help:"1–30 characters."`
}

// Run renames a workspace.
func (c workspaceRenameCommand) Run(ctx context.Context) error {
	w, err := c.workspaceNamed(ctx, c.Workspace)
	if err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodPatch, "/workspaces/"+w.ID, adminapi.WorkspaceName{Name: c.Name}, &w, ifMatch(w.Version)...); err != nil {
		return err
	}
	return say(c.remote, w, "%s is now named %s", w.ID, w.Name)
}

type workspaceDeleteCommand struct {
	remote
	Workspace string `arg:"" help:"Its id or name."`
}

// Run deletes a workspace.
func (c workspaceDeleteCommand) Run(ctx context.Context) error {
	w, err := c.workspaceNamed(ctx, c.Workspace)
	if err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodDelete, "/workspaces/"+w.ID, nil, nil); err != nil {
		return err
	}
	return say(c.remote, nil, "%s is deleted", w.Name)
}

type auditListCommand struct {
	remote
	Workspace string `help:"The lines that concern it, by id or name."`
	Actor     string `help:"As the lines call them, such as alice@acme."`
	Action    string `help:"Such as keys:delete, or keys: for everything with keys."`
	Object    string `help:"The id of what it was done to."`
	Text      string `help:"Part of what a line says."`
	From      string `help:"From this time on, such as 2026-11-20T14:05:00Z."`
	To        string `help:"Before this time."`
	Limit     int    `help:"How many lines, the newest first; 0: all." default:"50"`
}

// Run lists lines of the audit trail.
func (c auditListCommand) Run(ctx context.Context) error {
	q := said("actor", c.Actor, "action", c.Action, "object", c.Object, "text", c.Text, "from", c.From, "to", c.To)
	if c.Workspace != "" {
		w, err := c.workspaceNamed(ctx, c.Workspace)
		if err != nil {
			return err
		}
		q.Set("workspace", w.ID)
	}
	found, err := every[adminapi.Event](ctx, c.remote, "/audit", q, c.Limit)
	if err != nil {
		return err
	}
	return show(c.remote, found, "TIME ACTOR ACTION WORKSPACE SUMMARY", func(e adminapi.Event) []string {
		return []string{e.At.UTC().Format(time.DateTime + "Z"), e.ActorName, e.Action, e.WorkspaceName, e.Summary}
	})
}
