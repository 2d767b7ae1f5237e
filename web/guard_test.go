package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/dataset"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/web"
)

// people are the columns of the matrix: nobody; a regular member of A without a
// page; one with the page API Keys; the administrators of A and of B; a super
// administrator; and root.
var people = []string{"", "bob", "carol", "alice", "bert", "super", "root"}

// line is what the people are answered, in that order: about things of
// workspace A or of the account, and about things that do not exist or are
// somebody else's.
type line struct {
	route string
	own   [7]int
	other [7]int
	form  []string // what is sent, so that those who may are not stopped by the form
}

// in is a route inside a workspace: for whom it is not, it is missing.
func in(route string, own [7]int, form ...string) line {
	return line{route, own, [7]int{303, 404, 404, 404, 404, 404, 404}, form}
}

// of is a route of the account: for whom it is not, it is refused before
// anything is looked up.
func of(route string, super, root int, form ...string) line {
	own := [7]int{303, 403, 403, 403, 403, super, root}
	other := [7]int{303, 403, 403, 403, 403, 404, 404}
	if super == 403 {
		other[5] = 403
	}
	return line{route, own, other, form}
}

// all is a route without an object, the same for everybody who is logged on.
func all(route string, nobody, somebody int, form ...string) line {
	own := [7]int{nobody, somebody, somebody, somebody, somebody, somebody, somebody}
	return line{route, own, own, form}
}

var (
	members = [7]int{303, 200, 200, 200, 404, 200, 200}
	readers = [7]int{303, 403, 403, 200, 404, 200, 200} // of usage
	keyers  = [7]int{303, 403, 200, 200, 404, 200, 200}
)

func keyer(status int) [7]int { return [7]int{303, 403, status, status, 404, status, status} }

// headed is what only those who administer the workspace are answered.
func headed(status int) [7]int { return [7]int{303, 403, 403, status, 404, status, status} }

// matrix has a line for every route. A route without one fails the test.
var matrix = []line{
	all("GET /logon", 200, 303),
	all("POST /logon", 401, 401, "account", "x@y", "password", "z"),
	all("GET /logon/factor", 303, 303),
	all("POST /logon/factor", 303, 303, "code", "123456"),
	all("POST /logon/passkey", 401, 401, "passkey", "{}"),
	all("POST /logoff", 303, 303),
	all("GET /setup", 404, 404),
	all("POST /setup", 404, 404),
	all("GET /welcome", 404, 404),
	all("POST /welcome", 404, 404),
	all("GET /", 303, 303),
	all("GET /workspaces", 303, 200),
	of("POST /workspaces", 422, 422),
	of("GET /workspaces/new", 200, 200),
	in("GET /workspaces/:workspace", [7]int{303, 303, 303, 303, 404, 303, 303}),
	of("GET /workspaces/:workspace/edit", 200, 200),
	of("POST /workspaces/:workspace/edit", 422, 422),
	of("GET /workspaces/:workspace/delete", 200, 200),
	of("POST /workspaces/:workspace/delete", 409, 409),
	in("GET /workspaces/:workspace/details", members),
	in("GET /workspaces/:workspace/models", members),
	in("GET /workspaces/:workspace/models/:model", members),
	of("GET /workspaces/:workspace/models/:model/prices", 200, 200),
	of("POST /workspaces/:workspace/models/:model/prices", 422, 422, "prices", "x", "currency", "CNY"),
	of("GET /workspaces/:workspace/models/:model/authorize/:capability", 404, 404),  // A is not the Default Workspace
	of("POST /workspaces/:workspace/models/:model/authorize/:capability", 404, 404), // see TestOnlyTheDefaultWorkspaceAuthorizes
	in("GET /workspaces/:workspace/keys", keyers),
	in("POST /workspaces/:workspace/keys", keyer(422), "description", strings.Repeat("x", 201)),
	in("GET /workspaces/:workspace/keys/new", keyers),
	in("GET /workspaces/:workspace/keys/:key", keyers),
	in("GET /workspaces/:workspace/keys/:key/edit", keyers),
	in("POST /workspaces/:workspace/keys/:key/edit", keyer(303), "version", "1", "description", "else"),
	in("GET /workspaces/:workspace/keys/:key/reset", keyers),
	in("POST /workspaces/:workspace/keys/:key/reset", keyer(200), "version", "1", "overlap", "1h"),
	in("GET /workspaces/:workspace/keys/:key/disable", keyers),
	in("POST /workspaces/:workspace/keys/:key/disable", keyer(303)),
	in("POST /workspaces/:workspace/keys/:key/enable", keyer(303)),
	in("GET /workspaces/:workspace/keys/:key/delete", keyers),
	in("POST /workspaces/:workspace/keys/:key/delete", keyer(303)),
	in("GET /workspaces/:workspace/members", headed(200)),
	in("POST /workspaces/:workspace/members", headed(422)),
	in("GET /workspaces/:workspace/members/new", headed(200)),
	in("GET /workspaces/:workspace/members/:user", headed(200)),
	in("GET /workspaces/:workspace/members/:user/edit", headed(200)),
	in("POST /workspaces/:workspace/members/:user/edit", headed(303), "role", "administrator", "version", "1"),
	in("GET /workspaces/:workspace/members/:user/remove", headed(200)),
	in("POST /workspaces/:workspace/members/:user/remove", headed(303)),
	in("GET /workspaces/:workspace/audit", headed(200)),
	in("GET /workspaces/:workspace/audit/export", headed(422)),
	in("GET /workspaces/:workspace/audit/:event", headed(200)),
	of("GET /account/audit", 200, 200),
	of("GET /account/audit/chain", 200, 200),
	of("POST /account/audit/chain", 303, 303),
	of("GET /account/audit/export", 422, 422),
	of("GET /account/audit/:event", 200, 200),
	in("GET /workspaces/:workspace/usage", readers),
	in("GET /workspaces/:workspace/usage/sums.csv", readers),
	in("GET /workspaces/:workspace/usage/calls.csv", readers),
	in("GET /workspaces/:workspace/usage/calls/:call", readers),
	of("GET /account/usage", 200, 200),
	of("GET /account/usage/sums.csv", 200, 200),
	of("GET /account/usage/calls.csv", 200, 200),
	of("GET /account/usage/calls/:call", 200, 200),
	in("GET /workspaces/:workspace/playground", headed(200)),
	in("POST /workspaces/:workspace/playground", headed(422)),
	in("POST /workspaces/:workspace/playground/stream", headed(422)),
	in("POST /workspaces/:workspace/playground/code", headed(200)),
	in("GET /workspaces/:workspace/playground/cost", headed(422)),
	in("GET /workspaces/:workspace/datasets", headed(200)),
	in("POST /workspaces/:workspace/datasets", headed(422)),
	in("GET /workspaces/:workspace/datasets/new", headed(200)),
	in("GET /workspaces/:workspace/datasets/sample", headed(200)),
	in("POST /workspaces/:workspace/datasets/sample", headed(303)),
	in("GET /workspaces/:workspace/datasets/:dataset", headed(200)),
	in("POST /workspaces/:workspace/datasets/:dataset", headed(422)),
	in("GET /workspaces/:workspace/datasets/:dataset/new", headed(200)),
	in("GET /workspaces/:workspace/datasets/:dataset/rename", headed(200)),
	in("POST /workspaces/:workspace/datasets/:dataset/rename", headed(303), "name", "else", "seen_name", "desk"),
	in("GET /workspaces/:workspace/datasets/:dataset/delete", headed(200)),
	in("POST /workspaces/:workspace/datasets/:dataset/delete", headed(303)),
	in("GET /workspaces/:workspace/datasets/:dataset/files/:file", headed(200)),
	in("GET /workspaces/:workspace/datasets/:dataset/files/:file/content", headed(200)),
	in("GET /workspaces/:workspace/datasets/:dataset/files/:file/report.csv", headed(200)),
	in("GET /workspaces/:workspace/datasets/:dataset/files/:file/delete", headed(200)),
	in("POST /workspaces/:workspace/datasets/:dataset/files/:file/delete", headed(303)),
	in("GET /workspaces/:workspace/deployments", headed(200)),
	in("POST /workspaces/:workspace/deployments", headed(422)),
	in("GET /workspaces/:workspace/deployments/new", headed(200)),
	in("GET /workspaces/:workspace/deployments/:deployment", headed(200)),
	in("POST /workspaces/:workspace/deployments/:deployment/start", headed(303)),
	in("GET /workspaces/:workspace/deployments/:deployment/stop", headed(200)),
	in("POST /workspaces/:workspace/deployments/:deployment/stop", headed(303)),
	in("GET /workspaces/:workspace/deployments/:deployment/scale", headed(200)),
	in("POST /workspaces/:workspace/deployments/:deployment/scale", headed(422)),
	in("GET /workspaces/:workspace/deployments/:deployment/limits", headed(200)),
	in("POST /workspaces/:workspace/deployments/:deployment/limits", headed(303)),
	in("GET /workspaces/:workspace/deployments/:deployment/delete", headed(200)),
	in("POST /workspaces/:workspace/deployments/:deployment/delete", headed(303)),
	in("GET /workspaces/:workspace/trainings", headed(200)),
	in("POST /workspaces/:workspace/trainings", headed(422)),
	in("GET /workspaces/:workspace/trainings/new", headed(200)),
	in("POST /workspaces/:workspace/trainings/new/estimate", headed(200)),
	in("GET /workspaces/:workspace/trainings/:training", headed(200)),
	in("GET /workspaces/:workspace/trainings/:training/log", headed(200)),
	in("GET /workspaces/:workspace/trainings/:training/cancel", headed(200)),
	in("POST /workspaces/:workspace/trainings/:training/cancel", headed(303)),
	in("GET /workspaces/:workspace/trainings/:training/delete", headed(200)),
	in("POST /workspaces/:workspace/trainings/:training/delete", headed(409)),                          // it is not over
	in("POST /workspaces/:workspace/trainings/:training/checkpoints/:checkpoint/publish", headed(404)), // it has none
	in("GET /workspaces/:workspace/my-models", headed(200)),
	in("GET /workspaces/:workspace/my-models/:tuned", headed(200)),
	in("GET /workspaces/:workspace/my-models/:tuned/files/:artifact", headed(200)),
	in("GET /workspaces/:workspace/my-models/:tuned/rename", headed(200)),
	in("POST /workspaces/:workspace/my-models/:tuned/rename", headed(303), "title", "else", "version", "1"),
	in("GET /workspaces/:workspace/my-models/:tuned/delete", headed(200)),
	in("POST /workspaces/:workspace/my-models/:tuned/delete", headed(303)),
	in("GET /workspaces/:workspace/why", keyers),
	in("POST /workspaces/:workspace/why", keyer(422), "address", "somewhere"),
	of("GET /account/why", 200, 200),
	of("POST /account/why", 422, 422, "address", "somewhere"),
	{"GET /why", [7]int{303, 404, 404, 404, 404, 303, 303}, [7]int{303, 404, 404, 404, 404, 303, 303}, nil},
	all("GET /access", 303, 200),
	in("GET /workspaces/:workspace/limits", headed(200)),
	of("GET /workspaces/:workspace/limits/:model/edit", 200, 200),
	of("POST /workspaces/:workspace/limits/:model/edit", 422, 422, "tokens", "5", "token_period", "60", "version", "0"),
	of("GET /account/limits", 200, 200),
	of("GET /account/limits/edit", 303, 303), // no model is named; see TestAccountLimits…
	of("POST /account/limits/edit", 404, 404),
	all("GET /account/keys", 303, 200),
	of("GET /account/authorizations", 200, 200),
	of("GET /workspaces/:workspace/authorize-all", 200, 200),
	of("POST /workspaces/:workspace/authorize-all", 303, 303, "open", "yes"),
	of("GET /account/users", 200, 200),
	of("POST /account/users", 422, 422),
	of("GET /account/users/new", 200, 200),
	of("GET /account/users/import", 200, 200),
	of("POST /account/users/import", 422, 422),
	of("GET /account/users/:user", 200, 200),
	of("GET /account/users/:user/edit", 200, 200),
	of("POST /account/users/:user/edit", 303, 303, "name", "Else", "version", "1"),
	of("GET /account/users/:user/reset", 200, 200),
	of("POST /account/users/:user/reset", 200, 200),
	of("POST /account/users/:user/end-sessions", 303, 303),
	of("GET /account/users/:user/promote", 200, 200),
	of("POST /account/users/:user/promote", 303, 303),
	of("GET /account/users/:user/demote", 200, 200),
	of("POST /account/users/:user/demote", 303, 303),
	of("GET /account/users/:user/disable", 200, 200),
	of("POST /account/users/:user/disable", 303, 303),
	of("POST /account/users/:user/enable", 303, 303),
	of("GET /account/users/:user/delete", 200, 200),
	of("POST /account/users/:user/delete", 303, 303),
	of("GET /account/providers", 403, 200),
	of("POST /account/providers", 403, 422),
	of("GET /account/providers/new", 403, 200),
	of("POST /account/providers/test", 403, 200),
	of("POST /account/providers/offers/:offer/accept", 403, 303),
	of("POST /account/providers/offers/:offer/dismiss", 403, 303),
	of("GET /account/providers/:provider/edit", 403, 200),
	of("POST /account/providers/:provider/edit", 403, 422),
	of("POST /account/providers/:provider/try", 403, 200),
	of("POST /account/providers/:provider/test", 403, 303),
	of("GET /account/providers/:provider/served", 403, 200),
	of("POST /account/providers/:provider/served", 403, 303),
	of("GET /account/providers/:provider/import", 403, 200),
	of("POST /account/providers/:provider/import", 403, 422),
	of("GET /account/providers/:provider/delete", 403, 200),
	of("POST /account/providers/:provider/delete", 403, 303),
	of("GET /account/management", 200, 200),
	of("GET /account/management/reference", 200, 200),
	of("POST /account/management/keys", 422, 422),
	of("GET /account/management/keys/new", 200, 200),
	of("GET /account/management/keys/:adminkey/revoke", 200, 200),
	of("POST /account/management/keys/:adminkey/revoke", 303, 303),
	of("GET /account/settings", 200, 200),
	of("POST /account/settings", 422, 422, "workspace_limit", "many"),
	all("GET /account/security", 303, 200),
	all("GET /account/security/confirm", 303, 200),
	all("POST /account/security/confirm", 303, 422, "confirm-password", "wrong"),
	all("GET /account/security/app", 303, 200),
	all("POST /account/security/app", 303, 422, "code", "123456"),
	all("GET /account/security/app/remove", 303, 200),
	all("POST /account/security/app/remove", 303, 404),
	all("POST /account/security/passkeys", 303, 422),
	all("GET /account/security/passkeys/new", 303, 200),
	all("GET /account/security/passkeys/:passkey/remove", 303, 404), // see TestOwnFactorsAreNobodyElses
	all("POST /account/security/passkeys/:passkey/remove", 303, 404),
	all("GET /account/security/codes", 303, 200),
	all("POST /account/security/codes", 303, 409),
	all("POST /account/security/sessions/:session/end", 303, 404),
	all("POST /account/security/sessions/end-others", 303, 303),
	all("POST /account/security/later", 303, 303),
	all("GET /account/security/password", 303, 200),
	all("POST /account/security/password", 303, 422, "password", "one", "repeat", "another"),
	all("POST /csp", 204, 204),
	all("GET /static/*", 404, 404),
}

// things are what the parts of a path stand for.
type things map[string]string

func (o *company) path(route string, t things) string {
	_, path, _ := strings.Cut(route, " ")
	for name, value := range t {
		path = strings.ReplaceAll(path, ":"+name, value)
	}
	return path
}

func TestEveryRouteHasALineInTheMatrix(t *testing.T) {
	o := start(t)
	var lines []string
	for _, l := range matrix {
		lines = append(lines, l.route)
	}
	for _, route := range web.RoutesOf(o.server) {
		if !slices.Contains(lines, route) {
			t.Errorf("route %s has no line in the matrix", route)
		}
	}
	if len(lines) != len(web.RoutesOf(o.server)) {
		t.Error("the matrix has lines for routes that are gone")
	}
}

func TestSec01_Anchor_EveryPageNeedsAuth_EveryRouteAnswersEverybodyAsDeclared(t *testing.T) {
	eachDatabase(t, guard)
}

func guard(t *testing.T, s *store.Store, c *clock) {
	o := newCompany(t, s, c)
	foreign := o.neighbour()
	o.config.Offers = func(ident.Account) []web.Offer {
		return []web.Offer{{ID: "found", Form: provider.Form{Name: "Found " + c.Now().String(), Kind: provider.Embedded}}}
	}
	o.sibling = map[ident.Workspace]ident.Key{o.a: o.key(o.root, o.a, "sibling").ID, o.b: o.key(o.root, o.b, "sibling").ID}
	o.siblingFile = map[ident.Workspace]dataset.Version{o.a: o.dataset(o.root, o.a), o.b: o.dataset(o.root, o.b)}
	o.colleague = map[ident.Workspace]ident.User{o.a: o.actor("bob").User, o.b: o.actor("bert").User}
	o.outsider = o.member(o.root, o.home)
	for n, l := range matrix {
		if n%20 == 0 {
			o.cookies = map[string]*http.Cookie{} // what is fresh stays so for a quarter of an hour
		}
		ours := o.ours(l.route)
		for i, who := range people {
			if who != "" {
				o.cookie(who)
			}
			before := o.version()
			o.asDeclared(l, who, l.own[i], ours)
			if o.version() != before { // the next one needs things that are as they were
				o.clear(o.a, ours)
				o.serve() // offers that were dismissed are back
				ours = o.ours(l.route)
			}
			o.clock.pass(3 * time.Second) // so that nobody is throttled
			for _, pair := range o.strangers(l.route, foreign, who) {
				o.alike(l, who, l.other[i], pair[0], pair[1])
			}
		}
	}
}

func with(t things, name, value string) things {
	changed := things{}
	for n, v := range t {
		changed[n] = v
	}
	changed[name] = value
	return changed
}

// asDeclared asks once and makes sure of the status, of the headers, and that a
// request that is refused or only reads changes nothing.
func (o *company) asDeclared(l line, who string, status int, t things) *answer {
	o.t.Helper()
	method, _, _ := strings.Cut(l.route, " ")
	if who != "" {
		o.cookie(who) // a log-on is a change too
	}
	before := o.version()
	a := o.ask(who, method, o.path(l.route, t), fieldsOf(l.form), nil)
	if a.status != status {
		o.t.Errorf("%s answered %d, not %d as declared: %s", a.what, a.status, status, words(a.body))
	}
	protected(o.t, a)
	if refused := status >= 400 || who == ""; method == "GET" || refused {
		if after := o.version(); after != before {
			o.t.Errorf("%s changed something: version %d, then %d", a.what, before, after)
		}
	}
	if l.route == "POST /logoff" {
		delete(o.cookies, who)
	}
	return a
}

// alike makes sure that somebody else's thing is answered as one that never was.
func (o *company) alike(l line, who string, status int, foreign, missing things) {
	o.t.Helper()
	one := o.asDeclared(l, who, status, foreign)
	two := o.asDeclared(l, who, status, missing)
	a, b := plain(one, o.path(l.route, foreign)), plain(two, o.path(l.route, missing))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			o.t.Errorf("%s tells what is somebody else's from what never was: %.200q against %.200q", one.what, a[max(0, i-80):], b[max(0, i-80):])
			return
		}
	}
	if len(a) != len(b) {
		o.t.Errorf("%s answers at another length than for what never was", one.what)
	}
}

// plain is the whole answer without the request's id and without the address
// that was asked for, which the log-on page leads back to.
func plain(a *answer, path string) string {
	var b strings.Builder
	_ = a.header.Write(&b) // a strings.Builder takes everything
	text := strings.ReplaceAll(b.String()+a.body, a.header.Get("X-Request-Id"), "ID")
	return strings.ReplaceAll(text, strings.ReplaceAll(path, "/", "%2F"), "PATH")
}

// version is the number of the last change: every change takes the next one in
// its own transaction, log-ons too.
func (o *company) version() int64 {
	o.t.Helper()
	f, err := o.store.Facts(o.t.Context(), o.keeper.Now().Version())
	o.must(err)
	return f.Version
}

// protected makes sure of the headers that every answer carries.
func protected(t testing.TB, a *answer) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY",
	} {
		if name == "Referrer-Policy" && strings.Contains(a.what, " /welcome") {
			want = "no-referrer" // its address holds a token
		}
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %s is %q", a.what, name, got)
		}
	}
	csp := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "form-action 'self'", "report-uri /csp"} {
		if !strings.Contains(csp, want) {
			t.Errorf("%s: the policy lacks %s", a.what, want)
		}
	}
	if strings.Contains(csp, "unsafe") || a.header.Get("X-Request-Id") == "" {
		t.Errorf("%s: %v", a.what, a.header)
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") && (a.header.Get("Cache-Control") != "no-store" || !strings.Contains(a.header.Get("Vary"), "HX-Request")) {
		t.Errorf("%s may be kept by a cache: %v", a.what, a.header)
	}
}

func TestOnlyTheDefaultWorkspaceAuthorizes(t *testing.T) {
	o := start(t)
	for who, want := range map[string]int{"": 303, "bob": 403, "alice": 403, "super": 200, "root": 200} {
		o.get(who, "/workspaces/"+string(o.home)+"/models/qwen-turbo/authorize/call").is(want)
	}
	for _, wrong := range []string{"qwen-turbo/authorize/fly", "no-such-model/authorize/call", "%00/authorize/call"} {
		o.get("root", "/workspaces/"+string(o.home)+"/models/"+wrong).is(404)
	}
	o.post("alice", "/workspaces/"+string(o.home)+"/models/qwen-turbo/authorize/call", "version", "1", "authorized", string(o.a)).is(403)
}

func TestARouteWithoutAKnownActionDoesNotStart(t *testing.T) {
	o := start(t)
	if err := web.AddRoute(o.server, "GET", "/more", "fly:high"); err == nil {
		t.Error("a route with an unknown action starts")
	}
	if err := web.AddRoute(o.server, "GET", "/more", ""); err == nil {
		t.Error("a route without an action starts")
	}
	if err := web.AddRoute(o.server, "GET", "/more", access.ReadKeys); err == nil {
		t.Error("a route that asks in a workspace and names none starts")
	}
}

func TestSec33_WhatAnotherSiteSendsIsRefused(t *testing.T) {
	o := start(t)
	o.cookie("root")
	headers := []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}}
	for _, l := range matrix {
		method, _, _ := strings.Cut(l.route, " ")
		if method == "GET" {
			continue
		}
		path, before := o.path(l.route, o.ours(l.route)), o.version()
		for _, h := range headers {
			a := o.ask("root", method, path, fieldsOf(l.form), h).is(http.StatusForbidden)
			protected(t, a)
			a.says("This was sent by another site.")
		}
		if o.version() != before {
			t.Errorf("%s changed something", l.route)
		}
	}
	o.ask("root", "POST", "/workspaces", fieldsOf([]string{"name", "Own"}), map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://console.example.com"}).is(303)
}
