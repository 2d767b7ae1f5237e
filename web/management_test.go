package web_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"bailiwick/internal/adminkey"
)

var adminSecret = regexp.MustCompile(`bw_admin_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}`)

func TestSec36_AnAdminKeyIsShownOnce(t *testing.T) {
	o := start(t)
	o.get("super", "/account/management").is(200).says("Management API", "No admin keys yet", "Create Admin Key").holds("https://models.example.com/openapi.json")
	o.get("super", "/account/management/keys/new").is(200).says("Create Admin Key", "Acts as super@acme", "90 days").holds(`value="90" selected`).hides("Something went wrong")
	made := o.post("super", "/account/management/keys", "name", "Terraform", "days", "30", "networks", "10.0.0.0/8, 2001:db8::1").is(201).says("You will not see it again", "Terraform")
	text := adminSecret.FindString(made.body)
	if text == "" || made.header.Get("Cache-Control") != "no-store" {
		t.Fatal("the secret is not shown, or may be kept by a cache")
	}
	o.get("root", "/account/management").says("Terraform", "bw_admin_…"+text[len(text)-4:], "super@acme", "10.0.0.0/8, 2001:db8::1/128", "20 Dec 2026", "Never", "Active").hides(text)
	scripted := o.ask("root", "POST", "/account/management/keys", fieldsOf([]string{"name", "mine", "days", "7"}), part).is(201).holds("<dialog", `hx-target="#admin-keys"`).hides("<html")
	if !adminSecret.MatchString(scripted.body) {
		t.Error("no secret")
	}
}

func TestAnAdminKeyKeepsWhatWasTypedWithItsMistake(t *testing.T) {
	o := start(t)
	o.post("root", "/account/management/keys", "name", "", "days", "30").is(422).says("Say what the key is for").holds(`value="30" selected`)
	o.post("root", "/account/management/keys", "name", strings.Repeat("x", 101), "days", "30").is(422).says("at most 100 characters; this one has 101")
	o.post("root", "/account/management/keys", "name", "kept", "days", "3650").is(422).says("Choose one of the lives").holds(`value="kept"`)
	o.post("root", "/account/management/keys", "name", "kept", "days", "30", "networks", "ten").is(422).says("an IPv4 or IPv6 address", "line 1").holds(`value="ten"`)
	for range adminkey.KeysMost {
		o.adminKey(o.root, "one of many")
	}
	o.post("root", "/account/management/keys", "name", "one more", "days", "30").is(409).says("at most 100 admin keys").holds(`value="one more"`)
}

func TestAnAdminKeyIsRevokedAfterAWarning(t *testing.T) {
	o := start(t)
	k, roots := o.adminKey(o.actor("super"), "nightly job"), o.adminKey(o.root, "the owner's")
	path := "/account/management/keys/" + string(k.ID) + "/revoke"
	o.get("root", path).is(200).says("Revoke this admin key?", "This stops working", "nightly job", "It was never used.")
	o.post("super", "/account/management/keys/"+string(roots.ID)+"/revoke").is(403).says("Only the account owner (root) revokes root's")
	o.get("super", "/account/management").holds(path).hides(string(roots.ID) + "/revoke")
	o.post("super", path).to("/account/management")
	o.get("super", "/account/management").says("Admin key revoked", "the owner's").hides("nightly job")
	o.post("super", path).is(404).says("There is no such admin key.")
	changed := o.ask("root", "POST", "/account/management/keys/"+string(roots.ID)+"/revoke", nil, part).is(200)
	changed.holds(`hx-target="#admin-keys"`).says("Admin key revoked")
}

func TestWhatBecomesOfAdminKeysIsSeen(t *testing.T) {
	o := start(t)
	o.adminKey(o.actor("super"), "of super")
	o.must(o.config.People.Promote(t.Context(), o.root, o.actor("super").User, false))
	o.get("root", "/account/management").says("Owner may not administer")
	o.adminKey(o.root, "of root")
	o.clock.pass(91 * 24 * time.Hour)
	delete(o.cookies, "root")
	o.get("root", "/account/management").says("Expired")
}

func TestTheReferenceShowsEveryOperation(t *testing.T) {
	o := start(t)
	page := o.get("super", "/account/management/reference").is(200)
	page.says("API reference", "List workspaces", "/api/admin/v1/workspaces/{workspace}/keys/{key}/reset", "Idempotency-Key", "If-Match", "overlap_seconds", "curl -X PUT https://models.example.com/api/admin/v1/models/qwen-turbo/grants/call", "428")
	if n := strings.Count(page.body, `class="card pad api-operation"`); n < 50 {
		t.Errorf("only %d operations and schemas are shown", n)
	}
	if n, copies := strings.Count(page.body, "<pre "), strings.Count(page.body, "data-copy="); n < 40 || copies < n {
		t.Errorf("%d samples, %d copy buttons", n, copies)
	}
	o.get("bob", "/account/management/reference").is(403)
}

func TestBrowserAdminKeysAreMadeAndRevoked(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.logOn("root")
	b.open("/workspaces")
	b.tabTo("link", "Management API")
	b.key(kb.Enter)
	b.sees("No admin keys yet")
	b.examine("Management API, empty")
	b.tabTo("button", "Create Admin Key")
	b.key(kb.Enter)
	b.find("dialog", "Create Admin Key")
	b.key(kb.Enter)
	b.sees("Say what the key is for")
	b.examine("Create Admin Key with a mistake")
	b.fill("textbox", "Name", "Terraform")
	b.fill("textbox", "Addresses", "10.0.0.0/8")
	b.key(kb.Enter)
	b.find("dialog", "Admin key created")
	if !adminSecret.MatchString(eval[string](b, "document.body.innerText")) {
		t.Error("no secret is shown")
	}
	b.examine("Admin key created")
	b.click("button", "Done")
	b.gone("dialog", "Admin key created")
	b.sees("Terraform", "Active")
	b.until("the focus to return", func() bool { return b.focused("button", "Create Admin Key") })
	b.examine("Management API")
	b.click("button", "Revoke")
	b.sees("Revoke this admin key?")
	b.examine("Revoke this admin key")
	b.click("button", "Revoke")
	b.sees("Admin key revoked", "No admin keys yet")
	b.click("link", "API reference")
	b.sees("Every operation of the management API")
	b.examine("API reference")
	b.click("link", "Give an API key a new secret")
	b.until("the operation to be in sight", func() bool { return b.peek("location.hash") == "#resetKey" })
}
