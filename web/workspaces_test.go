package web_test

import (
	"fmt"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
)

func TestRootAddsAWorkspaceWithoutScripts(t *testing.T) {
	o := start(t)
	o.get("root", "/workspaces").is(200).says("Workspace Management", "2 of 10 used", "Default Workspace", "Marketing", "Research", "Add Workspace").
		holds(string(o.a), `aria-label="Copy Workspace ID of Marketing"`)
	o.get("root", "/workspaces/new").is(200).says("Add Workspace", "Workspace Name", "OK", "Cancel").holds("<html", "<dialog", `action="/workspaces"`)
	o.post("root", "/workspaces", "name", " Field   sales ").to("/workspaces")
	o.get("root", "/workspaces").says("Field sales", "3 of 10 used", "Workspace Field sales added")
	if strings.Contains(words(o.get("root", "/workspaces").body), "Workspace Field sales added") {
		t.Error("what happened is said twice")
	}
}

func TestAScriptGetsPartsOfWorkspaceManagement(t *testing.T) {
	o := start(t)
	dialog := o.ask("root", "GET", "/workspaces/new", nil, part).is(200)
	dialog.holds("<dialog").hides("<html", "<table")
	wrong := o.ask("root", "POST", "/workspaces", fieldsOf([]string{"name", "marketing"}), part).is(409)
	wrong.holds("<dialog", `value="marketing"`, `aria-invalid="true"`).says("There is already a workspace named").hides("<html")
	done := o.ask("root", "POST", "/workspaces", fieldsOf([]string{"name", "Sales"}), part).is(200)
	done.holds(`hx-target="#workspaces"`, `hx-target="#side"`, "data-toast").says("Workspace Sales added", "3 of 10 used").hides("<html")
	list := o.ask("root", "GET", "/workspaces?q=sal", nil, part).is(200)
	list.holds("<table").says("Sales").hides("<html", "Marketing")
	back := o.ask("root", "GET", "/workspaces", nil, map[string]string{"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"})
	back.is(200).holds("<html")
}

func TestANameIsKeptWithItsMistake(t *testing.T) {
	o := start(t)
	long := strings.Repeat("x", 31)
	o.post("root", "/workspaces", "name", long).is(422).holds(`value="`+long+`"`, "<html").says("at most 30 characters")
	o.post("root", "/workspaces", "name", "  ").is(422).says("Give the workspace a name")
	o.post("root", "/workspaces", "name", "DEFAULT workspace").is(409).says("There is already a workspace named")
}

func TestAtTheLimitTheButtonSaysWhyItIsOff(t *testing.T) {
	o := start(t)
	for i := range 8 {
		o.add(fmt.Sprint("Team ", i))
	}
	o.get("root", "/workspaces").says("10 of 10 used", "All 10 workspaces are in use.").holds(`disabled aria-describedby="add-off"`)
	o.post("root", "/workspaces", "name", "One more").is(409).holds(`value="One more"`)
}

func TestRenamingKeepsTheID(t *testing.T) {
	o := start(t)
	edit := "/workspaces/" + string(o.a) + "/edit"
	version := o.get("root", edit).is(200).says("Edit Workspace", string(o.a)).field("version")
	o.post("root", edit, "name", "Brand", "version", version).to("/workspaces")
	o.get("root", "/workspaces").says("Brand", string(o.a)).hides(">Marketing<")
}

func TestTheSecondOfTwoWhoRenameIsTold(t *testing.T) {
	o := start(t)
	edit := "/workspaces/" + string(o.a) + "/edit"
	version := o.get("root", edit).field("version")
	o.post("super", edit, "name", "Brand", "version", version).is(303)
	late := o.post("root", edit, "name", "Publicity", "version", version).is(409)
	late.says("This workspace was changed meanwhile.", "Brand").holds(`value="Publicity"`)
	o.post("root", edit, "name", "Publicity", "version", late.field("version")).is(303)
	o.get("root", "/workspaces").says("Publicity")
	o.post("root", edit, "name", "Whatever", "version", "no number").is(409)
}

func TestAWorkspaceIsDeletedOnceItIsEmpty(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "in the way")
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	o.authorize("qwen-turbo", catalogue.Deploy, o.a)
	path := "/workspaces/" + string(o.a) + "/delete"
	refused := o.get("root", path).is(200).says("Marketing cannot be deleted yet", "1 API key", "2 authorizations to use a model", "3 members")
	refused.holds(`href="/workspaces/` + string(o.a) + `/keys"`)
	o.ask("root", "GET", path, nil, part).is(200).hides(`action="` + path + `"`)
	o.post("root", path).is(409).says("1 API key")
	o.must(o.config.Keys.Delete(t.Context(), o.root, o.a, k.ID))
	o.post("root", path).is(409).hides("API key</a>")

	empty := o.add("Empty")
	path = "/workspaces/" + string(empty) + "/delete"
	o.get("root", path).is(200).says("Delete Empty?", "This stops working").holds(`action="` + path + `"`)
	o.post("root", path).to("/workspaces")
	o.get("root", "/workspaces").says("Workspace Empty deleted")
	o.get("root", "/workspaces/"+string(empty)+"/models").is(404)
	o.post("root", "/workspaces/"+string(o.home)+"/delete").is(403).says("The Default Workspace cannot be deleted.")
}

func TestARAMUserSeesTheirWorkspacesAndOnlyAnAdministratorTheID(t *testing.T) {
	o := start(t)
	seen := o.get("alice", "/workspaces").is(200).says("Marketing", string(o.a), "administers Marketing", "alice@acme")
	seen.hides("Research", "Default Workspace", "Add Workspace", ">Edit<", ">Delete<", "/account/providers", "/account/settings")
	member := o.get("bob", "/workspaces").is(200).says("Marketing", "member of Marketing", "Not shown to you")
	member.hides(">"+string(o.a)+"<", "Research")
	o.get("bob", "/workspaces/"+string(o.a)+"/models").is(200).hides(o.at(o.a, "/keys"), "/usage", `data-copy="`+string(o.a))
	o.get("carol", "/workspaces/"+string(o.a)+"/models").is(200).holds("/workspaces/" + string(o.a) + "/keys")
}

func TestTheFrameSaysWhoIsLoggedOnAndWhereThingsAre(t *testing.T) {
	o := start(t)
	o.config.CloudName = "Contoso Cloud"
	o.serve()
	page := o.get("root", "/workspaces/"+string(o.a)+"/models").is(200)
	page.says("Manage Contoso Cloud Account", "Account owner (root)", "root@acme", "API Keys", "Log Off", "Workspace Details", "Models", "Usage")
	page.holds(`aria-label="Account"`, `aria-current="page"`, "/static/console.", string(o.a))
	details := o.get("root", "/workspaces/"+string(o.a)+"/details").is(200)
	details.says("https://models.example.com/w/"+string(o.a)+"/compatible-mode/v1", "https://models.example.com/w/"+string(o.a)+"/api/v1", "Copy Workspace ID"[5:])
	o.get("root", "/workspaces/"+string(o.a)).to("/workspaces/" + string(o.a) + "/models")
}

func TestOfManyAdministratorsTheFirstAreNamed(t *testing.T) {
	o := start(t)
	ws := o.add("Crowded")
	for i := range 9 {
		o.hire(ident.LogOn(fmt.Sprint("head", i)), access.Regular, ws, access.Administrator, nil)
	}
	o.get("root", "/workspaces?q=Crowded").is(200).says("head4, and 4 more").hides("head5")
}

func TestLongListsAreWalkedThroughPageByPage(t *testing.T) {
	o := start(t)
	a, err := o.config.Accounts.Current(t.Context(), o.root)
	o.must(err)
	a.Settings.WorkspaceLimit = 200
	o.must(o.config.Accounts.ChangeSettings(t.Context(), o.root, a.Settings, a.Version))
	for i := range 120 {
		o.add(fmt.Sprintf("Team %03d", i))
	}
	one := o.get("root", "/workspaces?q=team").is(200).says("1–50", "Team 000", "Team 049")
	two := o.get("root", linkTo(t, one, "Next")).is(200).says("51–100", "Team 050", "Team 099")
	three := o.get("root", linkTo(t, two, "Next")).is(200).says("101–120", "Team 119")
	back := o.get("root", linkTo(t, three, "Previous")).is(200).says("51–100", "Team 050")
	o.get("root", linkTo(t, back, "Previous")).is(200).says("1–50")
	o.get("root", "/workspaces?after=nonsense").is(422)
	o.get("root", "/workspaces?q=%00").is(200)
	o.get("root", "/workspaces?q="+strings.Repeat("%25_", 400)).is(200).says("Nothing found")
}
