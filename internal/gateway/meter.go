package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// likelyOutput is how many tokens an answer is taken for whose end nobody saw.
const likelyOutput = 256

// foresee books that a call is about to be sent to a provider, with what it is
// likely to consume. What cannot be booked is not sent.
func (g *Gateway) foresee(c *Call, first ident.Provider) *dialect.Refusal {
	rec := &c.rec
	*rec = c.record(0)
	rec.Provider, rec.Source, rec.Status, rec.Code = first, usage.Estimated, http.StatusInternalServerError, usage.Interrupted
	rec.Input, rec.Output = wire.Estimate(c.exchange.Said()), likelyOutput
	c.price(rec)
	if err := g.Usage.Begin(rec); err != nil {
		g.Log.Warn("a call could not be booked and was refused", "request_id", string(c.ID), "err", err)
		return &dialect.Overloaded
	}
	return nil
}

// meter is the last gate, and no call passes by it: each leaves one record, and
// one line in the log, once its key is known. Calls with unknown keys leave
// none, so that nobody can fill the books from outside.
func (g *Gateway) meter(c *Call) {
	took := time.Since(c.start)
	if c.code == "" && c.began.IsZero() {
		c.status, c.code = http.StatusBadRequest, hungUp
	}
	if g.Log.Enabled(context.Background(), c.level()) {
		g.Log.LogAttrs(context.Background(), c.level(), "call", slog.String("request_id", string(c.ID)), slog.Int("status", c.status),
			slog.String("code", c.code), slog.String("model", string(c.model())), slog.Duration("took", took))
	}
	g.settle(c)
	g.deny(c)
	if g.Observer != nil {
		g.Observer.Observe(Seen{Record: c.record(took), Own: c.own(), Operation: c.operation(), Known: c.decision.Model != nil, Trace: c.r.Header.Get("Traceparent")})
	}
}

// operation names what was asked for; at a path that is none nothing was.
func (c *Call) operation() string {
	if !c.entered {
		return ""
	}
	return c.service.Operation()
}

// settle books how a call ended: right before the caller gets the last of it, so
// that no answer is whole that was not booked.
func (g *Gateway) settle(c *Call) {
	if c.settled {
		return
	}
	c.settled = true
	rec := &c.rec
	*rec = c.record(time.Since(c.start))
	c.pass.Settle(rec.Input + rec.Output)
	if rec.Account != "" {
		c.price(rec)
		g.Usage.End(rec)
	}
}

// record is what the books, metrics and traces say of the call.
func (c *Call) record(took time.Duration) usage.Record {
	rec := usage.Record{
		Call: c.ID, At: c.At, Model: c.model(), Dialect: c.dialect.Name(), Provider: c.provider, Source: c.source(),
		Status: c.status, Code: c.code, Stream: c.exchange != nil && c.exchange.Stream(), Duration: took,
	}
	if k := c.decision.Key; k != nil {
		rec.Account, rec.Workspace, rec.Key, rec.Member = k.Account, c.home(), k.ID, k.Owner
	} else if w := c.decision.Workspace; w != nil { // the console's: it has no key
		rec.Account, rec.Workspace, rec.Member = w.Account, w.ID, c.question.Person
	}
	c.count(&rec)
	if !c.began.IsZero() {
		rec.FirstByte = c.began.Sub(c.start)
	}
	return rec
}

// price puts down what the tokens cost. A model that is not in the catalogue is
// left out of the books: its name is whatever the caller made up, and there
// would be no end of such names.
func (c *Call) price(rec *usage.Record) {
	m := c.decision.Model
	if m == nil {
		rec.Model = ""
	}
	if rec.Source == usage.Nothing || m == nil || m.Tariff == nil {
		return
	}
	rec.Currency, rec.PriceVersion = m.Tariff.Currency, m.Version
	rec.Cost = m.Tariff.Cost(catalogue.Consumption{Input: rec.Input, Output: rec.Output, Cached: rec.Cached, Reasoning: rec.Reasoning})
}

// count fills in the tokens: the provider's figures or, where there are none
// that can be believed, no less than the size of the text makes likely.
func (c *Call) count(rec *usage.Record) {
	if rec.Source == usage.Nothing {
		return
	}
	t := c.tokens
	rec.Input, rec.Output, rec.Cached, rec.Reasoning = t.Input, t.Output, t.Cached, t.Reason
	if rec.Source == usage.Estimated {
		rec.Input = max(rec.Input, wire.Estimate(c.exchange.Said()))
		rec.Output = max(rec.Output, wire.Estimate(c.spoken))
	}
}

// home is the workspace whose books the call goes into: the one it acts in, or
// the key's own where it was refused before that was settled.
func (c *Call) home() ident.Workspace {
	if w := c.decision.Workspace; w != nil {
		return w.ID
	}
	return c.decision.Key.Workspace
}

func (c *Call) level() slog.Level {
	if c.code == "" || c.decision.Key == nil { // nobody fills the log from outside
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
