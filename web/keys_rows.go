package web

import (
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/secret"
	"bailiwick/views/keys"
	"bailiwick/views/ui"
)

// ofAccount reports whether the request is about the keys of the whole account.
func ofAccount(c echo.Context) bool {
	return visitOf(c).here == nil || c.QueryParam("from") == "account"
}

// keysBack is the list that the request came from.
func (s *Server) keysBack(c echo.Context) string {
	if ofAccount(c) {
		return accountKeysURL
	}
	return keysURL(here(c).ID)
}

// keyAct is the address of an act on a key that leads back to the same list.
func (s *Server) keyAct(c echo.Context, k apikey.Key, act string) string {
	return keyURL(k.Workspace, k.ID, act, ofAccount(c))
}

// keysPage is the list of keys, with a dialog over it or without.
func (s *Server) keysPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	rows, err := s.keyList(c)
	if err != nil {
		return nil, err
	}
	p := keys.IndexProps{List: rows}
	if ofAccount(c) {
		visitOf(c).here = nil
	} else {
		w := here(c)
		p.Workspace = w.Name
		p.CreateURL = when(actor(c).MayIn(w.ID, access.IssueKeys), newKeyURL(w.ID))
	}
	p.Chrome, err = s.chrome(c, "API Keys", atKeys)
	p.Chrome.Overlay = overlay
	return keys.Index(p), err
}

// keyList is the table of keys, of one workspace or of the account.
func (s *Server) keyList(c echo.Context) (keys.ListProps, error) {
	l := list(c, s.keysBack(c))
	f := apikey.Filter{Search: l.search(), After: l.after(), Limit: pageSize}
	found, next, err := s.findKeys(c, f)
	if err != nil {
		return keys.ListProps{}, err
	}
	p := keys.ListProps{URL: l.url, Search: l.search(), Workspaces: ofAccount(c), Pager: l.pager(len(found), next)}
	for _, k := range found {
		p.Rows = append(p.Rows, s.keyRow(c, k))
	}
	return p, nil
}

func (s *Server) findKeys(c echo.Context, f apikey.Filter) ([]apikey.Listed, string, error) {
	if ofAccount(c) {
		return s.Keys.ListAll(c.Request().Context(), actor(c), f)
	}
	return s.Keys.List(c.Request().Context(), actor(c), here(c).ID, f)
}

func (s *Server) keyRow(c echo.Context, k apikey.Listed) keys.Row {
	state, tone := keyState(k.Key, s.Now())
	change := actor(c).MayIn(k.Workspace, access.ChangeKeys)
	disabled := !k.DisabledAt.IsZero()
	return keys.Row{
		Description: k.Description, Masked: secret.Masked(k.Hint), ID: string(k.ID), Workspace: k.WorkspaceName, WorkspaceURL: keysURL(k.Workspace),
		Creator: k.OwnerName, Created: moment(k.CreatedAt), LastUsed: moment(k.LastUsedAt), State: state, Tone: tone,
		EnableURL:  when(change && disabled, s.keyAct(c, k.Key, "enable")),
		DisableURL: when(change && !disabled, s.keyAct(c, k.Key, "disable")),
		DeleteURL:  when(change, s.keyAct(c, k.Key, "delete")),
	}
}

func keyState(k apikey.Key, now time.Time) (string, ui.Tone) {
	switch {
	case !k.DisabledAt.IsZero():
		return "Disabled", ui.Quiet
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return "Expired", ui.Warn
	}
	return "Enabled", ui.Good
}
