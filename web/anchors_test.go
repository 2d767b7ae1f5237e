package web_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// open are the routes that somebody may use who is not logged on: to log on, with
// a link of one's own, and what browsers report.
var open = []string{
	"GET /logon", "POST /logon", "GET /logon/factor", "POST /logon/factor", "POST /logon/passkey", "POST /logoff",
	"GET /setup", "POST /setup", "GET /welcome", "POST /welcome", "POST /csp", "GET /static/*",
}

// The matrix says it of every route, and the guard's test that it is so.
func TestAnchor_EveryPageNeedsAuth_OnlyTheWayInIsOpen(t *testing.T) {
	for _, l := range matrix {
		if (l.own[0] != 303 || l.other[0] != 303) && !slices.Contains(open, l.route) {
			t.Errorf("%s answers somebody who is not logged on with %d and %d", l.route, l.own[0], l.other[0])
		}
	}
	o := start(t)
	for _, l := range matrix {
		if method, path, _ := strings.Cut(l.route, " "); method == "GET" && !slices.Contains(open, l.route) && !strings.Contains(path, ":") {
			if got := o.get("", path); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/logon") {
				t.Errorf("%s leads to %d %s", path, got.status, got.header.Get("Location"))
			}
		}
	}
}

// What changes the account is refused to everybody but root and super
// administrators: one's own security and one's own keys are not the account's.
func TestAnchor_ConfigEndpointNeedsRoot(t *testing.T) {
	n := 0
	for _, l := range matrix {
		method, path, _ := strings.Cut(l.route, " ")
		if method == "GET" || !strings.HasPrefix(path, "/account/") || strings.HasPrefix(path, "/account/security") {
			continue
		}
		n++
		for i, who := range people[:5] { // nobody, a member, one with keys, two administrators of workspaces
			if status := l.own[i]; status != 403 && (status != 303 || who != "") {
				t.Errorf("%s answers %q with %d", l.route, who, status)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d routes change the account", n)
	}
	o := start(t)
	before := o.version()
	for _, who := range people[1:5] {
		o.post(who, "/account/settings", "name-workspace", "on", "limit", "99", "version", "1").is(403)
		o.post(who, "/account/providers", "name", "Mine", "kind", "openai", "base-url", "http://127.0.0.1:9/v1").is(403)
	}
	if o.version() != before {
		t.Error("something changed")
	}
}

func TestAnchor_380kKeysPage(t *testing.T) {
	o := crowd(t, 10, 380_000, false)
	for _, page := range []string{"/account/keys", "/account/keys?sort=used", "/account/keys?state=disabled", "/workspaces/" + string(o.a) + "/keys"} {
		fastest := time.Hour
		for range 5 {
			began := time.Now()
			o.get("root", page).is(200)
			fastest = min(fastest, time.Since(began))
		}
		if fastest > 100*time.Millisecond { // with 100 keys it is 2
			t.Errorf("%s takes %v", page, fastest)
		}
		t.Log(page, fastest)
	}
	o.get("root", "/account/keys").says("Key 380000", "Next")
}
