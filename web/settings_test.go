package web_test

import "testing"

func TestSettingsAreChanged(t *testing.T) {
	o := start(t)
	page := o.get("root", "/account/settings").is(200).says("Settings", "Require the workspace to be named", "Workspace limit", "2 in use.").holds(`value="10"`, "checked")
	o.post("root", "/account/settings", "version", page.field("version"), "workspace_limit", "3").to("/account/settings")
	changed := o.get("root", "/account/settings").says("Settings saved").holds(`value="3"`).hides("name=\"require_workspace\" checked")
	done := o.ask("root", "POST", "/account/settings", fieldsOf([]string{"version", changed.field("version"), "workspace_limit", "4", "require_workspace", "on"}), part).is(200)
	done.holds(`hx-target="#settings"`).says("Settings saved").hides("<html")
	o.get("root", "/workspaces").says("2 of 4 used")
}

func TestSettingsKeepWhatWasTypedWithItsMistake(t *testing.T) {
	o := start(t)
	version := o.get("root", "/account/settings").field("version")
	o.post("root", "/account/settings", "version", version, "workspace_limit", "many").is(422).holds(`value="many"`).says("whole number")
	o.post("root", "/account/settings", "version", version, "workspace_limit", "-1").is(422).holds(`value="-1"`)
	o.post("super", "/account/settings", "version", version, "workspace_limit", "20").is(303)
	late := o.ask("root", "POST", "/account/settings", fieldsOf([]string{"version", version, "workspace_limit", "30"}), part).is(409)
	late.says("The settings were changed meanwhile.").holds(`value="30"`).hides("<html")
	o.post("root", "/account/settings", "version", late.field("version"), "workspace_limit", "30").is(303)
}

func TestTheLimitOfKeysIsASetting(t *testing.T) {
	o := start(t)
	page := o.get("root", "/account/settings").is(200).says("API keys per workspace").holds(`value="50"`)
	o.post("root", "/account/settings", "version", page.field("version"), "workspace_limit", "10", "key_limit", "few").is(422).holds(`value="few"`).says("whole number")
	o.post("root", "/account/settings", "version", page.field("version"), "workspace_limit", "10", "key_limit", "100001").is(422).says("from 0 to 100000")
	o.post("root", "/account/settings", "version", page.field("version"), "workspace_limit", "10", "key_limit", "1").is(303)
	o.key(o.root, o.a, "the only one")
	o.post("alice", o.at(o.a, "/keys"), "description", "one more").is(409).says("may hold 1 API keys", "Settings")
	// A form that does not speak of it leaves it as it is.
	o.post("root", "/account/settings", "version", "2", "workspace_limit", "9").is(303)
	o.get("root", "/account/settings").holds(`name="key_limit" type="number" value="1"`)
}
