package web_test

import (
	"regexp"
	"strings"
	"testing"
)

var secretForm = regexp.MustCompile(`sk-ws-[0-9A-Za-z]{43}_[0-9A-Za-z]{6}`)

func TestSec36_AKeyIsShownOnce(t *testing.T) {
	o := start(t)
	o.get("carol", o.at(o.a, "/keys")).is(200).says("API Keys", "No API keys yet", "Create API Key")
	o.get("carol", o.at(o.a, "/keys/new")).is(200).says("Create API Key", "Description")
	made := o.post("carol", o.at(o.a, "/keys"), "description", "the newsletter").is(201).says("You will not see it again", "the newsletter").holds("<html")
	text := secretForm.FindString(made.body)
	if text == "" || made.header.Get("Cache-Control") != "no-store" {
		t.Fatal("the secret is not shown, or may be kept by a cache")
	}
	list := o.get("carol", o.at(o.a, "/keys")).is(200).says("the newsletter", "sk-ws-…"+text[len(text)-4:], "carol@acme", "20 Nov 2026", "Never", "Enabled")
	list.hides(text)
	for _, page := range []string{"/workspaces", o.at(o.a, "/models"), "/account/keys"} {
		o.get("carol", page).is(200).hides(text)
	}
}

func TestAScriptGetsTheSecretWithTheListBehindIt(t *testing.T) {
	o := start(t)
	made := o.ask("carol", "POST", o.at(o.a, "/keys"), fieldsOf([]string{"description", "mine"}), part).is(201)
	made.holds("<dialog", `hx-target="#key-list"`).says("mine").hides("<html")
	if len(secretForm.FindAllString(made.body, -1)) < 1 {
		t.Fatal("no secret")
	}
	o.ask("carol", "POST", o.at(o.a, "/keys"), fieldsOf([]string{"description", strings.Repeat("y", 201)}), part).is(422).holds("<dialog", `aria-invalid="true"`)
}

func TestAKeyIsDisabledEnabledAndDeletedAfterAWarning(t *testing.T) {
	o := start(t)
	k := o.key(o.actor("carol"), o.a, "the newsletter")
	path := o.at(o.a, "/keys/"+string(k.ID))
	o.get("alice", path+"/disable").is(200).says("Disable this API key?", "This stops working", "the newsletter", "It was never used.")
	o.post("alice", path+"/disable").to(o.at(o.a, "/keys"))
	o.get("alice", o.at(o.a, "/keys")).says("API key disabled", "Disabled").holds(path + "/enable")
	changed := o.ask("alice", "POST", path+"/enable", nil, part).is(200)
	changed.holds(`hx-target="#key-list"`).says("API key enabled", "Enabled")
	o.get("alice", path+"/delete").is(200).says("Delete this API key?")
	o.post("alice", path+"/delete").to(o.at(o.a, "/keys"))
	o.get("alice", o.at(o.a, "/keys")).says("API key deleted", "No API keys yet")
	o.post("alice", path+"/delete").is(404)
}

func TestSec02_AKeyOfAnotherWorkspaceIsMissing(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.b, "of Research")
	o.cookie("alice")
	o.cookie("root")
	before := o.version()
	for _, act := range []string{"disable", "enable", "delete"} {
		o.post("alice", o.at(o.a, "/keys/"+string(k.ID)+"/"+act)).is(404).says("There is no such API key.")
		o.post("alice", o.at(o.b, "/keys/"+string(k.ID)+"/"+act)).is(404).says("There is no such workspace.")
		o.post("root", o.at(o.a, "/keys/"+string(k.ID)+"/"+act)).is(404)
	}
	if now, err := o.config.Keys.Find(t.Context(), o.root, o.b, k.ID); err != nil || !now.DisabledAt.IsZero() || o.version() != before {
		t.Fatal("it was changed", err)
	}
}

func TestTheAccountsKeysLeadBackToTheAccountsKeys(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "the newsletter")
	o.key(o.root, o.b, "the archive")
	o.get("root", "/account/keys").is(200).says("the newsletter", "the archive", "Workspace")
	o.get("alice", "/account/keys").is(200).says("the newsletter").hides("the archive")
	o.get("bob", "/account/keys").is(200).hides("the newsletter", "the archive")
	disable := o.at(o.a, "/keys/"+string(k.ID)+"/disable?from=account")
	o.get("root", disable).is(200).says("Disable this API key?", "the archive")
	o.post("root", formTo(t, o.ask("root", "GET", disable, nil, part), "Disable")).to("/account/keys")
	changed := o.ask("root", "POST", o.at(o.a, "/keys/"+string(k.ID)+"/enable?from=account"), nil, part).is(200)
	changed.says("the newsletter", "the archive")
}

func TestKeysAreSearched(t *testing.T) {
	o := start(t)
	o.key(o.root, o.a, "alpha")
	o.key(o.root, o.a, "beta")
	o.get("alice", o.at(o.a, "/keys?q=alp")).says("alpha").hides(">beta<")
	behind := map[string]string{"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "https://console.example.com" + o.at(o.a, "/keys?q=alp")}
	k := o.key(o.root, o.a, "alphabet")
	done := o.ask("alice", "POST", o.at(o.a, "/keys/"+string(k.ID)+"/delete"), nil, behind).is(200)
	done.says("alpha").hides("beta")
}

func TestAFullWorkspaceSaysSo(t *testing.T) {
	o := start(t)
	for range 50 {
		o.key(o.root, o.a, "one of many")
	}
	o.post("alice", o.at(o.a, "/keys"), "description", "one more").is(409).holds(`value="one more"`).says("50")
}
