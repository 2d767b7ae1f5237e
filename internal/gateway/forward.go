package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/provider"
)

// mostErrorText is how much of a provider's error is read, in bytes.
const mostErrorText = 64 << 10

// forward is the fourth gate: it sends the call to a provider and passes the
// answer on, whole or event by event. One that cannot be reached, or says that
// it cannot serve at present, is passed over for the next that serves the same
// model: until the first byte of an answer, and never to another model.
func (g *Gateway) forward(c *Call) *dialect.Refusal {
	line, refusal := g.lineUp(c)
	if refusal != nil {
		return refusal
	}
	if r := g.foresee(c, line[0].provider.ID); r != nil {
		return r
	}
	l := g.leash(c)
	defer l.end()
	for _, p := range line {
		r, again := g.ask(c, l, p)
		if !again {
			return r
		}
		refusal = r
	}
	return refusal
}

// ask sends the call to one place. Again is true when nothing came of it that
// keeps another from being asked. Neither refusal nor again means that the
// caller was answered, or has hung up.
func (g *Gateway) ask(c *Call, l *leash, p place) (refusal *dialect.Refusal, again bool) {
	began, outcome, why := time.Now(), provider.Failed, ""
	took := func() time.Duration { return time.Since(began) }
	defer func() { g.Health.Note(p.spot(), outcome, took(), why) }()

	server, err := g.servers.of(c.snapshot, p.provider)
	if err != nil {
		g.Log.Error("a provider could not be opened", "request_id", string(c.ID), "provider", string(p.provider.ID), "err", err)
		why = fault.Show(err)
		return &dialect.Unavailable, true
	}
	c.provider, c.counted = p.provider.ID, p.provider.Kind == provider.Embedded
	c.waits()
	answer, unsaid, err := c.send(l, server, p.Name)
	if unsaid != nil {
		outcome = provider.Answered // it was not asked
		return unsaid, false
	}
	if err != nil {
		c.waited()
		if l.gone() {
			outcome = provider.Answered // it was not the provider that ended it
		} else {
			why = fault.Show(err)
			g.Log.Warn("a provider did not answer", "request_id", string(c.ID), "provider", string(p.provider.ID), "err", err)
		}
		if errors.Is(err, provider.ErrUnreached) && l.Err() == nil {
			return &dialect.Unavailable, true
		}
		return c.unanswered(err, l), false
	}
	defer answer.Body.Close()
	first := took()
	took = func() time.Duration { return first }
	c.engine(answer.Header)
	if answer.Status < 200 || answer.Status > 299 {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, mostErrorText))
		c.waited()
		r := dialect.FromProvider(answer.Status, answer.Header, text, p.Name, string(c.exchange.Model()))
		switch {
		case answer.Status == http.StatusTooManyRequests:
			outcome, first = provider.Busy, comeAgain(answer.Header)
		case answer.Status < 500:
			outcome = provider.Answered
		default:
			why = fmt.Sprintf("It answered with status %d.", answer.Status)
		}
		return &r, outcome != provider.Answered && !l.gone()
	}
	r := g.pour(c, answer, l)
	if outcome = provider.Answered; c.broke != nil {
		outcome, why = provider.Failed, c.broke.Native.Message
	}
	return r, false
}

// pour passes on an answer that began.
func (g *Gateway) pour(c *Call, answer *provider.Answer, l *leash) *dialect.Refusal {
	isStream := strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream")
	c.heard = true
	switch {
	case isStream != c.exchange.Stream():
		return c.breaks(dialect.ProviderBabbles)
	case isStream:
		return g.stream(c, answer, l)
	}
	return g.whole(c, answer, l)
}

// breaks notes that the provider failed in the middle of its answer.
func (c *Call) breaks(r dialect.Refusal) *dialect.Refusal {
	if r.Status >= 500 {
		c.broke = &r
	}
	return &r
}

// unanswered words the absence of an answer from a provider that was reached.
func (c *Call) unanswered(err error, l *leash) *dialect.Refusal {
	c.heard = true // it may be working on it still, and will charge for it
	switch {
	case l.gone():
		return nil
	case errors.Is(err, provider.ErrSlow), errors.Is(l.Err(), context.Canceled):
		return c.breaks(dialect.TimedOut)
	}
	return c.breaks(dialect.CutOff)
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
		return c.breaks(dialect.ProviderBabbles)
	}
	from := io.Reader(a.Body)
	if size < 0 {
		from = io.LimitReader(from, int64(g.Bounds.Answer)+1)
	}
	text, room, err := readAll(from, size)
	c.waited()
	defer room.give()
	switch {
	case err != nil:
		return c.unanswered(err, l)
	case len(text) > g.Bounds.Answer:
		return c.breaks(dialect.ProviderBabbles)
	}
	o, err := wire.ParseIn(text, c.members[:0])
	if err != nil {
		return c.breaks(dialect.ProviderBabbles)
	}
	if !wire.Null(o.Get("error")) {
		c.heard = false
		return c.breaks(dialect.FromEvent(text))
	}
	c.tokens = c.figures(o.Get("usage"))
	if !c.tokens.Said || c.tokens.Doubted {
		c.spoken = c.spokenIn(text)
	}
	body, r := c.exchange.Whole(o)
	if r != nil {
		return c.breaks(*r)
	}
	if !l.gone() {
		c.answer(http.StatusOK, body)
	}
	return nil
}
