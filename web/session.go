package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
	"bailiwick/static"
)

// visit is what is known of one request.
type visit struct {
	call     ident.Call
	scripted bool // a script asked for a part of the page
	session  *sessions.Session
	actor    access.Actor         // nobody: the zero Actor
	here     *workspace.Workspace // the one that the path names
	asked    access.Action        // what the route asks for
	proved   time.Time            // when the actor last proved who they are
}

// What a session keeps.
const (
	sessionUser   = "user"
	sessionNotice = "notice" // what is said once, on the next page

	sessionPending = "pending" // whose password was right, and whose second factor is missing
	sessionProved  = "proved"  // when the user last proved who they are: µs since 1970
)

const visitKey = "visit"

// visitOf gives what is known of the request. It is the one use of echo's bag.
func visitOf(c echo.Context) *visit { return c.Get(visitKey).(*visit) }

// actor is who asks.
func actor(c echo.Context) access.Actor { return visitOf(c).actor }

// here is the workspace that the path names; the guard has made sure of it.
func here(c echo.Context) workspace.Workspace { return *visitOf(c).here }

// identify finds out who asks, once for a request.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if strings.HasPrefix(r.URL.Path, static.Prefix) {
			return next(c)
		}
		v := visitOf(c)
		if err := s.find(c, v); err != nil {
			return err
		}
		return next(c)
	}
}

// recognizing is how long it may take to find out who asks. When the database is
// overrun that is said, and nobody is taken for logged off.
const recognizing = 5 * time.Second

// find finds the session, and whose it is.
func (s *Server) find(c echo.Context, v *visit) (err error) {
	ctx, cancel := context.WithTimeout(c.Request().Context(), recognizing)
	defer cancel()
	if v.session, err = s.Sessions.New(c.Request().WithContext(ctx), s.CookieName); err != nil {
		return err
	}
	return s.recognize(ctx, c, v)
}

// recognize gives the visit its actor. Somebody who is gone or disabled loses
// the session.
func (s *Server) recognize(ctx context.Context, c echo.Context, v *visit) error {
	id, err := ident.ParseUser(kept(v.session, sessionUser))
	if err != nil {
		return nil // nobody is logged on
	}
	who, err := s.Accounts.Actor(ctx, id)
	if fault.Is(err, fault.Missing) {
		return s.endSession(c)
	}
	if err != nil {
		return err
	}
	who.Address, who.Call = s.address(c.Request()), v.call
	v.actor = who
	if micros, err := strconv.ParseInt(kept(v.session, sessionProved), 10, 64); err == nil {
		v.proved = time.UnixMicro(micros)
	}
	return nil
}

// beginSession logs a user on who proved then who they are. Whatever session
// there was is ended first, so that a planted or earlier one is worth nothing.
func (s *Server) beginSession(c echo.Context, user ident.User, proved time.Time) error {
	return s.replaceSession(c, map[any]any{sessionUser: string(user), sessionProved: strconv.FormatInt(proved.UnixMicro(), 10)})
}

// beginHalf keeps whose password was right until they show a second factor.
func (s *Server) beginHalf(c echo.Context, user ident.User) error {
	return s.replaceSession(c, map[any]any{sessionPending: string(user)})
}

// goOn begins another session for the actor in place of one that ended with
// what they changed, and finds out anew who they are.
func (s *Server) goOn(c echo.Context) error {
	v := visitOf(c)
	if err := s.beginSession(c, v.actor.User, v.proved); err != nil {
		return err
	}
	return s.recognize(c.Request().Context(), c, v)
}

// proved keeps that the actor has just proved who they are. The session gets a
// new token, and ends when it would have ended.
func (s *Server) proved(c echo.Context) error {
	v := visitOf(c)
	v.proved = s.Now()
	v.session.Values[sessionProved] = strconv.FormatInt(v.proved.UnixMicro(), 10)
	return s.saveSession(c)
}

func (s *Server) replaceSession(c echo.Context, values map[any]any) error {
	v := visitOf(c)
	options := *v.session.Options
	if !v.session.IsNew {
		if err := s.endSession(c); err != nil {
			return err
		}
		c.Response().Header().Del("Set-Cookie")
	}
	fresh := sessions.NewSession(s.Sessions, s.CookieName)
	fresh.Options, fresh.IsNew = &options, true
	fresh.Values = values
	v.session = fresh
	return s.saveSession(c)
}

// endSession forgets who was logged on, here and in the browser.
func (s *Server) endSession(c echo.Context) error {
	v := visitOf(c)
	v.actor = access.Actor{}
	v.session.Options.MaxAge = -1
	return s.saveSession(c)
}

func (s *Server) saveSession(c echo.Context) error {
	return s.Sessions.Save(c.Request(), c.Response(), visitOf(c).session)
}

func kept(session *sessions.Session, key string) string {
	text, _ := session.Values[key].(string)
	return text
}

// takeNotice gives what is to be said once and forgets it.
func (s *Server) takeNotice(c echo.Context) (string, error) {
	v := visitOf(c)
	if v.session == nil {
		return "", nil
	}
	text := kept(v.session, sessionNotice)
	if text == "" {
		return "", nil
	}
	delete(v.session.Values, sessionNotice)
	return text, s.saveSession(c)
}

func (s *Server) address(r *http.Request) string { return AddressOf(r, s.TrustedProxies) }

// AddressOf is where a request came from: the connection's other end or, behind
// proxies that are trusted, what the outermost of them saw.
func AddressOf(r *http.Request, proxies []netip.Prefix) string {
	text, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		text = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !trusted(text, proxies) {
			break
		}
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		text = a.String()
	}
	return text
}

func trusted(address string, proxies []netip.Prefix) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// localPath gives a place on this server to go to, or nothing: an address that
// leads elsewhere is never followed.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") {
		return ""
	}
	if len(next) > 2000 || strings.ContainsRune(next, '\\') || strings.ContainsFunc(next, unicode.IsControl) || u.Path == logOnURL {
		return ""
	}
	return next
}
