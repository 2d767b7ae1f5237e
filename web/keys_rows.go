package web

import (
	"net/url"
	"slices"
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

// keyListing is what the address says of the list, also of the account's, whose
// panels lie below the workspaces and say that they came from there.
func (s *Server) keyListing(c echo.Context) listed {
	l := listBehind(c, s.keysBack(c))
	if u, err := url.Parse(c.Request().Header.Get("HX-Current-URL")); err == nil && visitOf(c).scripted && u.Query().Get("from") == "account" && ofAccount(c) {
		l.values = u.Query()
	}
	if ordinary(l.values) != nil {
		l.values = nil
	}
	l.values.Del("from")
	return l
}

// keyPanel is the address of a key's panel over the list as it is.
func (s *Server) keyPanel(c echo.Context, l listed, k apikey.Key) string {
	values := url.Values{}
	for name, all := range l.values {
		values[name] = slices.Clone(all)
	}
	if ofAccount(c) {
		values.Set("from", "account")
	}
	return listed{values: values}.carried(keysURL(k.Workspace) + "/" + string(k.ID))
}

// keysPage is the list of keys, with a panel or dialog over it or without.
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
	l := s.keyListing(c)
	f := apikey.Filter{
		Search: l.search(), State: apikey.State(l.get("state")), Order: apikey.Order(l.get("sort")), Reversed: l.get("order") == turned,
		After: l.after(), Limit: pageSize,
	}
	found, next, err := s.findKeys(c, f)
	if err != nil {
		return keys.ListProps{}, err
	}
	p := keys.ListProps{
		URL: l.url, Search: l.search(), States: keyStates(f.State), ClearURL: when(l.search()+l.get("state") != "", l.url), Workspaces: ofAccount(c),
		Created: l.turning(string(apikey.ByCreation), true), LastUsed: l.turning(string(apikey.ByUse), true), Expires: l.turning(string(apikey.ByExpiry), false),
		Pager: l.shortPager(len(found), next),
	}
	for _, k := range found {
		p.Rows = append(p.Rows, s.keyRow(c, l, k))
	}
	return p, nil
}

func (s *Server) findKeys(c echo.Context, f apikey.Filter) ([]apikey.Listed, string, error) {
	if ofAccount(c) {
		return s.Keys.ListAll(c.Request().Context(), actor(c), f)
	}
	return s.Keys.List(c.Request().Context(), actor(c), here(c).ID, f)
}

func keyStates(chosen apikey.State) []ui.Option {
	options := []ui.Option{
		{Value: "", Label: "Every state"}, {Value: string(apikey.Enabled), Label: "Enabled"}, {Value: string(apikey.Disabled), Label: "Disabled"},
		{Value: string(apikey.Expired), Label: "Expired"}, {Value: string(apikey.OwnerLeft), Label: "Creator left or disabled"},
	}
	for i := range options {
		options[i].Selected = options[i].Value == string(chosen)
	}
	return options
}

func (s *Server) keyRow(c echo.Context, l listed, k apikey.Listed) keys.Row {
	state, tone, _ := s.keyState(k.Key, k.WorkspaceName)
	change := actor(c).MayIn(k.Workspace, access.ChangeKeys)
	disabled := !k.DisabledAt.IsZero()
	return keys.Row{
		Description: k.Description, Masked: secret.Masked(k.Hint), ID: string(k.ID), Workspace: k.WorkspaceName, WorkspaceURL: keysURL(k.Workspace),
		Creator: k.OwnerName, Created: moment(k.CreatedAt), LastUsed: moment(k.LastUsedAt), Expires: day(k.ExpiresAt),
		Narrowed: k.Models != nil || k.Networks != nil, State: state, Tone: tone, ViewURL: s.keyPanel(c, l, k.Key),
		EnableURL:  when(change && disabled, s.keyAct(c, k.Key, "enable")),
		DisableURL: when(change && !disabled, s.keyAct(c, k.Key, "disable")),
	}
}

// expiresSoon is when a key's end is worth a word.
const expiresSoon = 14 * 24 * time.Hour

// keyState says whether a key works, and why not or not much longer.
func (s *Server) keyState(k apikey.Key, workspace string) (state string, tone ui.Tone, why string) {
	now := s.Now()
	switch k.State(now) {
	case apikey.Disabled:
		return "Disabled", ui.Quiet, "Since " + moment(k.DisabledAt).Text + ". Enable it to let programs use it again."
	case apikey.Expired:
		return "Expired", ui.Warn, "Its time is over. Edit it to give it more."
	case apikey.OwnerLeft:
		if k.Owner == "" {
			return "Creator deleted", ui.Bad, k.OwnerName + " was deleted, and the key with them: it never works again. Create another one."
		}
		return "Creator left", ui.Bad, k.OwnerName + " is no longer a member of " + workspace + ". The key works again when they are."
	case apikey.OwnerDisabled:
		return "Creator disabled", ui.Bad, k.OwnerName + " is disabled. The key works again when they are enabled under RAM Users."
	}
	if left := k.ExpiresAt.Sub(now); !k.ExpiresAt.IsZero() && left < expiresSoon {
		return "Enabled", ui.Good, "It expires " + orElse(map[bool]string{true: "today"}[left < 24*time.Hour], "in "+counted(int(left.Hours()/24), "day")) + ". Edit it to give it more time."
	}
	return "Enabled", ui.Good, ""
}

// keyBody is what the panel shows of a key.
func (s *Server) keyBody(c echo.Context, k apikey.Key) (keys.BodyProps, error) {
	w := here(c)
	p := keys.BodyProps{
		ID: string(k.ID), Workspace: w.Name, Masked: secret.Masked(k.Hint), Creator: k.OwnerName, Created: moment(k.CreatedAt),
		LastUsed: moment(k.LastUsedAt), Expires: moment(k.ExpiresAt), AllModels: k.Models == nil,
	}
	p.State, p.Tone, p.Why = s.keyState(k, w.Name)
	if s.Now().Before(k.PreviousUntil) {
		p.Overlap = "The secret before the last reset works until " + moment(k.PreviousUntil).Text + "."
	}
	if k.EditedBy != "" {
		p.Edited = "by " + k.EditedBy + ", " + ago(k.EditedAt, s.Now())
	}
	for _, n := range k.Networks {
		p.Networks = append(p.Networks, networkText(n))
	}
	if actor(c).MayIn(w.ID, access.ChangeKeys) {
		disabled := !k.DisabledAt.IsZero()
		p.EditURL, p.ResetURL, p.DeleteURL = s.keyAct(c, k, "edit"), s.keyAct(c, k, "reset"), s.keyAct(c, k, "delete")
		p.EnableURL, p.DisableURL = when(disabled, s.keyAct(c, k, "enable")), when(!disabled, s.keyAct(c, k, "disable"))
	}
	var err error
	p.Models, err = s.narrowedModels(c, k)
	return p, err
}

// narrowedModels are the models that a key is narrowed to.
func (s *Server) narrowedModels(c echo.Context, k apikey.Key) ([]keys.Model, error) {
	if k.Models == nil {
		return nil, nil
	}
	chosen := make([]string, len(k.Models))
	for i, m := range k.Models {
		chosen[i] = string(m)
	}
	all, err := s.keyModels(c, chosen)
	return slices.DeleteFunc(all, func(m keys.Model) bool { return !m.Chosen }), err
}
