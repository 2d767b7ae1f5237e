package adminapi_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminapi"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// things are what the parts of a path stand for.
type things map[string]string

var fresh int

// ownThings makes what one request may change.
func (w *world) ownThings(o adminapi.Operation) things {
	w.t.Helper()
	e := w.ours
	fresh++
	t := things{"workspace": string(e.ws.ID), "model": string(e.model), "capability": "call", "provider": string(e.provider.ID)}
	switch {
	case o.ID == "deleteWorkspace" || o.ID == "renameWorkspace":
		t["workspace"] = string(e.Workspace(fmt.Sprint("fresh ", fresh)).ID)
	case o.ID == "revokeGrant":
		t["workspace"] = string(e.second.ID)
	}
	u := e.User(ident.LogOn(fmt.Sprint("fresh-", fresh)), access.Regular)
	t["user"], t["newcomer"] = string(u.ID), string(u.ID)
	if strings.Contains(o.Path, "/members/{user}") {
		e.Member(e.ws.ID, u.ID, access.Regular)
	}
	if strings.Contains(o.Path, "{key}") {
		k, _ := e.Key(e.ws.ID, w.pepper)
		t["key"] = string(k.ID)
	}
	why := e.Why("tries:line")
	w.must(w.store.Note(w.t.Context(), why))
	t["event"] = string(why.ID)
	return t
}

func missingThings() things {
	return things{
		"workspace": string(ident.NewWorkspace()), "user": string(ident.NewUser()), "key": string(ident.NewKey()), "model": "never-was",
		"capability": "call", "provider": string(ident.NewProvider()), "event": string(ident.NewEvent()),
	}
}

func (w *world) foreignThings() things {
	why := w.theirs.Why("tries:line")
	w.must(w.store.Note(w.t.Context(), why))
	return things{
		"workspace": string(w.theirs.ws.ID), "user": string(w.theirs.bob.ID), "key": string(w.theirs.key.ID), "model": string(w.theirs.model),
		"capability": "call", "provider": string(w.theirs.provider.ID), "event": string(why.ID),
	}
}

func pathOf(o adminapi.Operation, t things) string {
	path := o.Path
	for name, value := range t {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	return path
}

// bodyOf is a body that is well said.
func (w *world) bodyOf(o adminapi.Operation, t things) string {
	switch o.ID {
	case "addWorkspace", "renameWorkspace":
		fresh++
		return fmt.Sprintf(`{"name":"named %d"}`, fresh)
	case "addUser":
		fresh++
		return fmt.Sprintf(`{"logon":"added-%d"}`, fresh)
	case "explainCall":
		return fmt.Sprintf(`{"key":%q,"model":%q}`, w.ours.key.ID, w.ours.model)
	case "changeUser":
		return `{"name":"Else"}`
	case "setUserPassword":
		return `{"password":"a sentence that nobody guesses"}`
	case "addMember":
		return fmt.Sprintf(`{"user":%q,"role":"regular","pages":["keys"]}`, t["newcomer"])
	case "putMember":
		return `{"role":"administrator"}`
	case "setGrantList":
		return fmt.Sprintf(`{"workspaces":[%q]}`, w.ours.second.ID)
	case "grant":
		return fmt.Sprintf(`{"model":%q,"capability":"train"}`, w.ours.model)
	case "issueKey", "changeKey":
		return `{"description":"said"}`
	case "resetKey":
		return `{"overlap_seconds":60}`
	case "changeSettings":
		return `{"key_limit":60}`
	}
	return ""
}

// matchOf is the version that a change is made from.
func (w *world) matchOf(o adminapi.Operation, path string) []string {
	if !o.Match {
		return nil
	}
	if o.ID == "changeSettings" {
		path = "/account"
	}
	if etag := w.ask(w.root, "GET", path, "").header.Get("ETag"); etag != "" {
		return []string{"If-Match", etag}
	}
	return []string{"If-Match", `"1"`}
}

// credentials are the ways to come that open nothing. Each is made anew.
var credentials = map[string]func(*world) string{
	"no key":            func(*world) string { return "" },
	"wrong key":         func(*world) string { return secret.NewAdminKey().Reveal() },
	"bad checksum":      func(w *world) string { return w.root[:len(w.root)-1] + "!" },
	"workspace key":     func(w *world) string { return w.ours.secret },
	"temporary key":     func(*world) string { return "st-abc" },
	"revoked":           revoked,
	"expired":           expired,
	"owner demoted":     func(w *world) string { return fallen(w, "demote") },
	"owner disabled":    func(w *world) string { return fallen(w, "disable") },
	"owner was deleted": func(w *world) string { return fallen(w, "delete") },
}

func revoked(w *world) string {
	text := w.adminKey(w.ours.Root.ID)
	by, err := w.store.Actor(w.t.Context(), w.ours.Root.ID)
	w.must(err)
	all, err := w.keys.List(w.t.Context(), by)
	w.must(err)
	w.ask(text, "GET", "/self", "").is(200)
	w.must(w.keys.Revoke(w.t.Context(), by, all[0].ID))
	return text
}

func expired(w *world) string {
	by, err := w.store.Actor(w.t.Context(), w.ours.Root.ID)
	w.must(err)
	_, text, err := w.keys.Issue(w.t.Context(), by, adminkey.Terms{Name: "short", Days: 7})
	w.must(err)
	w.ask(text.Reveal(), "GET", "/self", "").is(200)
	w.clock.pass(8 * 24 * time.Hour)
	return text.Reveal()
}

func fallen(w *world, how string) string {
	fresh++
	u := w.ours.User(ident.LogOn(fmt.Sprint("fallen-", fresh)), access.Super)
	text := w.adminKey(u.ID)
	w.ask(text, "GET", "/self", "").is(200)
	people := &account.People{Store: w.store, Now: w.clock.Now}
	by, err := w.store.Actor(w.t.Context(), w.ours.Root.ID)
	w.must(err)
	switch how {
	case "demote":
		w.must(people.Promote(w.t.Context(), by, u.ID, false))
	case "disable":
		w.must(people.Disable(w.t.Context(), by, u.ID))
	case "delete":
		w.must(people.Delete(w.t.Context(), by, u.ID))
	}
	return text
}

func TestSec01_EveryOperationAnswersEverybodyAsDeclared(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		closed := map[string]string{}
		for name, of := range credentials {
			closed[name] = of(w)
		}
		foreign, missing := w.foreignThings(), missingThings()
		for _, o := range adminapi.Operations() {
			for name, key := range closed {
				w.refusesAll(o, name, key)
			}
			for _, key := range []string{w.super, w.root} {
				w.answersOwn(o, key)
				w.answersOthersAlike(o, key, foreign, missing)
			}
		}
	})
}

// refusesAll makes sure that a credential that opens nothing is refused before
// anything is looked up, and changes nothing.
func (w *world) refusesAll(o adminapi.Operation, name, key string) {
	w.t.Helper()
	before := w.version()
	path := pathOf(o, missingThings())
	a := w.ask(key, o.Method, path, w.bodyOf(o, things{"newcomer": string(w.ours.alice.ID)}), "If-Match", `"1"`)
	if a.fails(401, "unauthenticated", ""); a.header.Get("WWW-Authenticate") == "" {
		w.t.Errorf("%s with %s: no WWW-Authenticate", a.what, name)
	}
	if w.version() != before {
		w.t.Errorf("%s with %s changed something", a.what, name)
	}
	w.clock.pass(time.Hour) // so that nobody is throttled
}

func (w *world) answersOwn(o adminapi.Operation, key string) {
	w.t.Helper()
	t := w.ownThings(o)
	path, want := pathOf(o, t), o.Status
	if key == w.super && (o.Action == access.ReadProviders) {
		want = 403
	}
	match := w.matchOf(o, path)
	before := w.version()
	a := w.ask(key, o.Method, path, w.bodyOf(o, t), match...).is(want)
	if changed := w.version() != before; changed && (o.Method == "GET" || want == 403) {
		w.t.Errorf("%s changed something", a.what)
	}
	for _, name := range []string{"X-Request-Id", "X-Content-Type-Options", "Content-Security-Policy"} {
		if a.header.Get(name) == "" {
			w.t.Errorf("%s lacks %s", a.what, name)
		}
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Set-Cookie") != "" {
		w.t.Errorf("%s: %v", a.what, a.header)
	}
}

// answersOthersAlike makes sure that what is somebody else's is answered as what
// never was.
func (w *world) answersOthersAlike(o adminapi.Operation, key string, foreign, missing things) {
	w.t.Helper()
	if !strings.Contains(o.Path, "{") {
		return
	}
	want := 404
	if key == w.super && o.Action == access.ReadProviders {
		want = 403
	}
	pairs := [][2]things{{foreign, missing}}
	if strings.Contains(o.Path, "{workspace}") && strings.Count(o.Path, "{") > 1 {
		pairs = append(pairs, [2]things{with(foreign, w.ours.ws.ID), with(missing, w.ours.ws.ID)})
	}
	before := w.version()
	for _, pair := range pairs {
		var said [2]string
		for i, t := range pair {
			body := w.bodyOf(o, things{"newcomer": string(w.ours.alice.ID)})
			a := w.ask(key, o.Method, pathOf(o, t), body, "If-Match", `"1"`).is(want)
			said[i] = strings.ReplaceAll(a.body, a.header.Get("X-Request-Id"), "ID")
			if strings.Contains(a.body, "zyzzyva") {
				w.t.Errorf("%s tells of others: %s", a.what, a.body)
			}
		}
		if said[0] != said[1] {
			w.t.Errorf("%s %s tells what is somebody else's from what never was: %s and %s", o.Method, o.Path, said[0], said[1])
		}
	}
	if w.version() != before {
		w.t.Errorf("%s changed something", o.ID)
	}
}

func with(t things, ws ident.Workspace) things {
	changed := things{}
	for name, value := range t {
		changed[name] = value
	}
	changed["workspace"] = string(ws)
	return changed
}

func TestAnOperationWithoutAKnownActionDoesNotStart(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, do := range []access.Action{"", "fly:high", access.Open, access.ReadKeys} {
		if adminapi.AddOperation(w.server, do) == nil {
			t.Errorf("an operation with the action %q starts", do)
		}
	}
}
