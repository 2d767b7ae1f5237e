package adminapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/workspace"
)

// Workspace is one department's.
type Workspace struct {
	ID        string    `json:"id" example:"llm-3kq7x0v9d2m5n8p1"`
	Name      string    `json:"name" example:"Marketing"`
	Default   bool      `json:"default" doc:"It was made with the account, may do everything and cannot be deleted."`
	CallAll   bool      `json:"call_all" doc:"It may call every model, future ones too."`
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version" doc:"The ETag is this number in quotes."`
}

func (w Workspace) version() int64 { return w.Version }

// ListedWorkspace is a workspace as lists show it.
type ListedWorkspace struct {
	Workspace
	Administrators []string `json:"administrators" doc:"Display names."`
}

// WorkspaceName is what is said to add or rename a workspace.
type WorkspaceName struct {
	Name string `json:"name" required:"true" doc:"1–30 characters, unique in the account." example:"Marketing"`
}

func workspaceOf(w workspace.Workspace) Workspace {
	return Workspace{ID: string(w.ID), Name: w.Name, Default: w.Default, CallAll: w.CallAll, CreatedAt: w.CreatedAt, Version: w.Version}
}

func workspaceOperations() []operation {
	const group = "Workspaces"
	return []operation{
		{group: group, id: "listWorkspaces", method: "GET", path: "/workspaces", action: access.ListWorkspaces, summary: "List workspaces",
			notes: "The Default Workspace first, then by name.", query: []parameter{search}, paged: true, answer: Page[ListedWorkspace]{}, run: listWorkspaces},
		{group: group, id: "addWorkspace", method: "POST", path: "/workspaces", action: access.AddWorkspace, summary: "Add a workspace",
			body: WorkspaceName{}, answer: Workspace{}, status: http.StatusCreated, fails: []int{409}, run: addWorkspace},
		{group: group, id: "getWorkspace", method: "GET", path: "/workspaces/{workspace}", action: access.EnterWorkspace, summary: "Read a workspace",
			answer: Workspace{}, run: func(c *call) (any, error) { return c.workspace() }},
		{group: group, id: "renameWorkspace", method: "PATCH", path: "/workspaces/{workspace}", action: access.RenameWorkspace, summary: "Rename a workspace",
			notes: "Its id stays.", body: WorkspaceName{}, answer: Workspace{}, match: true, fails: []int{409}, run: renameWorkspace},
		{group: group, id: "deleteWorkspace", method: "DELETE", path: "/workspaces/{workspace}", action: access.DeleteWorkspace, summary: "Delete an empty workspace",
			notes: "What still belongs to it is named in the refusal, and nothing is deleted.", fails: []int{409}, run: deleteWorkspace},
	}
}

// workspace reads the one that the path names.
func (c *call) workspace() (any, error) {
	w, err := c.services.Workspaces.Find(c.ctx, c.by, c.place)
	return workspaceOf(w), err
}

func listWorkspaces(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	found, next, err := c.services.Workspaces.List(c.ctx, c.by, workspace.Filter{Search: c.text("search"), After: c.text("after"), Limit: limit})
	return pageOf(found, next, err, func(w workspace.Listed) ListedWorkspace {
		return ListedWorkspace{workspaceOf(w.Workspace), w.Administrators}
	})
}

func addWorkspace(c *call) (any, error) {
	var in WorkspaceName
	if err := c.read(&in); err != nil {
		return nil, err
	}
	w, err := c.services.Workspaces.Add(c.ctx, c.by, in.Name)
	return workspaceOf(w), err
}

func renameWorkspace(c *call) (any, error) {
	var in WorkspaceName
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if err := c.services.Workspaces.Rename(c.ctx, c.by, c.place, in.Name, c.match); err != nil {
		return nil, err
	}
	return c.workspace()
}

// remaining says how many of something a workspace still holds.
func remaining(r workspace.Remain) string {
	kind := r.Kind
	switch kind {
	case "keys":
		kind = "API keys"
	case "grants":
		kind = "authorizations"
	}
	if r.Count == 1 {
		kind = strings.TrimSuffix(kind, "s")
	}
	return fmt.Sprintf("%d %s", r.Count, kind)
}

func deleteWorkspace(c *call) (any, error) {
	remains, err := c.services.Workspaces.Delete(c.ctx, c.by, c.place)
	if fault.Is(err, fault.Conflict) && len(remains) > 0 {
		var words []string
		for _, r := range remains {
			words = append(words, remaining(r))
		}
		err = fault.New(fault.Conflict, "This workspace still holds %s. Clear it first.", strings.Join(words, ", "))
	}
	return nil, err
}
