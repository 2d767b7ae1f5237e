package adminapi

import (
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/ident"
)

// Event is one line of the audit trail.
type Event struct {
	ID            string            `json:"id" example:"evt-9a1b2c3d4e5f6g7h8i9j"`
	Seq           int64             `json:"seq" doc:"1, 2, 3 … within the account, without gaps."`
	At            time.Time         `json:"at"`
	Workspace     string            `json:"workspace" doc:"Empty: the line concerns the account as a whole."`
	WorkspaceName string            `json:"workspace_name" doc:"Empty: none, or it is gone."`
	Actor         string            `json:"actor" doc:"A user's id; empty: the system or the command line."`
	ActorName     string            `json:"actor_name" example:"alice@acme"`
	Address       string            `json:"address"`
	RequestID     string            `json:"request_id"`
	Action        string            `json:"action" example:"keys:issue"`
	Object        string            `json:"object" doc:"The id of what it was done to."`
	Summary       string            `json:"summary"`
	Detail        map[string]string `json:"detail" doc:"What else is known, before and after, without secrets."`
	Hash          string            `json:"hash" doc:"Covers this line and the hash of the one before it."`
}

func auditOperations() []operation {
	const group = "Audit"
	return []operation{
		{group: group, id: "listEvents", method: "GET", path: "/audit", action: access.ReadAudit, summary: "List the lines of the audit trail", notes: "Newest first.",
			query: []parameter{
				{name: "workspace", about: "The lines that concern it."},
				{name: "actor", about: "As the lines call them, such as alice@acme, or a user's id."},
				{name: "action", about: "keys:delete; with a colon at its end, keys:, everything with keys."},
				{name: "object", about: "The id of what it was done to."},
				{name: "text", about: "Part of what the line says, of the object, the address or the request."},
				{name: "from", about: "From this time on, as 2026-11-20T14:05:00Z.", kind: "date-time"},
				{name: "to", about: "Before this time.", kind: "date-time"},
			}, paged: true, answer: Page[Event]{}, run: listEvents},
		{group: group, id: "getEvent", method: "GET", path: "/audit/{event}", action: access.ReadAudit, summary: "Read one line of the audit trail", answer: Event{}, run: readEvent},
	}
}

func eventOf(l account.TrailLine) Event {
	detail := l.Detail
	if detail == nil {
		detail = map[string]string{}
	}
	return Event{
		ID: string(l.ID), Seq: l.Seq, At: l.At, Workspace: string(l.Workspace), WorkspaceName: l.WorkspaceName, Actor: string(l.Actor), ActorName: l.ActorName,
		Address: l.Address, RequestID: string(l.Call), Action: l.Action, Object: l.Object, Summary: l.Summary, Detail: detail, Hash: l.Hash.String(),
	}
}

func listEvents(c *call) (any, error) {
	f := account.TrailFilter{Actor: c.text("actor"), Action: c.text("action"), Object: c.text("object"), Text: c.text("text"), After: c.text("after")}
	var err error
	if f.Limit, err = c.limit(); err != nil {
		return nil, err
	}
	if f.From, err = c.moment("from"); err != nil {
		return nil, err
	}
	if f.To, err = c.moment("to"); err != nil {
		return nil, err
	}
	if text := c.text("workspace"); text != "" {
		if f.Workspace, err = ident.ParseWorkspace(text); err != nil {
			return nil, err
		}
	}
	found, next, err := c.services.Trail.List(c.ctx, c.by, "", f)
	return pageOf(found, next, err, eventOf)
}

func readEvent(c *call) (any, error) {
	id, err := c.event()
	if err != nil {
		return nil, err
	}
	l, err := c.services.Trail.Find(c.ctx, c.by, "", id)
	if err != nil {
		return nil, err
	}
	return eventOf(l), nil
}
