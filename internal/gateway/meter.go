package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

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
	rec := c.record(took)
	if rec.Account != "" {
		g.Usage.Record(rec)
		g.deny(c)
	}
	if g.Observer != nil {
		g.Observer.Observe(Seen{Record: rec, Own: c.own(), Known: c.decision.Model != nil, Trace: c.r.Header.Get("Traceparent")})
	}
}

// record is what the books, metrics and traces say of the call.
func (c *Call) record(took time.Duration) usage.Record {
	rec := usage.Record{
		Call: c.ID, At: c.At, Model: c.model(), Dialect: c.dialect.Name(), Provider: c.provider, Source: c.source(),
		Status: c.status, Code: c.code, Stream: c.exchange != nil && c.exchange.Stream(), Duration: took,
	}
	if k := c.decision.Key; k != nil {
		rec.Account, rec.Workspace, rec.Key = k.Account, c.home(), k.ID
	}
	c.count(&rec)
	c.pass.Settle(rec.Input + rec.Output)
	if !c.began.IsZero() {
		rec.FirstByte = c.began.Sub(c.start)
	}
	return rec
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
	if c.code == "" {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
