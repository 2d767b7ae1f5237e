package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"bailiwick/internal/gateway/dashscope"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/policy"
)

// How long a temporary key lasts, in seconds: the original's figures.
const (
	lendUsual = 60
	lendMax   = 1800
)

// lend makes a temporary key that stands for the caller's key: it may what that
// key may, and ends with it. A temporary key cannot make another one, so that
// none outlives the half hour. Nothing is kept of it.
func (g *Gateway) lend(c *Call) *dialect.Refusal {
	if !c.question.Until.IsZero() {
		return &dialect.NoLending
	}
	life, r := lifeOf(c.r)
	if r != nil {
		return r
	}
	until := ends(c.decision.Key, c.question, c.At.Add(life))
	c.answer(http.StatusOK, dashscope.Token(g.Pepper.Temporary(c.question.Digest, until), until))
	return nil
}

// lifeOf reads how long a temporary key shall last.
func lifeOf(r *http.Request) (time.Duration, *dialect.Refusal) {
	const name = "expire_in_seconds"
	asked, given := r.URL.Query()[name]
	if !given {
		return lendUsual * time.Second, nil
	}
	n, err := strconv.Atoi(asked[0])
	if err != nil || len(asked) > 1 || n < 1 || n > lendMax || asked[0] != fmt.Sprint(n) {
		return 0, dialect.Range(name, "Range of %s should be [1, %d]", name, lendMax)
	}
	return time.Duration(n) * time.Second, nil
}

// ends is when a temporary key ends: never after the key or secret it stands for.
func ends(k *policy.Key, q policy.Question, wanted time.Time) time.Time {
	for _, end := range []time.Time{k.Expires, overlapEnd(k, q)} {
		if !end.IsZero() && end.Before(wanted) {
			wanted = end
		}
	}
	return wanted
}

// overlapEnd is when the presented secret ends, if it is the one before a reset.
func overlapEnd(k *policy.Key, q policy.Question) time.Time {
	if k.Digest == q.Digest {
		return time.Time{}
	}
	return k.Terms().PreviousUntil
}
