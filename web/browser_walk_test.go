package web_test

import (
	"testing"

	"bailiwick/internal/catalogue"
)

func TestBrowserRootWalksThroughTheDocument(t *testing.T) {
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
	b.sees("1 models", "Qwen-Turbo")
	b.examine("Models")

	b.click("link", "View")
	b.isAt(o.at(o.home, "/models/qwen-turbo"))
	b.find("dialog", "Qwen-Turbo")
	b.sees("131,072 tokens", "Model Calling", "Model Training", "Model Deployment")
	b.examine("panel")
	for _, right := range []catalogue.Capability{catalogue.Call, catalogue.Train, catalogue.Deploy} {
		b.authorize(right, "Sales")
	}
	b.must(o.keeper.Refresh(t.Context()))
	b.key("\x1b")
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
