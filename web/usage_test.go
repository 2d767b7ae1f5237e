package web_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/apikey"
	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// called keeps some calls of a workspace.
func (o *company) called(ws ident.Workspace, key ident.Key, model ident.Model, count int) {
	o.t.Helper()
	var records []usage.Record
	for i := range count {
		r := usage.Record{
			Call: ident.NewCall(), At: o.clock.Now().Add(-time.Duration(i) * time.Minute), Account: o.account.ID, Workspace: ws, Key: key, Model: model,
			Dialect: "openai", Input: 1200, Output: 34, Source: usage.FromProvider, Cost: 5300, Currency: "CNY", PriceVersion: 1, Member: o.root.User, Status: 200, Duration: 1240 * time.Millisecond,
		}
		if i%2 == 1 {
			r.Input, r.Output, r.Source, r.Status, r.Code, r.Cost, r.Currency = 0, 0, usage.Nothing, 403, "Model.AccessDenied", 0, ""
		}
		records = append(records, r)
	}
	o.must(o.store.InsertUsage(o.t.Context(), records))
}

func TestUsageIsSummedAndListed(t *testing.T) {
	o := start(t)
	o.get("alice", o.at(o.a, "/usage")).is(200).says("Usage", "No calls yet", "Last 7 days")
	k := o.key(o.root, o.a, "the newsletter")
	o.called(o.a, k.ID, "qwen-turbo", 4)
	o.called(o.a, k.ID, "qwen-plus", 2)
	o.called(o.b, k.ID, "deepseek-r1", 1)
	page := o.get("alice", o.at(o.a, "/usage")).is(200)
	page.says("Calls 6 3 refused or failed none in 7–13 Nov", "Tokens in 3,600", "Tokens out 102", "Cost ¥0.0159", "the newsletter", "qwen-turbo 2,468", "66.6 %", "1,234", "provider", "1.24 s", "Model.AccessDenied", "Tokens by model")
	page.hides("deepseek-r1")
	o.get("alice", o.at(o.a, "/usage?model=qwen-plus")).says("Model: qwen-plus").hides(`>qwen-turbo</td>`)
	o.ask("alice", "GET", o.at(o.a, "/usage?status=failed&period=30"), nil, part).is(200).says("403", "Refused or failed", "22 Oct–20 Nov 2026").hides("<html", "1.24 s</td><td>200")
	o.get("alice", o.at(o.a, "/usage?period=99999&by=nonsense&show=x&key=?&at=7")).is(200)
	o.get("alice", o.at(o.a, "/usage?by=key&show=cost")).is(200).says("Cost by API key", string(k.ID)+" 6 3", "0.0159", "CNY")
	o.get("alice", o.at(o.a, "/usage?by=member&show=calls")).is(200).says("Calls by member", "root 6 3")
	o.get("alice", o.at(o.a, "/usage?by=code")).is(200).says("By outcome", "Succeeded", "Model.AccessDenied")
	o.get("alice", o.at(o.a, "/usage?period=1&by=source")).is(200).says("20 Nov, 14:00", "Nothing was consumed")
}

func TestUsageOfTheAccountIsOfEveryWorkspace(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "the newsletter")
	o.called(o.a, k.ID, "qwen-turbo", 4)
	o.called(o.b, "", "deepseek-r1", 1)
	o.get("alice", "/account/usage").is(403)
	page := o.get("super", "/account/usage?by=workspace").is(200)
	page.says("all workspaces", "By workspace", "Marketing", "Research", "deepseek-r1", "The console", "Calls 5")
	if !strings.Contains(page.body, "workspace="+string(o.b)) {
		t.Error("no line leads to the workspace alone")
	}
	o.get("root", "/account/usage?workspace="+string(o.b)).is(200).says("Workspace: Research", "Calls 1").hides("the newsletter")
}

func TestDaysThatCannotBeAreSaidAndStay(t *testing.T) {
	o := start(t)
	o.called(o.a, "", "qwen-turbo", 4)
	o.get("alice", o.at(o.a, "/usage?period=custom&from=2026-11-01&to=2026-11-20")).is(200).says("1–20 Nov 2026, UTC", "Calls 4")
	o.get("alice", o.at(o.a, "/usage?period=custom&from=2026-11-20&to=2026-11-20")).is(200).says("20 Nov 2026, UTC", "Calls 4")
	for query, says := range map[string]string{
		"from=2026-11-20&to=2026-11-01": "The last day must not be before the first.", "from=tomorrow": "Write days as year-month-day", "from=1999-01-01&to=2026-11-01": "Choose at most 1,098 days.",
	} {
		a := o.get("alice", o.at(o.a, "/usage?period=custom&"+query)).is(422)
		a.says(strings.Replace(says, "1,098", "1098", 1))
		if !strings.Contains(a.body, `value="`+strings.SplitN(strings.TrimPrefix(query, "from="), "&", 2)[0]+`"`) {
			t.Errorf("%s: what was typed is gone", query)
		}
		o.get("alice", o.at(o.a, "/usage/calls.csv?period=custom&"+strings.Replace(query, "&to=2026-11-01", "", 1)))
	}
}

func TestOneCallIsShownInADrawer(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "the newsletter")
	o.called(o.a, k.ID, "qwen-turbo", 1)
	list := o.get("alice", o.at(o.a, "/usage?period=30&model=qwen-turbo")).is(200)
	view := linkTo(t, list, "View")
	o.get("alice", view).is(200).says("Call", "qwen-turbo", "the newsletter", "root", "1,200", "¥0.0053, at the prices of version 1 of the model", "Model: qwen-turbo")
	o.ask("alice", "GET", view, nil, part).is(200).says("1.24 s").hides("<html")
	o.get("bert", view).is(404)
	o.get("alice", o.at(o.a, "/usage/calls/x")).is(404)
}

// What a caller or a member wrote must not run where an administrator opens the file.
func TestUsageLeavesAsFilesWithoutFormulas(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, `=HYPERLINK("http://evil","x")`)
	o.called(o.a, k.ID, "qwen-turbo", 2500)
	file := o.get("alice", o.at(o.a, "/usage/calls.csv?period=30")).is(200)
	rows, err := csv.NewReader(strings.NewReader(file.body)).ReadAll()
	if err != nil || len(rows) != 2501 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		seen[row[0]] = true
		if row[5] != `'=HYPERLINK("http://evil","x")` || row[7] != "qwen-turbo" || row[16] != "0.005300" && row[19] != "Model.AccessDenied" && row[18] != "403" {
			t.Fatalf("%q", row)
		}
	}
	if len(seen) != 2500 || !strings.HasPrefix(file.header.Get("Content-Disposition"), `attachment; filename="usage-calls-2026-11-20.csv"`) {
		t.Errorf("%d calls, %v", len(seen), file.header)
	}
	sums := o.get("alice", o.at(o.a, "/usage/sums.csv?period=30&by=key")).is(200)
	rows, err = csv.NewReader(strings.NewReader(sums.body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][3] != `'=HYPERLINK("http://evil","x")` || rows[1][4] != "2500" || rows[1][11] != "6.625000" {
		t.Errorf("%q, %v", rows, err)
	}
	o.get("alice", o.at(o.a, "/usage/calls.csv?period=custom&from=never")).is(422)
}

func TestUsageIsWalkedThroughPageByPage(t *testing.T) {
	o := start(t)
	o.called(o.a, "", "qwen-turbo", 60)
	one := o.get("alice", o.at(o.a, "/usage?period=1")).is(200).says(fmt.Sprint("1–50"))
	o.get("alice", linkTo(t, one, "Next")).is(200).says("51–60")
}

// Of a key in use nobody knows exactly when it was used last.
func TestADialogSaysHowExactlyItKnowsTheLastUseOfAKey(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "the newsletter")
	dialog := o.at(o.a, "/keys/"+string(k.ID)+"/disable")
	o.get("alice", dialog).is(200).says("It was never used.")
	o.called(o.a, k.ID, "qwen-turbo", 1)
	o.get("alice", dialog).is(200).says("It was used within the last 5 minutes.")
	o.clock.pass(apikey.UseKnown + time.Minute)
	o.get("alice", dialog).is(200).says("It was last used 6 minutes ago.")
}
