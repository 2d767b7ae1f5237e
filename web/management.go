package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/views/management"
	"bailiwick/views/ui"
)

// showManagement answers GET /account/management.
func (s *Server) showManagement(c echo.Context) error {
	page, err := s.managementPage(c, nil)
	if err != nil {
		return err
	}
	return s.send(c, http.StatusOK, page)
}

// managementPage is the page of admin keys, with a dialog over it or without.
func (s *Server) managementPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	list, err := s.adminKeyList(c)
	if err != nil {
		return nil, err
	}
	base := s.base(c)
	p := management.IndexProps{
		List: list, CreateURL: when(actor(c).May(access.ChangeAdminKeys), newAdminKeyURL), ReferenceURL: referenceURL,
		DocumentURL: base + documentURL, BaseURL: base + adminAPIPath, Curl: adminCurl(base),
	}
	p.Chrome, err = s.chrome(c, "Management API", atManagement)
	p.Chrome.Overlay = overlay
	return management.Index(p), err
}

// adminCurl is a first request.
func adminCurl(base string) string {
	return "curl " + base + adminAPIPath + "/self \\\n  -H \"Authorization: Bearer $BAILIWICK_ADMIN_KEY\""
}

// adminKeyList is the table of admin keys. Their number is bounded, so that it
// has one page.
func (s *Server) adminKeyList(c echo.Context) (management.ListProps, error) {
	found, err := s.AdminKeys.List(c.Request().Context(), actor(c))
	if err != nil {
		return management.ListProps{}, err
	}
	var p management.ListProps
	for _, k := range found {
		p.Rows = append(p.Rows, s.adminKeyRow(c, k))
	}
	return p, nil
}

type stateWords struct {
	word string
	tone ui.Tone
}

// adminKeyStates put an admin key's state in words.
var adminKeyStates = map[adminkey.State]stateWords{
	adminkey.Active:  {"Active", ui.Good},
	adminkey.Expired: {"Expired", ui.Warn},
	adminkey.Dead:    {"Owner may not administer", ui.Warn},
}

func (s *Server) adminKeyRow(c echo.Context, k adminkey.Key) management.Row {
	state := adminKeyStates[k.State(s.Now())]
	networks := make([]string, len(k.Networks))
	for i, n := range k.Networks {
		networks[i] = n.String()
	}
	return management.Row{
		Name: k.Name, Masked: secret.AdminMasked(k.Hint), ID: string(k.ID), Owner: k.OwnerName, Networks: strings.Join(networks, ", "),
		LastUsed: moment(k.LastUsedAt), Expires: moment(k.ExpiresAt), State: state.word, Tone: state.tone,
		RevokeURL: when(adminkey.MayRevoke(actor(c), k), adminKeyURL(k.ID, "revoke")),
	}
}

// newAdminKey answers GET /account/management/keys/new.
func (s *Server) newAdminKey(c echo.Context) error {
	return s.showCreateAdminKey(c, http.StatusOK, form{}, nil)
}

// showCreateAdminKey shows the dialog, with what was typed and what is wrong with it.
func (s *Server) showCreateAdminKey(c echo.Context, status int, in form, wrong error) error {
	p := management.CreateProps{
		Action: adminKeysURL, CancelURL: managementURL, Owner: actor(c).FullName(), Name: in.Get("name"), NameError: about(wrong, "name"), DaysError: about(wrong, "days"),
		Networks: ui.Field{
			Name: "networks", Label: "Addresses", Value: in.Get("networks"), Error: about(wrong, "networks"), Mono: true, NoSpell: true, Autocomplete: "off",
			Hint: "Up to 20 IPv4 or IPv6 addresses or ranges, such as 10.0.0.0/8, with spaces between. None: from everywhere.",
		},
	}
	for _, days := range adminkey.Lives {
		text := strconv.Itoa(days)
		chosen := in.Get("days") == text || in.Get("days") == "" && days == adminkey.UsualLife
		p.Days = append(p.Days, ui.Option{Value: text, Label: counted(days, "day"), Selected: chosen})
	}
	if wrong != nil && p.NameError+p.DaysError+p.Networks.Error == "" {
		p.Notice = bad(wrong)
	}
	return s.showDialog(c, status, management.CreateDialog(p), s.managementPage)
}

// issueAdminKey answers POST /account/management/keys. The answer itself holds
// the secret: it is kept nowhere, so no other page could show it.
func (s *Server) issueAdminKey(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	days, _ := strconv.Atoi(in.Get("days")) // what is no number is none of the lives
	k, text, err := s.AdminKeys.Issue(c.Request().Context(), actor(c), adminkey.Terms{Name: in.Get("name"), Days: days, Networks: separated(in.Get("networks"))})
	if mendable(err) || fault.Is(err, fault.Full) {
		return s.showCreateAdminKey(c, statusOf(err), in, err)
	}
	if err != nil {
		return err
	}
	p := management.CreatedProps{Secret: text.Reveal(), Name: k.Name, Owner: k.OwnerName, Expires: moment(k.ExpiresAt), Curl: adminCurl(s.base(c)), DoneURL: managementURL}
	if visitOf(c).scripted {
		list, err := s.adminKeyList(c)
		if err != nil {
			return err
		}
		p.List = &list
	}
	return s.showDialog(c, http.StatusCreated, management.CreatedDialog(p), s.managementPage)
}

// separated takes apart what was typed with spaces, commas or lines between.
func separated(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;", r) })
}

func (s *Server) findAdminKey(c echo.Context) (adminkey.Key, error) {
	id, err := ident.ParseAdminKey(param(c, "adminkey"))
	if err != nil {
		return adminkey.Key{}, err
	}
	return s.AdminKeys.Find(c.Request().Context(), actor(c), id)
}

// confirmRevokeAdminKey answers GET /account/management/keys/:adminkey/revoke.
func (s *Server) confirmRevokeAdminKey(c echo.Context) error {
	k, err := s.findAdminKey(c)
	if err != nil {
		return err
	}
	return s.showDialog(c, http.StatusOK, management.RevokeDialog(ui.Confirm{
		Title: "Revoke this admin key?", Text: "It is gone for good.", Button: "Revoke", Tone: ui.Bad,
		Stops:  []string{"Every program that presents " + secret.AdminMasked(k.Hint) + quoted(k.Name) + " is refused at once. " + s.used(k.LastUsedAt, adminkey.UseKnown)},
		Action: adminKeyURL(k.ID, "revoke"), CancelURL: managementURL,
	}), s.managementPage)
}

// revokeAdminKey answers POST /account/management/keys/:adminkey/revoke.
func (s *Server) revokeAdminKey(c echo.Context) error {
	k, err := s.findAdminKey(c)
	if err != nil {
		return err
	}
	if err := s.AdminKeys.Revoke(c.Request().Context(), actor(c), k.ID); err != nil {
		return err
	}
	const message = "Admin key revoked"
	return s.done(c, managementURL, message, func() (templ.Component, error) {
		list, err := s.adminKeyList(c)
		return management.Changed(management.ChangedProps{List: list, Toast: message}), err
	})
}
