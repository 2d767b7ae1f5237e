package web

import (
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
	"bailiwick/views/ui"
	"bailiwick/views/workspaces"
)

// workspaceList is the table of Workspace Management.
func (s *Server) workspaceList(c echo.Context) (workspaces.ListProps, error) {
	l := list(c, workspacesURL)
	found, next, err := s.Workspaces.List(c.Request().Context(), actor(c), workspace.Filter{Search: l.search(), After: l.after(), Limit: pageSize})
	if err != nil {
		return workspaces.ListProps{}, err
	}
	p := workspaces.ListProps{URL: workspacesURL, Search: l.search(), Pager: l.pager(len(found), next)}
	for _, w := range found {
		p.Rows = append(p.Rows, s.workspaceRow(c, w))
	}
	return p, nil
}

func (s *Server) workspaceRow(c echo.Context, w workspace.Listed) workspaces.Row {
	by := actor(c)
	return workspaces.Row{
		Name: w.Name, Default: w.Default, ID: s.shownID(c, w.ID), Administrators: firstOf(w.Administrators), Created: moment(w.CreatedAt),
		EnterURL:  when(by.MayIn(w.ID, access.EnterWorkspace), workspaceURL(w.ID)),
		EditURL:   when(by.May(access.RenameWorkspace), workspaceEditURL(w.ID)),
		DeleteURL: when(by.May(access.DeleteWorkspace) && !w.Default, workspaceDeleteURL(w.ID)),
	}
}

// shownID is a workspace's id where the actor may see it, or nothing.
func (s *Server) shownID(c echo.Context, id ident.Workspace) string {
	return when(actor(c).MayIn(id, access.ReadID), string(id))
}

// remainLinks says what keeps a workspace from being deleted, and where to clear it.
func remainLinks(ws ident.Workspace, remains []workspace.Remain) []ui.Remain {
	links := make([]ui.Remain, len(remains))
	for i, r := range remains {
		switch r.Kind {
		case "keys":
			links[i] = ui.Remain{Text: counted(r.Count, "API key"), URL: keysURL(ws)}
		case "grants":
			links[i] = ui.Remain{Text: counted(r.Count, "authorization") + " to use a model", URL: withQuery(modelsURL(ws), "capability", "call")}
		case "deployments":
			links[i] = ui.Remain{Text: counted(r.Count, "deployment"), URL: deploymentsURL(ws)}
		case "models":
			links[i] = ui.Remain{Text: counted(r.Count, "trained model"), URL: ownModelsURL(ws)}
		case "trainings":
			links[i] = ui.Remain{Text: counted(r.Count, "training"), URL: trainingsURL(ws)}
		case "datasets":
			links[i] = ui.Remain{Text: counted(r.Count, "dataset"), URL: datasetsURL(ws)}
		case "members":
			links[i] = ui.Remain{Text: counted(r.Count, "member"), URL: membersURL(ws)}
		default:
			links[i] = ui.Remain{Text: counted(r.Count, r.Kind)}
		}
	}
	return links
}

// bad tells about a form as a whole.
func bad(err error) *ui.Notice { return &ui.Notice{Tone: ui.Bad, Text: fault.Show(err)} }
