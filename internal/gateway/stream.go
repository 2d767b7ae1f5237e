package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/provider"
)

// lastRead is how long a provider may take to end a stream after saying that it
// is done; after that its connection is given up.
const lastRead = 200 * time.Millisecond

var done = []byte("[DONE]")

// relay is one stream on its way from a provider to a caller.
type relay struct {
	*Call
	l      *leash
	events *wire.Events
	send   sender
	out    []byte // what the caller gets next
	now    dialect.Event
	ended  bool // regularly
	end    [64]byte
}

var outs = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// stream passes events on as they come. Several that came at once leave at
// once. Whatever happens to the provider, the caller gets whole events, and
// after the first of them an error is an event too.
func (g *Gateway) stream(c *Call, a *provider.Answer, l *leash) *dialect.Refusal {
	buf := outs.Get().(*[]byte)
	s := &relay{Call: c, l: l, events: wire.NewEvents(a.Body, g.Bounds.Event, g.Bounds.Stream), send: sender{c: c}, out: (*buf)[:0]}
	defer func() { *buf = s.out[:0]; outs.Put(buf) }()
	defer s.send.rest()
	until := time.Now().Add(g.Bounds.Whole)
	for !s.ended {
		r := s.next()
		if r == nil && time.Now().After(until) {
			r = &dialect.TimedOut
		}
		if r != nil {
			return s.fail(*r)
		}
		if s.ended || !s.events.Ready() {
			s.flush()
		}
	}
	if l.gone() {
		c.code = hungUp
		return nil
	}
	l.hurry(lastRead)
	a.Body.Read(s.end[:]) // sees the end, so that the connection can serve again
	return nil
}

// next takes one event from the provider.
func (s *relay) next() *dialect.Refusal {
	raw, err := s.events.Next()
	s.waited()
	s.l.heard()
	if len(raw) == 0 {
		return s.broken(err)
	}
	data, malformed := wire.Data(raw)
	if malformed != nil {
		return &dialect.ProviderBabbles
	}
	if bytes.Equal(data, done) {
		s.ended = true
		s.out = s.exchange.Done(s.out, raw)
		return nil
	}
	if err == io.EOF {
		raw = append(raw[:len(raw):len(raw)], '\n') // the blank line that was missing
	}
	return s.event(raw, data)
}

// event meters one event and translates it.
func (s *relay) event(raw, data []byte) *dialect.Refusal {
	e := &s.now
	*e = dialect.Event{Raw: raw, Data: data}
	if len(data) > 0 {
		s.Call.heard = true
		if r := s.read(e); r != nil {
			return r
		}
	}
	out, r := s.exchange.Event(s.out, e)
	s.out, s.ended = out, e.Last
	return r
}

// read finds usage and errors in the data of an event.
func (s *relay) read(e *dialect.Event) *dialect.Refusal {
	if e.Data[0] != '{' || e.Data[len(e.Data)-1] != '}' {
		return &dialect.ProviderBabbles
	}
	s.spoken += s.spokenIn(e.Data)
	usage, failure := wire.HasName(e.Data, "usage"), wire.HasName(e.Data, "error")
	if !usage && !failure {
		return nil
	}
	o, err := wire.Parse(e.Data)
	if err != nil {
		return &dialect.ProviderBabbles
	}
	if s.service == dialect.Responses {
		o = within(o)
	}
	if u := o.Get("usage"); !wire.Null(u) {
		s.tokens.Raise(wire.ReadTokens(u, true))
		e.HasUsage, e.Tokens = true, s.tokens
	}
	if !wire.Null(o.Get("error")) {
		r := dialect.FromEvent(o.Text)
		return &r
	}
	return nil
}

// within is the response that an event of the Responses API holds; else the event.
func within(o wire.Object) wire.Object {
	if inner, err := wire.Parse(o.Get("response")); err == nil {
		return inner
	}
	return o
}

// broken words the end of a stream that was not its regular one.
func (s *relay) broken(err error) *dialect.Refusal {
	switch {
	case errors.Is(err, wire.ErrTooLong):
		return &dialect.ProviderBabbles
	case s.l.Err() != nil && !s.l.gone():
		return &dialect.TimedOut
	}
	return &dialect.CutOff
}

// fail ends a stream with an error: as the whole answer when nothing was sent,
// and otherwise as its last event.
func (s *relay) fail(r dialect.Refusal) *dialect.Refusal {
	if s.l.gone() {
		s.code = hungUp
		return nil
	}
	s.breaks(r)
	if s.began.IsZero() && len(s.out) == 0 {
		return &r
	}
	s.out, s.code = s.exchange.Fail(s.out, r)
	s.flush()
	return nil
}

// flush sends what there is. A caller that takes nothing any more has hung up;
// the stream is read on for its usage.
func (s *relay) flush() {
	if len(s.out) == 0 || s.l.gone() {
		s.out = s.out[:0]
		return
	}
	if s.began.IsZero() {
		s.status, s.began = http.StatusOK, time.Now()
		h := s.head()
		h["Content-Type"] = asEvents
		h["X-Accel-Buffering"] = notBuffered
		s.w.WriteHeader(http.StatusOK)
	}
	if s.ended || s.code != "" {
		s.gateway.settle(s.Call)
	}
	if s.send.flush(s.out) != nil {
		s.l.hangUp()
	}
	s.out = s.out[:0]
}
