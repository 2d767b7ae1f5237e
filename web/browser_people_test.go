package web_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// blank is a console before a database in which there is nothing at all.
func blank(t *testing.T) *company {
	t.Helper()
	c := newClock()
	o := &company{t: t, clock: c, store: openStore(t, c)}
	o.configure()
	o.config.SetUp = secret.NewToken()
	return o
}

// apart is a tab of the same browser with cookies of its own.
func (b *tab) apart(t *testing.T) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	return (&tab{company: b.company, ctx: ctx, base: b.base}).watched(t)
}

// create makes a RAM user and gives the link, or the password, that is shown.
func (b *tab) create(name, way string) string {
	b.t.Helper()
	b.click("button", "Create RAM User")
	b.find("dialog", "Create RAM User")
	b.fill("textbox", "Log-on name", name)
	b.click("radio", way)
	b.click("button", "OK")
	b.sees("You will not see it again.")
	text := eval[string](b, "document.querySelector('dialog .secret code').textContent")
	b.click("button", "Done")
	b.until("the dialog to go", func() bool { return b.peek("String(!document.querySelector('dialog[open]'))") == "true" })
	b.sees(name + "@acme")
	return text
}

// seat makes a RAM user a member of the workspace whose members are shown.
func (b *tab) seat(name, choice, what string) {
	b.t.Helper()
	b.click("button", "Add RAM User")
	b.find("dialog", "Add RAM User")
	b.click("checkbox", name+" "+name+"@acme")
	b.click(choice, what)
	b.click("button", "OK")
	b.gone("dialog", "Add RAM User")
	b.sees(name + "@acme")
}

// shown are the texts of what a selector finds.
func (b *tab) shown(selector string) string {
	b.t.Helper()
	return eval[string](b, "[...document.querySelectorAll('"+selector+"')].map(e => e.textContent.trim()).join(', ')")
}

// asked is a request of a person, and what the matrix says it is answered.
type asked struct {
	Method, Path string
	want         int
}

// entitled lists what the matrix says of a column about pages without an object
// in one workspace and, when account is set, of the account; and of forms, what
// must be refused.
func entitled(column int, ws ident.Workspace, account bool) (list []asked) {
	for _, l := range matrix {
		method, path, _ := strings.Cut(l.route, " ")
		placed := strings.HasPrefix(path, "/workspaces/:workspace")
		path = strings.Replace(path, ":workspace", string(ws), 1)
		of := strings.HasPrefix(path, "/account/") && !strings.HasPrefix(path, "/account/security") || path == "/workspaces" || path == "/workspaces/new"
		want := l.own[column]
		if strings.Contains(path, ":") || !placed && !(of && account) || method == "POST" && want != 403 && want != 404 {
			continue
		}
		list = append(list, asked{method, path, want})
	}
	return list
}

// mayExactly asks for everything there is and compares the answers.
func (b *tab) mayExactly(name string, list []asked) {
	b.t.Helper()
	text, err := json.Marshal(list)
	b.must(err)
	got := eval[[]int](b, `(async () => {
		const got = []
		for (const q of `+string(text)+`) {
			const a = await fetch(q.Path, {method: q.Method, redirect: 'manual', body: q.Method === 'POST' ? new URLSearchParams() : undefined})
			await a.text()
			got.push(a.type === 'opaqueredirect' ? 303 : a.status)
		}
		return got
	})()`)
	for i, q := range list {
		if got[i] != q.want {
			b.t.Errorf("%s is answered %d to %s %s, and the matrix says %d", name, got[i], q.Method, q.Path, q.want)
		}
	}
	if len(list) < 15 {
		b.t.Errorf("only %d requests of %s were compared", len(list), name)
	}
}

const (
	byLink     = "One-time link They open it within 7 days and choose a password nobody else knows."
	byPassword = "Password to be changed One is drawn and shown to you. They must change it when they first log on."
	ownWords   = "a new sentence of mine alone"

	workspacePages = "Models, Playground, Datasets, Training, My Models, Deployments, API Keys, Members, Usage, Limits, Why?, Audit"
	accountPages   = "Workspace Management, RAM Users, Model Authorizations, Account Limits, Why?, Management API, Audit, Usage, Settings"
)

func TestBrowserFromNothingToThreePeopleWhoMayWhatTheMatrixSays(t *testing.T) {
	t.Parallel()
	began := time.Now()
	o := blank(t)
	root := o.chrome(t)
	root.setUp()
	marketing, research := o.named("Marketing"), o.named("Research")
	root.open("/account/users")
	link, word1, word2 := root.create("sam", byLink), root.create("adam", byPassword), root.create("una", byPassword)
	root.click("link", "View", "sam")
	root.click("button", "Give full access")
	root.sees("Give sam full access?")
	root.click("button", "Give full access")
	root.sees("Full access given")
	root.open(o.at(marketing, "/members"))
	root.seat("adam", "radio", "Administrator Opens every page, sees the Workspace ID, and says who belongs here.")
	root.click("button", "Add RAM User")
	root.click("checkbox", "una una@acme")
	root.click("radio", "Others")
	root.click("checkbox", "API Keys "+access.PageKeys.Allows())
	root.click("button", "OK")
	root.gone("dialog", "Add RAM User")
	root.sees("una@acme")

	sam, adam, una := root.apart(t), root.apart(t), root.apart(t)
	sam.welcome(link)
	adam.arrive("adam", word1)
	una.arrive("una", word2)
	for _, p := range []struct {
		b                *tab
		name             string
		column           int
		places, ws, rest string
	}{
		{sam, "sam", 5, "Default Workspace, Marketing, Research", workspacePages, accountPages},
		{adam, "adam", 3, "Marketing", workspacePages, "Workspace Management"},
		{una, "una", 2, "Marketing", "Models, API Keys, Why?", "Workspace Management"},
	} {
		p.b.open(o.at(marketing, "/models"))
		p.b.click("button", "Account")
		p.b.sees(p.name + "@acme")
		want := strings.Join([]string{p.ws, p.rest}, ", ")
		if got := p.b.shown("#side .nav-item"); got != want {
			t.Errorf("the navigation of %s shows %s, not %s", p.name, got, want)
		}
		if got := p.b.shown("#workspace-menu .menu-word"); got != p.places {
			t.Errorf("%s is offered the workspaces %s, not %s", p.name, got, p.places)
		}
		elsewhere := p.column
		if p.name != "sam" {
			elsewhere = slices.Index(people, "bert")
		}
		p.b.mayExactly(p.name, entitled(p.column, marketing, true))
		p.b.mayExactly(p.name+" elsewhere", entitled(elsewhere, research, false))
	}
	una.open(o.at(marketing, "/usage"))
	una.sees("403", "You may not open this page. adam can grant it: ask whoever administers Marketing.")
	adam.open("/account/users")
	adam.sees("403", "Only the account owner (root) or a super administrator may do this.")
	sam.open("/account/providers")
	sam.sees("403", "Only the account owner (root) may do this.")
	for _, b := range []*tab{adam, una} {
		b.open(o.at(research, "/models"))
		b.sees("404", "There is no such workspace.")
		b.seesNot("Research")
	}
	root.open("/account/users")
	root.sees("sam@acme", "Super administrator")
	if got, want := root.shown("#side .nav-item"), strings.Replace(accountPages, "Limits, ", "Limits, Providers, ", 1); got != want {
		t.Errorf("the navigation of root, who stays logged on beside the others, shows %s, not %s", got, want)
	}
	t.Logf("from nothing to three people in %s", time.Since(began).Round(time.Millisecond))
}

// setUp goes through the one-time link and makes two workspaces.
func (b *tab) setUp() {
	b.t.Helper()
	b.open("/setup?token=" + b.config.SetUp.Reveal())
	b.fill("textbox", "Company", "Acme")
	b.fill("textbox", "Alias", "acme")
	b.fill("textbox", "Password of root", password)
	b.fill("textbox", "Password again", password)
	b.click("button", "Create account")
	b.isAt("/workspaces")
	ctx := context.WithoutCancel(b.t.Context())
	u, err := b.store.UserByLogOn(ctx, "acme", "root")
	b.must(err)
	b.root, err = b.store.Actor(ctx, u.ID)
	b.must(err)
	for _, name := range []string{"Marketing", "Research"} {
		b.click("button", "Add Workspace")
		b.fill("textbox", "Workspace Name", name)
		b.click("button", "OK")
		b.gone("dialog", "Add Workspace")
		b.sees(name)
	}
}

// welcome opens a one-time link and chooses a password.
func (b *tab) welcome(link string) {
	b.t.Helper()
	b.open(strings.TrimPrefix(link, b.base))
	b.sees("Welcome, sam")
	b.fill("textbox", "Password", ownWords)
	b.fill("textbox", "Password again", ownWords)
	b.click("button", "Choose password and log on")
	b.find("button", "Account")
}

// arrive logs on with a password that was drawn, and changes it as is asked.
func (b *tab) arrive(name, drawn string) {
	b.t.Helper()
	b.open("/")
	b.fill("textbox", "Account", name+"@acme")
	b.fill("textbox", "Password", drawn)
	b.click("button", "Log on")
	b.isAt("/account/security/password")
	b.fill("textbox", "Present password", drawn)
	b.fill("textbox", "New password", ownWords)
	b.fill("textbox", "New password again", ownWords)
	b.click("button", "Change password")
	b.find("button", "Account")
}
