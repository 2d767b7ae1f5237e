package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// call is one request. Each step fills fields that later ones read.
type call struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	ctx    context.Context
	id     ident.Call

	presented secret.Text
	key       adminkey.Key
	by        access.Actor
	op        operation
	place     ident.Workspace // that the path names; it is there
	query     url.Values
	body      []byte
	match     int64 // the version that If-Match names; 0: none

	services Services
}

// admit makes sure that the owner may do this at all, that the workspace the
// path names is there, and that everything beside the path is well said.
func (c *call) admit() (err error) {
	if !access.Workspaced(c.op.action) {
		if err := c.by.Require(c.op.action); err != nil {
			return err
		}
	}
	if err := c.readQuery(); err != nil {
		return err
	}
	if err := c.readMatch(); err != nil {
		return err
	}
	if c.body, err = c.readBody(); err != nil {
		return err
	}
	return c.arrive()
}

// arrive finds the workspace that the path names. Somebody else's is missing.
func (c *call) arrive() error {
	text := c.r.PathValue("workspace")
	if text == "" {
		return nil
	}
	id, err := ident.ParseWorkspace(text)
	if err != nil {
		return err
	}
	if _, err := c.services.Workspaces.Find(c.ctx, c.by, id); err != nil {
		return err
	}
	c.place = id
	if access.Workspaced(c.op.action) {
		return c.by.RequireIn(id, c.op.action)
	}
	return nil
}

// do runs the operation and makes of what it gives an answer.
func (c *call) do() (reply, error) {
	given, err := c.op.run(c)
	if err != nil {
		return reply{}, err
	}
	return c.replyWith(given)
}

// readQuery refuses parameters that the operation does not know, or that stand
// there twice.
func (c *call) readQuery() error {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return &problem{http.StatusBadRequest, "malformed", "The query cannot be read.", ""}
	}
	for name, all := range values {
		known := slices.ContainsFunc(c.op.parameters(), func(p parameter) bool { return p.name == name })
		if !known {
			return &problem{http.StatusBadRequest, "malformed", "This operation has no such parameter.", clean(name)}
		}
		if len(all) > 1 {
			return &problem{http.StatusBadRequest, "malformed", "The parameter stands there twice.", name}
		}
		if !utf8.ValidString(all[0]) || strings.ContainsRune(all[0], 0) {
			return &problem{http.StatusBadRequest, "malformed", "The parameter holds something that is no text.", name}
		}
	}
	c.query = values
	return nil
}

// clean makes a name of the caller's fit to be repeated to them.
func clean(name string) string {
	name = strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), "�")
	if len(name) > 200 {
		name = strings.ToValidUTF8(name[:200], "")
	}
	return name
}

// text is a parameter of the query.
func (c *call) text(name string) string { return c.query.Get(name) }

// LimitMost is how long a page may be at most.
const LimitMost = 1000

// limit is how many items a page shall have; 0: as usual.
func (c *call) limit() (int, error) {
	if !c.query.Has("limit") {
		return 0, nil
	}
	n, err := strconv.Atoi(c.text("limit"))
	if err != nil || n < 1 || n > LimitMost {
		return 0, fault.Field("limit", "The limit is a whole number from 1 to %d.", LimitMost)
	}
	return n, nil
}

// flag is a parameter that is true or false; absent it is false.
func (c *call) flag(name string) (bool, error) {
	switch c.text(name) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, fault.Field(name, "Write true or false.")
}

// moment is a parameter that is a time; absent it is none.
func (c *call) moment(name string) (time.Time, error) {
	if c.text(name) == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, c.text(name))
	if err != nil {
		return t, fault.Field(name, "Write the time as 2026-11-20T14:05:00Z.")
	}
	return t, nil
}

func (c *call) user() (ident.User, error)   { return ident.ParseUser(c.r.PathValue("user")) }
func (c *call) apiKey() (ident.Key, error)  { return ident.ParseKey(c.r.PathValue("key")) }
func (c *call) event() (ident.Event, error) { return ident.ParseEvent(c.r.PathValue("event")) }
func (c *call) provider() (ident.Provider, error) {
	return ident.ParseProvider(c.r.PathValue("provider"))
}

// model is the one that the path names. What is no model id is missing.
func (c *call) model() (ident.Model, error) {
	id, err := ident.ParseModel(c.r.PathValue("model"))
	if err != nil {
		return "", fault.NoSuch("model")
	}
	return id, nil
}

func (c *call) capability() (catalogue.Capability, error) {
	return catalogue.ParseCapability(c.r.PathValue("capability"))
}
