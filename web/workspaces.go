package web

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/workspace"
	"bailiwick/views/workspaces"
)

// listWorkspaces answers GET /workspaces: Workspace Management.
func (s *Server) listWorkspaces(c echo.Context) error {
	return showList(s, c, s.workspaceList, workspaces.List, s.workspacesPage)
}

// enterWorkspace answers GET /workspaces/:workspace.
func (s *Server) enterWorkspace(c echo.Context) error { return s.leave(c, modelsURL(here(c).ID)) }

// showWorkspace answers GET /workspaces/:workspace/details.
func (s *Server) showWorkspace(c echo.Context) error {
	chrome, err := s.chrome(c, "Workspace Details", "")
	if err != nil {
		return err
	}
	return s.send(c, http.StatusOK, workspaces.Details(workspaces.DetailsProps{Chrome: chrome, Workspace: *s.details(c, here(c))}))
}

// newWorkspace answers GET /workspaces/new.
func (s *Server) newWorkspace(c echo.Context) error {
	return s.showAdd(c, http.StatusOK, workspaces.AddProps{})
}

func (s *Server) showAdd(c echo.Context, status int, p workspaces.AddProps) error {
	p.Action, p.CancelURL = workspacesURL, workspacesURL
	return s.showDialog(c, status, workspaces.AddDialog(p), s.workspacesPage)
}

// addWorkspace answers POST /workspaces.
func (s *Server) addWorkspace(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	w, err := s.Workspaces.Add(c.Request().Context(), actor(c), in.Get("name"))
	if f, ok := fault.On(err, "name"); ok {
		return s.showAdd(c, statusOf(err), workspaces.AddProps{Name: in.Get("name"), NameError: f.Message})
	}
	if fault.Is(err, fault.Full) {
		return s.showAdd(c, statusOf(err), workspaces.AddProps{Name: in.Get("name"), Notice: bad(err)})
	}
	if err != nil {
		return err
	}
	return s.workspacesChanged(c, "Workspace "+w.Name+" added")
}

// editWorkspace answers GET /workspaces/:workspace/edit.
func (s *Server) editWorkspace(c echo.Context) error {
	w := here(c)
	return s.showEdit(c, http.StatusOK, w, workspaces.EditProps{Name: w.Name})
}

func (s *Server) showEdit(c echo.Context, status int, w workspace.Workspace, p workspaces.EditProps) error {
	p.Action, p.CancelURL = workspaceEditURL(w.ID), workspacesURL
	p.ID, p.Current, p.Version = s.shownID(c, w.ID), w.Name, strconv.FormatInt(w.Version, 10)
	return s.showDialog(c, status, workspaces.EditDialog(p), s.workspacesPage)
}

// renameWorkspace answers POST /workspaces/:workspace/edit. Somebody else's
// change is shown, and what was typed is kept.
func (s *Server) renameWorkspace(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	w := here(c)
	p := workspaces.EditProps{Name: in.Get("name")}
	err = s.Workspaces.Rename(c.Request().Context(), actor(c), w.ID, p.Name, in.version())
	if f, ok := fault.On(err, "name"); ok {
		p.NameError = f.Message
		return s.showEdit(c, statusOf(err), w, p)
	}
	if fault.Is(err, fault.Conflict) {
		p.Conflict = &workspaces.Conflict{Now: w.Name}
		return s.showEdit(c, http.StatusConflict, w, p)
	}
	if err != nil {
		return err
	}
	return s.workspacesChanged(c, "Workspace renamed")
}

// confirmDeleteWorkspace answers GET /workspaces/:workspace/delete.
func (s *Server) confirmDeleteWorkspace(c echo.Context) error {
	w, remains, err := s.Workspaces.Remains(c.Request().Context(), actor(c), here(c).ID)
	if err != nil {
		return err
	}
	return s.showDelete(c, http.StatusOK, w, remains)
}

func (s *Server) showDelete(c echo.Context, status int, w workspace.Workspace, remains []workspace.Remain) error {
	p := workspaces.DeleteProps{Name: w.Name, CancelURL: workspacesURL}
	if len(remains) > 0 {
		p.Refusal = "A workspace can be deleted once nothing is left in it. Clear this first:"
		p.Remains = remainLinks(w.ID, remains)
	} else {
		p.Action = workspaceDeleteURL(w.ID)
		p.Stops = []string{"Programs that name this workspace's ID are refused from now on."}
	}
	return s.showDialog(c, status, workspaces.DeleteDialog(p), s.workspacesPage)
}

// deleteWorkspace answers POST /workspaces/:workspace/delete.
func (s *Server) deleteWorkspace(c echo.Context) error {
	w := here(c)
	remains, err := s.Workspaces.Delete(c.Request().Context(), actor(c), w.ID)
	if len(remains) > 0 {
		return s.showDelete(c, http.StatusConflict, w, remains)
	}
	if err != nil {
		return err
	}
	return s.workspacesChanged(c, "Workspace "+w.Name+" deleted")
}

func (s *Server) workspacesChanged(c echo.Context, message string) error {
	visitOf(c).here = nil
	return s.done(c, workspacesURL, message, func() (templ.Component, error) {
		p, err := s.workspacesIndex(c)
		return workspaces.Changed(workspaces.ChangedProps{Index: p, Toast: message}), err
	})
}

// workspacesPage is Workspace Management, with a dialog over it or without.
func (s *Server) workspacesPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	visitOf(c).here = nil // a page of the account
	p, err := s.workspacesIndex(c)
	p.Chrome.Overlay = overlay
	return workspaces.Index(p), err
}

func (s *Server) workspacesIndex(c echo.Context) (workspaces.IndexProps, error) {
	chrome, err := s.chrome(c, "Workspace Management", atWorkspaces)
	if err != nil {
		return workspaces.IndexProps{}, err
	}
	rows, err := s.workspaceList(c)
	if err != nil {
		return workspaces.IndexProps{}, err
	}
	p := workspaces.IndexProps{Chrome: chrome, List: rows}
	if !actor(c).May(access.AddWorkspace) {
		return p, nil
	}
	a, err := s.Workspaces.Allowance(c.Request().Context(), actor(c))
	p.AddURL, p.Used = newWorkspaceURL, number(a.Used)+" of "+number(a.Limit)+" used"
	if a.Used >= a.Limit {
		p.AddURL, p.AddOff = "", "All "+counted(a.Limit, "workspace")+" are in use. Delete one, or raise the limit in Settings."
	}
	return p, err
}
