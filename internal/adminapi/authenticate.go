package adminapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"bailiwick/internal/adminkey"
	"bailiwick/internal/fault"
	"bailiwick/internal/secret"
)

// authenticating is how long it may take to find an admin key. When the database
// is overrun that is said, and no key is taken for a wrong one.
const authenticating = 5 * time.Second

// authenticate finds out whose admin key is presented. The one way to present
// it is Authorization: Bearer; a cookie, a query or another header is nothing.
func (s *Server) authenticate(c *call) error {
	text, err := credential(c.r.Header)
	if err != nil {
		return err
	}
	from := s.Address(c.r)
	c.presented = secret.NewText(text)
	mark := secret.TokenDigest(text)
	if wait := s.Throttle.Wait(from, from); wait > 0 && !s.known.has(mark, s.Now()) {
		c.w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		return fault.New(fault.Busy, "Too many wrong admin keys came from this address. Try again in %s.", wait.Round(time.Second))
	}
	ctx, cancel := context.WithTimeout(c.ctx, authenticating)
	defer cancel()
	c.key, c.by, err = s.AdminKeys.Present(ctx, adminkey.Presented{Secret: c.presented, Address: from, Call: c.id})
	if fault.Is(err, fault.Unauthenticated) {
		s.Throttle.Failed(from, from)
		s.known.forget(mark)
		return err
	}
	if err == nil {
		s.known.add(mark, s.Now())
	}
	return err
}

func credential(h http.Header) (string, error) {
	all := h["Authorization"]
	if len(all) == 0 {
		return "", fault.New(fault.Unauthenticated, "Present an admin key: Authorization: Bearer %s….", secret.AdminPrefix)
	}
	if len(all) > 1 {
		return "", &problem{http.StatusBadRequest, "malformed", "The request carries several Authorization headers. Send one.", "Authorization"}
	}
	scheme, rest, _ := strings.Cut(all[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", fault.New(fault.Unauthenticated, "Present the admin key as Authorization: Bearer %s….", secret.AdminPrefix)
	}
	return strings.TrimSpace(rest), nil
}

// known are the secrets that were right a short while ago: they are not made to
// wait because somebody else at their address guesses.
type known struct {
	mu   sync.Mutex
	seen map[secret.Digest]time.Time
}

const (
	knownFor  = time.Hour
	knownMost = 1000
)

func (k *known) has(d secret.Digest, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, ok := k.seen[d]
	return ok && now.Sub(at) < knownFor
}

func (k *known) add(d secret.Digest, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen == nil || len(k.seen) >= knownMost {
		k.seen = map[secret.Digest]time.Time{}
	}
	k.seen[d] = now
}

func (k *known) forget(d secret.Digest) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.seen, d)
}
