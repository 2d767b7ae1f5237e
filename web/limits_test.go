package web_test

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/store"
)

func TestALimitIsSetEditedAndRemovedWithoutScripts(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store, c *clock) {
		o := newCompany(t, s, c)
		list, edit := o.at(o.a, "/limits"), o.at(o.a, "/limits/qwen-plus/edit")
		o.get("super", list).is(200).says("No model to limit")
		o.authorize("qwen-plus", catalogue.Call, o.a)
		o.get("super", list).is(200).says("Qwen-Plus", "Shares the account's", " requests by all workspaces", " tokens by all workspaces", "Edit").hides("qwen-max")
		form := o.get("super", edit).is(200).says("Limit of Qwen-Plus", "Marketing", "The account's limit:", "A token limit needs a request limit beside it.")
		o.post("super", edit, "requests", "1,200", "request_period", "60", "tokens", "", "token_period", "60", "version", form.field("version")).to(list)
		o.get("super", list).is(200).says("Limit of Qwen-Plus saved", "1,200 in 60 s", "Set by super@acme", "0 of 1,200 requests")
		if got := o.keeper.Now().Catalogue(o.account.ID); len(got) == 0 {
			t.Fatal("no catalogue")
		}
		form = o.get("super", edit).is(200).holds(`value="1200"`)
		o.post("super", edit, "requests", "1200", "request_period", "60", "tokens", "50000", "token_period", "10", "version", form.field("version")).to(list)
		o.get("super", list).says("50,000 in 10 s", "0 of 50,000 tokens")
		o.post("super", edit, "requests", "5", "request_period", "1", "version", form.field("version")).is(409).says("The limit was changed meanwhile.").holds(`value="5"`)
		form = o.get("super", edit)
		o.post("super", edit, "requests", "", "request_period", "60", "tokens", "", "token_period", "60", "version", form.field("version")).to(list)
		o.get("super", list).says("Shares the account's")
	})
}

func TestMistakesInALimitStandBesideTheirField(t *testing.T) {
	o := start(t)
	edit := o.at(o.a, "/limits/qwen-plus/edit")
	for _, m := range []struct {
		fields []string
		says   string
	}{
		{[]string{"requests", "many", "request_period", "60"}, "The limit is a whole number from 0 to 1,000,000,000."},
		{[]string{"requests", "-1", "request_period", "60"}, "The request limit is a whole number from 0 to 1000000000."},
		{[]string{"requests", "5", "request_period", ""}, "Choose a period."},
		{[]string{"requests", "5", "request_period", "0"}, "The period is a whole number of seconds from 1 to 3600."},
		{[]string{"tokens", "500", "token_period", "60"}, "A token limit needs a request limit beside it."},
		{[]string{"requests", "5", "request_period", "60", "tokens", "x", "token_period", "60"}, "The limit is a whole number"},
	} {
		o.post("root", edit, append(m.fields, "version", "0")...).is(422).says(m.says, "Limit of Qwen-Plus")
	}
	o.post("root", edit, "requests", "many", "request_period", "5", "tokens", "77", "token_period", "60", "version", "0").
		holds(`value="many"`, `value="77"`, `<option value="5" selected>`)
	o.post("root", edit, "requests", "5", "request_period", "60", "version", "x").is(409)
	o.get("root", o.at(o.a, "/limits/no-such-model/edit")).is(404)
}

func TestWorkspaceAdministratorsReadTheirLimitsAndChangeNone(t *testing.T) {
	o := start(t)
	o.authorize("qwen-plus", catalogue.Call, o.a)
	requests, period := 60, 60
	o.must(o.config.Limits.Change(t.Context(), o.root, o.a, []limit.Change{{Model: "qwen-plus", Version: limit.AnyVersion, Requests: &requests, RequestPeriod: &period}}))
	pass := &limit.Pass{}
	o.config.Limiter.Admit(&limit.Ask{Account: o.account.ID, Workspace: o.a, Model: "qwen-plus", OfWorkspace: limit.Limit{Requests: limit.Rate{Count: 60, Period: 60}}}, pass)
	o.get("alice", o.at(o.a, "/limits")).is(200).says("Qwen-Plus", "60 in 60 s", "1 of 60 requests", "1 call running").hides("/edit", "Workspaces together")
	o.get("carol", o.at(o.a, "/limits")).is(403)
	o.get("bert", o.at(o.a, "/limits")).is(404)
	o.get("alice", o.at(o.a, "/models")).holds(o.at(o.a, "/limits"))
	o.get("carol", o.at(o.a, "/models")).hides(o.at(o.a, "/limits"))
}

func TestAccountLimitsAreEditedAndWarnOfWorkspacesThatExceedThem(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store, c *clock) {
		o := newCompany(t, s, c)
		edit := "/account/limits/edit?model=" + url.QueryEscape("qwen-turbo")
		o.get("super", "/account/limits?q=turbo").is(200).says("Qwen-Turbo", "300 in 15 s", "1,000,000 in 12 s", "None").hides("qwen-plus")
		form := o.get("super", edit).is(200).says("Limit of Qwen-Turbo", "All workspaces together").holds(`<option value="15" selected>`)
		o.post("super", edit, "requests", "600", "request_period", "60", "tokens", "", "token_period", "60", "version", form.field("version")).to("/account/limits")
		o.get("super", "/account/limits?q=turbo").says("600 in 60 s", "No limit")
		o.post("super", edit, "requests", "6", "request_period", "60", "version", form.field("version")).is(409)
		o.post("super", edit, "requests", "0", "request_period", "60", "version", o.get("super", edit).field("version")).is(422).says("The account's limit is at least 1.")
		requests, period := 20, 1
		for _, ws := range []limit.Change{{Model: "qwen-turbo", Version: limit.AnyVersion, Requests: &requests, RequestPeriod: &period}} {
			o.must(o.config.Limits.Change(t.Context(), o.root, o.a, []limit.Change{ws}))
		}
		for _, page := range []string{"/account/limits?q=turbo", o.at(o.a, "/limits")} {
			o.get("root", page).is(200).says("Workspaces together: 1,200 requests a minute, account: 600")
		}
		o.get("alice", "/account/limits").is(403)
	})
}

func TestBrowserLimitsAreEditedByKeyboardAndPleaseAxe(t *testing.T) {
	t.Parallel()
	o := start(t)
	o.authorize("qwen-plus", catalogue.Call, o.a)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	requests, tokens, period := 60, 5000, 60
	o.must(o.config.Limits.Change(t.Context(), o.root, o.a, []limit.Change{{Model: "qwen-turbo", Version: limit.AnyVersion, Requests: &requests, RequestPeriod: &period, Tokens: &tokens, TokenPeriod: &period}}))
	l := limit.Limit{Requests: limit.Rate{Count: 60, Period: 60}, Tokens: limit.Rate{Count: 5000, Period: 60}}
	for range 52 {
		o.config.Limiter.Admit(&limit.Ask{Account: o.account.ID, Workspace: o.a, Model: "qwen-turbo", OfWorkspace: l, Least: 40, Tokens: 40}, &limit.Pass{})
	}
	b := o.chrome(t)
	b.logOn("super")
	b.open(o.at(o.a, "/limits"))
	b.sees("Qwen-Turbo", "60 in 60 s", "52 of 60 requests", "2,080 of 5,000 tokens", "52 calls running", "Shares the account's")
	b.examine("Limits")
	b.focus(b.find("button", "Edit", "Qwen-Plus"))
	b.key(kb.Enter)
	b.find("dialog", "Limit of Qwen-Plus")
	b.examine("Limit of Qwen-Plus")
	b.fill("textbox", "Token limit", "900")
	b.key(kb.Enter)
	b.sees("A token limit needs a request limit beside it.")
	b.examine("Limit of Qwen-Plus with a mistake")
	b.fill("textbox", "Request limit", "40000")
	b.key(kb.Enter)
	b.gone("dialog", "Limit of Qwen-Plus")
	b.sees("Limit of Qwen-Plus saved", "40,000 in 60 s", "Workspaces together: 40,000 requests a minute, account: 30,000")
	b.examine("Limits that do not fit")
	b.open("/account/limits")
	b.fill("searchbox", "Search models", "turbo")
	b.sees("300 in 15 s", "60 requests a minute")
	b.examine("Account Limits")
	b.click("button", "Edit")
	b.find("dialog", "Limit of Qwen-Turbo")
	b.examine("the account's limit of Qwen-Turbo")
}

func TestCallsAtOnceAreASetting(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store, c *clock) {
		o := newCompany(t, s, c)
		form := o.get("root", "/account/settings").is(200).says("Calls at once with one API key").holds(`value="512"`, `value="2048"`)
		set := func(key, workspace string) *answer {
			return o.post("root", "/account/settings", "require_workspace", "on", "workspace_limit", "10", "key_limit", "50", "key_calls", key, "workspace_calls", workspace, "version", form.field("version"))
		}
		set("-1", "9").is(422).says("The number of calls is a whole number from 0 to 100000; 0 means any number.").holds(`value="-1"`, `value="9"`)
		set("7", "many").is(422).holds(`value="many"`)
		set("7", "0").is(303)
		if f, err := o.store.Facts(t.Context(), 0); err != nil || f.Accounts[0].KeyCalls != 7 || f.Accounts[0].WorkspaceCalls != 0 {
			t.Fatalf("the policy knows %+v, %v", f.Accounts, err)
		}
	})
}

func TestDeploymentsStandInTheListsOfLimitsWithTheirOwn(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store, c *clock) {
		o := newCompany(t, s, c)
		id := ident.Deployment(o.deployment(o.root, o.a))
		d, err := s.Deployment(t.Context(), o.a, id)
		o.must(err)
		edit := o.at(o.a, "/deployments/"+string(id)+"/limits")
		list := o.at(o.a, "/limits")
		o.get("alice", list).is(200).says(string(d.Name), "No limit", "A deployment of Marketing", "Shares no limit of the account").holds(edit)
		o.post("alice", edit, "rpm_limit", "7", "tpm_limit", "9000").is(303)
		for who, page := range map[string]string{"alice": list, "root": "/account/limits?q=" + string(d.Name), "super": "/account/limits?q=" + string(d.Name)} {
			o.get(who, page).is(200).says("7 in 60 s", "9,000 in 60 s", "Set by alice@acme", "0 of 7 requests", "A deployment of Marketing").holds(edit)
		}
		o.get("bert", o.at(o.b, "/limits")).hides(string(d.Name))
		o.get("root", o.at(o.b, "/limits")).is(200).hides(string(d.Name))
		o.get("super", "/account/limits/edit?model="+string(d.Name)).is(404)
	})
}

func TestTheAccountsLimitSaysWhoSetIt(t *testing.T) {
	o := start(t)
	o.get("root", "/account/limits?q=turbo").hides("Set by")
	o.get("root", o.at(o.a, "/models/qwen-turbo")).hides("by super@acme")
	form := o.get("super", "/account/limits/edit?model=qwen-turbo")
	o.post("super", "/account/limits/edit?model=qwen-turbo", "requests", "600", "request_period", "60", "version", form.field("version")).to("/account/limits")
	o.get("root", "/account/limits?q=turbo").says("600 in 60 s", "Set by super@acme")
	o.get("root", o.at(o.a, "/models/qwen-turbo")).says("by super@acme, ")
}
