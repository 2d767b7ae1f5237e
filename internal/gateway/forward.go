package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/provider"
)

// mostErrorText is how much of a provider's error is read, in bytes.
const mostErrorText = 64 << 10

// forward is the third gate: it sends the call to a provider and passes the
// answer on, whole or event by event.
func (g *Gateway) forward(c *Call) *dialect.Refusal {
	l := g.leash(c)
	defer l.end()
	answer, name, r := g.reach(c, l)
	if answer == nil {
		return r
	}
	defer answer.Body.Close()
	c.engine(answer.Header)
	isStream := strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream")
	switch {
	case answer.Status < 200 || answer.Status > 299:
		text, _ := io.ReadAll(io.LimitReader(answer.Body, mostErrorText))
		r := dialect.FromProvider(answer.Status, answer.Header, text, name, string(c.exchange.Model()))
		return &r
	case isStream != c.exchange.Stream():
		return &dialect.ProviderBabbles
	case isStream:
		return g.stream(c, answer, l)
	}
	return g.whole(c, answer, l)
}

// reach calls the model where it is served: at the first provider that can be
// reached. A call that a provider may have begun to answer is never repeated.
// Neither answer nor refusal means that the caller has hung up.
func (g *Gateway) reach(c *Call, l *leash) (*provider.Answer, string, *dialect.Refusal) {
	for _, s := range c.decision.Model.Servings {
		p := c.snapshot.Provider(s.Provider)
		if p == nil {
			continue
		}
		server, err := g.servers.of(c.snapshot, p)
		if err != nil {
			g.Log.Error("a provider could not be opened", "request_id", string(c.ID), "provider", string(p.ID), "err", err)
			continue
		}
		c.provider, c.counted = p.ID, p.Kind == provider.Embedded
		answer, err := server.Call(l.ctx, provider.Request{
			Path: "chat/completions", Body: c.exchange.Body(s.Name), Stream: c.exchange.Stream(), Call: c.ID,
		})
		if err == nil {
			return answer, s.Name, nil
		}
		if !l.gone() {
			g.Log.Warn("a provider did not answer", "request_id", string(c.ID), "provider", string(p.ID), "err", err)
		}
		if !errors.Is(err, provider.ErrUnreached) || l.ctx.Err() != nil {
			return nil, "", c.unanswered(err, l)
		}
	}
	return nil, "", &dialect.Unavailable
}

// unanswered words the absence of an answer from a provider that was reached.
func (c *Call) unanswered(err error, l *leash) *dialect.Refusal {
	switch {
	case l.gone():
		c.heard = true // it may be working on it still
		return nil
	case errors.Is(err, provider.ErrSlow), errors.Is(l.ctx.Err(), context.Canceled):
		return &dialect.TimedOut
	}
	return &dialect.CutOff
}

// engine passes on what our own engine says of itself. Headers of other
// providers are never passed on.
func (c *Call) engine(h http.Header) {
	if v := h[engineHeader]; c.counted && len(v) > 0 {
		c.w.Header()[engineHeader] = v
	}
}

const engineHeader = "X-Bailiwick-Engine"

// whole passes on an answer in one piece.
func (g *Gateway) whole(c *Call, a *provider.Answer, l *leash) *dialect.Refusal {
	size := a.Length
	if size > int64(g.Bounds.Answer) {
		return &dialect.ProviderBabbles
	}
	text, err := readAll(io.LimitReader(a.Body, int64(g.Bounds.Answer)+1), size)
	switch {
	case err != nil:
		return c.unanswered(err, l)
	case len(text) > g.Bounds.Answer:
		return &dialect.ProviderBabbles
	}
	o, err := wire.Parse(text)
	if err != nil {
		return &dialect.ProviderBabbles
	}
	if !wire.Null(o.Get("error")) {
		r := dialect.FromEvent(text)
		return &r
	}
	c.heard, c.tokens = true, wire.ReadTokens(o.Get("usage"))
	if !c.tokens.Said || c.tokens.Doubted {
		c.spoken = wire.Spoken(text)
	}
	body, err := c.exchange.Whole(o)
	if err != nil {
		return &dialect.ProviderBabbles
	}
	if !l.gone() {
		c.answer(http.StatusOK, body)
	}
	return nil
}
