package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/views/authorizations"
	"bailiwick/views/models"
)

// findSubject finds the model and the capability that the path names. Who is
// authorized is decided in the Default Workspace alone.
func (s *Server) findSubject(c echo.Context) (catalogue.Model, grant.Subject, error) {
	if !here(c).Default {
		return catalogue.Model{}, grant.Subject{}, fault.NoSuch("page")
	}
	m, err := s.findModel(c)
	if err != nil {
		return m, grant.Subject{}, err
	}
	capability, err := catalogue.ParseCapability(param(c, "capability"))
	return m, grant.Subject{Model: m.ID, Capability: capability}, err
}

// showGrants answers GET …/models/:model/authorize/:capability: the dialog.
func (s *Server) showGrants(c echo.Context) error {
	m, subject, err := s.findSubject(c)
	if err != nil {
		return err
	}
	list, err := s.Grants.List(c.Request().Context(), actor(c), subject)
	if err != nil {
		return err
	}
	return s.showAuthorize(c, http.StatusOK, m, subject, list, authorized(list), models.AuthorizeProps{})
}

// showAuthorize shows the dialog over a list as it is kept now, with the wanted
// ones on the right side.
func (s *Server) showAuthorize(c echo.Context, status int, m catalogue.Model, subject grant.Subject, list grant.List, wanted []ident.Workspace, p models.AuthorizeProps) error {
	p.Capability, p.Model = subject.Capability.Title(), m.Name
	p.Action, p.CancelURL, p.AddURL = authorizeURL(here(c).ID, m.ID, subject.Capability), modelURL(here(c).ID, m.ID), workspacesURL
	over := s.modelsPage
	if ofMatrix(c) {
		p.Action, p.CancelURL, over = withQuery(p.Action, "from", fromMatrix), authorizationsURL, s.authorizationsPage
	}
	p.EveryURL = authorizationsURL
	p.Version = strconv.FormatInt(list.Version, 10)
	for _, h := range list.Holders {
		if h.All {
			p.Every = append(p.Every, h.Name)
			continue
		}
		p.Workspaces = append(p.Workspaces, models.Choice{
			ID: string(h.Workspace), Name: h.Name, Was: h.Granted, Authorized: slices.Contains(wanted, h.Workspace),
		})
	}
	return s.showDialog(c, status, models.AuthorizeDialog(p), over)
}

// changeGrants answers POST …/models/:model/authorize/:capability.
func (s *Server) changeGrants(c echo.Context) error {
	m, subject, err := s.findSubject(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	wanted, was, err := choice(in)
	if err != nil {
		return err
	}
	change, err := s.Grants.Authorize(c.Request().Context(), actor(c), subject, grant.Edit{Version: in.version(), Authorized: wanted})
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.Missing):
		return s.authorizeAgain(c, m, subject, wanted, was, err)
	case err != nil:
		return err
	}
	message := changed(m, subject, change)
	if ofMatrix(c) {
		return s.matrixChanged(c, message)
	}
	return s.done(c, modelURL(here(c).ID, m.ID), message, func() (templ.Component, error) {
		rights, err := s.rights(c, here(c), m)
		return models.AuthorizedDone(models.AuthorizedProps{Rights: rights, Toast: message}), err
	})
}

// fromMatrix says in an address that a dialog lies over the matrix, and leads
// back there.
const fromMatrix = "authorizations"

func ofMatrix(c echo.Context) bool { return c.QueryParam("from") == fromMatrix }

func mayGrant(c echo.Context) bool { return actor(c).May(access.ChangeGrants) }

func (s *Server) matrixChanged(c echo.Context, message string) error {
	return s.done(c, authorizationsURL, message, func() (templ.Component, error) {
		p, err := s.matrix(c)
		return authorizations.Changed(authorizations.ChangedProps{Matrix: p, Toast: message}), err
	})
}

// authorizeAgain shows the list as somebody else left it, and on top of that
// what this person wants.
func (s *Server) authorizeAgain(c echo.Context, m catalogue.Model, subject grant.Subject, wanted, was []ident.Workspace, cause error) error {
	list, err := s.Grants.List(c.Request().Context(), actor(c), subject)
	if err != nil {
		return err
	}
	var p models.AuthorizeProps
	if fault.Is(cause, fault.Conflict) {
		p.Conflict = meanwhile(list, was, s.Now())
	} else {
		p.Error = "A workspace of your choice is not there any more. Check the list and choose OK again."
	}
	return s.showAuthorize(c, statusOf(cause), m, subject, list, onTop(authorized(list), was, wanted), p)
}

// choice reads the wanted workspaces and those that the dialog began with.
func choice(in form) (wanted, was []ident.Workspace, err error) {
	if wanted, err = workspaceIDs(in.Values["authorized"]); err != nil {
		return nil, nil, err
	}
	was, err = workspaceIDs(in.Values["was"])
	return wanted, was, err
}

func workspaceIDs(texts []string) ([]ident.Workspace, error) {
	ids := make([]ident.Workspace, len(texts))
	for i, text := range texts {
		id, err := ident.ParseWorkspace(text)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// authorized are those who hold a subject by a grant of its own. Whoever may
// call every model is not the list's to change.
func authorized(list grant.List) []ident.Workspace {
	var ids []ident.Workspace
	for _, h := range list.Holders {
		if h.Granted && !h.All {
			ids = append(ids, h.Workspace)
		}
	}
	return ids
}

// onTop applies to a list what somebody changed in an older one.
func onTop(now, was, wanted []ident.Workspace) []ident.Workspace {
	var ids []ident.Workspace
	for _, id := range now {
		if slices.Contains(wanted, id) || !slices.Contains(was, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range wanted {
		if !slices.Contains(was, id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// meanwhile says what differs from the list that a dialog began with.
func meanwhile(list grant.List, was []ident.Workspace, now time.Time) *models.Conflict {
	p := models.Conflict{By: list.EditedBy, When: ago(list.EditedAt, now)}
	for _, h := range list.Holders {
		held := slices.Contains(was, h.Workspace)
		switch {
		case h.All:
		case h.Granted && !held:
			p.Granted = append(p.Granted, h.Name)
		case !h.Granted && held:
			p.Revoked = append(p.Revoked, h.Name)
		}
	}
	return &p
}

// changed says what an edit did.
func changed(m catalogue.Model, subject grant.Subject, change grant.Change) string {
	var parts []string
	if n := len(change.Granted); n > 0 {
		parts = append(parts, counted(n, "workspace")+" authorized")
	}
	if n := len(change.Revoked); n > 0 {
		parts = append(parts, counted(n, "workspace")+" revoked")
	}
	if len(parts) == 0 {
		parts = []string{"nothing changed"}
	}
	return subject.Capability.Title() + " of " + m.Name + ": " + strings.Join(parts, ", ")
}
