package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/views/faults"
	"bailiwick/views/ui"
)

// statuses gives every kind of fault its status.
var statuses = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.Missing:         http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Full:            http.StatusConflict,
	fault.Busy:            http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

func statusOf(err error) int { return statuses[fault.KindOf(err)] }

// titles head the page of a failure, by its status.
var titles = map[int][2]string{
	http.StatusForbidden:             {"You may not do this", "If you need it, ask whoever administers the workspace or the account."},
	http.StatusNotFound:              {"This page does not exist", "It may have been deleted, or it belongs to somebody else."},
	http.StatusMethodNotAllowed:      {"This cannot be done here", ""},
	http.StatusConflict:              {"This cannot be done now", "Load the page again to see how things stand."},
	http.StatusRequestEntityTooLarge: {"This is too much at once", "Send less."},
	http.StatusUnprocessableEntity:   {"This cannot be done as said", "Go back and check what you entered."},
	http.StatusTooManyRequests:       {"Too much at once", "Wait a moment and try again."},
	http.StatusServiceUnavailable:    {"Something we need does not answer", "Wait a moment and try again."},
	http.StatusInternalServerError:   {"Something went wrong", ""},
}

// fail answers every request that ended in an error. What caused it is for the
// log alone.
func (s *Server) fail(err error, c echo.Context) {
	v := visitOf(c)
	status, err := translate(err)
	if status >= http.StatusInternalServerError {
		slog.Error("a request failed", "call", v.call, "method", c.Request().Method, "path", c.Request().URL.Path, "err", err)
	}
	s.noteRefusal(c, status, err)
	if c.Response().Committed {
		return
	}
	if status == http.StatusUnauthorized {
		err = s.askLogOn(c)
	} else {
		err = s.showFault(c, status, err)
	}
	if err != nil && !c.Response().Committed {
		slog.Error("a failure could not be shown", "call", v.call, "err", err)
		_ = c.String(http.StatusInternalServerError, "Something went wrong on our side. Request "+string(v.call)+".\n") // nothing is left to be done
	}
}

// translate finds the status of an error, and gives echo's own errors words of ours.
func translate(err error) (int, error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge, fault.New(fault.Invalid, "What was sent is larger than %d KiB.", large.Limit>>10)
	}
	var routing *echo.HTTPError
	if errors.As(err, &routing) {
		switch routing.Code {
		case http.StatusNotFound:
			return http.StatusNotFound, fault.NoSuch("page")
		case http.StatusMethodNotAllowed:
			return http.StatusMethodNotAllowed, fault.New(fault.Invalid, "This address does not take that kind of request.")
		}
	}
	return statusOf(err), err
}

// showFault shows a failure inside the console, or bare where nobody is logged
// on or the console's frame fails as well.
func (s *Server) showFault(c echo.Context, status int, err error) error {
	v := visitOf(c)
	words := titles[status]
	p := faults.Props{
		Status: status, Title: words[0], Message: fault.Show(err), Next: words[1],
		Links: []ui.Link{{Label: "To the console", URL: homeURL}}, RequestID: string(v.call),
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", "5")
	}
	if status == http.StatusForbidden && v.actor.May(access.Enter) {
		p.WhyURL = accessURL
	}
	if v.scripted {
		p.Links = nil
		return s.send(c, status, faults.Part(p))
	}
	if v.actor.User != "" {
		if chrome, err := s.frame(c, p.Title, ""); err == nil {
			return s.send(c, status, faults.Page(faults.PageProps{Chrome: chrome, Fault: p}))
		}
	}
	return s.send(c, status, faults.Bare(faults.BareProps{Bare: s.bare(p.Title), Fault: p}))
}

// askLogOn sends to the log-on page, and from there back to the page that was
// asked for.
func (s *Server) askLogOn(c echo.Context) error {
	next := comingFrom(c)
	if visitOf(c).scripted {
		c.Response().Header().Set("HX-Redirect", logOnFor(next))
		c.Response().Header().Set("Cache-Control", "no-store")
		return c.NoContent(http.StatusUnauthorized)
	}
	return s.leave(c, logOnFor(next))
}

// comingFrom is the page that somebody looks at or asks for, to lead them back
// to it; nothing where they sent a form without scripts.
func comingFrom(c echo.Context) string {
	r := c.Request()
	if visitOf(c).scripted {
		u, err := url.Parse(r.Header.Get("HX-Current-URL"))
		if err != nil {
			return ""
		}
		return localPath(u.RequestURI())
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return localPath(r.URL.RequestURI())
	}
	return ""
}
