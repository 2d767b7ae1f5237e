package web_test

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
)

// refuse keeps a refused call as the gateway does.
func (o *company) refuse(q policy.Question) explanation.Refusal {
	o.t.Helper()
	q.At = o.clock.Now()
	r := explanation.Of(ident.NewCall(), q, o.keeper.Now().Decide(q))
	r.Status, r.Code = 403, "Model.AccessDenied"
	if r.Key == "" {
		r.Status, r.Code, r.Hint = 401, "invalid_api_key", "zz99"
	}
	o.must(o.store.InsertRefusals(o.t.Context(), []explanation.Refusal{r}))
	return r
}

var seconds = regexp.MustCompile(`\d\d:\d\d:\d\d`)

func (o *company) issue(ws ident.Workspace, terms apikey.Terms) (apikey.Key, string) {
	o.t.Helper()
	k, text, err := o.config.Keys.Issue(o.t.Context(), o.root, ws, terms)
	o.must(err)
	return k, text.Reveal()
}

func TestWhySaysWhatRefusesWhoSetItAndWhatWouldChangeIt(t *testing.T) {
	o := start(t)
	k, _ := o.issue(o.a, apikey.Terms{Description: "the newsletter"})
	path := o.at(o.a, "/why")
	page := o.get("carol", path).is(200).says("Why?", "A call that could be made", "Nothing was refused").holds(`value="` + string(k.ID) + `"`)
	page.holds(`name="header" type="text" value=""`) // carol may not see the workspace's id
	ask := func(who string, more ...string) *answer {
		return o.post(who, path, append([]string{"key", string(k.ID), "header", string(o.a), "model", "qwen-turbo", "capability", "call"}, more...)...).is(200)
	}
	never := ask("carol").says("Refused", "Marketing is not authorized for Model Calling of Qwen-Turbo.", "What would have to change, all of it", "Authorize Marketing for Model Calling of qwen-turbo.",
		"The account owner (root) or a super administrator can do it")
	never.hides("Model Authorizations</a>")
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	ask("carol").says("root@acme granted Model Calling of qwen-turbo, a moment ago", "Refused", "No provider serves Qwen-Turbo.")
	o.authorize("qwen-turbo", catalogue.Call)
	ask("root").says("root@acme revoked Model Calling of qwen-turbo").holds("/account/authorizations?q=qwen-turbo")
	o.must(o.config.Keys.Disable(t.Context(), o.actor("alice"), o.a, k.ID))
	off := ask("alice").says("It is disabled.", "alice@acme disabled an API key", "What would have to change, all of it", "Enable the key.", "Then the next check refuses: “The workspace is authorized”.", "Not asked any more:")
	off.hides("<html></html>")
	part := o.ask("alice", "POST", path, fieldsOf([]string{"key", string(k.ID)}), part).is(200).says("It is disabled.").hides("<html")
	part.holds(`id="why-question"`)
}

func TestWhyIsAllowedWhereACallWouldBe(t *testing.T) {
	o := start(t)
	p := o.provider(o.root, "vLLM")
	o.must(o.config.Providers.Serve(t.Context(), o.root, p.ID, []provider.Serving{{Model: "qwen-turbo", Name: "qwen-turbo"}}))
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	k, text := o.issue(o.a, apikey.Terms{Scope: apikey.Scope{Custom: true, Networks: []string{"10.0.0.0/8"}}})
	got := o.post("alice", o.at(o.a, "/why"), "secret", text, "header", string(o.a), "model", "qwen-turbo", "capability", "call", "address", "10.1.2.3").is(200)
	got.says("Allowed", "10.1.2.3 is in 10.0.0.0/8.").hides(text).holds(`value="` + string(k.ID) + `"`)
	o.post("alice", o.at(o.a, "/why"), "key", string(k.ID), "header", string(o.a), "model", "qwen-turbo", "address", "192.0.2.1").is(200).says("Refused", "Add 192.0.2.1 to the networks of the key.", "root@acme created an API key")
}

func TestAPastedSecretIsNeverShownAgainNorKeptAnywhere(t *testing.T) {
	o := start(t)
	var told []audit.Event
	o.config.Why.Note = func(e audit.Event) { told = append(told, e) }
	_, text := o.issue(o.a, apikey.Terms{})
	stranger := secret.NewKey().Reveal()
	for _, pasted := range []string{text, stranger, "sk-garbage-" + canary} {
		for _, place := range []string{o.at(o.a, "/why"), "/account/why"} {
			o.post("root", place, "secret", pasted, "address", "nowhere").is(422).says("Write an IP address").hides(pasted)
			o.post("root", place, "secret", pasted).is(200).hides(pasted)
		}
	}
	if len(told) != 6 || told[0].Action != "decisions:explain" || told[0].ActorName != "root@acme" {
		t.Errorf("the trail is told %+v", told)
	}
	for _, e := range told {
		if strings.Contains(e.Summary+e.Object, "sk-") {
			t.Errorf("the trail holds %+v", e)
		}
	}
}

func TestInAWorkspaceOnlyItsOwnKeysCanBeAskedAbout(t *testing.T) {
	o := start(t)
	theirs, text := o.issue(o.b, apikey.Terms{Description: canary})
	_, root, home := o.open("Other", "other")
	foreign, other, err := o.config.Keys.Issue(t.Context(), root, home, apikey.Terms{Description: "Xyzzyx"})
	o.must(err)
	for _, id := range []ident.Key{theirs.ID, foreign.ID, ident.NewKey(), "nonsense"} {
		o.post("alice", o.at(o.a, "/why"), "key", string(id)).is(422).says("There is no such API key here.").hides(canary)
	}
	unknown := o.post("alice", o.at(o.a, "/why"), "secret", secret.NewKey().Reveal()).is(200).says("none has this secret")
	for _, pasted := range []string{text, other.Reveal()} {
		got := o.post("alice", o.at(o.a, "/why"), "secret", pasted).is(200).hides(canary, string(o.b))
		if seconds.ReplaceAllString(plain(got, ""), "") != seconds.ReplaceAllString(plain(unknown, ""), "") {
			t.Error("somebody else's key is told from one that never was")
		}
	}
	o.post("root", "/account/why", "secret", other.Reveal()).is(200).says("none has this secret").hides("Xyzzyx")
	o.post("root", "/account/why", "secret", text, "header", string(o.b)).is(200).says(canary, "Research")
	// A key of the account owner may name every workspace; who administers its own learns nothing of the others.
	o.hire("dora", "regular", o.home, "administrator", nil)
	k, _ := o.issue(o.home, apikey.Terms{})
	for _, place := range []string{string(o.b), string(ident.NewWorkspace())} {
		o.post("dora", o.at(o.home, "/why"), "key", string(k.ID), "header", place).is(422).says("for the account owner or a super administrator to ask").hides("Research")
	}
	o.post("root", "/account/why", "key", string(k.ID), "header", string(ident.NewWorkspace())).is(200).says("The account has no workspace")
}

func TestAnAskerWhoMayNotIsRefused(t *testing.T) {
	o := start(t)
	for who, status := range map[string]int{"bob": 403, "bert": 404, "": 303} {
		o.get(who, o.at(o.a, "/why")).is(status)
	}
	o.get("alice", "/account/why").is(403).holds(`href="/access"`)
	o.get("bob", "/access").is(200).says("Your Access", "Marketing", "Regular user", "More pages can be granted by alice, who administers it.")
	o.get("super", "/access").is(200).says("root@acme, alone administers providers")
}

func TestARefusedCallIsExplainedAsItWasDecidedThenAndNow(t *testing.T) {
	o := start(t)
	k, _ := o.issue(o.a, apikey.Terms{Description: "the newsletter"})
	q := policy.Question{Presented: true, Digest: k.Digest, Header: string(o.a), Model: "qwen-turbo", Capability: catalogue.Call, Address: netip.MustParseAddr("192.0.2.7")}
	r := o.refuse(q)
	then := strconv.FormatInt(r.Version, 10)
	path := o.at(o.a, "/why?request="+string(r.Call))
	o.get("alice", path).is(200).says("Then", "Now", "403 Model.AccessDenied", "version "+then+" of the policy", "the newsletter", "192.0.2.7", "which the workspace was not authorized for")
	o.get("alice", "/why?request="+string(r.Call)).to(path)
	o.get("root", "/why?request="+string(r.Call)).to("/account/why?request=" + string(r.Call))
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	later := o.get("alice", path).is(200).says("version "+then+" of the policy", "No provider serves Qwen-Turbo.", "Decided by version "+strconv.FormatInt(o.keeper.Now().Version(), 10))
	later.says("Check failed: The workspace is authorized")
	o.must(o.config.Keys.Delete(t.Context(), o.root, o.a, k.ID))
	o.get("alice", path).is(200).says("version "+then+" of the policy", "The key was deleted since")
	o.get("root", "/account/why?request="+string(r.Call)).is(200).says("Marketing", "deleted since")
}

func TestRefusedCallsAreSeenByTheirWorkspaceAndTheAccountAlone(t *testing.T) {
	o := start(t)
	k, _ := o.issue(o.b, apikey.Terms{Description: canary})
	theirs := o.refuse(policy.Question{Presented: true, Digest: k.Digest, Header: string(o.b), Model: "qwen-max", Capability: catalogue.Call})
	unknown := o.refuse(policy.Question{Presented: true, Digest: secret.Digest{9}})
	_, root, home := o.open("Other", "other")
	key, _, err := o.config.Keys.Issue(t.Context(), root, home, apikey.Terms{})
	o.must(err)
	foreign := o.refuse(policy.Question{Presented: true, Digest: key.Digest, Model: "nothing", Capability: catalogue.Call})
	for _, call := range []ident.Call{theirs.Call, unknown.Call, foreign.Call, ident.NewCall(), "nonsense"} {
		o.get("alice", o.at(o.a, "/why?request="+string(call))).is(404).says("There is no refused call with this request id.").hides(canary)
		o.get("alice", "/why?request="+string(call)).is(404)
	}
	o.get("bert", o.at(o.b, "/why?request="+string(theirs.Call))).is(200).says(canary)
	for _, call := range []ident.Call{foreign.Call, ident.NewCall()} {
		o.get("root", "/account/why?request="+string(call)).is(404)
	}
	o.get("super", "/account/why?request="+string(unknown.Call)).is(200).says("Unknown: sk-ws-…zz99", "No key had the secret", "so it cannot be asked about again")
	list := o.get("root", "/account/why").is(200).says("qwen-max", "Research", "Check failed: The workspace is authorized")
	list.hides(string(unknown.Call), string(foreign.Call))
	o.get("alice", o.at(o.a, "/why")).is(200).says("Nothing was refused").hides(canary)
	o.clock.pass(explanation.Retention + time.Minute)
	o.must(o.store.PruneRefusals(t.Context(), o.clock.Now().Add(-explanation.Retention), 10, 10))
	delete(o.cookies, "root") // the session has ended meanwhile
	o.get("root", "/account/why?request="+string(theirs.Call)).is(404)
}

// throttle keeps a call that a limit refused, as the gateway does.
func (o *company) throttle(k apikey.Key, ws ident.Workspace, m ident.Model, by *limit.Refusal, tokens int) string {
	o.t.Helper()
	q := policy.Question{Presented: true, Digest: o.keeper.Now().Key(k.ID).Digest, Header: string(ws), Model: m, Capability: catalogue.Call, At: o.clock.Now()}
	d := o.keeper.Now().Decide(q)
	r := explanation.Of(ident.NewCall(), q, d)
	r.Status, r.Code, r.Limit = 429, "limit_requests", explanation.LimitOf(by, d, tokens)
	o.must(o.store.InsertRefusals(o.t.Context(), []explanation.Refusal{r}))
	return string(r.Call)
}

func TestWhySaysWhoSetTheLimitThatRefusedAndWhatLetsTheCallThrough(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store, c *clock) {
		o := newCompany(t, s, c)
		p := o.provider(o.root, "vLLM")
		o.must(o.config.Providers.Serve(t.Context(), o.root, p.ID, []provider.Serving{{Model: "qwen-turbo", Name: "qwen-turbo"}}))
		o.authorize("qwen-turbo", catalogue.Call, o.a)
		k, _ := o.issue(o.a, apikey.Terms{})
		own := limit.Rate{Count: 2, Period: 60}
		asks := func(who, request string) *answer {
			return o.get(who, o.get(who, "/why?request="+request).header.Get("Location")).is(200)
		}

		listed := o.throttle(k, o.a, "qwen-turbo", &limit.Refusal{Kind: limit.AccountRequests, Rate: limit.Rate{Count: 300, Period: 15}}, 0)
		asks("root", listed).says("There is room within the limits", "All workspaces of the account together may use 300 requests in 15 s of qwen-turbo. They were used up. It is as the catalogue has it.",
			"The one change that would allow it", "Raise the account's request limit of qwen-turbo.", "in Retry-After", "The account owner (root) or a super administrator can do it").
			holds("/account/limits/edit?model=qwen-turbo").hides("refused otherwise")

		o.must(o.config.Limits.Change(t.Context(), o.actor("super"), o.a, []limit.Change{{Model: "qwen-turbo", Version: limit.AnyVersion, Requests: &own.Count, RequestPeriod: &own.Period}}))
		ours := o.throttle(k, o.a, "qwen-turbo", &limit.Refusal{Kind: limit.WorkspaceRequests, Rate: own}, 0)
		asks("alice", ours).says("Marketing may use 2 requests in 60 s of qwen-turbo. They were used up.", "super@acme set this limit, a moment ago", "Raise the request limit of qwen-turbo in Marketing, or take it away.",
			"The limits that hold for it", "Qwen-Turbo in Marketing", "2 requests in 60 s, no token limit", "Qwen-Turbo in all workspaces together", "300 requests in 15 s, 1000000 tokens in 12 s. It is as the catalogue has it.",
			"At once with one key", "512 calls. It is as every account begins.").hides("/limits/qwen-turbo/edit")
		asks("super", ours).holds(o.at(o.a, "/limits/qwen-turbo/edit"))
		o.get("alice", o.at(o.a, "/why")).says("Request limit of the workspace")

		few := account.Defaults
		few.KeyCalls = 3
		kept, err := s.Account(t.Context(), o.account.ID)
		o.must(err)
		o.must(o.config.Accounts.ChangeSettings(t.Context(), o.root, few, kept.Version))
		busy := o.throttle(k, o.a, "qwen-turbo", &limit.Refusal{Kind: limit.KeyCalls, Calls: 3}, 0)
		asks("root", busy).says("The key had 3 calls running, as many as one key of the account may.", "root@acme set this limit", "Wait until calls of the key have ended").holds("/account/settings")
		o.get("root", "/account/settings").says("A stream counts until it ends. 0 means any number. Set by root@acme")

		long := o.throttle(k, o.a, "qwen-turbo", &limit.Refusal{Kind: limit.AccountTokens, Rate: limit.Rate{Count: 20, Period: 60}, Never: true}, 52)
		asks("root", long).says("The call might have consumed 52 tokens, more than that ever lets through.", "It must let 52 tokens through; or let the answer be shorter (max_tokens), or the prompt.")

		o.must(o.config.Limits.Change(t.Context(), o.root, o.a, []limit.Change{{Model: "qwen-turbo", Version: limit.AnyVersion, Delete: true}}))
		asks("alice", ours).says("Marketing may use 2 requests in 60 s of qwen-turbo.", "super@acme set this limit").hides("Qwen-Turbo in Marketing")
	})
}

func TestWhyLeadsToTheDeploymentWhoseLimitRefused(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Deploy, o.a)
	id := ident.Deployment(o.deployment(o.root, o.a))
	_, err := o.config.Deployments.Limit(t.Context(), o.actor("alice"), o.a, id, 7, 0)
	o.must(err)
	d, err := o.store.Deployment(t.Context(), o.a, id)
	o.must(err)
	k, _ := o.issue(o.a, apikey.Terms{})
	r := o.throttle(k, o.a, d.Name, &limit.Refusal{Kind: limit.WorkspaceRequests, Rate: limit.Rate{Count: 7, Period: 60}}, 0)
	o.get("alice", o.at(o.a, "/why?request="+r)).is(200).says("Raise the limits of the deployment "+string(d.Name)+".", "alice@acme set this limit", "a member with the page Deployments can do it").
		holds(o.at(o.a, "/deployments?q=") + string(d.Name))
	o.get("alice", o.at(o.a, "/deployments/"+string(id))).says("7 requests a minute. Set by alice@acme")
}
