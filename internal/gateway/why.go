package gateway

import (
	"net/http"
	"strings"

	"bailiwick/internal/explanation"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
)

// Refusals takes what is kept of refused calls, and never waits.
type Refusals interface{ Record(explanation.Refusal) }

// whyPath is the console's page that explains a refused call.
const (
	whyPath = "/why?request="
	helps   = `>; rel="help"` // ends a link to it
)

// explainable reports whether a refusal can be explained afterwards: it was the
// policy's, or another one of the caller's making. Our own failures are told
// in the log, and what no key was looked at for is nobody's.
func (c *Call) explainable(r dialect.Refusal) bool {
	return c.snapshot != nil && (!c.decision.Allowed() || r.Status < http.StatusInternalServerError)
}

// point says in the answer where the refusal is explained: as a link for
// programs, and as a member of the body, which is what people are shown.
func (g *Gateway) point(c *Call, body []byte) []byte {
	if g.Console == "" || len(body) < 2 {
		return body
	}
	link := "<" + g.Console + whyPath + string(c.ID) + helps
	url := link[1 : len(link)-len(helps)]
	c.tell(c.w.Header(), "Link", link)
	return append(append(append(body[:len(body)-1], `,"why":"`...), url...), `"}`...)
}

// remember keeps a refusal, so that it can be explained even when the policy
// has changed.
func (g *Gateway) remember(c *Call) {
	if g.Refusals == nil {
		return
	}
	f := explanation.Of(c.ID, c.question, c.decision)
	f.Status, f.Code, f.Limit = c.status, c.code, c.limited
	if f.Key == "" {
		f.Hint = strings.Clone(c.hint)
	}
	if f.Model == "" && c.asked != "" {
		if id, err := ident.ParseModel(c.asked); err == nil {
			f.Model = id
		}
	}
	g.Refusals.Record(f)
}

// hintLength is how many characters of a key's end tell it apart.
const hintLength = 4
