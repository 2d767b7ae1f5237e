package adminapi

import (
	"net/http"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
)

// GrantRow is one model in the matrix of grants. A right that the model does
// not offer is null.
type GrantRow struct {
	Model  string     `json:"model" example:"qwen-turbo"`
	Name   string     `json:"name"`
	Call   *GrantCell `json:"call"`
	Train  *GrantCell `json:"train"`
	Deploy *GrantCell `json:"deploy"`
}

// GrantCell is who holds one right of one model.
type GrantCell struct {
	Version    int64    `json:"version" doc:"Of the list, as its ETag."`
	Workspaces []string `json:"workspaces" doc:"Sub-workspaces with a grant of their own, by id."`
}

// GrantList is who holds one right of one model, in full.
type GrantList struct {
	Model      string     `json:"model"`
	Capability string     `json:"capability" enum:"call,train,deploy"`
	Version    int64      `json:"version" doc:"The ETag is this number in quotes."`
	EditedAt   *time.Time `json:"edited_at" doc:"null: nobody has edited it."`
	EditedBy   string     `json:"edited_by"`
	Granted    []Granted  `json:"granted"`
	All        []string   `json:"through_all" doc:"Workspaces that hold it because they are authorized for all models."`
}

func (l GrantList) version() int64 { return l.Version }

// Granted is one grant.
type Granted struct {
	Workspace string    `json:"workspace"`
	Name      string    `json:"name" doc:"Of the workspace."`
	Since     time.Time `json:"since"`
	By        string    `json:"by" example:"root@acme"`
}

// GrantSet is what a list shall become.
type GrantSet struct {
	Workspaces []string `json:"workspaces" required:"true" doc:"All sub-workspaces that shall hold it afterwards; none: nobody."`
}

// NewGrant is one right of one model for a workspace.
type NewGrant struct {
	Model      string `json:"model" required:"true" example:"qwen-turbo"`
	Capability string `json:"capability" required:"true" enum:"call,train,deploy"`
}

// HeldModel is what a workspace was granted of one model.
type HeldModel struct {
	Model  string `json:"model"`
	Name   string `json:"name"`
	Call   bool   `json:"call"`
	Train  bool   `json:"train"`
	Deploy bool   `json:"deploy"`
}

func grantOperations() []operation {
	const group, list, held = "Authorizations", "/models/{model}/grants/{capability}", "/workspaces/{workspace}/grants"
	return []operation{
		{group: group, id: "listGrants", method: "GET", path: "/grants", action: access.ReadGrants, summary: "Read the matrix of models and workspaces",
			notes: "By model. What the Default Workspace may do, and what a workspace may call because it is authorized for all models, is no grant and not in it.",
			query: []parameter{search, {name: "workspace", about: "Only what this one was granted."}}, paged: true, answer: Page[GrantRow]{}, run: listGrants},
		{group: group, id: "getGrantList", method: "GET", path: list, action: access.ReadGrants, summary: "Read who holds one right of a model",
			notes: "A slash in a model's id is written as %2F.", answer: GrantList{}, run: onList(func(*call, grant.Subject) error { return nil })},
		{group: group, id: "setGrantList", method: "PUT", path: list, action: access.ChangeGrants, summary: "Set who holds one right of a model",
			notes: "All at once: who is not named loses it. It counts from the next call on.", body: GrantSet{}, answer: GrantList{}, match: true, run: onList(setList)},
		{group: group, id: "listWorkspaceGrants", method: "GET", path: held, action: access.ReadGrants, summary: "List what a workspace was granted",
			query: []parameter{search}, paged: true, answer: Page[HeldModel]{}, run: listHeld},
		{group: group, id: "grant", method: "POST", path: held, action: access.ChangeGrants, summary: "Grant a workspace one right of a model",
			notes: "Whatever others hold. What it holds already it keeps.", body: NewGrant{}, answer: NewGrant{}, status: http.StatusCreated, run: addGrant},
		{group: group, id: "revokeGrant", method: "DELETE", path: held + "/{model}/{capability}", action: access.ChangeGrants, summary: "Revoke a workspace's right of a model",
			notes: "It counts from the next call on.", run: revokeGrant},
	}
}

func cellOf(r grant.Row, c catalogue.Capability) *GrantCell {
	if !r.Offers.Has(c) {
		return nil
	}
	return &GrantCell{r.Versions[c], words(r.Holders[c])}
}

func listGrants(c *call) (any, error) {
	f, err := c.matrix()
	if err != nil {
		return nil, err
	}
	if text := c.text("workspace"); text != "" {
		if f.Workspace, err = ident.ParseWorkspace(text); err != nil {
			return nil, err
		}
		if _, err := c.services.Workspaces.Find(c.ctx, c.by, f.Workspace); err != nil {
			return nil, err
		}
	}
	found, next, err := c.services.Grants.Matrix(c.ctx, c.by, f)
	return pageOf(found, next, err, func(r grant.Row) GrantRow {
		return GrantRow{string(r.Model), r.Name, cellOf(r, catalogue.Call), cellOf(r, catalogue.Train), cellOf(r, catalogue.Deploy)}
	})
}

func (c *call) matrix() (grant.MatrixFilter, error) {
	limit, err := c.limit()
	return grant.MatrixFilter{Search: c.text("search"), After: c.text("after"), Limit: limit}, err
}

func listHeld(c *call) (any, error) {
	f, err := c.matrix()
	if err != nil {
		return nil, err
	}
	f.Workspace = c.place
	found, next, err := c.services.Grants.Matrix(c.ctx, c.by, f)
	return pageOf(found, next, err, func(r grant.Row) HeldModel {
		return HeldModel{string(r.Model), r.Name, len(r.Holders[catalogue.Call]) > 0, len(r.Holders[catalogue.Train]) > 0, len(r.Holders[catalogue.Deploy]) > 0}
	})
}

func (c *call) subject() (grant.Subject, error) {
	m, err := c.model()
	if err != nil {
		return grant.Subject{}, err
	}
	capability, err := c.capability()
	return grant.Subject{Model: m, Capability: capability}, err
}

// onList does something to the list that the path names and answers with what
// it is then.
func onList(do func(*call, grant.Subject) error) func(*call) (any, error) {
	return func(c *call) (any, error) {
		s, err := c.subject()
		if err != nil {
			return nil, err
		}
		if err := do(c, s); err != nil {
			return nil, err
		}
		l, err := c.services.Grants.List(c.ctx, c.by, s)
		return listOf(s, l), err
	}
}

func listOf(s grant.Subject, l grant.List) GrantList {
	out := GrantList{Model: string(s.Model), Capability: s.Capability.String(), Version: l.Version, EditedAt: when(l.EditedAt), EditedBy: l.EditedBy}
	for _, h := range l.Holders {
		if h.Granted {
			out.Granted = append(out.Granted, Granted{string(h.Workspace), h.Name, h.Since, h.By})
		}
		if h.All {
			out.All = append(out.All, string(h.Workspace))
		}
	}
	return out
}

func setList(c *call, s grant.Subject) error {
	in := struct {
		Workspaces Opt[[]string] `json:"workspaces"`
	}{}
	if err := c.read(&in); err != nil {
		return err
	}
	if !in.Workspaces.Said || in.Workspaces.Null {
		return fault.Field("workspaces", "Name every workspace that shall hold it; an empty list takes it from all.")
	}
	e := grant.Edit{Version: c.match}
	for _, text := range in.Workspaces.Value {
		ws, err := ident.ParseWorkspace(text)
		if err != nil {
			return fault.NoSuch("workspace").About("workspaces")
		}
		e.Authorized = append(e.Authorized, ws)
	}
	_, err := c.services.Grants.Authorize(c.ctx, c.by, s, e)
	return err
}

func addGrant(c *call) (any, error) {
	var in NewGrant
	if err := c.read(&in); err != nil {
		return nil, err
	}
	m, err := ident.ParseModel(in.Model)
	if err != nil {
		return nil, err
	}
	capability, err := catalogue.ParseCapability(in.Capability)
	if err != nil {
		return nil, fault.Field("capability", "Write call, train or deploy.")
	}
	return in, c.services.Grants.Set(c.ctx, c.by, grant.Subject{Model: m, Capability: capability}, c.place, true)
}

func revokeGrant(c *call) (any, error) {
	s, err := c.subject()
	if err != nil {
		return nil, err
	}
	return nil, c.services.Grants.Set(c.ctx, c.by, s, c.place, false)
}
