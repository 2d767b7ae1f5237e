package gateway

import (
	"net/http"
	"time"
)

// slowest is how long a caller may take to accept one piece of an answer.
const slowest = 30 * time.Second

// sender writes to the caller under a deadline that rolls with every piece, so
// that a caller who reads nothing holds nothing of ours for long.
type sender struct {
	c   *Call
	ctl *http.ResponseController
	set time.Time // when the deadline was last moved; zero: there is none
}

// hurry moves the deadline. Moving it once a second does: it is late by that much.
func (s *sender) hurry() {
	now := time.Now()
	if now.Sub(s.set) < time.Second {
		return
	}
	if s.ctl == nil {
		s.ctl = http.NewResponseController(s.c.w)
	}
	if s.ctl.SetWriteDeadline(now.Add(slowest)) == nil {
		s.set = now
	}
}

// flush sends a piece and waits until it is on its way.
func (s *sender) flush(p []byte) error {
	s.hurry()
	if _, err := s.c.w.Write(p); err != nil {
		return err
	}
	return s.ctl.Flush()
}

// rest sends what is left and lifts the deadline: the connection may serve
// others after this.
func (s *sender) rest() {
	if s.set.IsZero() {
		return
	}
	if s.ctl.Flush() == nil {
		s.ctl.SetWriteDeadline(time.Time{})
	}
}
