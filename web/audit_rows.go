package web

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	audits "bailiwick/views/audit"
	"bailiwick/views/ui"
)

// The keys of the navigation's lines.
const (
	atAudit        = "audit"
	atAccountAudit = "account-audit"
)

// whoOf completes what was typed of an actor: a name alone is one of the account's.
func whoOf(typed, alias string) string {
	typed = strings.TrimSpace(typed)
	_, err := ident.ParseLogOn(strings.ToLower(typed))
	if err != nil || strings.HasPrefix(typed, "usr-") || strings.HasPrefix(typed, "key-") || typed == "bailiwick" {
		return typed
	}
	return strings.ToLower(typed) + "@" + alias
}

// eventList is the table of events.
func (s *Server) eventList(c echo.Context) (audits.ListProps, error) {
	ws, address := auditOf(c)
	l := listBehind(c, address)
	found, next, err := s.Audit.List(c.Request().Context(), actor(c), ws, eventFilter(c, l))
	if err != nil {
		return audits.ListProps{}, err
	}
	p := audits.ListProps{
		CSVURL: exportURL(l, "csv"), JSONURL: exportURL(l, "json"), Pager: l.pager(len(found), next), Places: ws == "",
		ClearURL: when(l.with() != l.url, l.url), More: next != "" && len(found) < pageSize,
	}
	for _, line := range found {
		p.Rows = append(p.Rows, eventRow(line, l))
	}
	return p, nil
}

// exportURL exports what the address of the list chooses, from the first line on.
func exportURL(l listed, format string) string {
	_, query, _ := strings.Cut(l.with("format", format), "?")
	return l.url + "/export?" + query
}

func eventRow(l account.TrailLine, at listed) audits.Row {
	word, tone := resultWord(l.Result)
	return audits.Row{
		ID: string(l.ID), Time: second(l.At), Who: l.ActorName, Kind: actorKinds[l.ActorKind], Summary: capital(l.Summary), Action: l.Action,
		Workspace: placeOf(l), Result: word, Tone: tone, Address: l.Address, ViewURL: at.carried(at.url + "/" + string(l.ID)),
	}
}

// second is a time to the second.
func second(t time.Time) ui.Time {
	return ui.Time{Text: t.UTC().Format("2 Jan 2006, 15:04:05"), ISO: t.UTC().Format(time.RFC3339)}
}

// capital begins a text with a capital letter.
func capital(text string) string {
	if text == "" {
		return "No summary"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// placeOf is the workspace of an event as people call it.
func placeOf(l account.TrailLine) string { return orElse(l.WorkspaceName, string(l.Workspace)) }

var actorKinds = map[audit.Kind]string{
	"": "Not noted", audit.Root: "Account owner (root)", audit.User: "RAM user", audit.Key: "API key", audit.AdminKey: "Admin key",
	audit.CommandLine: "Command line", audit.System: "The program itself",
}

func resultWord(r audit.Result) (string, ui.Tone) {
	switch r {
	case audit.Refused:
		return "Refused", ui.Warn
	case audit.Failed:
		return "Failed", ui.Bad
	}
	return "Done", ui.Good
}

// eventNouns are what the filter of the page offers.
var eventNouns = []ui.Option{
	{Value: "", Label: "Everything"}, {Value: "users:", Label: "RAM users and log-ons"}, {Value: "password:", Label: "Own passwords"}, {Value: "self:", Label: "Own security"},
	{Value: "members:", Label: "Members"}, {Value: "keys:", Label: "API keys"}, {Value: "grants:", Label: "Authorizations"}, {Value: "models:", Label: "Models and calls"},
	{Value: "workspaces:", Label: "Workspaces"}, {Value: "providers:", Label: "Providers"}, {Value: "settings:", Label: "Settings"}, {Value: "limits:", Label: "Limits"}, {Value: "prices:", Label: "Prices"},
	{Value: "decisions:", Label: "Explanations"}, {Value: "accounts:", Label: "Accounts"}, {Value: "audit:", Label: "Audit trail"},
}

// eventFilters fill the bar above the list.
func eventFilters(l listed) audits.Filters {
	p := audits.Filters{
		URL: l.url, Text: l.search(), Who: l.get("who"), Object: l.get("object"), Actions: slices.Clone(eventNouns),
		Results: []ui.Option{{Label: "Every result"}}, From: l.get("from"), To: l.get("to"),
	}
	chosen := false
	for i := range p.Actions {
		p.Actions[i].Selected = p.Actions[i].Value == l.get("action")
		chosen = chosen || p.Actions[i].Selected
	}
	if !chosen {
		p.Actions = append(p.Actions, ui.Option{Value: l.get("action"), Label: l.get("action"), Selected: true})
	}
	for _, r := range audit.Results {
		word, _ := resultWord(r)
		p.Results = append(p.Results, ui.Option{Value: string(r), Label: word, Selected: string(r) == l.get("result")})
	}
	return p
}

// eventPanel is what the panel shows of a line. The number of the line counts
// the account's, and is for those who may read all of them.
func (s *Server) eventPanel(c echo.Context, l account.TrailLine) audits.PanelProps {
	ws, address := auditOf(c)
	at := listBehind(c, address)
	own := address + "/" + string(l.ID)
	p := audits.PanelProps{
		URL: at.carried(own), BackURL: at.carried(address), Title: capital(l.Summary), Sub: second(l.At).Text + " UTC",
		Facts: eventFacts(l, address), Reason: l.Detail["reason"], Hash: l.Hash.String(), Prev: l.Prev.String(), Link: s.base(c) + own,
	}
	if ws == "" {
		p.Line = strconv.FormatInt(l.Seq, 10)
	}
	for _, change := range l.Changes {
		p.Changes = append(p.Changes, audits.Change{Field: change.Field, Old: change.Old, New: change.New})
	}
	for _, name := range slices.Sorted(maps.Keys(l.Detail)) {
		if name != "reason" {
			p.Notes = append(p.Notes, audits.Note{Name: name, Text: l.Detail[name]})
		}
	}
	return p
}

func eventFacts(l account.TrailLine, address string) (facts []audits.Fact) {
	word, tone := resultWord(l.Result)
	same := func(name, value string) string { return when(value != "", withQuery(address, name, value)) }
	for _, f := range []audits.Fact{
		{Name: "Result", Text: word, Tone: tone, Mark: true},
		{Name: "Action", Text: l.Action, URL: same("action", l.Action)},
		{Name: "Who", Text: l.ActorName, URL: same("who", l.ActorName)},
		{Name: "Kind", Text: actorKinds[l.ActorKind]},
		{Name: "Actor ID", Code: string(l.Actor)},
		{Name: "Object", Text: strings.TrimSpace(l.ObjectKind + " " + l.ObjectName), URL: same("object", l.Object)},
		{Name: "Object ID", Code: l.Object},
		{Name: "Workspace", Text: l.WorkspaceName, Code: string(l.Workspace)},
		{Name: "Address", Text: l.Address},
		{Name: "Request ID", Code: string(l.Call)},
		{Name: "Event ID", Code: string(l.ID)},
	} {
		if f.Text+f.Code != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

// shownFindings is how many faults of the chain are shown; the command line
// names all of them.
const shownFindings = 5

// chainLine says how the chain stands.
func (s *Server) chainLine(c echo.Context) (audits.ChainProps, error) {
	ws, _ := auditOf(c)
	found, err := s.Audit.Checkup(actor(c), ws)
	p := chainWords(found, ws == "")
	if ws == "" && actor(c).May(access.VerifyAudit) {
		p.VerifyURL = when(!found.Running, chainURL)
		p.PollURL = when(found.Running, chainURL)
	}
	return p, err
}

func chainWords(c audit.Checkup, counted bool) (p audits.ChainProps) {
	r, at := c.Report, second(c.Ended).Text+" UTC"
	switch {
	case c.Running:
		p.Text = "The chain is being verified."
	case c.Ended.IsZero():
		p.Text = "The chain was not verified since the program started."
	case c.Failed:
		p.Tone, p.Text = ui.Warn, "The chain could not be verified on "+at+"."
	case !r.Whole():
		p.Tone, p.Text = ui.Bad, "The audit trail is not what it was: "+at+"."
		for i, f := range r.Findings {
			if i == shownFindings {
				p.Findings = append(p.Findings, fmt.Sprintf("%d more; bailiwick audit verify names them.", len(r.Findings)-i))
				break
			}
			p.Findings = append(p.Findings, capital(f.What)+when(!strings.HasSuffix(f.What, "."), "."))
		}
	case counted:
		p.Tone, p.Text = ui.Good, "Chain verified up to line "+number(r.To)+" on "+at+"."
		p.Proof = "No exported head proves it yet."
		if r.Proven.Seq > 0 {
			p.Proof = "Proven up to line " + number(r.Proven.Seq) + " by the head exported on " + second(r.Proven.At).Text + " UTC."
		}
	default:
		p.Tone, p.Text = ui.Good, "Chain verified on "+at+": whole."
	}
	return p
}
