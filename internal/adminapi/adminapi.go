// Package adminapi is the management API: plain JSON under /api/admin/v1 for
// people and keys. It asks the same services as the console, as the owner of
// the admin key that is presented, and a request passes the same steps in the
// same order every time: authenticate, find the operation, read, do, answer.
package adminapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/workspace"
)

// Prefix is where the operations lie.
const Prefix = "/api/admin/v1"

// DocumentPath is where the OpenAPI document lies, for everybody.
const DocumentPath = "/openapi.json"

// Handles reports whether a path is the management API's to answer.
func Handles(path string) bool {
	return path == DocumentPath || path == "/api/admin" || strings.HasPrefix(path, "/api/admin/")
}

// Services are what the operations ask. All of them stand on one store.
type Services struct {
	Accounts   *account.Service
	People     *account.People
	Trail      *account.Trail
	Workspaces *workspace.Service
	Members    *workspace.Members
	Catalogue  *catalogue.Service
	Grants     *grant.Service
	Why        *explanation.Service
	Keys       *apikey.Service
	Providers  *provider.Service
}

// Once carries out a request that must not be carried out twice: do is given
// services whose changes are kept together with the answer, or not at all.
type Once func(ctx context.Context, a ident.Account, c adminkey.Claim, do func(Services) (adminkey.Answer, error)) (answer adminkey.Answer, replayed bool, err error)

// Config is what the management API is made of.
type Config struct {
	Services  Services
	Once      Once
	AdminKeys *adminkey.Service
	Throttle  *account.Throttle // of wrong credentials
	Trail     *audit.Recorder   // of refusals; nil: they are not written
	BaseURL   string            // of the console and of this API, without a slash at its end
	PlainHTTP bool              // programs come without encryption
	Address   func(*http.Request) string
	Now       func() time.Time
	// Patience is how long a request waits for an equal one that is being
	// carried out; 0: five seconds.
	Patience time.Duration
}

// Server is the management API. It is an http.Handler for what Handles names.
type Server struct {
	Config
	mux      *http.ServeMux
	document func() ([]byte, error) // made when it is first asked for
	known    known
	running  running
}

// New makes the management API. An operation without an action that access
// knows is an error.
func New(c Config) (*Server, error) {
	if c.Patience == 0 {
		c.Patience = 5 * time.Second
	}
	s := &Server{Config: c, mux: http.NewServeMux()}
	for _, o := range operations() {
		if err := s.add(o); err != nil {
			return nil, err
		}
	}
	s.document = sync.OnceValues(func() ([]byte, error) { return Document(c.BaseURL) })
	return s, nil
}

// Document gives the OpenAPI document that is served.
func (s *Server) Document() ([]byte, error) { return s.document() }

func (s *Server) add(o operation) error {
	if !access.Known(o.action) || o.action == access.Open {
		return fmt.Errorf("operation %s: the action %q is not one that access knows", o.id, o.action)
	}
	if access.Workspaced(o.action) && !strings.Contains(o.path, "{workspace}") {
		return fmt.Errorf("operation %s: the action %s is asked in a workspace, and the path names none", o.id, o.action)
	}
	s.mux.Handle(o.method+" "+Prefix+o.path, found{o})
	return nil
}

// found is what the mux finds; the server runs it itself.
type found struct{ operation }

func (found) ServeHTTP(http.ResponseWriter, *http.Request) {}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{server: s, w: w, r: r, ctx: r.Context(), id: ident.NewCall(), services: s.Services}
	s.dress(c)
	defer s.survive(c)
	if r.URL.Path == DocumentPath {
		s.serveDocument(c)
		return
	}
	answered, err := s.pass(c)
	if err != nil {
		c.refuse(err)
		return
	}
	c.send(answered)
}

// pass is the order of the steps.
func (s *Server) pass(c *call) (reply, error) {
	if err := s.authenticate(c); err != nil {
		return reply{}, err
	}
	if err := s.find(c); err != nil {
		return reply{}, err
	}
	if err := c.admit(); err != nil {
		return reply{}, err
	}
	if key := c.r.Header.Get(idempotencyKey); key != "" && c.op.method == http.MethodPost {
		return s.once(c, key)
	}
	return c.do()
}

// find finds the operation. Addresses are taken as they were written: what
// would have to be cleaned first is another address.
func (s *Server) find(c *call) error {
	h, pattern := s.mux.Handler(c.r)
	if f, ok := h.(found); ok && pattern != "" {
		c.op = f.operation
		s.mux.ServeHTTP(discard{}, c.r) // fills in what the path names
		return nil
	}
	seen := discard{header: http.Header{}, status: new(int)}
	h.ServeHTTP(seen, c.r)
	if allow := seen.header.Get("Allow"); *seen.status == http.StatusMethodNotAllowed {
		c.w.Header().Set("Allow", allow)
		return &problem{http.StatusMethodNotAllowed, "method_not_allowed", "This address takes " + allow + " only.", ""}
	}
	return fault.NoSuch("operation")
}

// discard is a writer that only remembers how it was answered.
type discard struct {
	header http.Header
	status *int
}

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(status int)      { *d.status = status }

// dress gives every answer its id and the headers that protect it. There is
// none that lets another site's scripts read it.
func (s *Server) dress(c *call) {
	h := c.w.Header()
	h.Set("X-Request-Id", string(c.id))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if !s.PlainHTTP {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

func (s *Server) serveDocument(c *call) {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		c.w.Header().Set("Allow", "GET, HEAD")
		c.refuse(&problem{http.StatusMethodNotAllowed, "method_not_allowed", "This address takes GET, HEAD only.", ""})
		return
	}
	document, err := s.document()
	if err != nil {
		c.refuse(err)
		return
	}
	c.write(http.StatusOK, document)
}

// survive turns a panic of ours into an answer and a line in the log.
func (s *Server) survive(c *call) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	slog.Error("an operation panicked", "call", c.id, "operation", c.op.id, "panic", p, "stack", string(debug.Stack()))
	c.refuse(fmt.Errorf("panic"))
}
