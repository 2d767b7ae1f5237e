package adminapi

import (
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/explanation"
	"bailiwick/internal/policy"
)

// ExplainAsk is a call that somebody wonders about: one that was refused, by
// its request id, or one that could be made.
type ExplainAsk struct {
	Request    string `json:"request" doc:"The request id of a call that was refused; whatever else is said does not count then."`
	Key        string `json:"key" doc:"The id of an API key. Empty: a call without a key."`
	Header     string `json:"header" doc:"Workspace ID in the header X-DashScope-WorkSpace."`
	Path       string `json:"path" doc:"Workspace ID in the path, as in /w/{workspace}/…"`
	Host       string `json:"host" doc:"Workspace ID in the host name."`
	Model      string `json:"model" doc:"Empty: only who is calling, and where."`
	Capability string `json:"capability" doc:"call, train or deploy. Empty: call."`
	Address    string `json:"address" doc:"IP address the call comes from."`
}

// Explained is a decision with its checks.
type Explained struct {
	Allowed bool             `json:"allowed"`
	Version int64            `json:"version" doc:"Of the policy that decided."`
	At      time.Time        `json:"at"`
	Checks  []ExplainedCheck `json:"checks" doc:"In the order in which they are made."`
	Changes []NeededChange   `json:"changes" doc:"What would have to change, one after the other; none where it is allowed."`
	Limits  []ExplainedLimit `json:"limits" doc:"That hold for a call that is allowed."`
	Then    *ExplainedThen   `json:"then" doc:"With a request id: what was decided then. The other members say what would be decided now."`
}

// ExplainedThen is a refused call as it was decided.
type ExplainedThen struct {
	RequestID string           `json:"request_id"`
	Version   int64            `json:"version" doc:"Of the policy that decided."`
	At        time.Time        `json:"at"`
	Status    int              `json:"status"`
	Code      string           `json:"code"`
	Key       string           `json:"key" doc:"Empty: not known."`
	Hint      string           `json:"hint" doc:"The last characters of an unknown key."`
	Workspace string           `json:"workspace"`
	Model     string           `json:"model"`
	Checks    []ExplainedCheck `json:"checks" doc:"The last one is the limit that refused, where one did."`
	Changes   []NeededChange   `json:"changes" doc:"What lets such a call through, where a limit refused it."`
	Unasked   string           `json:"unasked" doc:"Why it cannot be asked again now; empty: it was."`
}

// ExplainedCheck is one check.
type ExplainedCheck struct {
	Title string     `json:"title" doc:"What holds when it passes."`
	State string     `json:"state" enum:"passed,failed,unasked"`
	Found string     `json:"found"`
	SetBy string     `json:"set_by" doc:"Who made it so; empty: nobody, or it is not known."`
	SetAt *time.Time `json:"set_at"`
}

// ExplainedLimit is a limit that holds for a call.
type ExplainedLimit struct {
	Title string     `json:"title" doc:"Whose it is."`
	Text  string     `json:"text"`
	SetBy string     `json:"set_by" doc:"Who made it so; empty: nobody, it is as it began."`
	SetAt *time.Time `json:"set_at"`
}

// NeededChange is one thing that would have to be different.
type NeededChange struct {
	Text  string `json:"text"`
	Who   string `json:"who" doc:"Who can make it."`
	Then  string `json:"then" doc:"What it leads to."`
	Flips bool   `json:"flips" doc:"The call is allowed then."`
}

func explainOperations() []operation {
	return []operation{{
		group: "Authorizations", id: "explainCall", method: "POST", path: "/explain", action: access.ReadGrants, summary: "Say why a call is allowed or refused",
		notes: "It is the gateway's own decision, and nothing is called.", body: ExplainAsk{}, answer: Explained{}, run: explainCall,
	}}
}

func explainCall(c *call) (any, error) {
	var in ExplainAsk
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Request != "" {
		return c.explainPast(in.Request)
	}
	answer, err := c.services.Why.Explain(c.ctx, c.by, "", explanation.Ask{
		Key: in.Key, Header: in.Header, Path: in.Path, Host: in.Host, Model: in.Model, Capability: in.Capability, Address: in.Address,
	})
	if err != nil {
		return nil, err
	}
	return explained(answer), nil
}

func (c *call) explainPast(request string) (any, error) {
	past, err := c.services.Why.Refused(c.ctx, c.by, "", request)
	if err != nil {
		return nil, err
	}
	out := Explained{Version: past.Version, At: past.At, Checks: []ExplainedCheck{}, Changes: []NeededChange{}, Limits: []ExplainedLimit{}}
	if past.Now != nil {
		out = explained(*past.Now)
	}
	out.Then = &ExplainedThen{
		RequestID: string(past.Call), Version: past.Version, At: past.At, Status: past.Status, Code: past.Code, Key: string(past.Key), Hint: past.Hint,
		Workspace: string(past.Workspace), Model: string(past.Model), Checks: checksOf(past.Lines), Changes: changesOf(past.Changes), Unasked: past.Unasked,
	}
	return out, nil
}

func explained(a explanation.Answer) Explained {
	out := Explained{Allowed: a.Allowed, Version: a.Version, At: a.At, Checks: checksOf(a.Lines), Changes: changesOf(a.Changes), Limits: []ExplainedLimit{}}
	for _, b := range a.Bounds {
		l := ExplainedLimit{Title: b.Title, Text: b.Text}
		l.SetBy, l.SetAt = setOf(b.Set)
		out.Limits = append(out.Limits, l)
	}
	return out
}

func changesOf(list []explanation.Change) []NeededChange {
	changes := make([]NeededChange, len(list))
	for i, change := range list {
		changes[i] = NeededChange{change.Text, change.Who, change.Then, change.Flips}
	}
	return changes
}

func setOf(set *explanation.Set) (by string, at *time.Time) {
	if set == nil {
		return "", nil
	}
	return set.By, &set.At
}

var checkStates = map[policy.State]string{policy.Passed: "passed", policy.Failed: "failed", policy.Unasked: "unasked"}

func checksOf(lines []explanation.Line) []ExplainedCheck {
	checks := make([]ExplainedCheck, len(lines))
	for i, l := range lines {
		checks[i] = ExplainedCheck{Title: l.Title, State: checkStates[l.State], Found: l.Found}
		checks[i].SetBy, checks[i].SetAt = setOf(l.Set)
	}
	return checks
}
