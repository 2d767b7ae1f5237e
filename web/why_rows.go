package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
	"bailiwick/views/ui"
	"bailiwick/views/why"
)

const readID = access.ReadID

// offeredKeys is how many keys the form offers; the others are typed.
const offeredKeys = 200

func trimmed(text string) string { return strings.TrimSpace(text) }

// whyForm is the form of a question with what was said so far. A secret is
// never part of it.
func (s *Server) whyForm(c echo.Context, ask explanation.Ask) (why.QuestionProps, error) {
	p := why.QuestionProps{
		Action: whyURL(whyPlace(c)), Key: ask.Key, Header: ask.Header, Path: ask.Path, Host: ask.Host, Model: ask.Model,
		Capabilities: capabilityChoices(ask.Capability), Address: ask.Address,
	}
	by, ws := actor(c), whyPlace(c)
	f := apikey.Filter{Limit: offeredKeys}
	find := func() ([]apikey.Listed, string, error) { return s.Keys.ListAll(c.Request().Context(), by, f) }
	if ws != "" {
		find = func() ([]apikey.Listed, string, error) { return s.Keys.List(c.Request().Context(), by, ws, f) }
	}
	keys, _, err := find()
	if err != nil {
		return p, err
	}
	for _, k := range keys {
		p.Keys = append(p.Keys, ui.Option{Value: string(k.ID), Label: strings.TrimSpace(secret.Masked(k.Hint) + " " + k.Description)})
	}
	for _, m := range append(s.Policy.Now().Private(ws), s.Policy.Now().Catalogue(by.Account)...) {
		p.Models = append(p.Models, ui.Option{Value: string(m.ID), Label: m.Name})
	}
	return p, nil
}

// verdict shows an answer.
func (s *Server) verdict(c echo.Context, a explanation.Answer) *why.Verdict {
	v := &why.Verdict{Allowed: a.Allowed, Title: "Allowed", Note: decidedBy(a.Version, a.At), Lines: whyLines(a.Lines, s.Now())}
	if a.Allowed && a.Model == "" {
		v.Title = "The key and the place are right; no model was asked about"
	}
	for _, l := range a.Lines {
		if l.State == policy.Failed {
			v.Title = "Refused"
			if l.Found == "" {
				v.Title += " by: " + l.Title
			}
		}
	}
	v.Changes = s.whyChanges(c, a.Changes)
	for _, b := range a.Bounds {
		v.Bounds = append(v.Bounds, why.Bound{Title: b.Title, Text: b.Text, Set: setWords(b.Set, s.Now())})
	}
	return v
}

func (s *Server) whyChanges(c echo.Context, list []explanation.Change) (out []why.Change) {
	for _, change := range list {
		out = append(out, why.Change{
			Text: change.Text, Who: sentence(change.Who), Then: change.Then, Flips: change.Flips, Link: s.changeLink(c, change),
		})
	}
	return out
}

// setWords say who set something and when; nothing where nobody did.
func setWords(set *explanation.Set, now time.Time) string {
	if set == nil {
		return ""
	}
	return set.By + " " + set.Summary + ", " + ago(set.At, now) + " (" + moment(set.At).Text + ")"
}

func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:] + " can do it"
}

func decidedBy(version int64, at time.Time) string {
	return "Decided by version " + number(version) + " of the policy, " + at.UTC().Format("2 Jan 2006, 15:04:05") + " UTC"
}

func whyLines(lines []explanation.Line, now time.Time) []why.Line {
	out := make([]why.Line, len(lines))
	for i, l := range lines {
		out[i] = why.Line{Title: l.Title, State: lineStates[l.State], Found: l.Found, Set: setWords(l.Set, now)}
	}
	return out
}

var lineStates = map[policy.State]why.State{policy.Passed: why.Passed, policy.Failed: why.Failed, policy.Unasked: why.Unasked}

// changeLink leads to where a change is made, for those who may make it.
func (s *Server) changeLink(c echo.Context, change explanation.Change) ui.Link {
	by, at := actor(c), change.Where
	if change.Limit != limit.None {
		return limitLink(by, change)
	}
	switch change.Do {
	case policy.IssueKey:
		return link(by.MayIn(at.Workspace, access.IssueKeys), "API Keys", keysURL(at.Workspace))
	case policy.EnableKey, policy.ExtendKey, policy.WidenKey, policy.AllowAddress:
		return link(by.MayIn(at.Workspace, access.ChangeKeys), "API Keys", keysURL(at.Workspace))
	case policy.EnableUser:
		return link(by.May(access.ChangeUsers) && at.User != "", "RAM user", userURL(at.User))
	case policy.AddMember:
		return link(by.MayIn(at.Workspace, access.ChangeMembers), "Members", membersURL(at.Workspace))
	case policy.Authorize:
		return link(by.May(access.ChangeGrants), "Model Authorizations", withQuery(authorizationsURL, "q", string(at.Model)))
	case policy.AddModel, policy.Serve:
		if change.Do == policy.Serve && slices.ContainsFunc(s.Policy.Now().Private(at.Workspace), func(m *policy.Model) bool { return m.ID == at.Model }) {
			return link(by.MayIn(at.Workspace, access.ReadDeployments), "Deployments", withQuery(deploymentsURL(at.Workspace), "q", string(at.Model)))
		}
		return link(by.May(access.ChangeProviders), "Providers", providersURL)
	}
	return ui.Link{}
}

// limitLink leads to where a limit is changed.
func limitLink(by access.Actor, change explanation.Change) ui.Link {
	at := change.Where
	switch {
	case change.Limit.AtOnce():
		return link(by.May(access.ChangeSettings), "Settings", settingsURL)
	case change.Limit.OfAccount():
		return link(by.May(access.ChangeLimits), "Account Limits", accountLimitURL(at.Model))
	case change.Deployed:
		return link(by.MayIn(at.Workspace, access.ReadDeployments), "Deployments", withQuery(deploymentsURL(at.Workspace), "q", string(at.Model)))
	}
	return link(by.May(access.ChangeLimits), "Limits", limitURL(at.Workspace, at.Model))
}

func link(may bool, label, url string) ui.Link {
	if !may {
		return ui.Link{}
	}
	return ui.Link{Label: label, URL: url}
}

// pastProps shows a refused call.
func (s *Server) pastProps(c echo.Context, past explanation.Past) (*why.Past, error) {
	p := &why.Past{RequestID: string(past.Call), Title: "Refused " + moment(past.At).Text, Cause: past.Cause, Lines: whyLines(past.Lines, s.Now()), Changes: s.whyChanges(c, past.Changes), Unasked: past.Unasked}
	if past.Now != nil {
		p.Now = s.verdict(c, *past.Now)
	}
	add := func(label, value string, mono bool) {
		if value != "" {
			p.Facts = append(p.Facts, why.Fact{Label: label, Value: value, Mono: mono})
		}
	}
	add("Answered", strings.TrimSpace(strconv.Itoa(past.Status)+" "+past.Code), false)
	add("Decided by", "version "+number(past.Version)+" of the policy, "+past.At.UTC().Format("2 Jan 2006, 15:04:05")+" UTC", false)
	add("API key", s.refusedKey(c, past.Refusal), false)
	add("Workspace", s.workspaceName(c, past.Workspace), false)
	add("Named in the header", past.Header, true)
	add("Named in the path", past.Path, true)
	add("Named in the host", past.Host, true)
	add("Model", string(past.Model), true)
	if past.Model != "" && past.Capability != 0 {
		add("What for", past.Capability.Title(), false)
	}
	if past.Address.IsValid() {
		add("From", past.Address.String(), true)
	}
	return p, nil
}

// refusedKey is how the key of a refused call is called. One of another
// workspace keeps its name to itself.
func (s *Server) refusedKey(c echo.Context, r explanation.Refusal) string {
	switch {
	case r.Person != "":
		return "The console's playground"
	case r.Key == "" && r.Hint != "":
		return "Unknown: " + secret.Masked(r.Hint)
	case r.Key == "":
		return "None that has the form of a key"
	}
	k := s.Policy.Now().Key(r.Key)
	switch {
	case k == nil:
		return string(r.Key) + ", deleted since"
	case !actor(c).MayIn(k.Workspace, access.ReadKeys):
		return "Of another workspace"
	}
	kept, err := s.Keys.Find(c.Request().Context(), actor(c), k.Workspace, r.Key)
	if err != nil {
		return string(r.Key)
	}
	return strings.TrimSpace(secret.Masked(kept.Hint) + " " + kept.Description)
}

// workspaceName is the name of a workspace of the actor's, or its id.
func (s *Server) workspaceName(c echo.Context, ws ident.Workspace) string {
	if ws == "" {
		return ""
	}
	w, err := s.Workspaces.Find(c.Request().Context(), actor(c), ws)
	if err != nil {
		return string(ws)
	}
	return w.Name
}

// recentRefusals are the calls that were refused lately.
func (s *Server) recentRefusals(c echo.Context) (why.RecentProps, error) {
	l := list(c, whyURL(whyPlace(c)))
	if l.values != nil {
		l.values.Del("request")
	}
	found, next, err := s.Why.Recent(c.Request().Context(), actor(c), whyPlace(c), l.after(), pageSize)
	if err != nil {
		return why.RecentProps{}, err
	}
	p := why.RecentProps{Workspaces: whyPlace(c) == "", Pager: l.pager(len(found), next)}
	names := map[ident.Workspace]string{}
	for _, r := range found {
		if _, known := names[r.Workspace]; !known && p.Workspaces {
			names[r.Workspace] = s.workspaceName(c, r.Workspace)
		}
		p.Rows = append(p.Rows, s.refusalRow(c, r, names[r.Workspace]))
	}
	return p, nil
}

var limitNames = map[limit.Kind]string{
	limit.KeyCalls: "Calls at once with the key", limit.WorkspaceCalls: "Calls at once in the workspace",
	limit.WorkspaceRequests: "Request limit of the workspace", limit.AccountRequests: "Request limit of the account",
	limit.WorkspaceTokens: "Token limit of the workspace", limit.AccountTokens: "Token limit of the account",
}

func (s *Server) refusalRow(c echo.Context, r explanation.Refusal, workspace string) why.Row {
	row := why.Row{
		Time: ui.Time{Text: r.At.UTC().Format("2 Jan 2006, 15:04:05"), ISO: r.At.UTC().Format(time.RFC3339)}, Key: s.refusedKey(c, r), Workspace: workspace,
		Model: string(r.Model), Check: "No check of the policy", Status: strings.TrimSpace(strconv.Itoa(r.Status) + " " + r.Code), RequestID: string(r.Call),
		URL: withQuery(whyURL(whyPlace(c)), "request", string(r.Call)),
	}
	if r.Limit.Kind != limit.None {
		row.Check = limitNames[r.Limit.Kind]
	}
	if r.Check != policy.Nothing {
		row.Check = "Check failed: " + explanation.Title(r.Check, catalogue.Capability(r.Capability), r.Person != "")
	}
	return row
}
