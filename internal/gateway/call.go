package gateway

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"bailiwick/internal/explanation"
	"bailiwick/internal/gateway/anthropic"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/openai"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/gateway/workshop"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/usage"
)

// Call is one request on its way through the gates. Each gate fills its part.
type Call struct {
	ID    ident.Call
	At    time.Time // by the gateway's clock
	start time.Time // the same moment, for durations
	w     http.ResponseWriter
	r     *http.Request

	// route
	dialect   dialect.Dialect
	service   dialect.Service
	workspace string // as the path names it; empty: it does not
	asked     string // the model as the path names it
	work      workshop.Route

	// authenticate: the question, but for the model
	snapshot *policy.Snapshot
	question policy.Question
	hint     string // the last characters of an unknown key

	// authorize
	decision policy.Decision
	exchange dialect.Exchange

	// limit
	entered bool  // counts as a call on its way
	carried int64 // bytes of the body
	room    *room // that it lies in; nil: in none that is lent
	pass    limit.Pass
	limited explanation.Limit // what refused

	// forward
	places   [mostPlaces]place
	members  [usualMembers]wire.Member // of a whole answer
	provider ident.Provider
	counted  bool             // the provider is our own engine, whose figures we counted
	heard    bool             // the provider began a successful answer
	broke    *dialect.Refusal // how the provider failed within its answer; nil: it did not
	tokens   wire.Tokens
	spoken   int // bytes of text in the answer, for estimates

	// what the caller got
	gateway *Gateway
	settled bool // it is in the books
	status  int
	code    string
	began   time.Time // when the first byte was sent; zero: not yet

	// what others took of the time until then
	waiting time.Time // since when; zero: for nobody
	away    time.Duration

	rec    usage.Record // what was said of it last
	values []string     // of headers that have one, together
	broken bool         // it panicked
}

// calls are those that are over, for others to begin in their memory.
var calls = sync.Pool{New: func() any { return new(Call) }}

// What most calls need.
const (
	usualMembers = 12
	usualHeaders = 14
	usualRefusal = 512 // bytes
)

// tell sets a header of the answer that has one value.
func (c *Call) tell(h http.Header, name, value string) {
	if len(c.values) == cap(c.values) { // older ones stay where they are
		c.values = make([]string, 0, usualHeaders)
	}
	at := len(c.values)
	c.values = append(c.values, value)
	h[name] = c.values[at : at+1 : at+1]
}

func (g *Gateway) begin(w http.ResponseWriter, r *http.Request) *Call {
	c := calls.Get().(*Call)
	c.ID, c.At, c.start, c.w, c.r, c.dialect, c.gateway = ident.NewCall(), g.Now(), time.Now(), w, r, openai.Dialect{}, g
	return c
}

// refuse answers with a refusal; nothing was sent before.
func (g *Gateway) refuse(c *Call, r dialect.Refusal) {
	body, code := c.dialect.Refusal(make([]byte, 0, usualRefusal), r, c.service, c.ID)
	c.code = code
	if c.explainable(r) {
		body = g.point(c, body)
		defer g.remember(c)
	}
	h := c.w.Header()
	if r.Check != "" {
		c.tell(h, "X-Bailiwick-Refused", r.Check)
	}
	if r.Allow != "" {
		c.tell(h, "Allow", r.Allow)
	}
	if r.Retry != "" {
		c.tell(h, "Retry-After", r.Retry)
	}
	if r.Status == http.StatusUnauthorized {
		h["Www-Authenticate"] = bearer
	}
	c.answer(r.Status, body)
}

var (
	bearer      = []string{"Bearer"}
	asJSON      = []string{"application/json"}
	asEvents    = []string{"text/event-stream;charset=UTF-8"}
	notStored   = []string{"no-store"}
	notSniffed  = []string{"nosniff"}
	notBuffered = []string{"no"}
)

// answer sends a whole answer.
func (c *Call) answer(status int, body []byte) {
	c.status, c.began = status, time.Now()
	h := c.head()
	h["Content-Type"] = asJSON
	if len(body) > counted { // of what is shorter, the server says so itself
		c.tell(h, "Content-Length", strconv.Itoa(len(body)))
	}
	c.gateway.settle(c)
	send := sender{c: c}
	if len(body) > atOnce { // what is shorter waits in no buffer of ours
		send.hurry()
		defer send.rest()
	}
	c.w.WriteHeader(status)
	if _, err := c.w.Write(body); err != nil {
		c.code = hungUp
	}
}

// counted is the longest answer whose length net/http finds out by itself.
const counted = 2 << 10

// atOnce is an answer that the operating system takes without waiting for the caller.
const atOnce = 4 << 10

func (c *Call) head() http.Header {
	h := c.w.Header()
	c.tell(h, dialect.RequestID, string(c.ID))
	if c.dialect == (anthropic.Dialect{}) {
		c.tell(h, anthropic.RequestID, string(c.ID))
	}
	h["Cache-Control"] = notStored
	c.tell(h, "Server-Timing", c.timing())
	h["X-Content-Type-Options"] = notSniffed
	return h
}

// failed notes a failure that the caller is told of in some other way, or not at all.
func (c *Call) failed(r dialect.Refusal) {
	_, c.code = c.dialect.Refusal(nil, r, c.service, c.ID)
	if c.began.IsZero() {
		c.status = r.Status
	}
}

// figures reads what a whole answer says it consumed; to count tokens consumes none.
func (c *Call) figures(usage []byte) wire.Tokens {
	if c.service == dialect.CountTokens {
		return wire.Tokens{Said: true}
	}
	return wire.ReadTokens(usage, c.service.Answers())
}

// spokenIn measures the text of an answer or a piece of one.
func (c *Call) spokenIn(text []byte) int {
	switch c.service {
	case dialect.Completion:
		return wire.SpokenText(text)
	case dialect.Embeddings, dialect.Rerank:
		return 0
	case dialect.Responses: // translated from chat completions, or as it is
		if c.exchange.Stream() {
			return wire.Spoken(text) + wire.SpokenDelta(text)
		}
		return wire.Spoken(text) + wire.SpokenText(text)
	}
	if c.exchange.Stream() {
		return wire.SpokenPiece(text)
	}
	return wire.Spoken(text)
}

// model is what the call is about, as far as is known.
func (c *Call) model() ident.Model {
	if c.exchange != nil {
		return c.exchange.Model()
	}
	return ""
}

// source says where the figures of the call come from.
func (c *Call) source() usage.Source {
	switch {
	case !c.heard:
		return usage.Nothing
	case !c.tokens.Said || c.tokens.Doubted:
		return usage.Estimated
	case c.counted:
		return usage.Counted
	}
	return usage.FromProvider
}
