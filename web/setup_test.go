package web_test

import (
	"strings"
	"testing"

	"bailiwick/internal/secret"
)

// empty is a console before an installation without an account.
func empty(t *testing.T) *company {
	t.Helper()
	o := start(t)
	c := newClock()
	s := openStore(t, c)
	o.store = s
	o.config.Accounts.Store, o.config.Workspaces.Store, o.config.Catalogue.Store = s, s, s
	o.config.Sessions = s.Sessions(sessionsOf())
	o.config.SetUp = secret.NewToken()
	o.serve()
	return o
}

func TestSetUpMakesTheAccountAndLogsItsOwnerOn(t *testing.T) {
	o := empty(t)
	token := o.config.SetUp.Reveal()
	o.get("", "/logon").is(200).says("This installation has no account yet.")
	o.get("", "/setup?token="+token).is(200).says("Set up Bailiwick", "Company", "Alias", "Password of root")
	wrong := o.post("", "/setup", "token", token, "company", "Acme", "alias", "9bad", "password", password, "repeat", password).is(422)
	if first, _, _ := strings.Cut(wrong.body, " autofocus"); !strings.Contains(first, `name="alias"`) || strings.Count(wrong.body, " autofocus") != 1 {
		t.Error("the cursor is not in the field that is wrong")
	}
	wrong.says("An alias has 2–32").holds(`value="Acme"`, `value="9bad"`).hides(password)
	o.post("", "/setup", "token", token, "company", "Acme", "alias", "acme", "password", password, "repeat", "other").is(422).says("The two passwords differ.")
	o.post("", "/setup", "token", token, "company", "Acme", "alias", "acme", "password", "short", "repeat", "short").is(422).says("at least 15 characters")
	made := o.post("", "/setup", "token", token, "company", "Acme", "alias", "acme", "password", password, "repeat", password).to("/workspaces")
	o.cookies["owner"] = made.cookie()
	o.get("owner", "/workspaces").is(200).says("Default Workspace", "root@acme")
	o.get("owner", o.get("owner", "/").header.Get("Location")).is(200).says("Qwen-Turbo")
	o.get("", "/setup?token="+token).is(404)
	o.post("", "/setup", "token", token, "company", "Evil", "alias", "evil", "password", password, "repeat", password).is(404)
}

func TestSetUpNeedsItsLink(t *testing.T) {
	o := empty(t)
	for _, token := range []string{"", "x", strings.Repeat("A", 43)} {
		o.get("", "/setup?token="+token).is(403).says("This set-up link is not valid.")
		o.post("", "/setup", "token", token, "company", "Acme", "alias", "acme", "password", password, "repeat", password).is(403)
	}
	start(t).get("", "/setup").is(404)
}
