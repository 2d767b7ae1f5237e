package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"bailiwick/internal/adminapi"
)

type grantCommand struct {
	List   grantListCommand   `cmd:"" help:"List which workspaces hold which rights of which models."`
	Show   grantShowCommand   `cmd:"" help:"Show who holds one right of a model."`
	Add    grantAddCommand    `cmd:"" help:"Grant a workspace one right of a model."`
	Remove grantRemoveCommand `cmd:"" help:"Revoke a workspace's right of a model."`
	Set    grantSetCommand    `cmd:"" help:"Set all who hold one right of a model; who is not named loses it."`
}

type grantListCommand struct {
	remote
	Workspace string `help:"Only what this one was granted, by id or name."`
	Search    string `help:"Part of the model's id or name."`
}

// Run lists grants, a line for each model that anybody holds a right of.
func (c grantListCommand) Run(ctx context.Context) error {
	q := said("search", c.Search)
	if c.Workspace != "" {
		w, err := c.workspaceNamed(ctx, c.Workspace)
		if err != nil {
			return err
		}
		q.Set("workspace", w.ID)
	}
	found, err := every[adminapi.GrantRow](ctx, c.remote, "/grants", q, 0)
	if err != nil {
		return err
	}
	names := map[string]string{}
	if c.Output == "table" {
		all, err := every[adminapi.ListedWorkspace](ctx, c.remote, "/workspaces", nil, 0)
		if err != nil {
			return err
		}
		for _, w := range all {
			names[w.ID] = w.Name
		}
	}
	return show(c.remote, found, "MODEL CALL TRAIN DEPLOY", func(g adminapi.GrantRow) []string {
		return []string{g.Model, holders(g.Call, names), holders(g.Train, names), holders(g.Deploy, names)}
	})
}

func holders(c *adminapi.GrantCell, names map[string]string) string {
	if c == nil {
		return "not offered"
	}
	list := make([]string, len(c.Workspaces))
	for i, id := range c.Workspaces {
		list[i] = names[id]
	}
	return strings.Join(list, ", ")
}

// aRight is one right of one model.
type aRight struct {
	Model      string `arg:"" help:"The model's id."`
	Capability string `arg:"" help:"call, train or deploy." enum:"call,train,deploy"`
}

func (a aRight) path() string {
	return "/models/" + url.PathEscape(a.Model) + "/grants/" + a.Capability
}

type grantShowCommand struct {
	remote
	aRight
}

// Run shows who holds a right.
func (c grantShowCommand) Run(ctx context.Context) error {
	var l adminapi.GrantList
	if err := c.do(ctx, http.MethodGet, c.path(), nil, &l); err != nil {
		return err
	}
	if c.Output == "json" {
		return printJSON(l)
	}
	return show(c.remote, l.Granted, "WORKSPACE NAME SINCE BY", func(g adminapi.Granted) []string {
		return []string{g.Workspace, g.Name, date(&g.Since), g.By}
	})
}

type grantAddCommand struct {
	remote
	Workspace string `arg:"" help:"Its id or name."`
	aRight
}

// Run grants a right.
func (c grantAddCommand) Run(ctx context.Context) error {
	w, err := c.workspaceNamed(ctx, c.Workspace)
	if err != nil {
		return err
	}
	var g adminapi.NewGrant
	if err := c.do(ctx, http.MethodPost, "/workspaces/"+w.ID+"/grants", adminapi.NewGrant{Model: c.Model, Capability: c.Capability}, &g); err != nil {
		return err
	}
	return say(c.remote, g, "%s may %s %s", w.Name, g.Capability, g.Model)
}

type grantRemoveCommand struct{ grantAddCommand }

// Run revokes a right.
func (c grantRemoveCommand) Run(ctx context.Context) error {
	w, err := c.workspaceNamed(ctx, c.Workspace)
	if err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodDelete, "/workspaces/"+w.ID+"/grants/"+url.PathEscape(c.Model)+"/"+c.Capability, nil, nil); err != nil {
		return err
	}
	return say(c.remote, nil, "%s may not %s %s", w.Name, c.Capability, c.Model)
}

type grantSetCommand struct {
	remote
	aRight
	Workspaces []string `arg:"" optional:"" help:"Ids or names; none: nobody."`
}

// Run sets who holds a right.
func (c grantSetCommand) Run(ctx context.Context) error {
	set := adminapi.GrantSet{Workspaces: []string{}}
	for _, text := range c.Workspaces {
		w, err := c.workspaceNamed(ctx, text)
		if err != nil {
			return err
		}
		set.Workspaces = append(set.Workspaces, w.ID)
	}
	var l adminapi.GrantList
	if err := c.do(ctx, http.MethodGet, c.path(), nil, &l); err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodPut, c.path(), set, &l, ifMatch(l.Version)...); err != nil {
		return err
	}
	return say(c.remote, l, "%s may %s %s", counted(len(l.Granted), "workspace"), l.Capability, l.Model)
}
