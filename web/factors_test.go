package web_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
)

var (
	recoveryCode = regexp.MustCompile(`<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>`)
	theSeed      = regexp.MustCompile(`<code>([A-Z2-7 ]{39})</code>`)
)

// code is what an app shows now.
func (o *company) code(seed string) string {
	o.t.Helper()
	text, err := totp.GenerateCode(seed, o.clock.Now())
	o.must(err)
	return text
}

// setUpApp gives somebody an authenticator app, and gives its seed and the
// recovery codes.
func (o *company) setUpApp(who string) (seed string, codes []string) {
	o.t.Helper()
	page := o.get(who, "/account/security/app").is(200).says("Scan this with the app")
	seed = strings.ReplaceAll(theSeed.FindStringSubmatch(page.body)[1], " ", "")
	done := o.post(who, "/account/security/app", "offer", page.field("offer"), "code", o.code(seed)).is(200)
	for _, found := range recoveryCode.FindAllStringSubmatch(done.body, -1) {
		codes = append(codes, found[1])
	}
	o.cookies[who] = done.cookie()
	o.clock.pass(30 * time.Second)
	return seed, codes
}

// half logs somebody on as far as the password.
func (o *company) half(name string) *http.Cookie {
	o.t.Helper()
	return o.post("", "/logon", "account", name+"@acme", "password", password).to("/logon/factor").cookie()
}

// events are the trail's lines of one action.
func (o *company) events(action string) (lines []audit.Event) {
	o.t.Helper()
	o.config.Trail.Flush()
	o.must(o.store.Chains(o.t.Context(), func(c audit.Chain) error {
		for l, err := range c.Lines {
			if err != nil {
				return err
			}
			if l.Action == action {
				lines = append(lines, l.Event)
			}
		}
		return nil
	}))
	return lines
}

// Check 38: a code counts once, a recovery code once, and neither alone.
func TestSec38_ACodeIsTakenOnce(t *testing.T) { eachDatabase(t, codesOnce) }

func codesOnce(t *testing.T, s *store.Store, c *clock) {
	o := newCompany(t, s, c)
	seed, codes := o.setUpApp("alice")
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	o.get("alice", "/account/security").is(200).says("10 of 10 left").hides(codes[0], seed)

	o.cookies["one"], o.cookies["two"] = o.half("alice"), o.half("alice")
	o.get("one", "/workspaces").to("/logon?next=%2Fworkspaces")
	o.get("one", "/logon/factor").is(200).says("Your password is right, alice.").hides(seed)
	now := o.code(seed)
	in := o.post("one", "/logon/factor", "code", now[:3]+" "+now[3:]).is(303)
	if in.cookie().Value == o.cookies["one"].Value {
		t.Error("the half session became the whole one")
	}
	o.get("one", "/logon/factor").to("/logon")
	o.cookies["one"] = in.cookie()
	o.get("one", "/workspaces").is(200)
	o.post("two", "/logon/factor", "code", now).is(401).says("wrong or was used already")
	o.clock.pass(30 * time.Second)
	o.post("two", "/logon/factor", "code", strings.ToUpper(codes[3])).is(303)
	o.cookies["three"] = o.half("alice")
	o.post("three", "/logon/factor", "code", codes[3]).is(401)
	o.post("three", "/logon/factor", "code", strings.ReplaceAll(codes[4], "-", " ")).is(303)
	o.get("one", "/account/security").says("8 of 10 left")

	o.post("one", "/account/security/codes").is(200).says("New recovery codes").hides(codes[0])
	o.cookies["four"] = o.half("alice")
	o.post("four", "/logon/factor", "code", codes[0]).is(401)
	if refused := len(o.events("users:log-on")); refused < 6 {
		t.Errorf("the trail tells of %d log-ons", refused)
	}
	for _, action := range []string{"factors:add-app", "factors:use-code", "factors:replace-codes"} {
		if len(o.events(action)) == 0 {
			t.Errorf("the trail does not tell of %s", action)
		}
	}
}

// Check 38: six digits are not found by trying, whatever the address.
func TestSec38_GuessingCodesIsThrottledForTheUser(t *testing.T) {
	t.Parallel()
	o := start(t)
	seed, _ := o.setUpApp("alice")
	tried := 0
	for i := range 100 {
		o.cookies["guesser"] = o.half("alice") // a right password forgives no wrong code
		a := o.ask("guesser", "POST", "/logon/factor", fieldsOf([]string{"code", "000000"}), map[string]string{"X-Forwarded-For": "203.0.113." + string(rune('0'+i%10))})
		if a.status == 401 {
			tried++
		}
	}
	if tried > 6 {
		t.Errorf("%d codes could be tried at once", tried)
	}
	o.post("guesser", "/logon/factor", "code", o.code(seed)).is(429).says("Too many attempts.")
	o.clock.pass(5 * time.Minute)
	o.cookies["guesser"] = o.half("alice")
	o.post("guesser", "/logon/factor", "code", o.code(seed)).is(303)
}

// Check 38: factors are added and taken away by somebody who proved just now
// who they are; and everything else that does harm is asked for the same way.
func TestSec38_HarmfulActsAskForAFreshProof(t *testing.T) {
	o := start(t)
	u, ws := o.actor("bob").User, o.a
	paths := []string{
		"GET /account/security/app", "POST /account/security/app", "GET /account/security/app/remove", "POST /account/security/app/remove",
		"POST /account/security/passkeys", "GET /account/security/passkeys/new", "GET /account/security/codes", "POST /account/security/codes",
		"GET /account/security/passkeys/" + string(ident.NewPasskey()) + "/remove", "POST /account/security/passkeys/" + string(ident.NewPasskey()) + "/remove",
		"GET /workspaces/" + string(ws) + "/delete", "POST /workspaces/" + string(ws) + "/delete", "POST /account/settings",
		"GET /account/management/keys/new", "POST /account/management/keys",
	}
	for _, act := range []string{"reset", "promote", "demote", "delete"} {
		paths = append(paths, "GET /account/users/"+string(u)+"/"+act, "POST /account/users/"+string(u)+"/"+act)
	}
	o.cookie("root")
	o.clock.pass(16 * time.Minute)
	before := o.version()
	for _, line := range paths {
		method, path, _ := strings.Cut(line, " ")
		scripted := o.ask("root", method, path, nil, part).is(403).says("Confirm that it is you").holds("<dialog")
		if method == "GET" {
			o.get("root", path).to("/account/security/confirm?next=" + strings.ReplaceAll(path, "/", "%2F"))
			continue
		}
		if scripted.header.Get("HX-Retarget") != "#overlay" {
			t.Errorf("%s takes the form away", line)
		}
		o.post("root", path, "x", `"typed"`).is(403).says("Confirm that it is you").holds(`name="x" value="&#34;typed&#34;"`, `name="confirm-again" value="`+path)
		o.get("alice", path) // others are refused before they are asked
	}
	if o.version() != before {
		t.Error("something was done without a proof")
	}
	o.get("bob", "/workspaces/"+string(ws)+"/delete").is(403).says("Only the account owner")
}

func TestAProofLeadsBackAndLosesNothing(t *testing.T) {
	o := start(t)
	version := o.get("root", "/account/settings").field("version")
	o.clock.pass(16 * time.Minute)
	asked := o.post("root", "/account/settings", "version", version, "workspace_limit", "7").is(403)
	fields := []string{"version", asked.field("version"), "workspace_limit", asked.field("workspace_limit"), "confirm-again", asked.field("confirm-again")}
	wrong := o.post("root", "/account/security/confirm", append(fields, "confirm-password", "no")...).is(422).says("not your present password").holds(`name="workspace_limit" value="7"`)
	wrong.hides(`value="no"`)
	right := o.post("root", "/account/security/confirm", append(fields, "confirm-password", password)...).is(307)
	if right.header.Get("Location") != "/account/settings" {
		t.Fatal(right.header)
	}
	stale := o.cookies["root"]
	o.cookies["root"], o.cookies["stale"] = right.cookie(), stale
	o.get("stale", "/account/settings").is(303)
	o.post("root", "/account/settings", append(fields, "confirm-password", password)...).to("/account/settings")
	o.get("root", "/account/settings").holds(`value="7"`)

	o.clock.pass(16 * time.Minute)
	dialog := o.ask("root", "GET", o.at(o.a, "/delete"), nil, part).is(403)
	led := o.ask("root", "POST", "/account/security/confirm", fieldsOf([]string{"confirm-next", dialog.field("confirm-next"), "confirm-password", password}), part)
	led.to(o.at(o.a, "/delete"))
	o.cookies["root"] = led.cookie()
	o.ask("root", "GET", o.at(o.a, "/delete"), nil, part).is(200).says("Marketing cannot be deleted yet")
	for _, elsewhere := range []string{"https://evil.example/", "//evil.example/x"} {
		o.post("root", "/account/security/confirm", "confirm-next", elsewhere, "confirm-again", elsewhere, "confirm-password", password).to("/account/security")
		o.cookies = map[string]*http.Cookie{}
	}
	if n := len(o.events("users:confirm")); n < 4 {
		t.Errorf("the trail tells of %d proofs", n)
	}
}

func TestWithASecondFactorAProofAsksForItToo(t *testing.T) {
	o := start(t)
	seed, _ := o.setUpApp("root")
	o.clock.pass(16 * time.Minute)
	o.get("root", "/account/security/confirm?next=/account/security/codes").is(200).says("Code of your app, or a recovery code")
	o.post("root", "/account/security/confirm", "confirm-password", password).is(422).says("wrong or was used already")
	o.post("root", "/account/security/confirm", "confirm-password", password, "confirm-code", o.code(seed), "confirm-next", "/account/security/codes").to("/account/security/codes")
}

// Check 32: password, factor and role changes and disabling end the other
// sessions at the next request; the session that made the change goes on.
func TestSec32_ChangesEndTheOtherSessions(t *testing.T) { eachDatabase(t, changesEnd) }

func changesEnd(t *testing.T, s *store.Store, c *clock) {
	o := newCompany(t, s, c)
	other := func(name string) *http.Cookie {
		return o.post("", "/logon", "account", name+"@acme", "password", password).is(303).cookie()
	}
	dead := func(what string) {
		if a := o.get("other", "/workspaces"); a.status != 303 {
			t.Errorf("after %s the other session is answered %d", what, a.status)
		}
	}
	o.cookies["other"] = other("alice")
	o.cookie("alice")
	o.setUpApp("alice")
	dead("adding a factor")
	o.get("alice", "/workspaces").is(200)

	o.cookies["other"] = other("bob")
	done := o.post("bob", "/account/security/password", "present", password, "password", "another sentence of bob's", "repeat", "another sentence of bob's").is(303)
	dead("a new password")
	o.cookies["bob"] = done.cookie()
	o.get("bob", "/workspaces").is(200)

	for what, change := range map[string]func(ident.User) error{
		"full access": func(u ident.User) error { return o.config.People.Promote(t.Context(), o.root, u, true) },
		"disabling":   func(u ident.User) error { return o.config.People.Disable(t.Context(), o.root, u) },
		"ending":      func(u ident.User) error { return o.config.People.EndSessions(t.Context(), o.root, u) },
	} {
		name := "p-" + strings.Fields(what)[0]
		o.hire(ident.LogOn(name), access.Regular, o.a, access.Regular, nil)
		o.cookies["other"] = other(name)
		o.get("other", "/workspaces").is(200)
		o.must(change(o.actor(ident.LogOn(name)).User))
		dead(what)
	}
}

// Check 32: one's own sessions are listed and ended, and nobody else's.
func TestSec32_OwnSessionsAreListedAndEnded(t *testing.T) {
	o := start(t)
	o.cookie("alice")
	phone := o.ask("", "POST", "/logon", fieldsOf([]string{"account", "alice@acme", "password", password}), map[string]string{
		"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
	}).is(303)
	o.cookies["phone"] = phone.cookie()
	page := o.get("alice", "/account/security").is(200).says("Safari on iPhone", "192.0.2.7", "This one", "a moment ago", "End all others")
	end := formTo(t, page, "End ")
	if strings.Contains(end, "end-others") {
		end = regexp.MustCompile(`/account/security/sessions/[0-9a-f]{64}/end`).FindString(page.body)
	}
	o.post("bob", end).is(404)
	o.get("phone", "/workspaces").is(200)
	o.post("alice", end).to("/account/security")
	o.get("phone", "/workspaces").is(303)
	o.cookies["phone"] = o.post("", "/logon", "account", "alice@acme", "password", password).cookie()
	o.post("alice", "/account/security/sessions/end-others").to("/account/security")
	o.get("phone", "/workspaces").is(303)
	o.get("alice", "/account/security").is(200).says("All other sessions ended").hides("End all others")
	if len(o.events("sessions:end"))+len(o.events("sessions:end-others")) != 2 {
		t.Error("the trail does not tell of both")
	}
}

// Check 37: a name that is unknown, disabled or invited is told from none that
// is known by nothing that is said, and what failed is in the trail.
func TestSec37_ARefusedLogOnSaysNothingAndIsWritten(t *testing.T) {
	o := start(t)
	o.must(o.config.People.Disable(t.Context(), o.root, o.actor("carol").User))
	drawn := regexp.MustCompile(`data-options="[^"]*"`)
	said := map[string]bool{}
	for _, name := range []string{"bob", "carol", "nobody", "password typed here"} {
		a := o.post("", "/logon", "account", name+"@acme", "password", "not the right one").is(401)
		said[drawn.ReplaceAllString(strings.ReplaceAll(a.body, html.EscapeString(name), "NAME"), "")] = true
	}
	if len(said) != 1 {
		t.Error("the answers differ")
	}
	refused := map[string]int{}
	for _, e := range o.events("users:log-on") {
		if e.Result == audit.Refused {
			refused[e.ActorName]++
			if strings.Contains(e.Summary+e.ActorName+e.ObjectName, "typed") {
				t.Errorf("the trail holds what was typed: %+v", e)
			}
		}
	}
	if refused["bob@acme"] != 1 || refused["carol@acme"] != 1 || refused["somebody"] != 1 {
		t.Errorf("the trail tells of %v", refused)
	}
}

func TestARequiredFactorComesBeforeEverythingElse(t *testing.T) {
	o := start(t)
	page := o.get("root", "/account/settings").is(200).says("Require a second factor")
	o.post("root", "/account/settings", "version", page.field("version"), "workspace_limit", "10", "require_factor", "nobody at all").is(422)
	o.post("root", "/account/settings", "version", page.field("version"), "workspace_limit", "10", "require_factor", "administrators").is(303)
	o.get("alice", "/workspaces").to("/account/security?next=%2Fworkspaces")
	o.get("bob", "/workspaces").is(200)
	o.get("alice", "/account/security").is(200).says("This account requires a second factor.", "Log off").hides(`class="side"`)
	o.get("alice", "/account/security/app").is(200).hides(`class="side"`)
	o.setUpApp("alice")
	o.get("alice", "/workspaces").is(200)
	o.get("alice", "/account/security/app/remove").is(200).says("Remove the authenticator app?")
	removed := o.post("alice", "/account/security/app/remove").to("/account/security")
	o.cookies["alice"] = removed.cookie()
	o.get("alice", "/workspaces").is(303)
}

func TestRootIsRemindedUntilThatIsPutOff(t *testing.T) {
	o := start(t)
	const reminder = "a password alone protects you"
	o.get("root", "/workspaces").is(200).says(reminder)
	o.get("super", "/workspaces").hides(reminder)
	o.ask("root", "POST", "/account/security/later", nil, part).is(200)
	o.get("root", "/workspaces").hides(reminder)
	o.clock.pass(31 * 24 * time.Hour)
	o.cookies = map[string]*http.Cookie{}
	o.get("root", "/workspaces").says(reminder)
	o.setUpApp("root")
	o.get("root", "/workspaces").hides(reminder)
}

func TestALinkOrAnOfferOfAnotherPersonIsWorthNothing(t *testing.T) {
	o := start(t)
	page := o.get("alice", "/account/security/app").is(200)
	seed := strings.ReplaceAll(theSeed.FindStringSubmatch(page.body)[1], " ", "")
	o.post("bob", "/account/security/app", "offer", page.field("offer"), "code", o.code(seed)).is(422).says("too old")
	o.post("alice", "/account/security/app", "offer", page.field("offer"), "code", "000000").is(422).holds(page.field("offer")).says("not the code")
	o.clock.pass(2 * time.Hour)
	o.cookies = map[string]*http.Cookie{}
	o.post("alice", "/account/security/app", "offer", page.field("offer"), "code", o.code(seed)).is(422).says("too old").hides(page.field("offer"))
}

// Somebody whose password was reset by a link has the second factor still.
func TestALogOnLinkIsNoWayAroundTheSecondFactor(t *testing.T) {
	o := start(t)
	o.setUpApp("alice")
	token, err := o.config.People.Invite(t.Context(), o.root, o.actor("alice").User)
	o.must(err)
	o.post("", "/welcome", "token", token.Reveal(), "password", "another sentence of hers", "repeat", "another sentence of hers").to("/logon/factor")
}

func TestOwnFactorsAreNobodyElses(t *testing.T) {
	o := start(t)
	p := o.passkey(o.actor("alice"), "Laptop")
	o.get("bob", "/account/security/passkeys/"+string(p)+"/remove").is(404)
	o.post("bob", "/account/security/passkeys/"+string(p)+"/remove").is(404)
	o.get("bob", "/account/security").hides("Laptop")
}
