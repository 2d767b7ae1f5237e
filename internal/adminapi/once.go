package adminapi

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"bailiwick/internal/adminkey"
	"bailiwick/internal/fault"
	"bailiwick/internal/secret"
)

const idempotencyKey = "Idempotency-Key"

// idempotencyMax is how many characters an idempotency key may have.
const idempotencyMax = 255

// once carries out a POST with an idempotency key. Everything it changes, and
// its answer, are kept in one transaction: a process that dies keeps both or
// neither, and a request that failed may be repeated. The answer is sealed
// with the admin key that was presented, which is kept nowhere, so that secrets
// in it lie in the database for nobody else; who repeats the request within a
// day with the same admin key is given the same answer, secrets too.
func (s *Server) once(c *call, key string) (reply, error) {
	if len(key) > idempotencyMax {
		return reply{}, fault.Field(idempotencyKey, "An idempotency key has at most %d characters.", idempotencyMax)
	}
	lid := secret.NewLid(c.presented, "answers of the management API")
	now := s.Now()
	claim := adminkey.Claim{
		Key: c.key.ID, Mark: lid.Mark([]byte("key"), []byte(key)), At: now, Until: now.Add(adminkey.ClaimLife),
		Body: lid.Mark([]byte("body"), []byte(c.r.Method), []byte(c.r.URL.RequestURI()), c.body),
	}
	if !s.running.enter(c.ctx, claim.Mark, s.Patience) {
		return reply{}, adminkey.Running()
	}
	defer s.running.leave(claim.Mark)
	answer, replayed, err := s.Once(c.ctx, c.by.Account, claim, func(in Services) (adminkey.Answer, error) {
		inside := *c
		inside.services = in
		r, err := inside.do()
		return adminkey.Answer{Status: r.status, Sealed: lid.Close(r.kept(), claim.Mark[:])}, err
	})
	if err != nil {
		return reply{}, err
	}
	text, err := lid.Open(answer.Sealed, claim.Mark[:])
	if err != nil {
		return reply{}, err
	}
	r := keptReply(text)
	r.status, r.replayed = answer.Status, replayed
	return r, nil
}

// kept is what is kept of an answer: its ETag, a line's end, its body.
func (r reply) kept() []byte { return append([]byte(r.etag+"\n"), r.body...) }

func keptReply(text []byte) reply {
	etag, body, _ := bytes.Cut(text, []byte("\n"))
	return reply{etag: string(etag), body: body}
}

// running are the requests that are being carried out. Equal ones wait for
// each other here, where they hold no connection to the database.
type running struct {
	mu  sync.Mutex
	ids map[secret.Digest]chan struct{}
}

// enter waits for its turn; false: it did not come in time.
func (r *running) enter(ctx context.Context, id secret.Digest, patience time.Duration) bool {
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		r.mu.Lock()
		if r.ids == nil {
			r.ids = map[secret.Digest]chan struct{}{}
		}
		before, busy := r.ids[id]
		if !busy {
			r.ids[id] = make(chan struct{})
			r.mu.Unlock()
			return true
		}
		r.mu.Unlock()
		select {
		case <-before:
		case <-over.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (r *running) leave(id secret.Digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.ids[id])
	delete(r.ids, id)
}

// idempotent are the headers of an operation that may be repeated.
func idempotent(o operation) bool { return o.method == http.MethodPost }
