package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/workspace"
	"bailiwick/static"
)

// polyglot is what somebody types who hopes that a page runs it.
const polyglot = `"'><img src=x onerror=alert()>`

func TestSec35_WhatPeopleTypeStaysText(t *testing.T) {
	o := start(t)
	ws := o.add(polyglot)
	k := o.key(o.root, ws, polyglot+`<div hx-get="/logoff" hx-trigger="load">{{7*7}}</div><script>alert()</script>`)
	p := o.provider(o.root, polyglot)
	o.remote.names = []string{polyglot, "<script>alert()</script>"}
	pages := []string{
		"/workspaces", "/workspaces?q=" + url.QueryEscape(polyglot), "/logon?account=" + url.QueryEscape(polyglot), o.at(ws, "/models"), o.at(ws, "/keys"), o.at(ws, "/usage"), o.at(ws, "/details"),
		o.at(ws, "/edit"), o.at(ws, "/delete"), o.at(ws, "/keys/"+string(k.ID)+"/delete"), "/account/keys", "/account/providers", "/account/settings",
		"/account/providers/" + string(p.ID) + "/edit", "/account/providers/" + string(p.ID) + "/import", "/account/providers/" + string(p.ID) + "/served",
		o.at(o.home, "/models/qwen-turbo"), o.at(o.home, "/models/qwen-turbo/authorize/call"), o.at(ws, "/models?q="+url.QueryEscape(polyglot)), "/" + url.PathEscape(polyglot),
	}
	for _, path := range pages {
		o.get("root", path).hides("<img src=x", "onerror=alert()>", "<script>alert", `<div hx-get="/logoff`)
	}
	o.post("root", "/workspaces", "name", polyglot+polyglot).is(422).hides("<img src=x")
	o.post("", "/logon", "account", polyglot, "password", polyglot, "next", polyglot).is(401).hides("<img src=x")
}

func TestAFormMayNotBeLargerThanItNeeds(t *testing.T) {
	o := start(t)
	o.cookie("root")
	before := o.version()
	o.post("root", "/workspaces", "name", strings.Repeat("x", 70<<10)).is(413).says("64 KiB")
	o.post("", "/logon", "account", strings.Repeat("x", 70<<10)).is(413)
	o.post("root", "/workspaces", "name", "a\x00b").is(422)
	o.post("root", "/workspaces", "name", "a\xffb").is(422)
	r := httptest.NewRequest("POST", "https://console.example.com/workspaces", strings.NewReader(`{"name":"json"}`))
	r.Header.Set("Content-Type", "application/json")
	r.AddCookie(o.cookie("root"))
	w := httptest.NewRecorder()
	if o.server.ServeHTTP(w, r); w.Code != 422 || o.version() != before {
		t.Fatal(w.Code, "JSON is taken for a form")
	}
}

func TestSec08_ExtraFieldsChangeNothing(t *testing.T) {
	o := start(t)
	o.post("root", "/workspaces?name=FromTheAddress", "name", "Sales", "id", "llm-0000000000000000", "workspace", string(o.a), "default", "true", "account", "acc-x", "call_all", "true").is(303)
	o.get("root", "/workspaces?q=Sales").says("Sales").hides("llm-0000000000000000", "FromTheAddress")
}

func TestAddressesAreTakenAsTheyAreWritten(t *testing.T) {
	o := start(t)
	for _, path := range []string{"/workspaces/", "//workspaces", "/WORKSPACES", "/workspaces/" + strings.ToUpper(string(o.a)) + "/models", "/workspaces/%2e%2e/account/settings",
		"/account/settings;x", "/workspaces/" + string(o.a) + "%2Fmodels", "/workspaces/' OR 1=1/models", "/static/../logon", "/static/%2e%2e/logon"} {
		r := httptest.NewRequest("GET", "https://console.example.com/", nil)
		u, err := url.ParseRequestURI(strings.ReplaceAll(path, " ", "%20"))
		o.must(err)
		r.URL.Path, r.URL.RawPath = u.Path, u.RawPath
		r.AddCookie(o.cookie("root"))
		w := httptest.NewRecorder()
		if o.server.ServeHTTP(w, r); w.Code != 404 {
			t.Errorf("%s is answered with %d", path, w.Code)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE"} {
		protected(t, o.ask("root", method, "/workspaces", nil, nil).is(405))
	}
	if head := o.ask("root", "HEAD", "/workspaces", nil, nil).is(200); head.header.Get("Content-Length") == "" {
		t.Error("HEAD does not say how long the page is")
	}
	o.ask("alice", "HEAD", "/account/providers", nil, nil).is(403)
	o.ask("bob", "GET", "/account/providers", nil, map[string]string{"X-HTTP-Method-Override": "POST", "X-Original-URL": "/workspaces"}).is(403)
}

func TestSec34_FilesAreServedForEverybodyAndProtected(t *testing.T) {
	o := start(t)
	file := o.get("", static.URL("console.js")).is(200)
	protected(t, file)
	if !strings.Contains(file.header.Get("Cache-Control"), "immutable") {
		t.Error("files are not kept")
	}
	o.get("", "/static/console.js").is(404)
}

func TestPlainHTTPIsSaidOnEveryPage(t *testing.T) {
	o := start(t)
	o.cookies = map[string]*http.Cookie{}
	o.config.PlainHTTP, o.config.WarnPlain, o.config.Sessions = true, true, o.store.Sessions(store.SessionConfig{PlainHTTP: true})
	o.serve()
	o.get("", "/logon").is(200).says("This connection is not encrypted.")
	page := o.get("root", "/workspaces").is(200).says("This connection is not encrypted.")
	if o.cookies["root"].Secure || page.header.Get("Strict-Transport-Security") != "" {
		t.Error("a browser would not keep the session")
	}
}

func TestReportsOfBrowsersAreTakenAndBounded(t *testing.T) {
	o := start(t)
	for range 30 {
		o.ask("", "POST", "/csp", nil, map[string]string{"Content-Type": "application/csp-report"}).is(204)
	}
	o.post("", "/csp", "x", strings.Repeat("x", 70<<10)).is(204)
}

// mistaken fails as no store should.
type mistaken struct{ *store.Store }

func (mistaken) Workspaces(context.Context, ident.Account, workspace.Filter) ([]workspace.Listed, string, error) {
	return nil, "", errors.New("a mistake of ours")
}

func TestOurOwnFailuresSayNothingOfTheirCause(t *testing.T) {
	o := start(t)
	o.cookie("root")
	workspaces := o.config.Workspaces
	o.config.Workspaces = &workspace.Service{Store: mistaken{o.store}}
	o.serve()
	a := o.get("root", "/workspaces").is(500).says("Something went wrong on our side.", "Request").hides("a mistake of ours")
	protected(t, a)
	o.ask("root", "GET", "/workspaces", nil, part).is(500).hides("<html", "a mistake of ours").says("Something went wrong")
	o.config.Workspaces = workspaces
	o.serve()
	o.must(o.store.Close())
	a = o.get("root", "/workspaces").is(503).says("The database does not answer at present.", "Request").hides("sql", "database is closed")
	protected(t, a)
	o.ask("root", "GET", "/workspaces", nil, part).is(503).hides("<html", "database is closed").says("does not answer")
}
