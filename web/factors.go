package web

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/views/security"
	"bailiwick/views/ui"
)

// newApp answers GET /account/security/app.
func (s *Server) newApp(c echo.Context) error {
	o, err := s.Factors.OfferApp(actor(c))
	if err != nil {
		return err
	}
	return s.sendApp(c, http.StatusOK, o, security.AppFormProps{})
}

func (s *Server) sendApp(c echo.Context, status int, o factor.Offer, p security.AppFormProps) error {
	picture, err := o.Picture(qrSize)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return err
	}
	set, err := s.Factors.Of(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	p.Picture, p.Seed, p.Sealed = "data:image/png;base64,"+base64.StdEncoding.EncodeToString(b.Bytes()), inFours(o.Seed.Reveal()), o.Sealed
	p.Action, p.BackURL, p.Replaces = appURL, securityURL, set.App.There()
	if p.Frame, err = s.around(c, "Authenticator app"); err != nil {
		return err
	}
	return s.send(c, status, security.AppForm(p))
}

// qrSize is how many pixels wide the picture is: whole ones for each of its squares.
const qrSize = 480

// inFours writes a text in groups of four, to be typed.
func inFours(text string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// addApp answers POST /account/security/app.
func (s *Server) addApp(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	codes, err := s.Factors.AddApp(c.Request().Context(), actor(c), in.Get("offer"), in.Get("code"))
	if _, over := fault.On(err, "offer"); over {
		o, offerErr := s.Factors.OfferApp(actor(c))
		if offerErr != nil {
			return offerErr
		}
		return s.sendApp(c, http.StatusUnprocessableEntity, o, security.AppFormProps{Notice: bad(err)})
	}
	if wrong, ok := fault.On(err, "code"); ok {
		o, err := s.Factors.Offered(actor(c), in.Get("offer"))
		if err != nil {
			return err
		}
		return s.sendApp(c, http.StatusUnprocessableEntity, o, security.AppFormProps{CodeError: wrong.Message})
	}
	if err != nil {
		return err
	}
	return s.factorAdded(c, codes, "Authenticator app set up")
}

// factorAdded ends what gave somebody a factor: the first one comes with
// recovery codes. Every session has ended, and this one goes on under a new name.
func (s *Server) factorAdded(c echo.Context, codes []secret.Text, message string) error {
	if err := s.goOn(c); err != nil {
		return err
	}
	if len(codes) == 0 {
		return s.leaveSaying(c, securityURL, message+". Your other sessions have ended.")
	}
	return s.sendCodes(c, message, codes)
}

func (s *Server) sendCodes(c echo.Context, title string, codes []secret.Text) error {
	p := security.CodesProps{Title: title, DoneURL: securityURL}
	for _, code := range codes {
		p.Codes = append(p.Codes, code.Reveal())
	}
	var err error
	if p.Frame, err = s.around(c, "Recovery codes"); err != nil {
		return err
	}
	return s.send(c, http.StatusOK, security.Codes(p))
}

// confirmRemoveApp answers GET /account/security/app/remove.
func (s *Server) confirmRemoveApp(c echo.Context) error {
	return s.confirmRemoval(c, "Remove the authenticator app?", "The app's codes", appRemoveURL)
}

func (s *Server) confirmRemoval(c echo.Context, title, what, action string) error {
	return s.showDialog(c, http.StatusOK, ui.ConfirmDialog("factor-remove", ui.Confirm{
		Title: title, Text: "It ends your sessions in every other browser.", Stops: []string{what + " no longer log you on."},
		Action: action, CancelURL: securityURL, Button: "Remove it", Tone: ui.Bad,
	}), s.securityPage)
}

// removeApp answers POST /account/security/app/remove.
func (s *Server) removeApp(c echo.Context) error {
	if err := s.Factors.RemoveApp(c.Request().Context(), actor(c)); err != nil {
		return err
	}
	return s.factorAdded(c, nil, "Authenticator app removed")
}

// newPasskey answers GET /account/security/passkeys/new.
func (s *Server) newPasskey(c echo.Context) error {
	return s.sendPasskey(c, http.StatusOK, security.PasskeyFormProps{Name: device(c.Request().UserAgent())})
}

func (s *Server) sendPasskey(c echo.Context, status int, p security.PasskeyFormProps) error {
	site := s.site(c)
	if why := site.Trouble(); why != "" {
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "No passkey can be made here.", Text: why}
	} else {
		options, err := s.Factors.OfferPasskey(c.Request().Context(), actor(c), site)
		if err != nil {
			return err
		}
		p.Passkey.Act, p.Passkey.Name, p.Passkey.Options, p.Passkey.Label, p.Passkey.Kind = "create", "passkey", options, "Make passkey", ui.Primary
	}
	p.Action, p.BackURL = passkeysURL, securityURL
	var err error
	if p.Frame, err = s.around(c, "Add a passkey"); err != nil {
		return err
	}
	return s.send(c, status, security.PasskeyForm(p))
}

// addPasskey answers POST /account/security/passkeys.
func (s *Server) addPasskey(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	codes, err := s.Factors.AddPasskey(c.Request().Context(), actor(c), s.site(c), in.Get("name"), []byte(in.Get("passkey")))
	if mendable(err) {
		p := security.PasskeyFormProps{Name: in.Get("name"), NameError: about(err, "name"), Passkey: ui.Passkey{Error: about(err, "passkey")}}
		if p.NameError+p.Passkey.Error == "" {
			p.Notice = bad(err)
		}
		return s.sendPasskey(c, statusOf(err), p)
	}
	if err != nil {
		return err
	}
	return s.factorAdded(c, codes, "Passkey added")
}

// confirmRemovePasskey answers GET /account/security/passkeys/:passkey/remove.
func (s *Server) confirmRemovePasskey(c echo.Context) error {
	p, err := s.findPasskey(c)
	if err != nil {
		return err
	}
	return s.confirmRemoval(c, "Remove the passkey "+p.Name+"?", "Answers of this passkey", passkeyRemoveURL(p.ID))
}

func (s *Server) findPasskey(c echo.Context) (factor.Passkey, error) {
	id, err := ident.ParsePasskey(param(c, "passkey"))
	if err != nil {
		return factor.Passkey{}, err
	}
	return s.Factors.Passkey(c.Request().Context(), actor(c), id)
}

// removePasskey answers POST /account/security/passkeys/:passkey/remove.
func (s *Server) removePasskey(c echo.Context) error {
	p, err := s.findPasskey(c)
	if err != nil {
		return err
	}
	if err := s.Factors.RemovePasskey(c.Request().Context(), actor(c), p.ID); err != nil {
		return err
	}
	return s.factorAdded(c, nil, "Passkey removed")
}

// askCodes answers GET /account/security/codes.
func (s *Server) askCodes(c echo.Context) error {
	around, err := s.around(c, "Recovery codes")
	if err != nil {
		return err
	}
	return s.send(c, http.StatusOK, security.AskCodes(security.AskCodesProps{Frame: around, Action: codesURL, BackURL: securityURL}))
}

// makeCodes answers POST /account/security/codes.
func (s *Server) makeCodes(c echo.Context) error {
	codes, err := s.Factors.NewCodes(c.Request().Context(), actor(c))
	if fault.Is(err, fault.Missing) {
		return fault.New(fault.Conflict, "Recovery codes stand in for a second factor. Add one first.")
	}
	if err != nil {
		return err
	}
	return s.sendCodes(c, "New recovery codes", codes)
}
