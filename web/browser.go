package web

import (
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"bailiwick/static"
)

// What is kept of a report of the content security policy, and how many are
// written down in a minute.
const (
	reportMax  = 4 << 10
	reportsMax = 20
)

// window counts events of the present minute.
type window struct {
	mu    sync.Mutex
	began time.Time
	count int
}

// take reports whether one more event may pass.
func (w *window) take(now time.Time, most int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.began) >= time.Minute {
		w.began, w.count = now, 0
	}
	w.count++
	return w.count <= most
}

// reportViolation answers POST /csp: a browser says that a page tried to load
// what it may not.
func (s *Server) reportViolation(c echo.Context) error {
	text, err := io.ReadAll(io.LimitReader(c.Request().Body, reportMax))
	if err != nil {
		return err
	}
	if s.reports.take(s.Now(), reportsMax) {
		slog.Warn("a browser reports a violation of the content security policy", "address", s.address(c.Request()), "report", string(text))
	}
	return c.NoContent(http.StatusNoContent)
}

// serveStatic answers GET /static/*.
func (s *Server) serveStatic(c echo.Context) error {
	static.Handler().ServeHTTP(c.Response(), c.Request())
	return nil
}
