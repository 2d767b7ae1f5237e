package web

import (
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/secret"
	"bailiwick/views/security"
	"bailiwick/views/ui"
)

// proofLife is how long it counts that somebody has proved who they are.
const proofLife = 15 * time.Minute

// proofMark begins the names of the fields that the proof brings along, so that
// they are told from what was typed before.
const proofMark = "confirm-"

// fresh lets a handler run only for somebody who proved within the last 15
// minutes who they are; others are asked first, and what they typed is kept. Its
// routes take no secrets: those would have to be written into the page.
func (s *Server) fresh(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.Now().Sub(visitOf(c).proved) <= proofLife {
			return next(c)
		}
		return s.askProof(c)
	}
}

// askProof asks for a proof and then leads back: to a page or dialog that was
// asked for, or to what was sent. With scripts a form stays open below, and is
// sent again by its own button.
func (s *Server) askProof(c echo.Context) error {
	r := c.Request()
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case reads && !visitOf(c).scripted:
		return s.leave(c, withQuery(confirmURL, "next", localPath(r.URL.RequestURI())))
	case reads:
		return s.sendProof(c, http.StatusForbidden, security.ProofProps{Next: localPath(r.URL.RequestURI())})
	case visitOf(c).scripted:
		c.Response().Header().Set("HX-Retarget", "#overlay")
		c.Response().Header().Set("HX-Reswap", "beforeend")
		return s.sendProof(c, http.StatusForbidden, security.ProofProps{})
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	return s.sendProof(c, http.StatusForbidden, security.ProofProps{Again: localPath(r.URL.RequestURI()), Kept: typed(in)})
}

// typed is what a form brought besides a proof.
func typed(in form) (pairs [][2]string) {
	for name, all := range in.Values {
		for _, value := range all {
			if !strings.HasPrefix(name, proofMark) {
				pairs = append(pairs, [2]string{name, value})
			}
		}
	}
	sort.SliceStable(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	return pairs
}

// showConfirm answers GET /account/security/confirm.
func (s *Server) showConfirm(c echo.Context) error {
	return s.sendProof(c, http.StatusOK, security.ProofProps{Next: localPath(c.QueryParam("next"))})
}

func (s *Server) sendProof(c echo.Context, status int, p security.ProofProps) error {
	by := actor(c)
	options, err := s.passkeyOptions(c, by.Factor, true)
	if err != nil {
		return err
	}
	p.Action, p.BackURL, p.LogOn, p.WithCode = confirmURL, orElse(comingFrom(c), homeURL), by.FullName(), by.Factor
	if !visitOf(c).scripted {
		p.BackURL = homeURL
	}
	p.Passkey.Act, p.Passkey.Name, p.Passkey.Options, p.Passkey.Label = "get", proofMark+"passkey", options, "Use a passkey"
	if visitOf(c).scripted {
		return s.send(c, status, security.ProofDialog(p))
	}
	if p.Frame, err = s.around(c, "Confirm that it is you"); err != nil {
		return err
	}
	return s.send(c, status, security.Proof(p))
}

// passkeyOptions are what the browser is asked for with, or nothing where the
// actor has no passkey or none can be used.
func (s *Server) passkeyOptions(c echo.Context, has, confirm bool) (string, error) {
	site := s.site(c)
	if !has || site.Trouble() != "" {
		return "", nil
	}
	return s.Factors.AskPasskey(c.Request().Context(), site, actor(c).Account, actor(c).User, confirm)
}

// confirm answers POST /account/security/confirm.
func (s *Server) confirm(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	err = s.Factors.Confirm(c.Request().Context(), actor(c), factor.Proof{
		Password: secret.NewText(in.Get(proofMark + "password")), Code: in.Get(proofMark + "code"),
		Passkey: []byte(in.Get(proofMark + "passkey")), Site: s.site(c),
	})
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Busy) {
		return s.proofAgain(c, in, err)
	}
	if err != nil {
		return err
	}
	if err := s.proved(c); err != nil {
		return err
	}
	return s.resume(c, localPath(in.Get(proofMark+"next")), localPath(in.Get(proofMark+"again")))
}

// proofAgain says what was wrong with a proof, and keeps what was typed before it.
func (s *Server) proofAgain(c echo.Context, in form, wrong error) error {
	p := security.ProofProps{
		Next: localPath(in.Get(proofMark + "next")), Again: localPath(in.Get(proofMark + "again")), Kept: typed(in),
		PasswordError: about(wrong, "present"), CodeError: about(wrong, "code"), Passkey: ui.Passkey{Error: about(wrong, "passkey")},
	}
	if !slices.ContainsFunc([]string{p.PasswordError, p.CodeError, p.Passkey.Error}, func(e string) bool { return e != "" }) {
		p.Notice = bad(wrong)
	}
	return s.sendProof(c, statusOf(wrong), p)
}

// resume goes on with what the proof was asked for.
func (s *Server) resume(c echo.Context, next, again string) error {
	switch {
	case again != "":
		c.Response().Header().Set("Cache-Control", "no-store")
		return c.Redirect(http.StatusTemporaryRedirect, again) // the browser sends what was typed again
	case next == "" && visitOf(c).scripted:
		return s.send(c, http.StatusOK, ui.Done("Confirmed. Now send the form again.", true))
	case next != "" && visitOf(c).scripted:
		c.Response().Header().Set("Cache-Control", "no-store")
		return c.Redirect(http.StatusSeeOther, next) // the dialog that was asked for takes this one's place
	}
	return s.leave(c, orElse(next, securityURL))
}
