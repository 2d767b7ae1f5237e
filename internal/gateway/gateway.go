// Package gateway answers model calls. A call passes the same gates in the
// same order every time, one file each: authenticate, authorize, limit,
// forward, meter. Each gate fills fields of Call; later gates read only what
// earlier ones filled.
package gateway

import (
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/workshop"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/usage"
)

// Meter books calls. A call that is sent to a provider is begun before, and every
// call with a known key is ended; what was begun and not ended was cut short with
// the process. Records are the meter's only while the method runs.
type Meter interface {
	Begin(estimate *usage.Record) error
	End(*usage.Record)
}

// Config is what a gateway works with. Policy, Pepper, Open and Usage are
// needed; the others have defaults.
type Config struct {
	Policy *policy.Keeper
	Pepper secret.Pepper
	// Open makes the server of a configured provider; it is called once per
	// provider and version.
	Open  func(provider.Provider) (provider.Server, error)
	Usage Meter
	Trail Trail // nil: denied calls are in the usage alone
	// Observer is told of every call; nil: nobody is.
	Observer Observer
	// Health notes how providers do, and lets those rest that fail; nil: one of the gateway's own.
	Health *provider.Board
	// Refusals keeps what was refused, to be explained; nil: it is not kept.
	Refusals Refusals
	// Console is the address of the console, whose page Why? refusals lead to, such
	// as "https://models.example.com"; empty: they lead nowhere.
	Console string
	// Management changes rights and limits; nil: they can be read only.
	Management *Management
	// Workshop answers about training files, trainings and deployments; nil: nothing does.
	Workshop *workshop.Workshop
	// Limits keeps what is used of every limit; nil: one of the gateway's own.
	Limits *limit.Limiter
	// TrustedProxies are whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// BaseHost is what follows the workspace ID in host names that name a
	// workspace, such as "models.example.com"; empty: host names name none.
	BaseHost string
	// MaxAge is for how long known keys are served from a snapshot that cannot be
	// brought up to date; 0: 15 minutes, negative: not at all.
	MaxAge time.Duration
	// MaxBody bounds a request's body, in bytes; 0: 8 MiB.
	MaxBody int64
	Bounds  Bounds
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: slog.Default
}

// DefaultMaxBody is the longest body that is taken, unless configured: room for
// a million tokens of text or a few pictures.
const DefaultMaxBody = 8 << 20

// Gateway is an http.Handler for the paths that Handles names.
type Gateway struct {
	Config
	servers servers
	drains  chan struct{} // one place for each call whose caller hung up
	load    load
}

// New makes a gateway.
func New(c Config) *Gateway {
	if c.MaxBody == 0 {
		c.MaxBody = DefaultMaxBody
	}
	if c.MaxAge == 0 {
		c.MaxAge = 15 * time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Health == nil {
		c.Health = &provider.Board{Now: c.Now}
	}
	if c.Limits == nil {
		c.Limits = limit.New(c.Now)
	}
	c.BaseHost = strings.ToLower(c.BaseHost)
	c.Bounds = c.Bounds.orDefault()
	g := &Gateway{Config: c, drains: make(chan struct{}, c.Bounds.Drains)}
	g.servers.open = c.Open
	return g
}

// ServeHTTP takes one call through the gates.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.begin(w, r)
	defer g.leave(c)
	defer g.meter(c)
	defer g.survive(c)
	if refusal := g.pass(c); refusal != nil {
		g.refuse(c, *refusal)
	}
}

// pass is the order of the gates. What it returns ends the call.
func (g *Gateway) pass(c *Call) *dialect.Refusal {
	if r := c.route(); r != nil {
		return r
	}
	c.entered = true
	if r := g.enter(); r != nil {
		return r
	}
	if r := g.authenticate(c); r != nil {
		return r
	}
	if g.Stale(c.start) {
		return &dialect.Stale
	}
	if r := g.authorizeCaller(c); r != nil {
		return r
	}
	if c.service == dialect.Models || c.service == dialect.Model {
		return g.list(c)
	}
	if c.service.Managing() {
		return g.manage(c)
	}
	if c.service == dialect.Work {
		return g.work(c)
	}
	if c.service == dialect.Tokens {
		return g.lend(c)
	}
	if r := g.admit(c); r != nil {
		return r
	}
	if r := g.authorizeModel(c); r != nil {
		return r
	}
	if r := g.limit(c); r != nil {
		return r
	}
	return g.forward(c)
}

// Stale reports whether what is known of keys is too old at a moment for any call
// to be served by it.
func (g *Gateway) Stale(at time.Time) bool { return g.Policy.Age(at) > max(g.MaxAge, 3*policy.Poll) }

// survive turns a panic of ours into an answer and a line in the log.
func (g *Gateway) survive(c *Call) {
	p := recover()
	if p == nil {
		return
	}
	c.broken = true
	if p == http.ErrAbortHandler {
		c.failed(dialect.Internal)
		panic(p)
	}
	g.Log.Error("a call panicked", "request_id", string(c.ID), "panic", p, "stack", string(debug.Stack()))
	if c.began.IsZero() {
		g.refuse(c, dialect.Internal)
		return
	}
	c.failed(dialect.Internal)
	panic(http.ErrAbortHandler) // the answer has begun: the caller must see that it is not whole
}
