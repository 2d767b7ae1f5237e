// Package views_test holds what is true of every screen.
package views_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"bailiwick/views/faults"
	"bailiwick/views/keys"
	"bailiwick/views/layout"
	"bailiwick/views/logon"
	"bailiwick/views/models"
	"bailiwick/views/providers"
	"bailiwick/views/settings"
	"bailiwick/views/setup"
	"bailiwick/views/ui"
	"bailiwick/views/usage"
	"bailiwick/views/workspaces"
)

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// hostile is what a person might type to break out of a page.
const hostile = `"><script>alert(1)</script><b style="x" onclick="y">`

var chrome = layout.Chrome{
	Title: "T", Cloud: "Alibaba Cloud", HomeURL: "/", PlainHTTP: true, Toast: hostile,
	Who:          layout.Who{Name: hostile, LogOn: "alice@acme", Role: "RAM user"},
	Workspace:    &layout.Workspace{Name: hostile, ID: "llm-1", BaseURLs: []layout.BaseURL{{Label: "OpenAI", URL: "http://x/v1"}}, Curl: hostile},
	Workspaces:   []layout.WorkspaceLink{{Name: hostile, URL: "/w/1", Current: true}},
	WorkspaceNav: []layout.NavItem{{Key: "models", Label: "Models", URL: "/m", Current: true}, {Key: "members", Label: "Members"}},
	AccountNav:   []layout.NavItem{{Key: "workspaces", Label: "Workspace Management", URL: "/w"}},
	Menu:         layout.AccountMenu{ManageURL: "/w", KeysURL: "/k", LogOffURL: "/off"},
	Assets:       layout.Assets{Styles: []string{"/a.css"}, Theme: "/t.js", Scripts: []string{"/c.js"}, HTMX: "/h.js"},
}

var (
	workspaceList = workspaces.ListProps{URL: "/w", Search: hostile, Rows: []workspaces.Row{
		{Name: "Default Workspace", Default: true, ID: "llm-0", EnterURL: "/e", EditURL: "/w/0/edit"},
		{Name: hostile, ID: "llm-1", Administrators: []string{"alice"}, EnterURL: "/e", EditURL: "/w/1/edit", DeleteURL: "/w/1/delete"},
	}, Pager: ui.Pager{NextURL: "/w?after=1"}}
	workspaceIndex = workspaces.IndexProps{Chrome: chrome, AddURL: "/w/new", Used: "1 of 10 used", List: workspaceList}
	rights         = models.RightsProps{Default: true, Rows: []models.Right{
		{Capability: "Model Calling", State: models.Authorized, Authorized: []string{hostile}, AuthorizeURL: "/m/1/call"},
		{Capability: "Model Training"},
	}}
	choices  = []models.Choice{{ID: "llm-1", Name: "Marketing", Authorized: true, Was: true}, {ID: "llm-2", Name: hostile}}
	keyList  = keys.ListProps{URL: "/k", Rows: []keys.Row{{Description: hostile, ID: "key-1", State: "Enabled", ViewURL: "/k/1", DisableURL: "/k/1/disable", EnableURL: "/k/1/enable"}}}
	keyTerms = keys.TermsProps{Description: hostile, DescriptionError: "No.", Custom: true, OnlyModels: true, Models: []keys.Model{{ID: "m", Name: hostile, Note: hostile}}, Networks: hostile, NetworksError: "No.", ExpiresError: "No."}
	keyBody  = keys.BodyProps{ID: "key-1", State: "Enabled", Why: hostile, Creator: hostile, Models: []keys.Model{{Name: hostile}}, Networks: []string{hostile}, EditURL: "/k/1/edit", ResetURL: "/k/1/reset", EnableURL: "/k/1/enable", DeleteURL: "/k/1/delete"}
	offered  = providers.IndexProps{Chrome: chrome, Offers: []providers.Offer{{Name: "Ollama", AcceptURL: "/o"}}, List: providers.ListProps{URL: "/p", Rows: []providers.Row{{Name: hostile, BaseURL: "http://x", TestURL: "/p/1/test", DeleteURL: "/p/1/delete"}}}}
	config   = settings.IndexProps{Chrome: chrome, Action: "/s", Limit: hostile, LimitError: "No."}
	fault    = faults.Props{Status: 403, Title: hostile, WhyURL: "/why", RequestID: "r"}
	confirm  = ui.Confirm{Title: hostile, Action: "/do", Button: "Delete", Stops: []string{hostile}, Version: "1", Tone: ui.Bad}
)

// screens are all of them, with everything shown that can be.
func screens() map[string]templ.Component {
	bare := layout.BareProps{Title: "T", PlainHTTP: true}
	return map[string]templ.Component{
		"log-on":            logon.Index(logon.IndexProps{Bare: bare, Action: "/logon", Account: hostile, Error: "No.", Next: "/x"}),
		"set-up":            setup.Index(setup.IndexProps{Bare: bare, Action: "/setup", Company: hostile, AliasError: "No."}),
		"fault page":        faults.Page(faults.PageProps{Chrome: chrome, Fault: fault}),
		"fault, bare":       faults.Bare(faults.BareProps{Bare: bare, Fault: fault}),
		"fault part":        faults.Part(fault),
		"workspaces":        workspaces.Index(workspaceIndex),
		"workspace added":   workspaces.Changed(workspaces.ChangedProps{Index: workspaceIndex, Toast: hostile}),
		"add workspace":     workspaces.AddDialog(workspaces.AddProps{Action: "/w/new", Name: hostile, NameError: "No."}),
		"edit workspace":    workspaces.EditDialog(workspaces.EditProps{Action: "/w/1", Name: hostile, Version: "1", Conflict: &workspaces.Conflict{By: hostile}}),
		"delete workspace":  workspaces.DeleteDialog(workspaces.DeleteProps{Action: "/w/1/delete", Name: hostile}),
		"refuse to delete":  workspaces.DeleteDialog(workspaces.DeleteProps{Name: hostile, Refusal: "No.", Remains: []ui.Remain{{Text: hostile, URL: "/k"}}}),
		"workspace details": workspaces.Details(workspaces.DetailsProps{Chrome: chrome, Workspace: *chrome.Workspace}),
		"models":            models.Index(models.IndexProps{Chrome: chrome, Workspace: hostile, List: models.ListProps{URL: "/m", Rows: []models.Row{{Name: hostile, ID: "m", ViewURL: "/m/1", Call: models.Authorized}}}}),
		"model panel":       models.Panel(models.PanelProps{Name: hostile, URL: "/m/1", Rights: rights, Samples: []ui.Sample{{Dialect: "OpenAI", Language: "curl", Code: hostile}}}),
		"authorize":         models.AuthorizeDialog(models.AuthorizeProps{Capability: "Model Calling", Action: "/m/1/call", Version: "7", Workspaces: choices, Conflict: &models.Conflict{Granted: []string{hostile}}}),
		"authorized":        models.AuthorizedDone(models.AuthorizedProps{Rights: rights, Toast: hostile}),
		"keys":              keys.Index(keys.IndexProps{Chrome: chrome, Workspace: hostile, CreateURL: "/k/new", List: keyList}),
		"create key":        keys.CreateDialog(keys.CreateProps{Action: "/k/new", Terms: keyTerms}),
		"edit key":          keys.EditDialog(keys.EditProps{Action: "/k/1/edit", Title: hostile, Version: "1", Terms: keyTerms, Notice: &ui.Notice{Text: hostile}}),
		"key panel":         keys.Panel(keys.PanelProps{URL: "/k/1", Title: hostile, Body: keyBody}),
		"reset key":         keys.ResetDialog(keys.ResetProps{Action: "/k/1/reset", Overlaps: []ui.Option{{Label: hostile}}, Error: "No.", Stops: []string{hostile}}),
		"key created":       keys.CreatedDialog(keys.CreatedProps{Secret: "sk-ws-1", Curl: hostile, Changed: &keys.ChangedProps{List: keyList, Body: &keyBody}}),
		"delete key":        keys.DeleteDialog(confirm),
		"providers":         providers.Index(offered),
		"provider form":     providers.FormPage(providers.FormProps{Chrome: chrome, Action: "/p/1", TestURL: "/p/test", Name: hostile, HasCredential: true, Test: &providers.TestProps{Text: hostile}}),
		"served models":     providers.ServedPage(providers.ServedProps{Chrome: chrome, Action: "/p/1/served", Rows: []providers.Served{{Model: "m", Name: hostile, Error: "No."}}, Choices: []ui.Option{{Label: hostile}}}),
		"import models":     providers.ImportPage(providers.ImportProps{Chrome: chrome, Action: "/p/1/import", Rows: []providers.Remote{{ID: hostile, Error: "No."}}}),
		"usage":             usage.Index(usage.IndexProps{Chrome: chrome, Of: hostile, Filter: usage.FilterProps{URL: "/u", From: hostile, Kept: []usage.Kept{{Name: "model", Value: hostile}}}, Report: usageReport}),
		"call":              usage.Panel(usage.PanelProps{URL: "/c", RequestID: "r", Status: 500, Estimated: true, Facts: []usage.Fact{{Label: "Model", Text: hostile, ID: true}, {Label: "x"}}}),
		"settings":          settings.Index(config),
	}
}

func TestNoScreenHoldsWhatTheContentPolicyForbids(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<[^>]*\s(style|on[a-z]+|hx-on[^=]*)=|<style|<script>|<b\s`)
	quoted := regexp.MustCompile(`"[^"]*"`) // what stands there is only a value
	for name, screen := range screens() {
		page := render(t, screen)
		if strings.Contains(page, "javascript:") {
			t.Errorf("%s leads to a script", name)
		}
		if found := forbidden.FindString(quoted.ReplaceAllString(page, `""`)); found != "" {
			t.Errorf("%s holds %s", name, found)
		}
	}
}

func TestEveryScriptedFormIsATrueForm(t *testing.T) {
	form := regexp.MustCompile(`<form[^>]*>`)
	attr := func(tag, name string) string {
		m := regexp.MustCompile(`\s` + name + `="([^"]*)"`).FindStringSubmatch(tag)
		if m == nil {
			return ""
		}
		return m[1]
	}
	for name, screen := range screens() {
		for _, tag := range form.FindAllString(render(t, screen), -1) {
			for verb, method := range map[string]string{"hx-post": "post", "hx-get": "get"} {
				url := attr(tag, verb)
				if url != "" && (attr(tag, "method") != method || attr(tag, "action") != url) {
					t.Errorf("%s: without scripts this form does something else: %s", name, tag)
				}
			}
		}
	}
}

func TestNoIDStandsTwiceOnAPage(t *testing.T) {
	id := regexp.MustCompile(`\sid="([^"]*)"`)
	for name, screen := range screens() {
		seen := map[string]bool{}
		for _, m := range id.FindAllStringSubmatch(render(t, screen), -1) {
			if m[1] == "" || seen[m[1]] {
				t.Errorf("%s has the id %q twice or empty", name, m[1])
			}
			seen[m[1]] = true
		}
	}
}

func TestWhatMayNotBeDoneIsNotShown(t *testing.T) {
	p := workspaceIndex
	p.AddURL = ""
	p.Chrome.Menu = layout.AccountMenu{}
	p.Chrome.Toast = ""
	page := render(t, workspaces.Index(p))
	for _, absent := range []string{"Add Workspace", "Log Off", "Manage Alibaba Cloud Account</a>", "Members"} {
		if strings.Contains(page, absent) {
			t.Errorf("the page shows %q", absent)
		}
	}
	p.AddOff = "All 10 workspaces are in use."
	page = render(t, workspaces.Index(p))
	if !strings.Contains(page, `disabled aria-describedby="add-off"`) || !strings.Contains(page, p.AddOff) {
		t.Error("the button that is off does not say why")
	}
}

func TestAnAuthorizationCanBePostedWithoutScripts(t *testing.T) {
	page := render(t, models.AuthorizeDialog(models.AuthorizeProps{Capability: "Model Calling", Action: "/m/1/call", Version: "7", Workspaces: choices}))
	for _, want := range []string{
		`Model Calling authorization</h2>`, `Unauthorized Sub-workspaces</h3>`, `Authorized Sub-workspaces</h3>`,
		`aria-label="Authorize selected"`, `aria-label="Revoke selected"`,
		`name="version" value="7"`, `name="was" value="llm-1"`,
		`name="authorized" value="llm-1" checked`, `name="authorized" value="llm-2">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the dialog lacks %s", want)
		}
	}
}

func TestAMistakeStandsBesideItsField(t *testing.T) {
	page := render(t, workspaces.AddDialog(workspaces.AddProps{Action: "/w", Name: "typed", NameError: "That name is taken."}))
	for _, want := range []string{`value="typed"`, `aria-invalid="true"`, `aria-describedby="f-name-note"`, `id="f-name-note"`, "That name is taken."} {
		if !strings.Contains(page, want) {
			t.Errorf("the dialog lacks %s", want)
		}
	}
}
