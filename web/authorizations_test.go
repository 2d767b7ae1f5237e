package web_test

import (
	"strconv"
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/grant"
)

func TestTheMatrixShowsWhatThePolicyDecides(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	o.authorize("qwen-turbo", catalogue.Train, o.a, o.b)
	page := o.get("super", "/account/authorizations?q=qwen-turbo").is(200)
	page.says("Model Authorizations", "Default Workspace: Model Calling, Model Training, Model Deployment", "Marketing: Model Calling, Model Training", "Research: Model Training", "1 model")
	o.get("super", "/account/authorizations?q=qwen-max").is(200).says("Marketing: nothing")
	o.get("super", "/account/authorizations?q=no-such").is(200).says("Nothing found", "Show all models")
	o.ask("super", "GET", "/account/authorizations?q=turbo", nil, part).is(200).holds(`id="matrix"`).hides("<html")
	o.get("alice", "/account/authorizations").is(403).holds(`href="/access"`)
}

func TestFromTheMatrixADialogLeadsBackToIt(t *testing.T) {
	o := start(t)
	path := o.at(o.home, "/models/qwen-turbo/authorize/call?from=authorizations")
	o.get("root", "/account/authorizations?q=qwen-turbo").holds(`hx-get="` + path + `"`)
	dialog := o.get("root", path).is(200).says("Model Calling authorization", "Model Authorizations").holds(`data-back="/account/authorizations"`)
	o.post("root", path, "version", dialog.field("version"), "authorized", string(o.a)).to("/account/authorizations")
	o.get("root", "/account/authorizations?q=qwen-turbo").says("Model Calling of Qwen-Turbo: 1 workspace authorized", "Marketing: Model Calling")
	dialog = o.ask("root", "GET", path, nil, part).is(200).hides("<html")
	o.ask("root", "POST", path, fieldsOf([]string{"version", dialog.field("version"), "was", string(o.a)}), part).is(200).holds(`hx-target="#matrix"`).says("1 workspace revoked")
}

func TestTheMatrixIsCutBothWays(t *testing.T) {
	o := start(t)
	for i := range 8 {
		o.add("Department " + strconv.Itoa(i))
	}
	page := o.get("root", "/account/authorizations").is(200).says("Workspaces 1–8 of 10", "Default Workspace", "Department 7")
	if strings.Contains(words(page.body), "Research:") {
		t.Error("more than eight stand side by side")
	}
	page = o.get("root", linkTo(t, page, "Next")).is(200)
	page = o.get("root", "/account/authorizations?workspaces=2&q=qwen-turbo").is(200).says("Workspaces 9–10 of 10", "Default Workspace:", "Marketing:", "Research:")
	for _, odd := range []string{"-1", "99", "x"} {
		o.get("root", "/account/authorizations?workspaces="+odd+"&page="+odd).is(200)
	}
}

func TestWhoMayCallEveryModelStandsInNoList(t *testing.T) {
	o := start(t)
	o.must(o.config.Grants.Permit(t.Context(), o.root, o.a, grant.Permit{All: grant.Open}))
	path := o.at(o.home, "/models/qwen-turbo/authorize/call")
	dialog := o.get("root", path).is(200).says("Marketing is authorized to call every model, so it does not stand in the lists.")
	dialog.hides(`value="` + string(o.a) + `"`).holds(`value="` + string(o.b) + `"`)
	o.post("root", path, "version", dialog.field("version"), "authorized", string(o.b)).is(303)
	o.get("root", o.at(o.home, "/models/qwen-turbo")).says("Marketing", "Research")
	o.get("root", o.at(o.home, "/models/qwen-turbo/authorize/train")).is(200).holds(`value="` + string(o.a) + `"`)
}

func TestAWorkspaceIsAuthorizedForAllModelsAndThatEnds(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	o.authorize("qwen-turbo", catalogue.Train, o.a)
	path := o.at(o.a, "/authorize-all")
	o.get("root", "/account/authorizations").is(200).holds(`hx-get="` + path + `"`)
	o.get("root", path).is(200).says("Authorize all models for calling in Marketing?", "every one that is added to it later")
	o.post("root", path, "open", "yes").to("/account/authorizations")
	if now := o.keeper.Now(); !now.Holds(o.a, "qwen-max", catalogue.Call) || now.Holds(o.b, "qwen-max", catalogue.Call) || now.Holds(o.a, "qwen3-8b", catalogue.Train) {
		t.Fatal("not exactly Marketing may call every model")
	}
	o.get("root", "/account/authorizations?q=qwen-max").says("Marketing may call every model", "Marketing: authorized to call every model", "Marketing: Model Calling")
	o.post("root", o.at(o.a, "/why"), "key", string(o.key(o.root, o.a, "x").ID), "header", string(o.a), "model", "qwen-max").is(200).
		says("Marketing is authorized to call every model.", "root@acme granted Model Calling of every model")
	o.get("root", path).is(200).says("End calling of every model for Marketing?", "This stops working", "is refused at once")
	o.ask("super", "POST", path, fieldsOf([]string{"open", "no"}), part).is(200).holds(`hx-target="#matrix"`).says("may no longer call every model")
	if now := o.keeper.Now(); now.Holds(o.a, "qwen-max", catalogue.Call) || now.Holds(o.a, "qwen-turbo", catalogue.Call) || !now.Holds(o.a, "qwen-turbo", catalogue.Train) {
		t.Error("ending it leaves calling, or takes more")
	}
	o.get("root", o.at(o.home, "/authorize-all")).is(404)
	o.post("root", o.at(o.home, "/authorize-all"), "open", "yes").is(422)
}
