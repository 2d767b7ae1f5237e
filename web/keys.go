package web

import (
	"net/http"
	"strconv"

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
	return showList(s, c, s.keyList, keys.List, s.keysPage)
}

// showKey answers GET …/keys/:key: the panel.
func (s *Server) showKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	body, err := s.keyBody(c, k)
	if err != nil {
		return err
	}
	l := s.keyListing(c)
	return s.showDialog(c, http.StatusOK, keys.Panel(keys.PanelProps{
		URL: s.keyPanel(c, l, k), BackURL: l.carried(l.url), Title: orElse(k.Description, "API key without a description"), Sub: secret.Masked(k.Hint), Body: body,
	}), s.keysPage)
}

// findKey finds the key that the path names, in its workspace.
func (s *Server) findKey(c echo.Context) (apikey.Key, error) {
	id, err := ident.ParseKey(param(c, "key"))
	if err != nil {
		return apikey.Key{}, err
	}
	return s.Keys.Find(c.Request().Context(), actor(c), here(c).ID, id)
}

// newKey answers GET /workspaces/:workspace/keys/new.
func (s *Server) newKey(c echo.Context) error {
	return s.showCreateKey(c, http.StatusOK, form{}, nil)
}

// showCreateKey shows what was typed, and beside it what is wrong with it.
func (s *Server) showCreateKey(c echo.Context, status int, in form, cause error) error {
	typed, err := s.termsForm(c, in, nil, cause)
	if err != nil {
		return err
	}
	w := here(c)
	return s.showDialog(c, status, keys.CreateDialog(keys.CreateProps{
		Action: keysURL(w.ID), CancelURL: keysURL(w.ID), Workspace: w.Name, Terms: typed, Notice: aside(cause),
	}), s.keysPage)
}

// issueKey answers POST /workspaces/:workspace/keys. The answer itself holds the
// secret: it is kept nowhere, so no other page could show it.
func (s *Server) issueKey(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	wanted, err := s.terms(in, apikey.Key{})
	if err != nil {
		return s.showCreateKey(c, statusOf(err), in, err)
	}
	k, text, err := s.Keys.Issue(c.Request().Context(), actor(c), here(c).ID, wanted)
	if mendable(err) {
		return s.showCreateKey(c, statusOf(err), in, err)
	}
	if err != nil {
		return err
	}
	return s.showSecret(c, http.StatusCreated, k, text, keys.CreatedProps{Title: "API key created"})
}

// showSecret shows a secret, this once.
func (s *Server) showSecret(c echo.Context, status int, k apikey.Key, text secret.Text, p keys.CreatedProps) error {
	w := here(c)
	at := s.place(c, w.ID)
	p.Secret, p.Description, p.Workspace, p.WorkspaceID = text.Reveal(), k.Description, w.Name, s.shownID(c, w.ID)
	p.BaseURLs, p.Curl, p.DoneURL = at.baseURLs(), at.fill(openAICurl, s.callable(w)), s.keysBack(c)
	if visitOf(c).scripted {
		changed, err := s.keyChange(c, k.ID, "")
		if err != nil {
			return err
		}
		p.Changed = &changed
	}
	return s.showDialog(c, status, keys.CreatedDialog(p), s.keysPage)
}

// editKey answers GET …/keys/:key/edit.
func (s *Server) editKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	return s.showEditKey(c, http.StatusOK, k, formOf(k), nil)
}

func (s *Server) showEditKey(c echo.Context, status int, k apikey.Key, in form, cause error) error {
	typed, err := s.termsForm(c, in, &k, cause)
	if err != nil {
		return err
	}
	p := keys.EditProps{
		Action: s.keyAct(c, k, "edit"), CancelURL: s.keyPanel(c, s.keyListing(c), k), Title: secret.Masked(k.Hint),
		Version: strconv.FormatInt(k.Version, 10), Terms: typed, Notice: aside(cause),
	}
	if fault.Is(cause, fault.Conflict) {
		p.Notice = s.keyMeanwhile(k, "What you typed is kept below; OK saves it over that.")
	}
	return s.showDialog(c, status, keys.EditDialog(p), s.keysPage)
}

// changeKey answers POST …/keys/:key/edit. Somebody else's change is told, and
// what was typed is kept.
func (s *Server) changeKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	wanted, err := s.terms(in, k)
	if err == nil {
		err = s.Keys.Edit(c.Request().Context(), actor(c), here(c).ID, k.ID, wanted, in.version())
	}
	if mendable(err) {
		return s.showEditKey(c, statusOf(err), k, in, err)
	}
	if err != nil {
		return err
	}
	return s.keyChanged(c, k, "API key saved", keys.Changed)
}

// keyMeanwhile tells who changed a key while somebody else had it open.
func (s *Server) keyMeanwhile(k apikey.Key, then string) *ui.Notice {
	by := "Somebody else"
	if k.EditedBy != "" {
		by = k.EditedBy
	}
	return &ui.Notice{
		Tone: ui.Warn, Title: "The key was changed meanwhile.",
		Text: by + " changed it " + ago(k.EditedAt, s.Now()) + ". Now: " + termsLine(k) + " " + then,
	}
}
