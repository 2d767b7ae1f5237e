package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/views/keys"
	"bailiwick/views/ui"
)

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
	return []string{"Every program that presents " + secret.Masked(k.Hint) + quoted(k.Description) + ", or a temporary key made with it, is refused at once. " + s.used(k.LastUsedAt, apikey.UseKnown)}
}

// used says when a key was last used, which is known as exactly as that.
func (s *Server) used(last time.Time, exactly time.Duration) string {
	switch {
	case last.IsZero():
		return "It was never used."
	case s.Now().Sub(last) <= exactly:
		return "It was used within the last " + strings.TrimPrefix(counted(int(exactly.Minutes()), "minute"), "1 ") + "."
	}
	return "It was last used " + ago(last, s.Now()) + "."
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return " (“" + text + "”)"
}

// disableKey answers POST …/keys/:key/disable.
func (s *Server) disableKey(c echo.Context) error {
	return s.actOnKey(c, s.Keys.Disable, "API key disabled", keys.Changed)
}

// enableKey answers POST …/keys/:key/enable.
func (s *Server) enableKey(c echo.Context) error {
	return s.actOnKey(c, s.Keys.Enable, "API key enabled", keys.Told)
}

// actOnKey does something to the key that the path names. The answer closes a
// dialog, or tells of what a button did.
func (s *Server) actOnKey(c echo.Context, do func(context.Context, access.Actor, ident.Workspace, ident.Key) error, message string, answer func(keys.ChangedProps) templ.Component) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	if err := do(c.Request().Context(), actor(c), here(c).ID, k.ID); err != nil {
		return err
	}
	return s.keyChanged(c, k, message, answer)
}

// deleteKey answers POST …/keys/:key/delete. A panel that is open is about
// nothing then, so that the list is loaded.
func (s *Server) deleteKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	if err := s.Keys.Delete(c.Request().Context(), actor(c), here(c).ID, k.ID); err != nil {
		return err
	}
	const message = "API key deleted"
	l := s.keyListing(c)
	if u, err := url.Parse(c.Request().Header.Get("HX-Current-URL")); err == nil && strings.HasSuffix(u.Path, "/"+string(k.ID)) {
		return s.leaveSaying(c, l.carried(l.url), message)
	}
	return s.done(c, s.keysBack(c), message, func() (templ.Component, error) {
		rows, err := s.keyList(c)
		return keys.Changed(keys.ChangedProps{List: rows, Toast: message}), err
	})
}

// keyChanged ends what changed a key.
func (s *Server) keyChanged(c echo.Context, k apikey.Key, message string, answer func(keys.ChangedProps) templ.Component) error {
	return s.done(c, s.keysBack(c), message, func() (templ.Component, error) {
		p, err := s.keyChange(c, k.ID, message)
		return answer(p), err
	})
}

// keyChange is what differs on the page after one key was changed.
func (s *Server) keyChange(c echo.Context, id ident.Key, toast string) (keys.ChangedProps, error) {
	rows, err := s.keyList(c)
	if err != nil {
		return keys.ChangedProps{}, err
	}
	k, err := s.Keys.Find(c.Request().Context(), actor(c), here(c).ID, id)
	if err != nil {
		return keys.ChangedProps{}, err
	}
	body, err := s.keyBody(c, k)
	return keys.ChangedProps{List: rows, Body: &body, Toast: toast}, err
}

// overlaps are how long an old secret may work on, as it is chosen.
var overlaps = []struct {
	value, label string
	life         time.Duration
}{
	{"0", "No time: it ends now", 0},
	{"1h", "1 hour", time.Hour},
	{"24h", "24 hours", 24 * time.Hour},
	{"168h", "7 days", apikey.OverlapMax},
}

func overlapOptions(chosen string) (options []ui.Option) {
	for _, o := range overlaps {
		options = append(options, ui.Option{Value: o.value, Label: o.label, Selected: o.value == chosen})
	}
	return options
}

func overlapOf(text string) (time.Duration, error) {
	for _, o := range overlaps {
		if o.value == text {
			return o.life, nil
		}
	}
	return 0, fault.Field("overlap", "Choose one of these times; seven days is the longest.")
}

// confirmResetKey answers GET …/keys/:key/reset.
func (s *Server) confirmResetKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	return s.showReset(c, http.StatusOK, k, "0", nil)
}

func (s *Server) showReset(c echo.Context, status int, k apikey.Key, chosen string, cause error) error {
	p := keys.ResetProps{
		Action: s.keyAct(c, k, "reset"), CancelURL: s.keyPanel(c, s.keyListing(c), k), Version: strconv.FormatInt(k.Version, 10),
		Overlaps: overlapOptions(chosen), Error: about(cause, "overlap"),
		Stops: []string{"When the old secret ends: every program that presents " + secret.Masked(k.Hint) + quoted(k.Description) + ", or a temporary key made with it. " + s.used(k.LastUsedAt, apikey.UseKnown)},
	}
	if fault.Is(cause, fault.Conflict) {
		p.Notice = s.keyMeanwhile(k, "Reset gives it another secret all the same.")
	}
	return s.showDialog(c, status, keys.ResetDialog(p), s.keysPage)
}

// resetKey answers POST …/keys/:key/reset. Like issueKey it shows the secret itself.
func (s *Server) resetKey(c echo.Context) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	overlap, err := overlapOf(in.Get("overlap"))
	if err != nil {
		return s.showReset(c, statusOf(err), k, "0", err)
	}
	fresh, text, err := s.Keys.Reset(c.Request().Context(), actor(c), here(c).ID, k.ID, overlap, in.version())
	if mendable(err) {
		return s.showReset(c, statusOf(err), k, in.Get("overlap"), err)
	}
	if err != nil {
		return err
	}
	p := keys.CreatedProps{Title: "API key reset", Overlap: "The old secret is refused from now on."}
	if !fresh.PreviousUntil.IsZero() {
		p.Overlap = "The old secret works until " + moment(fresh.PreviousUntil).Text + ". Change the programs until then."
	}
	return s.showSecret(c, http.StatusOK, fresh, text, p)
}
