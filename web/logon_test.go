package web_test

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestLogOnLeadsToWhereSomebodyWorks(t *testing.T) {
	o := start(t)
	o.post("", "/logon", "account", "root@acme", "password", password).to("/workspaces")
	o.post("", "/logon", "account", "alice@acme", "password", password).to("/workspaces/" + string(o.a) + "/models")
	o.post("", "/logon", "account", "root@acme", "password", password, "next", "/account/settings").to("/account/settings")
	o.get("root", "/").to("/workspaces/" + string(o.home) + "/models")
	o.get("root", "/logon").to("/")
}

func TestLogOnFollowsNoAddressElsewhere(t *testing.T) {
	o := start(t)
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/logon", "/\tx", "workspaces"} {
		o.post("", "/logon", "account", "root@acme", "password", password, "next", next).to("/workspaces")
	}
}

func TestWhoIsNotLoggedOnIsAskedToAndComesBack(t *testing.T) {
	o := start(t)
	o.get("", "/account/settings").to("/logon?next=%2Faccount%2Fsettings")
	o.get("", "/logon?next=%2Faccount%2Fsettings").is(200).says("Log on").holds(`name="next" value="/account/settings"`)
	o.post("", "/account/settings").to("/logon")
	o.get("", "/no/such/page").is(404).says("This page does not exist")
	scripted := o.ask("", "GET", "/workspaces", nil, map[string]string{"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "https://console.example.com/workspaces?q=x"})
	if scripted.is(401); scripted.header.Get("HX-Redirect") != "/logon?next=%2Fworkspaces%3Fq%3Dx" {
		t.Fatal(scripted.header)
	}
}

func TestSec37_AWrongLogOnSaysTheSameForEveryReason(t *testing.T) {
	o := start(t)
	wrong := o.post("", "/logon", "account", "root@acme", "password", "not the password at all").is(401)
	wrong.says("The account or the password is wrong.").hides("not the password")
	unknown := o.post("", "/logon", "account", "nobody@nowhere", "password", "not the password at all").is(401)
	if drawn := regexp.MustCompile(`data-options="[^"]*"`); drawn.ReplaceAllString(strings.ReplaceAll(unknown.body, "nobody@nowhere", "root@acme"), "") != drawn.ReplaceAllString(wrong.body, "") {
		t.Error("an unknown name is told from a wrong password")
	}
}

func TestSec37_GuessingIsSlowedDownWhateverTheHeadersSay(t *testing.T) {
	o := start(t)
	last := 0
	for i := range 8 {
		from := map[string]string{"X-Forwarded-For": "203.0.113." + string(rune('0'+i)), "X-Real-IP": "203.0.113.9"}
		last = o.ask("", "POST", "/logon", fieldsOf([]string{"account", "root@acme", "password", "guess"}), from).status
	}
	if last != 429 {
		t.Fatalf("the eighth guess was answered with %d", last)
	}
	held := o.post("", "/logon", "account", "root@acme", "password", password).is(429).says("Too many attempts.", "Try again in")
	if held.header.Get("Retry-After") == "" {
		t.Error("nobody is told when to try again")
	}
	o.clock.pass(20 * time.Minute)
	o.post("", "/logon", "account", "root@acme", "password", password).is(303)
}

func TestSec32_LogOnMakesANewSessionAndLogOffEndsIt(t *testing.T) {
	o := start(t)
	planted := &http.Cookie{Name: "__Host-bailiwick", Value: strings.Repeat("A", 43)}
	first := o.ask("", "POST", "/logon", fieldsOf([]string{"account", "root@acme", "password", password}), map[string]string{"Cookie": planted.String()})
	one := first.is(303).cookie()
	if one.Value == planted.Value || !one.Secure || !one.HttpOnly || one.SameSite != http.SameSiteLaxMode || one.Path != "/" || one.Domain != "" {
		t.Fatalf("the session is %v", one)
	}
	again := o.ask("", "POST", "/logon", fieldsOf([]string{"account", "root@acme", "password", password}), map[string]string{"Cookie": one.Name + "=" + one.Value})
	two := again.is(303).cookie()
	if two.Value == one.Value {
		t.Fatal("logging on again keeps the session")
	}
	o.cookies["one"], o.cookies["two"] = one, two
	o.get("one", "/workspaces").is(303)
	o.get("two", "/workspaces").is(200)

	off := o.post("two", "/logoff").to("/logon?off=1")
	if off.header.Get("Clear-Site-Data") != `"cache"` || off.cookie().MaxAge >= 0 {
		t.Fatal(off.header)
	}
	o.get("two", "/workspaces").is(303)
	o.get("", "/logon?off=1").says("You have logged off.")
}

func TestSec32_ASessionEndsWhenItIsIdleOrOld(t *testing.T) {
	o := start(t)
	o.cookie("root")
	o.clock.pass(29 * time.Minute)
	o.get("root", "/workspaces").is(200)
	o.clock.pass(31 * time.Minute)
	o.get("root", "/workspaces").is(303)

	o.cookies = map[string]*http.Cookie{}
	o.cookie("alice")
	for range 47 {
		o.clock.pass(30 * time.Minute)
		o.get("alice", "/workspaces").is(200)
	}
	o.clock.pass(31 * time.Minute)
	o.get("alice", "/workspaces").is(303)
}

func TestASessionEndsWithANewPassword(t *testing.T) {
	o := start(t)
	o.get("alice", "/workspaces").is(200)
	u, err := o.store.UserByLogOn(t.Context(), "acme", "alice")
	o.must(err)
	o.must(o.config.Accounts.ResetPassword(t.Context(), u, secretOf("another sentence of hers")))
	o.get("alice", "/workspaces").is(303)
}

func TestOnlyATrustedProxySaysWhereARequestComesFrom(t *testing.T) {
	o := start(t)
	o.config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.0.0.0/8")}
	o.serve()
	for i := range 40 {
		o.ask("", "POST", "/logon", fieldsOf([]string{"account", "nobody@acme" + strings.Repeat("x", i), "password", "guess"}),
			map[string]string{"X-Forwarded-For": "198.51.100.1, 203.0.113.5, 10.1.2.3"})
	}
	held := map[string]string{"X-Forwarded-For": "203.0.113.5"}
	o.ask("", "POST", "/logon", fieldsOf([]string{"account", "root@acme", "password", password}), held).is(429)
	free := map[string]string{"X-Forwarded-For": "203.0.113.5, 203.0.113.6"}
	o.ask("", "POST", "/logon", fieldsOf([]string{"account", "root@acme", "password", password}), free).is(303)
}
