package web_test

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// noted keeps an event of somebody, with a summary.
func (o *company) noted(by access.Actor, ws ident.Workspace, summary string) audit.Event {
	o.t.Helper()
	e := by.Event("tries:audit", ws, string(ws), summary)
	o.must(o.store.Note(o.t.Context(), e))
	return e
}

func TestTheTrailIsReadFilteredAndPaged(t *testing.T) { eachDatabase(t, readTrail) }

func readTrail(t *testing.T, s *store.Store, c *clock) {
	o := newCompany(t, s, c)
	k := o.key(o.actor("alice"), o.a, "nightly")
	o.post("alice", o.at(o.a, "/keys/"+string(k.ID)+"/disable")).is(303)
	o.get("bob", o.at(o.a, "/keys")).is(403)
	o.config.Trail.Flush()
	o.get("root", "/account/audit").is(200).says("Audit", "Disabled an API key", "alice@acme", "Marketing", "RAM user", "Was refused keys:read", "Refused", "192.0.2.7", "Export what is filtered").holds("/account/audit/export?format=csv")
	for query, want := range map[string][2]string{
		"who=alice":               {"Created an API key", "Added workspace"},
		"who=alice@acme":          {"Disabled an API key", "Was refused"},
		"who=command+line":        {"Added RAM user alice", "Disabled an API key"},
		"action=keys:":            {"Created an API key", "Added RAM user"},
		"action=keys:disable":     {"Disabled an API key", "Created an API key"},
		"object=" + string(k.ID):  {"Disabled an API key", "Added workspace"},
		"result=refused":          {"Was refused keys:read", "Disabled an API key"},
		"q=NIGHTLY":               {"Created an API key", "Added workspace"},
		"q=" + string(k.ID)[4:12]: {"Disabled an API key", "Added workspace"},
		"from=2026-11-20&to=2026-11-20&action=workspaces:": {"Added workspace \"Research\"", "API key"},
		"who=alice&action=keys:&result=done&q=disab":       {"Disabled an API key", "Created an API key"},
	} {
		rows := o.ask("root", "GET", "/account/audit?"+query, nil, part).is(200).says(want[0]).hides("<html")
		if strings.Contains(words(rows.body), want[1]) {
			t.Errorf("%s shows %q", query, want[1])
		}
	}
	for _, nothing := range []string{"from=2030-01-01", "to=2020-01-01", "q=%25", "q=_____________", "who=nobody", "q=" + url.QueryEscape(`\%' OR 1=1 --`), "action=:", "result=" + url.QueryEscape("' OR ''='")} {
		o.get("root", "/account/audit?"+nothing).is(200).says("No event fits", "Show every event")
	}
	for range 60 {
		o.noted(o.root, o.a, "noted once more")
	}
	first := o.get("root", "/account/audit?action=tries:audit").is(200).says("1–50", "Next").hides("created an API key")
	next := linked(first, "Next")
	second := o.get("root", next).is(200).says("51–60", "Previous")
	if strings.Count(second.body, "<th scope=\"row\"") != 10 {
		t.Errorf("the second page is %s", words(second.body))
	}
	o.get("root", "/account/audit?after=nonsense").is(422)
}

// linked finds the address behind a link of the pager.
func linked(a *answer, label string) string {
	a.t.Helper()
	before, _, found := strings.Cut(a.body, ">"+label+"</a>")
	if !found {
		a.t.Fatalf("%s has no link %s", a.what, label)
	}
	_, tag, _ := strings.Cut(before[strings.LastIndex(before, "<a "):], `href="`)
	address, _, _ := strings.Cut(tag, `"`)
	return strings.ReplaceAll(address, "&amp;", "&")
}

func TestALineHasAPanelAnAddressAndItsFieldsBeforeAndAfter(t *testing.T) {
	o := start(t)
	page := o.get("root", "/account/settings")
	o.post("root", "/account/settings", "version", page.field("version"), "workspace_limit", "7", "audit_days", "400", "require_workspace", "on").is(303)
	list := o.get("root", "/account/audit?action=settings:change").is(200).says("Changed the account's settings")
	panel := o.get("root", linked(list, "View")).is(200)
	panel.says("Before and after", "workspace limit 10 7", "audit days 365 400", "Hash", "Permalink", "Account owner (root)", "root@acme", "Line", "Done")
	panel.holds("https://models.example.com/account/audit/evt-")
	o.ask("root", "GET", linked(list, "View"), nil, part).is(200).hides("<html").says("Before and after")
	o.get("root", "/account/audit/evt-00000000000000000000").is(404)
	o.get("root", "/account/audit/nonsense").is(404)
	for _, wrong := range []string{"89", "3651", "-1", "many"} {
		o.post("root", "/account/settings", "version", "2", "audit_days", wrong).is(422).holds(`value="` + wrong + `"`)
	}
}

// Check 5 for the trail: an administrator of A sees what was done in A by
// whomever, and nothing of B or of the account.
func TestSec05_AWorkspacesTrailHoldsItsOwnLinesAlone(t *testing.T) {
	o := start(t)
	o.noted(o.root, o.a, "root was in Marketing")
	theirs := o.noted(o.root, o.b, canary+" was in Research")
	whole := o.noted(o.root, "", canary+" was in the account")
	at := o.at(o.a, "/audit")
	page := o.get("alice", at).is(200).says("Audit", "What was done in Marketing", "Root was in Marketing", "The chain was not verified").hides(canary, "Line</dt>", "/account/audit")
	for _, query := range []string{
		"?q=" + canary, "?who=root", "?object=" + string(o.b), "?action=tries:audit", "?action=tries:", "?result=done", "?q=" + string(theirs.ID), "/export?format=csv", "/export?format=json",
		"/export?format=json&q=" + canary, "/export?format=csv&object=" + string(o.b),
	} {
		if a := o.get("alice", at+query); strings.HasPrefix(query, "/export") {
			a.is(200).hides(canary)
		} else {
			a.is(200).hides(canary + " was")
		}
	}
	for _, e := range []audit.Event{theirs, whole} {
		o.get("alice", at+"/"+string(e.ID)).is(404).hides(canary)
		o.get("alice", "/account/audit/"+string(e.ID)).is(403).hides(canary)
		o.get("root", at+"/"+string(e.ID)).is(404) // not of this workspace
	}
	o.get("alice", linked(page, "View")).is(200).hides("<dt>Line</dt>", canary)
	o.get("bert", at).is(404)
	o.get("bob", at).is(403)
}

func TestTheTrailIsExportedAndSpreadsheetsTakeNothingForAFormula(t *testing.T) {
	o := start(t)
	o.noted(o.root, o.a, "=HYPERLINK(1)")
	e := o.root.Event("tries:audit", o.a, "+1+2", "@sum").About("=kind", "-2+3").Changed("=f", "\t1", "é, \"x\"").With("k", "\r=v")
	o.must(o.store.Note(t.Context(), e))
	sheet := o.get("root", "/account/audit/export?format=csv&action=tries:").is(200)
	rows, err := csv.NewReader(strings.NewReader(sheet.body)).ReadAll()
	o.must(err)
	if len(rows) != 3 || rows[0][0] != "time" || !strings.Contains(sheet.header.Get("Content-Disposition"), `filename="audit-acme-20261120-`) || sheet.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%q %v", rows, sheet.header)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
	if rows[2][4] != "'=HYPERLINK(1)" || rows[1][14] != "'-2+3" {
		t.Errorf("%q", rows)
	}
	var lines []map[string]any
	o.must(json.Unmarshal([]byte(o.get("root", "/account/audit/export?format=json&action=tries:").is(200).body), &lines))
	if len(lines) != 2 || lines[1]["summary"] != "=HYPERLINK(1)" || lines[0]["changes"].([]any)[0].(map[string]any)["new"] != `é, "x"` {
		t.Errorf("%v", lines)
	}
	o.must(json.Unmarshal([]byte(o.get("root", "/account/audit/export?format=json&q=nothing-fits").is(200).body), &lines))
	if len(lines) != 0 {
		t.Errorf("%v", lines)
	}
	for range 1200 {
		o.noted(o.root, o.b, "many")
	}
	if n := strings.Count(o.get("root", o.at(o.b, "/audit/export?format=csv&action=tries:")).is(200).body, "\n"); n != 1201 {
		t.Errorf("%d lines were exported", n)
	}
	o.get("root", "/account/audit/export").is(422)
}

func TestTheChainIsVerifiedAtTheButton(t *testing.T) {
	c := newClock()
	config := storetest.SQLiteConfig(t)
	config.Now = c.Now
	o := newCompany(t, storetest.Open(t, config), c)
	o.get("root", "/account/audit").says("The chain was not verified since the program started.").holds(`id="verify-chain"`)
	o.post("root", "/account/audit/chain").to("/account/audit")
	o.get("root", "/account/audit").says("The chain is whole", "Chain verified up to line ", "No exported head proves it yet.")
	done := o.ask("root", "POST", "/account/audit/chain", nil, part).is(200)
	done.says("Chain verified up to line", "The chain is whole").hides("<html")
	o.get("alice", o.at(o.a, "/audit")).says("Chain verified on", "whole").hides("up to line", "verify-chain")
	o.post("alice", "/account/audit/chain").is(403)
	o.tamper(filepath.Join(config.Data, "bailiwick.db"))
	o.ask("root", "POST", "/account/audit/chain", nil, part).is(200).says("The audit trail is not what it was", "was edited or inserted")
	o.get("alice", o.at(o.a, "/audit")).says("The audit trail is not what it was", "super administrators see what was found").hides("was edited")
	o.get("root", "/account/audit/chain").is(200).says("was edited")
}

// tamper edits a line as somebody would who has the database in hand.
func (o *company) tamper(file string) {
	o.t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	o.must(err)
	defer db.Close()
	for _, statement := range []string{"DROP TRIGGER audit_events_keep_update", "UPDATE audit_events SET summary = 'nothing happened' WHERE seq = 3"} {
		_, err := db.ExecContext(o.t.Context(), statement)
		o.must(err)
	}
}

// What is asked for and refused is in the trail, where a flood of it fills nothing.
func TestRefusalsAreInTheTrail(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.b, "theirs")
	for range 30 {
		o.post("bob", o.at(o.a, "/keys"), "description", "x").is(403)
		o.post("alice", o.at(o.b, "/keys/"+string(k.ID)+"/delete")).is(404)
		o.get("alice", o.at(o.b, "/keys")).is(404) // looking around is no act
	}
	o.config.Trail.Flush()
	a := o.get("root", "/account/audit?result=refused").is(200)
	a.says("Was refused keys:issue", "(29 more times within a minute)", "Was refused keys:change", "bob@acme", "alice@acme")
	if n := strings.Count(a.body, `<th scope="row"`); n != 4 {
		t.Errorf("%d refusals are in the trail: %s", n, words(a.body))
	}
	o.get("root", linked(a, "View")).is(200).says("Reason", "POST /workspaces/:workspace/keys")
	o.clock.pass(2 * time.Minute)
	o.post("bob", o.at(o.a, "/keys"), "description", "x").is(403)
	o.config.Trail.Flush()
	if n := strings.Count(o.get("root", "/account/audit?result=refused").body, `<th scope="row"`); n != 5 {
		t.Errorf("%d refusals are in the trail", n)
	}
}
