package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// noteRefusal tells the trail of what somebody asked for and may not have: every
// 403, and what was to be done to something that is missing, which may be
// somebody else's.
func (s *Server) noteRefusal(c echo.Context, status int, err error) {
	v := visitOf(c)
	method := c.Request().Method
	act := method != http.MethodGet && method != http.MethodHead
	if v.actor.User == "" || v.asked == "" || status != http.StatusForbidden && (status != http.StatusNotFound || !act) {
		return
	}
	var ws ident.Workspace
	if v.here != nil {
		ws = v.here.ID
	}
	s.Trail.Record(v.actor.Refused(v.asked, ws, objectOf(c), fault.Show(err)).With("page", method+" "+c.Path()))
}

// objectOf is the id of what the path is about, or of the account. What is no id
// of ours may be anything, and is not kept.
func objectOf(c echo.Context) string {
	if id, err := ident.ParseKey(param(c, "key")); err == nil {
		return string(id)
	}
	if id, err := ident.ParseUser(param(c, "user")); err == nil {
		return string(id)
	}
	if id, err := ident.ParseProvider(param(c, "provider")); err == nil {
		return string(id)
	}
	if id, err := ident.ParseWorkspace(param(c, "workspace")); err == nil {
		return string(id)
	}
	return string(actor(c).Account)
}
