package web

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/views/keys"
	"bailiwick/views/ui"
)

// listKeys answers GET /workspaces/:workspace/keys.
func (s *Server) listKeys(c echo.Context) error { return s.showKeys(c) }

// listAllKeys answers GET /account/keys: those of every workspace whose keys
// the person may read.
func (s *Server) listAllKeys(c echo.Context) error { return s.showKeys(c) }

func (s *Server) showKeys(c echo.Context) error {
	rows, err := s.keyList(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, keys.List(rows), func() (templ.Component, error) { return s.keysPage(c, nil) })
}

// newKey answers GET /workspaces/:workspace/keys/new.
func (s *Server) newKey(c echo.Context) error {
	return s.showCreate(c, http.StatusOK, keys.CreateProps{})
}

func (s *Server) showCreate(c echo.Context, status int, p keys.CreateProps) error {
	p.Action, p.CancelURL, p.Workspace = keysURL(here(c).ID), keysURL(here(c).ID), here(c).Name
	return s.showDialog(c, status, keys.CreateDialog(p), s.keysPage)
}

// issueKey answers POST /workspaces/:workspace/keys. The answer itself holds the
// secret: it is kept nowhere, so no other page could show it.
func (s *Server) issueKey(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	k, text, err := s.Keys.Issue(c.Request().Context(), actor(c), here(c).ID, apikey.Terms{Description: in.Get("description")})
	if f, ok := fault.On(err, "description"); ok {
		return s.showCreate(c, statusOf(err), keys.CreateProps{Description: in.Get("description"), DescriptionError: f.Message})
	}
	if fault.Is(err, fault.Full) {
		return s.showCreate(c, statusOf(err), keys.CreateProps{Description: in.Get("description"), Notice: bad(err)})
	}
	if err != nil {
		return err
	}
	return s.showCreated(c, k, text)
}

func (s *Server) showCreated(c echo.Context, k apikey.Key, text secret.Text) error {
	w := here(c)
	at := s.place(c, w.ID)
	p := keys.CreatedProps{
		Secret: text.Reveal(), Description: k.Description, Workspace: w.Name, WorkspaceID: s.shownID(c, w.ID),
		BaseURLs: at.baseURLs(), Curl: at.fill(openAICurl, s.callable(w)), DoneURL: keysURL(w.ID),
	}
	if visitOf(c).scripted {
		rows, err := s.keyList(c)
		if err != nil {
			return err
		}
		p.List = &rows
	}
	return s.showDialog(c, http.StatusCreated, keys.CreatedDialog(p), s.keysPage)
}

// findKey finds the key that the path names, in its workspace.
func (s *Server) findKey(c echo.Context) (apikey.Key, error) {
	id, err := ident.ParseKey(param(c, "key"))
	if err != nil {
		return apikey.Key{}, err
	}
	return s.Keys.Find(c.Request().Context(), actor(c), here(c).ID, id)
}

// confirmDisableKey answers GET …/keys/:key/disable.
func (s *Server) confirmDisableKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	return s.showDialog(c, http.StatusOK, keys.DisableDialog(ui.Confirm{
		Title: "Disable this API key?", Text: "It can be enabled again at any time.", Stops: s.stops(k),
		Action: s.keyAct(c, k, "disable"), Button: "Disable", CancelURL: s.keysBack(c), Tone: ui.Bad,
	}), s.keysPage)
}

// confirmDeleteKey answers GET …/keys/:key/delete.
func (s *Server) confirmDeleteKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	return s.showDialog(c, http.StatusOK, keys.DeleteDialog(ui.Confirm{
		Title: "Delete this API key?", Text: "It is gone for good.", Stops: s.stops(k),
		Action: s.keyAct(c, k, "delete"), Button: "Delete", CancelURL: s.keysBack(c), Tone: ui.Bad,
	}), s.keysPage)
}

// stops says what stops working without a key.
func (s *Server) stops(k apikey.Key) []string {
	used := "It was never used."
	if !k.LastUsedAt.IsZero() {
		used = "It was last used " + ago(k.LastUsedAt, s.Now()) + "."
	}
	return []string{"Every program that presents " + secret.Masked(k.Hint) + quoted(k.Description) + " is refused at once. " + used}
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return " (“" + text + "”)"
}

// disableKey answers POST …/keys/:key/disable.
func (s *Server) disableKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	return s.keysChanged(c, s.Keys.Disable(c.Request().Context(), actor(c), here(c).ID, k.ID), "API key disabled")
}

// enableKey answers POST …/keys/:key/enable.
func (s *Server) enableKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	return s.keysChanged(c, s.Keys.Enable(c.Request().Context(), actor(c), here(c).ID, k.ID), "API key enabled")
}

// deleteKey answers POST …/keys/:key/delete.
func (s *Server) deleteKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	return s.keysChanged(c, s.Keys.Delete(c.Request().Context(), actor(c), here(c).ID, k.ID), "API key deleted")
}

func (s *Server) keysChanged(c echo.Context, err error, message string) error {
	if err != nil {
		return err
	}
	return s.done(c, s.keysBack(c), message, func() (templ.Component, error) {
		rows, err := s.keyList(c)
		return keys.Changed(keys.ChangedProps{List: rows, Toast: message}), err
	})
}
