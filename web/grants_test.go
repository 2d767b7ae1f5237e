package web_test

import (
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
)

func TestAuthorizingTakesEffectAtOnce(t *testing.T) {
	o := start(t)
	path := o.at(o.home, "/models/qwen-turbo/authorize/call")
	dialog := o.get("root", path).is(200).says("Model Calling authorization", "Unauthorized Sub-workspaces", "Authorized Sub-workspaces", "OK", "Cancel")
	dialog.holds(`aria-label="Authorize selected"`, `aria-label="Revoke selected"`)
	o.post("root", path, "version", dialog.field("version"), "authorized", string(o.a)).to(o.at(o.home, "/models/qwen-turbo"))
	if !o.keeper.Now().Holds(o.a, "qwen-turbo", catalogue.Call) || o.keeper.Now().Holds(o.b, "qwen-turbo", catalogue.Call) {
		t.Fatal("the policy does not know it")
	}
	o.get("root", o.at(o.home, "/models/qwen-turbo")).says("Model Calling of Qwen-Turbo: 1 workspace authorized", "Marketing")

	dialog = o.ask("root", "GET", path, nil, part).is(200).hides("<html")
	done := o.ask("root", "POST", path, fieldsOf([]string{"version", dialog.field("version"), "was", string(o.a), "authorized", string(o.b)}), part).is(200)
	done.holds(`hx-target="#model-rights"`, "data-toast").says("1 workspace authorized, 1 workspace revoked", "Research").hides("<html")
	if o.keeper.Now().Holds(o.a, "qwen-turbo", catalogue.Call) {
		t.Fatal("what was revoked still counts")
	}
}

func TestTwoWhoEditOneAuthorizationLoseNothing(t *testing.T) {
	o := start(t)
	third := o.add("Third")
	path := o.at(o.home, "/models/qwen-turbo/authorize/train")
	o.authorize("qwen-turbo", catalogue.Train, o.b)
	mine := o.get("root", path).field("version")
	o.post("super", path, "version", mine, "was", string(o.b), "authorized", string(o.a)).is(303) // grants A, revokes B
	late := o.post("root", path, "version", mine, "was", string(o.b), "authorized", string(o.b), "authorized", string(third)).is(409)
	late.says("The list was changed meanwhile.", "Authorized meanwhile: Marketing", "Revoked meanwhile: Research", "super@acme")
	late.holds(checked(third), checked(o.a)).hides(checked(o.b))
	if o.keeper.Now().Holds(third, "qwen-turbo", catalogue.Train) {
		t.Fatal("the late edit counts")
	}
	o.post("root", path, "version", late.field("version"), "was", string(o.a), "authorized", string(o.a), "authorized", string(third)).is(303)
	for ws, want := range map[ident.Workspace]bool{o.a: true, o.b: false, third: true} {
		if o.keeper.Now().Holds(ws, "qwen-turbo", catalogue.Train) != want {
			t.Errorf("%s: not %v", ws, want)
		}
	}
}

func checked(ws ident.Workspace) string { return `value="` + string(ws) + `" checked` }

func TestAWorkspaceOfSomebodyElseCannotBeAuthorized(t *testing.T) {
	o := start(t)
	foreign := o.neighbour()["workspace"]
	path := o.at(o.home, "/models/qwen-turbo/authorize/call")
	version, before := o.get("root", path).field("version"), o.version()
	one := o.post("root", path, "version", version, "authorized", foreign).is(404)
	two := o.post("root", path, "version", version, "authorized", string(ident.NewWorkspace())).is(404)
	if plain(one, "") != plain(two, "") {
		t.Error("somebody else's workspace is told from one that never was")
	}
	o.post("root", path, "version", version, "authorized", string(o.home)).is(404)
	o.post("root", path, "version", version, "authorized", "1=1) OR (1=1").is(404)
	if o.version() != before {
		t.Error("a refused edit changed something")
	}
}

func TestARightThatAModelDoesNotOfferCannotBeGranted(t *testing.T) {
	o := start(t)
	path := o.at(o.home, "/models/qwen-max/authorize/train")
	o.post("root", path, "version", "1", "authorized", string(o.a)).is(422).says("does not offer Model Training")
}

func TestWithoutASubWorkspaceTheDialogLeadsToWorkspaceManagement(t *testing.T) {
	o := start(t)
	o.open("Fresh", "fresh")
	o.get("root@fresh", "/").is(303)
	home := o.get("root@fresh", "/").header.Get("Location")
	page := o.get("root@fresh", home+"/qwen-turbo/authorize/call").is(200).says("No sub-workspace yet")
	linkTo(t, page, "Workspace Management")
}
