package gateway

import (
	"net/http"
	"strings"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/workshop"
	"bailiwick/internal/ident"
)

// workshop finds what is asked for about training files, trainings and deployments.
func (c *Call) workshop(asked string) *dialect.Refusal {
	r, known := workshop.Find(asked)
	if !known || c.gateway.Workshop == nil {
		return &dialect.NoPath
	}
	c.service, c.work = dialect.Work, r
	if !r.Takes(c.r.Method) {
		wrong := dialect.WrongMethod(r.Allow())
		return &wrong
	}
	return nil
}

// work answers about training files, trainings and deployments of the workspace
// that the call acts in. The key acts for its owner there, and may what programs
// may: no page of the console needs to be granted to anybody for it.
func (g *Gateway) work(c *Call) *dialect.Refusal {
	ctx, key, ws := c.r.Context(), c.decision.Key, c.decision.Workspace.ID
	owner, err := g.Workshop.Actor(ctx, key.Owner)
	if fault.Is(err, fault.Missing) {
		return &dialect.Denied // disabled this moment
	}
	if err != nil {
		r := dialect.FromFault(err)
		return &r
	}
	by := access.Program(owner, key.ID, ws)
	by.Address, by.Call = c.question.Address.String(), c.ID
	v := &workshop.Visit{
		W: c.w, R: c.r, Call: c.ID, At: c.At, By: by, Workspace: ws, Origin: c.origin(),
		Ask:  func(m ident.Model, what catalogue.Capability) *dialect.Refusal { return g.decide(c, m, what) },
		Body: func() ([]byte, *dialect.Refusal) { return g.body(c) }, Answer: c.answer, Begin: c.begin, Send: c.piece,
	}
	return g.Workshop.Serve(ctx, c.work, v)
}

// decide decides anew, on what is known now: a key may go while a stream lasts, and
// a right while a form is read.
func (g *Gateway) decide(c *Call, m ident.Model, what catalogue.Capability) *dialect.Refusal {
	q := c.question
	q.At, q.Model, q.Capability = g.Now(), m, what
	d := g.Policy.Now().Decide(q)
	if c.began.IsZero() {
		c.question, c.decision = q, d
	}
	if d.Allowed() {
		return nil
	}
	r := dialect.Refused(d.Refused, string(m))
	return &r
}

// origin is how the caller reaches us.
func (c *Call) origin() string {
	scheme := "https://"
	if c.r.TLS == nil && c.r.Header.Get("X-Forwarded-Proto") != "https" {
		scheme = "http://"
	}
	origin := scheme + c.r.Host
	if base := c.gateway.Console; base != "" {
		origin = strings.TrimRight(base, "/")
	}
	if c.workspace != "" {
		origin += "/w/" + c.workspace
	}
	return origin
}

// begin sends the head of an answer that comes in pieces.
func (c *Call) begin(kind string) {
	c.status, c.began = http.StatusOK, time.Now()
	h := c.head()
	h["Content-Type"] = []string{kind}
	if kind == asEvents[0] {
		h["X-Accel-Buffering"] = notBuffered
	}
	c.gateway.settle(c)
	c.w.WriteHeader(http.StatusOK)
}

// piece passes a piece on at once; false: the caller hung up, or takes nothing any
// more.
func (c *Call) piece(piece []byte) bool {
	ctl := http.NewResponseController(c.w)
	_ = ctl.SetWriteDeadline(time.Now().Add(patience)) // where there are no deadlines, none is needed
	_, err := c.w.Write(piece)
	if err == nil {
		err = ctl.Flush()
	}
	if err != nil {
		c.code = hungUp
	}
	return err == nil
}
