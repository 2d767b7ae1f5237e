package web_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/store"
)

// browser is a program that follows links and sends forms as people do, and
// runs no scripts.
type browser struct {
	*company
	client *http.Client
	base   string
	place  string // where it is
	page   *answer
}

// browse opens the console over a real connection.
func (o *company) browse() *browser {
	o.t.Helper()
	o.config.PlainHTTP, o.config.WarnPlain, o.config.Sessions = true, true, o.store.Sessions(store.SessionConfig{PlainHTTP: true})
	o.config.BaseURL = ""
	o.serve()
	server := httptest.NewServer(o.server)
	o.t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	o.must(err)
	return &browser{company: o, client: &http.Client{Jar: jar}, base: server.URL}
}

func (b *browser) took(r *http.Response, err error) *browser {
	b.t.Helper()
	b.must(err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	b.must(err)
	b.place = r.Request.URL.RequestURI()
	b.page = &answer{b.t, r.Request.Method + " " + b.place, r.StatusCode, r.Header, string(body)}
	protected(b.t, b.page)
	return b
}

func (b *browser) open(path string) *browser {
	b.t.Helper()
	return b.took(b.client.Get(b.base + path))
}

// follow goes where the first link with these words leads.
func (b *browser) follow(text string) *browser {
	b.t.Helper()
	return b.open(linkTo(b.t, b.page, text))
}

// press sends the form that holds a button of this name, with what stands in
// its fields and what is typed.
func (b *browser) press(button string, typed ...string) *browser {
	b.t.Helper()
	for _, form := range slices.Backward(wholeForm.FindAllString(b.page.body, -1)) { // a dialog comes last
		if !hasButton(form, button) {
			continue
		}
		action := html.UnescapeString(attribute(form, "action"))
		fields := filled(form)
		for i := 0; i+1 < len(typed); i += 2 {
			fields.Add(typed[i], typed[i+1])
		}
		if attribute(form, "method") == "get" {
			return b.open(action + "?" + fields.Encode())
		}
		return b.took(b.client.PostForm(b.base+action, fields))
	}
	b.t.Fatalf("%s has no button %q", b.page.what, button)
	return nil
}

func (b *browser) sees(texts ...string) *browser {
	b.t.Helper()
	b.page.says(texts...)
	return b
}

func TestTheWalkThroughWorksWithoutScripts(t *testing.T) {
	o := start(t)
	b := o.browse()
	b.open("/").sees("Log on").press("Log on", "account", "root@acme", "password", password)
	b.sees("This connection is not encrypted.").follow("Manage Alibaba Cloud Account").sees("Workspace Management")
	b.press("Add Workspace").sees("Workspace Name").press("OK", "name", "Sales").sees("Workspace Sales added")
	sales := idBeside(t, b.page, "Sales")
	b.follow("Default Workspace Default").sees("Models").follow("Models")
	b.press("Apply", "q", "qwen-turbo").follow("View").sees("Model Calling", "No sub-workspace is authorized.")
	b.press("Authorize Model Calling").sees("Unauthorized Sub-workspaces", "Authorized Sub-workspaces")
	b.press("OK", "authorized", sales).sees("Model Calling of Qwen-Turbo: 1 workspace authorized", "Sales")
	if !o.keeper.Now().Holds(workspaceID(sales), "qwen-turbo", catalogue.Call) {
		t.Fatal("Sales may not call Qwen-Turbo")
	}
	b.follow("Sales").sees("Call : authorized").follow("API Keys").press("Create API Key").press("OK", "description", "crm")
	if secretForm.FindString(b.page.body) == "" || b.page.status != 201 {
		t.Fatal("no secret is shown")
	}
	b.sees(b.base+"/w/"+sales+"/compatible-mode/v1", sales)
	b.open("/account/keys").sees("crm", "Sales").press("Disable").press("Disable").sees("API key disabled").press("Enable").sees("API key enabled")
	b.press("Log Off").sees("You have logged off.")
	b.open("/account/keys?q=crm").sees("Log on").press("Log on", "account", "root@acme", "password", password).sees("crm")
}

func TestARAMUserWalksThroughTheirOwnWorkspaceOnly(t *testing.T) {
	o := start(t)
	b := o.browse()
	b.open("/").press("Log on", "account", "alice@acme", "password", password).sees("Models", "Marketing")
	b.page.hides("Research")
	b.follow("API Keys").press("Create API Key").press("OK", "description", "mine").sees("You will not see it again")
	b.open("/").follow("Usage").sees("No calls yet")
	b.follow("Manage Alibaba Cloud Account").sees("Marketing", string(o.a))
	b.open(o.at(o.b, "/models")).sees("There is no such workspace.")
	b.open("/account/providers").sees("Only the account owner (root) may do this.")
}

// filled is what a browser would send of a form.
func filled(form string) url.Values {
	fields := url.Values{}
	for _, input := range inputTag.FindAllString(form, -1) {
		name, kind := attribute(input, "name"), attribute(input, "type")
		unticked := (kind == "checkbox" || kind == "radio") && !strings.Contains(input, " checked")
		if name == "" || unticked || kind == "text" && attribute(input, "value") == "" || kind == "password" || kind == "search" {
			continue
		}
		fields.Add(name, html.UnescapeString(attribute(input, "value")))
	}
	return fields
}
