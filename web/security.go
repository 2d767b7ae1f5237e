package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/factor"
	"bailiwick/views/security"
	"bailiwick/views/ui"
)

// site is the address that passkeys are bound to: the one that people are given.
// A laptop is known to its browser by the name localhost as well.
func (s *Server) site(c echo.Context) factor.Site {
	base := s.base(c)
	name, _, err := net.SplitHostPort(c.Request().Host)
	if u, urlErr := url.Parse(base); err == nil && urlErr == nil && name == "localhost" && loopback(u.Hostname()) {
		base = u.Scheme + "://" + c.Request().Host
	}
	return factor.NewSite(base)
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// tryURL is the security page at an address at which passkeys work, if there is
// one: this very machine, by its name.
func (s *Server) tryURL(c echo.Context) string {
	host, port, err := net.SplitHostPort(c.Request().Host)
	if err != nil || !loopback(host) {
		return ""
	}
	return "http://localhost:" + port + securityURL
}

// around is what stands around a page of one's own security: the console or,
// where a duty is to be done first, nothing.
func (s *Server) around(c echo.Context, title string) (security.Frame, error) {
	if actor(c).Duty != access.NoDuty {
		bare := s.bare(title)
		return security.Frame{Bare: &bare, LogOffURL: logOffURL}, nil
	}
	chrome, err := s.chrome(c, title, atSecurity)
	return security.Frame{Chrome: chrome}, err
}

// showSecurity answers GET /account/security.
func (s *Server) showSecurity(c echo.Context) error {
	page, err := s.securityPage(c, nil)
	if err != nil {
		return err
	}
	return s.send(c, http.StatusOK, page)
}

// securityPage is the page, with a dialog over it if there is one.
func (s *Server) securityPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	p, err := s.security(c)
	if err != nil {
		return nil, err
	}
	if p.Frame, err = s.around(c, "Security"); err != nil {
		return nil, err
	}
	p.Frame.Chrome.Overlay = overlay
	if p.Frame.Bare != nil && overlay != nil {
		return templ.Join(security.Index(p), overlay), nil
	}
	return security.Index(p), nil
}

func (s *Server) security(c echo.Context) (security.IndexProps, error) {
	ctx, by := c.Request().Context(), actor(c)
	set, err := s.Factors.Of(ctx, by)
	if err != nil {
		return security.IndexProps{}, err
	}
	sessions, err := s.Accounts.Sessions(ctx, by)
	p := security.IndexProps{
		PasswordURL: passwordURL, Passkeys: passkeyRows(set.Passkeys), AddURL: newPasskeyURL, Trouble: s.site(c).Trouble(),
		App:      security.AppProps{Added: moment(set.App.CreatedAt), AddURL: appURL, RemoveURL: appRemoveURL},
		Sessions: s.sessionRows(c, sessions), EndAllURL: when(len(sessions) > 1, endOthersURL),
	}
	if p.Trouble != "" {
		p.AddURL, p.TryURL = "", s.tryURL(c)
	}
	if by.Factor {
		p.Codes, p.CodesURL = fmt.Sprintf("%d of %d left.", set.Codes, factor.CodesMade), codesURL
	}
	if by.Duty == access.AddFactor {
		p.Notice = &ui.Notice{Tone: ui.Info, Title: "This account requires a second factor.", Text: "Set up an authenticator app or add a passkey; then the console opens."}
	}
	return p, err
}

func passkeyRows(keys []factor.Passkey) []security.PasskeyRow {
	rows := make([]security.PasskeyRow, len(keys))
	for i, k := range keys {
		rows[i] = security.PasskeyRow{ID: string(k.ID), Name: k.Name, Added: moment(k.CreatedAt), Used: moment(k.UsedAt), RemoveURL: passkeyRemoveURL(k.ID)}
	}
	return rows
}

func (s *Server) sessionRows(c echo.Context, all []account.Session) []security.SessionRow {
	rows := make([]security.SessionRow, len(all))
	for i, one := range all {
		this := one.ID == visitOf(c).session.ID
		rows[i] = security.SessionRow{
			ID: "s-" + one.ID[:12], Device: device(one.Agent), Address: one.Address, Began: moment(one.Created), Seen: ago(one.Seen, s.Now()),
			This: this, EndURL: when(!this, sessionURL(one.ID)),
		}
	}
	return rows
}

// endSessionOfMine answers POST /account/security/sessions/:session/end.
func (s *Server) endSessionOfMine(c echo.Context) error {
	if err := s.Accounts.EndSession(c.Request().Context(), actor(c), param(c, "session")); err != nil {
		return err
	}
	return s.leaveSaying(c, securityURL, "Session ended")
}

// endOtherSessions answers POST /account/security/sessions/end-others.
func (s *Server) endOtherSessions(c echo.Context) error {
	if err := s.Accounts.EndOtherSessions(c.Request().Context(), actor(c), visitOf(c).session.ID); err != nil {
		return err
	}
	return s.leaveSaying(c, securityURL, "All other sessions ended")
}

// putOff answers POST /account/security/later: the reminder of a second factor
// goes for a while.
func (s *Server) putOff(c echo.Context) error {
	if err := s.Accounts.PutOff(c.Request().Context(), actor(c)); err != nil {
		return err
	}
	if visitOf(c).scripted {
		return s.send(c, http.StatusOK, templ.NopComponent)
	}
	return s.leave(c, homeURL)
}

// Browsers and systems as they call themselves, the more special first.
var (
	browsers = [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systems  = [][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
)

// device names a browser by what it says of itself.
func device(agent string) string {
	pick := func(list [][2]string) string {
		for _, pair := range list {
			if strings.Contains(agent, pair[0]) {
				return pair[1]
			}
		}
		return ""
	}
	browser, system := pick(browsers), pick(systems)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser+system != "":
		return browser + system
	}
	return "Unknown browser"
}
