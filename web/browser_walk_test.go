package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

func TestBrowserRootWalksThroughTheDocument(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.open("/")
	b.sees("Log on")
	b.examine("log-on page")
	b.fill("textbox", "Account", "root@acme")
	b.fill("textbox", "Password", "wrong")
	b.click("button", "Log on")
	b.sees("The account or the password is wrong.")
	b.examine("log-on refused")
	b.fill("textbox", "Password", password)
	b.click("button", "Log on")

	b.hover("button", "Account")
	b.sees("root@acme", "Account owner (root)")
	b.examine("account menu")
	b.click("link", "Manage Alibaba Cloud Account")
	b.sees("Workspace Management", "2 of 10 used")
	b.examine("Workspace Management")

	b.click("button", "Add Workspace")
	b.find("dialog", "Add Workspace")
	b.examine("Add Workspace")
	b.click("button", "OK")
	b.sees("Give the workspace a name")
	b.examine("Add Workspace with a mistake")
	b.fill("textbox", "Workspace Name", "Sales")
	b.click("button", "OK")
	b.gone("dialog", "Add Workspace")
	b.sees("Sales", "3 of 10 used")
	b.find("button", "Copy Workspace ID of Sales")

	b.click("button", "Workspace")
	b.examine("workspace drop-down")
	b.click("link", "Default Workspace Default")
	b.isAt(o.at(o.home, "/models"))
	b.click("button", "Workspace Details")
	b.sees(string(o.home), b.base+"/w/"+string(o.home)+"/compatible-mode/v1")
	b.examine("Workspace Details")
	b.click("link", "Models")
	b.fill("searchbox", "Search models", "turbo")
	b.sees("1 model", "Qwen-Turbo")
	b.examine("Models")

	b.click("link", "View")
	b.isAt(o.at(o.home, "/models/qwen-turbo"))
	b.find("dialog", "Qwen-Turbo")
	b.sees("131,072 tokens", "Model Calling", "Model Training", "Model Deployment")
	b.examine("panel")
	for _, right := range []catalogue.Capability{catalogue.Call, catalogue.Train, catalogue.Deploy} {
		b.authorize(right, "Sales")
	}
	for _, right := range catalogue.All {
		if now := o.keeper.Now(); !now.Holds(b.named("Sales"), "qwen-turbo", right) || now.Holds(o.a, "qwen-turbo", right) {
			t.Errorf("%s is not with Sales alone", right.Title())
		}
	}
	b.key(kb.Escape)
	b.isAt(o.at(o.home, "/models"))
	b.gone("dialog", "Qwen-Turbo")
}

// authorize lets a workspace use the model whose panel is open.
func (b *tab) authorize(right catalogue.Capability, name string) {
	b.t.Helper()
	b.click("button", "Authorize "+right.Title())
	b.find("dialog", right.Title()+" authorization")
	b.find("listbox", "Unauthorized Sub-workspaces")
	b.examine(right.Title() + " authorization")
	b.click("option", name)
	b.click("button", "Authorize selected")
	b.examine("one to be authorized")
	b.click("button", "OK")
	b.gone("dialog", right.Title()+" authorization")
	b.sees("1 workspace authorized")
}

// named is the id of a workspace of the company.
func (o *company) named(name string) ident.Workspace {
	o.t.Helper()
	found, _, err := o.config.Workspaces.List(o.t.Context(), o.root, workspace.Filter{Search: name, Limit: 1})
	o.must(err)
	return found[0].ID
}

func TestBrowserAnAdministratorSeesTheirOwnWorkspace(t *testing.T) {
	t.Parallel()
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	b := o.chrome(t)
	b.logOn("alice")
	b.isAt(o.at(o.a, "/models"))
	b.sees("Marketing")
	b.seesNot("Research", "Default Workspace", "Providers")
	b.examine("Models of a sub-workspace")
	b.open(o.at(o.a, "/models/qwen-turbo"))
	b.sees("Authorized", "Not authorized", "Only the account owner or a super administrator can change this")
	b.examine("panel loaded as a page")
	b.click("button", "Close")
	b.isAt(o.at(o.a, "/models"))

	b.click("link", "API Keys")
	b.sees("No API keys yet")
	b.examine("API Keys, empty")
	b.click("button", "Create API Key")
	b.find("dialog", "Create API Key")
	b.examine("Create API Key")
	b.fill("textbox", "Description", "the newsletter")
	b.click("radio", "Custom Narrower than the workspace: some models, some addresses. Never wider.")
	b.click("radio", "Only these Whatever else the workspace may call.")
	b.fill("searchbox", "Search models", "turbo")
	b.sees("qwen-turbo")
	b.examine("Create API Key, custom")
	b.click("checkbox", "Qwen-Turbo qwen-turbo")
	b.fill("textbox", "Addresses", "10.0.0.0/8, all of it")
	b.click("button", "OK")
	b.sees("line 1 (\"10.0.0.0/8, all of it\")")
	b.examine("Create API Key with a mistake")
	b.fill("textbox", "Addresses", "10.0.0.0/8")
	b.click("button", "OK")
	b.find("dialog", "API key created")
	b.sees("You will not see it again", string(o.a))
	text := secretForm.FindString(eval[string](b, "document.body.innerText"))
	if text == "" {
		t.Fatal("no secret is shown")
	}
	b.examine("API key created")
	b.click("button", "Done")
	b.gone("dialog", "API key created")
	b.sees("the newsletter", "alice@acme", "Enabled")
	b.examine("API Keys")
	b.click("link", "View")
	b.find("dialog", "the newsletter")
	b.sees("Only 1", "Qwen-Turbo", "10.0.0.0/8")
	b.examine("panel of an API key")
	b.click("button", "Reset")
	b.sees("Reset this API key?")
	b.examine("Reset this API key")
	b.click("button", "Reset")
	b.find("dialog", "API key reset")
	if again := secretForm.FindString(eval[string](b, "document.body.innerText")); again == "" || again == text {
		t.Error("there is no new secret")
	}
	b.click("button", "Done")
	b.gone("dialog", "API key reset")
	b.click("button", "Edit")
	b.find("dialog", "Edit API Key")
	b.examine("Edit API Key")
	b.fill("textbox", "Description", "the newsletter of May")
	b.click("button", "OK")
	b.gone("dialog", "Edit API Key")
	b.sees("by alice@acme, a moment ago")
	for _, act := range []string{"Disable", "Enable", "Delete"} {
		b.click("button", act)
		if act != "Enable" {
			b.sees(act + " this API key?")
			b.examine(act + " this API key")
			b.click("button", act)
		}
		b.sees("API key " + strings.ToLower(act) + "d")
	}
	b.open(o.at(o.a, "/keys"))
	if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), text) {
		t.Error("the secret is shown again")
	}

	o.called(o.a, "", "qwen-turbo", 5)
	b.click("link", "Usage")
	b.sees("Calls", "qwen-turbo", "Model.AccessDenied")
	b.examine("Usage")
	b.click("button", "Account")
	b.sees("alice@acme", "administers Marketing")
	b.click("link", "Manage Alibaba Cloud Account")
	b.sees("Workspace Management", string(o.a))
	b.seesNot("Add Workspace", "Research")
	b.examine("Workspace Management of an administrator")
}

func TestBrowserRegularUsersSeeWhatTheyWereGranted(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.logOn("bob")
	b.isAt(o.at(o.a, "/models"))
	b.gone("link", "Usage")
	b.open("/workspaces")
	b.sees("Marketing")
	b.seesNot(string(o.a), "Research")
	b.open(o.at(o.a, "/usage"))
	b.sees("403", "You may not open this page.")
	b.examine("refused")
	b.open(o.at(o.b, "/models"))
	b.sees("404", "There is no such workspace.")
	b.examine("missing")
	b.click("button", "Account")
	b.click("button", "Log Off")
	b.sees("You have logged off.")

	b.logOn("carol")
	b.find("link", "API Keys")
	b.gone("link", "Usage")
}

func TestBrowserRootRunsTheAccount(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.logOn("root")
	b.click("link", "Providers")
	b.sees("No providers yet")
	b.click("link", "Add provider")
	b.fill("textbox", "Name", "vLLM")
	b.fill("textbox", "Base URL", "http://127.0.0.1:9/v1")
	b.fill("textbox", "Credential", "sk-canary")
	b.click("button", "Test connection")
	b.sees("Connected in", "It names 2 models.")
	b.examine("provider form")
	b.click("button", "Save")
	b.sees("Import models from vLLM", "my-model:7b")
	b.examine("import")
	b.click("checkbox", "my-model:7b")
	b.click("button", "Import")
	b.sees("1 model imported")
	b.examine("served models")
	b.click("link", "Providers")
	b.click("button", "Test connection")
	b.sees("vLLM answers and names 2 models", "Reachable")
	b.examine("Providers")
	b.click("button", "Delete")
	b.sees("Delete vLLM?")
	b.examine("Delete a provider")
	b.click("button", "Delete")
	b.sees("No providers yet")

	b.click("link", "Settings")
	b.fill("spinbutton", "Workspace limit", "-1")
	b.click("button", "Save")
	b.sees("whole number")
	b.examine("Settings with a mistake")
	b.fill("spinbutton", "Workspace limit", "3")
	b.click("button", "Save")
	b.sees("Settings saved")

	k := o.key(o.root, o.a, "in the way")
	b.click("link", "Workspace Management")
	b.click("button", "Delete", "Marketing")
	b.sees("Marketing cannot be deleted yet", "1 API key")
	b.examine("a workspace that cannot go")
	b.click("link", "1 API key")
	b.isAt(o.at(o.a, "/keys"))
	b.open("/account/keys")
	b.sees("in the way", string(k.ID))
	b.examine("API Keys of the account")
	b.open("/workspaces")
	b.click("button", "Edit", "Marketing")
	b.fill("textbox", "Workspace Name", "Brand")
	b.examine("Edit Workspace")
	b.key(kb.Enter)
	b.sees("Brand")
}

func TestBrowserTheSecondOfTwoAdministratorsLosesNothing(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.logOn("root")
	b.open(o.at(o.home, "/models/qwen-turbo"))
	b.click("button", "Authorize Model Calling")
	b.click("option", "Research")
	b.click("button", "Authorize selected")
	o.authorize("qwen-turbo", catalogue.Call, o.a) // somebody else was faster
	b.click("button", "OK")
	b.sees("The list was changed meanwhile.", "Authorized meanwhile: Marketing")
	b.examine("authorization changed meanwhile")
	b.click("button", "OK")
	b.gone("dialog", "Model Calling authorization")
	for _, ws := range []ident.Workspace{o.a, o.b} {
		if !o.keeper.Now().Holds(ws, "qwen-turbo", catalogue.Call) {
			t.Errorf("%s lost its right", ws)
		}
	}
}

func TestBrowserTheKeyboardAloneIsEnough(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.open("/")
	b.tabTo("textbox", "Account")
	b.key("root@acme" + kb.Tab + password + kb.Enter)
	b.find("button", "Account")
	b.tabTo("button", "Account")
	b.key(kb.Enter)
	b.sees("Manage Alibaba Cloud Account")
	b.tabTo("link", "Manage Alibaba Cloud Account")
	b.key(kb.Enter)
	b.tabTo("button", "Add Workspace")
	b.key(kb.Enter)
	b.find("dialog", "Add Workspace")
	b.key("Sales" + kb.Enter)
	b.sees("3 of 10 used")
	b.until("the focus to return", func() bool { return b.focused("button", "Add Workspace") })

	b.open(o.at(o.home, "/models?q=qwen-turbo"))
	b.tabTo("link", "View")
	b.key(kb.Enter)
	b.find("dialog", "Qwen-Turbo")
	b.tabTo("button", "Authorize Model Calling")
	b.key(kb.Enter)
	b.find("dialog", "Model Calling authorization")
	b.tabTo("option", "Marketing")
	for !b.focused("option", "Sales") {
		b.key(kb.ArrowDown)
	}
	b.key(" ")
	b.tabTo("button", "Authorize selected")
	b.key(kb.Enter)
	b.tabTo("button", "OK")
	b.key(kb.Enter)
	b.gone("dialog", "Model Calling authorization")
	if !o.keeper.Now().Holds(b.named("Sales"), "qwen-turbo", catalogue.Call) {
		t.Error("Sales was not authorized")
	}
	b.until("the focus to return", func() bool { return b.focused("button", "Authorize Model Calling") })
	b.key(kb.Escape)
	b.gone("dialog", "Qwen-Turbo")
}

// focused reports whether the focus, or the choice inside what has it, is on
// the thing with a role and a name.
func (b *tab) focused(role, name string) bool {
	b.t.Helper()
	for _, n := range b.nodes(role, name, "") {
		for _, p := range n.Properties {
			if p.Name == "focused" && string(p.Value.Value) == "true" {
				return true
			}
		}
	}
	return false
}

// tabTo presses the Tab key until the thing has the focus.
func (b *tab) tabTo(role, name string) {
	b.t.Helper()
	b.find(role, name)
	for range 150 {
		if b.focused(role, name) {
			return
		}
		b.key(kb.Tab)
	}
	b.t.Fatalf("the Tab key does not reach the %s %q", role, name)
}
