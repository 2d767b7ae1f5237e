package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/deployment"
	"bailiwick/internal/explanation"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/workspace"
)

// Config is what the console is made of.
type Config struct {
	Accounts    *account.Service
	People      *account.People
	Factors     *factor.Service
	Workspaces  *workspace.Service
	Members     *workspace.Members
	Catalogue   *catalogue.Service
	Grants      *grant.Service
	Keys        *apikey.Service
	AdminKeys   *adminkey.Service
	Providers   *provider.Service
	Health      *provider.Board // how providers do, as calls found them
	Datasets    *dataset.Service
	Usage       *usage.Service
	Limits      *limit.Service
	Limiter     *limit.Limiter // what is in use of limits; nil: it is not shown
	Trainings   *training.Service
	Deployments *deployment.Service
	Policy      *policy.Keeper
	Why         *explanation.Service
	Call        Caller // of the playground
	Audit       *account.Trail
	Trail       *audit.Recorder // of refusals; nil: they are not written

	Sessions       sessions.Store
	CookieName     string                 // of the session; empty: by whether the connection is encrypted
	CloudName      string                 // in "Manage … Account"
	OpenAPI        func() ([]byte, error) // gives the document of the management API
	BaseURL        string                 // of the gateway as programs reach it; empty: taken from the request
	PlainHTTP      bool                   // people come without encryption
	WarnPlain      bool                   // and from other machines: every page warns of it
	TrustedProxies []netip.Prefix         // whose X-Forwarded-For is believed
	SetUp          secret.Text            // of the one-time link; empty when there is an account

	// Offers gives the providers that were found for an account at first start; nil: none.
	Offers func(ident.Account) []Offer
	Now    func() time.Time
}

// Offer is a provider that was found but not made yet.
type Offer struct {
	ID   string // the same as long as the program runs
	Text string // where it was found, such as "DASHSCOPE_API_KEY is set"
	Form provider.Form
}

// Server is the console.
type Server struct {
	Config
	echo      *echo.Echo
	crossSite *http.CrossOriginProtection

	opened    atomic.Bool // there is an account
	mu        sync.Mutex
	dismissed map[ident.Account]map[string]bool // offers that somebody does not want
	reports   window                            // of violations of the content security policy
}

// bodyMax bounds what a browser may send.
const bodyMax = 64 << 10

// contentPolicy lets a page load nothing but its own style sheets, scripts and
// pictures, and nothing at all that stands inside the page.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; report-uri /csp"

// New makes the console. A route without an action that access knows is an error.
func New(config Config) (*Server, error) {
	s := newServer(config)
	if err := s.serve(s.routes()); err != nil {
		return nil, err
	}
	return s, nil
}

func newServer(config Config) *Server {
	if config.CookieName == "" {
		config.CookieName = "__Host-bailiwick"
		if config.PlainHTTP {
			config.CookieName = "bailiwick"
		}
	}
	return &Server{Config: config, echo: echo.New(), crossSite: http.NewCrossOriginProtection(), dismissed: map[ident.Account]map[string]bool{}}
}

// serve puts a table of routes into force.
func (s *Server) serve(table []route) error {
	s.echo.HTTPErrorHandler = s.fail
	s.echo.Pre(s.dress, s.rescue, s.sameSite)
	s.echo.Use(s.identify)
	for _, r := range table {
		if err := s.add(r); err != nil {
			return err
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// add puts one line of the table into force.
func (s *Server) add(r route) error {
	placed := strings.Contains(r.path, ":workspace")
	if !access.Known(r.action) {
		return fmt.Errorf("route %s %s: the action %q is not one that access knows", r.method, r.path, r.action)
	}
	if access.Workspaced(r.action) && !placed {
		return fmt.Errorf("route %s %s: the action %s is asked in a workspace, and the path names none", r.method, r.path, r.action)
	}
	handle := s.guard(r.action, placed, r.handle)
	s.echo.Add(r.method, r.path, handle)
	if r.method == http.MethodGet {
		s.echo.Add(http.MethodHead, r.path, handle)
	}
	return nil
}

// guard asks for the route's action before its handler runs, and finds the
// workspace that the path names. A workspace of somebody else is missing.
func (s *Server) guard(do access.Action, placed bool, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := visitOf(c)
		v.asked = do
		if do == access.Open {
			return next(c)
		}
		if err := v.actor.Require(access.Self); err != nil {
			return err
		}
		if place, due := dutyURLs[v.actor.Duty]; due && do != access.Self {
			return s.leave(c, withQuery(place, "next", comingFrom(c)))
		}
		if !access.Workspaced(do) {
			if err := v.actor.Require(do); err != nil {
				return err
			}
		}
		if placed {
			if err := s.arrive(c, v); err != nil {
				return err
			}
			if access.Workspaced(do) {
				if err := v.actor.RequireIn(v.here.ID, do); err != nil {
					return s.whoGrants(c, err)
				}
			}
		}
		return next(c)
	}
}

// whoGrants adds to a refusal who could grant the page.
func (s *Server) whoGrants(c echo.Context, refusal error) error {
	if !fault.Is(refusal, fault.Forbidden) {
		return refusal
	}
	names, err := s.Members.Administrators(c.Request().Context(), actor(c), here(c).ID)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fault.New(fault.Forbidden, "You may not open this page. %s has no administrator: ask the account owner or a super administrator to grant it.", here(c).Name)
	}
	return fault.New(fault.Forbidden, "You may not open this page. %s can grant it: ask whoever administers %s.", oneOf(names), here(c).Name)
}

// arrive notes the workspace that the path names, if the actor may enter it.
func (s *Server) arrive(c echo.Context, v *visit) error {
	id, err := ident.ParseWorkspace(param(c, "workspace"))
	if err != nil {
		return err
	}
	w, err := s.Workspaces.Find(c.Request().Context(), v.actor, id)
	if err != nil {
		return err
	}
	v.here = &w
	return nil
}

// dress gives every answer its id and the headers that protect it, and bounds
// what may be sent to us.
func (s *Server) dress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := &visit{call: ident.NewCall(), scripted: scripted(c.Request())}
		c.Set(visitKey, v)
		h := c.Response().Header()
		h.Set("X-Request-Id", string(v.call))
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", referrers(c.Request()))
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		if !s.PlainHTTP {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r := c.Request()
		r.Body = http.MaxBytesReader(c.Response(), r.Body, bodyLimit(r))
		return next(c)
	}
}

// referrers lets other pages learn where somebody comes from, except from an
// address that holds a token.
func referrers(r *http.Request) string {
	if r.URL.Path == welcomeURL {
		return "no-referrer"
	}
	return "same-origin"
}

func bodyLimit(r *http.Request) int64 {
	if r.URL.Path == importUsersURL {
		return rosterMax
	}
	if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, workspacesURL+"/") && strings.Contains(r.URL.Path, "/datasets") && strings.HasPrefix(r.Header.Get("Content-Type"), echo.MIMEMultipartForm) {
		return uploadMax
	}
	if strings.HasPrefix(r.URL.Path, workspacesURL+"/") && strings.Contains(r.URL.Path, "/playground") {
		return talkMax
	}
	return bodyMax
}

// rescue turns a panic into a failure of one request.
func (s *Server) rescue(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				slog.Error("a handler panicked", "call", visitOf(c).call, "panic", p, "stack", string(debug.Stack()))
				err = errors.New("panic")
			}
		}()
		return next(c)
	}
}

// sameSite refuses what another site makes a browser send. Reading changes
// nothing, so that only what changes something is looked at.
func (s *Server) sameSite(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.crossSite.Check(c.Request()); err != nil {
			return fault.New(fault.Forbidden, "This was sent by another site. Open the console itself and try again.").Because(err)
		}
		return next(c)
	}
}
