package web

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// page makes a whole page. It is asked only where one is wanted, because a
// page costs more than a part.
type page func() (templ.Component, error)

// behind makes the page that a dialog lies over.
type behind func(c echo.Context, overlay templ.Component) (templ.Component, error)

// scripted reports whether a script asked for a part of the page. Going back in
// the history wants the whole page.
func scripted(r *http.Request) bool {
	h := r.Header
	return h.Get("HX-Request") == "true" && h.Get("HX-Request-Type") != "full" && h.Get("HX-History-Restore-Request") != "true"
}

// show answers with the part where a script asked for it, and else with the page.
func (s *Server) show(c echo.Context, status int, part templ.Component, whole page) error {
	body := part
	if !visitOf(c).scripted {
		var err error
		if body, err = whole(); err != nil {
			return err
		}
	}
	return s.send(c, status, body)
}

// showList answers with a list where a script asked for it, and else with its
// page, which makes the list itself: so it is read once.
func showList[P any](s *Server, c echo.Context, list func(echo.Context) (P, error), part func(P) templ.Component, over behind) error {
	if !visitOf(c).scripted {
		body, err := over(c, nil)
		if err != nil {
			return err
		}
		return s.send(c, http.StatusOK, body)
	}
	rows, err := list(c)
	if err != nil {
		return err
	}
	return s.send(c, http.StatusOK, part(rows))
}

// showDialog answers with a dialog, alone or open over its page.
func (s *Server) showDialog(c echo.Context, status int, dialog templ.Component, over behind) error {
	return s.show(c, status, dialog, func() (templ.Component, error) { return over(c, dialog) })
}

// done ends what changed something: with the parts of the page that differ now
// or, without scripts, by going to a page that says what happened.
func (s *Server) done(c echo.Context, to, message string, part page) error {
	v := visitOf(c)
	if v.scripted {
		body, err := part()
		if err != nil {
			return err
		}
		return s.send(c, http.StatusOK, body)
	}
	return s.leaveSaying(c, to, message)
}

// leaveSaying sends the browser elsewhere, where it is told what happened.
func (s *Server) leaveSaying(c echo.Context, to, message string) error {
	visitOf(c).session.Values[sessionNotice] = message
	if err := s.saveSession(c); err != nil {
		return err
	}
	return s.leave(c, to)
}

// leave sends the browser elsewhere, also where a script asked.
func (s *Server) leave(c echo.Context, to string) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	if visitOf(c).scripted {
		c.Response().Header().Set("HX-Redirect", to)
		return c.NoContent(http.StatusOK)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// send renders before the first byte leaves, so that what fails to render is
// answered as a failure and not as half a page.
func (s *Server) send(c echo.Context, status int, body templ.Component) error {
	b := buffers.Get().(*bytes.Buffer)
	defer func() {
		b.Reset()
		buffers.Put(b)
	}()
	if err := body.Render(c.Request().Context(), b); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Vary", "Cookie, HX-Request, HX-Request-Type, HX-History-Restore-Request")
	h.Set("Cache-Control", "no-store")
	c.Response().WriteHeader(status)
	_, _ = c.Response().Write(b.Bytes()) // a browser that hangs up is no concern of ours
	return nil
}
