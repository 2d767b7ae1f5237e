package gateway_test

import (
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// shelf keeps refusals in memory.
type shelf struct {
	mu   sync.Mutex
	list []explanation.Refusal
}

func (s *shelf) Record(r explanation.Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, r)
}

func (s *shelf) last(t *testing.T, n int) explanation.Refusal {
	t.Helper()
	for range 500 {
		s.mu.Lock()
		have := len(s.list)
		s.mu.Unlock()
		if have == n {
			return s.list[n-1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d refusals were kept, not %d", len(s.list), n)
	return explanation.Refusal{}
}

func TestEveryRefusalLeadsToItsExplanationAndIsKept(t *testing.T) {
	kept := &shelf{}
	w := newWorld(t, func(w *world) { w.config.Refusals, w.config.Console = kept, "https://models.example.com" })
	unknown := secret.NewKey().Reveal()
	w.keys["unknown"], w.keys["garbage"] = unknown, "sk-garbage"
	for n, c := range []struct {
		ask   ask
		check policy.Check
		hint  string
		model string
		place string
	}{
		{ask{path: "/v1/chat/completions", key: "marketing", ws: marketing, body: openAIBody("qwen-plus", "")}, policy.Granted, "", "qwen-plus", string(marketing)},
		{ask{path: "/api/v1/services/aigc/text-generation/generation", key: "marketing", ws: research, body: nativeBody("qwen-plus", "")}, policy.WorkspaceIsOurs, "", "", string(marketing)},
		{ask{path: "/v1/models", key: "elsewhere", ws: marketing}, policy.AddressAllowed, "", "", string(marketing)},
		{ask{path: "/v1/models", key: "unknown"}, policy.KeyKnown, unknown[len(unknown)-4:], "", ""},
		{ask{path: "/v1/models", key: "garbage"}, policy.KeyKnown, "", "", ""},
		{ask{path: "/v1/models/qwen-plus", key: "marketing", ws: marketing}, policy.Nothing, "", "qwen-plus", string(marketing)},
		{ask{path: "/v1/chat/completions", key: "marketing", ws: marketing, body: "{"}, policy.Nothing, "", "", string(marketing)},
	} {
		got := w.call(c.ask)
		id := got.header.Get("X-Request-Id")
		url := "https://models.example.com/why?request=" + id
		if got.header.Get("Link") != "<"+url+`>; rel="help"` || !strings.HasSuffix(got.body, `,"why":"`+url+`"}`) {
			t.Errorf("%s leads to %q: %s", c.ask.path, got.header.Get("Link"), got.body)
		}
		r := kept.last(t, n+1)
		if string(r.Call) != id || r.Check != c.check || r.Hint != c.hint || string(r.Model) != c.model || string(r.Workspace) != c.place || r.Status != got.status || r.Code == "" || r.Version != 1 {
			t.Errorf("%s is kept as %+v", c.ask.path, r)
		}
		if !r.Address.IsLoopback() || (r.Key == "") != (c.place == "") || !r.Made.Has(policy.KeyPresented) {
			t.Errorf("%s is kept as %+v", c.ask.path, r)
		}
		if r.Check != policy.Nothing && !r.Made.Has(r.Check) {
			t.Errorf("%s: check %d refused and was not made", c.ask.path, r.Check)
		}
	}
}

func TestWhatIsKeptIsAskedAgainAlike(t *testing.T) {
	kept := &shelf{}
	w := newWorld(t, func(w *world) { w.config.Refusals = kept })
	got := w.call(ask{path: "/v1/chat/completions", key: "narrow", ws: marketing, body: openAIBody("qwen-turbo", "")})
	r := kept.last(t, 1)
	if got.status != 403 || r.Check != policy.KeyCovers || strings.Contains(got.body, "why") {
		t.Fatalf("%d %+v", got.status, r)
	}
	q := policy.Question{Presented: true, Digest: w.keeper.Now().Key(r.Key).Digest, Header: r.Header, Path: r.Path, Host: r.Host, Address: r.Address, At: r.At, Model: r.Model, Capability: r.Capability}
	e := w.keeper.Now().Explain(q)
	if e.Refused != r.Check || e.Made != r.Made || e.Version != r.Version || r.Capability != catalogue.Call {
		t.Errorf("the explanation says %+v, and the gateway %+v", e.Decision, r)
	}
	if q.Address = netip.MustParseAddr("10.1.1.1"); w.keeper.Now().Decide(q).Refused != policy.KeyCovers {
		t.Error("the address decides")
	}
}

func TestACallThatIsAnsweredLeavesNoRefusal(t *testing.T) {
	kept := &shelf{}
	w := newWorld(t, func(w *world) { w.config.Refusals = kept })
	if got := w.call(ask{path: "/v1/models", key: "marketing", ws: marketing}); got.status != 200 || got.header.Get("Link") != "" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	w.call(ask{path: "/v1/nothing/here", key: "marketing"})
	if len(kept.list) != 0 {
		t.Errorf("kept %+v", kept.list)
	}
}

func TestALimitThatRefusesIsKeptWithWhoSetIt(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	root := limit.Setter{By: "root@acme", At: at}
	tokens := catalogue.Limit{Usage: 20, UsagePeriod: 60, SetBy: root.By, SetAt: root.At}
	for _, c := range []struct {
		name    string
		own     limit.Limit
		account catalogue.Limit
		calls   int // that one key may run at once
		before  int
		body    string
		want    explanation.Limit
	}{
		{"requests of the workspace", limit.Limit{Requests: rate(1, 60)}, catalogue.Limit{}, 0, 1, "", explanation.Limit{Kind: limit.WorkspaceRequests, Rate: rate(1, 60), SetBy: "alice@acme", SetAt: at}},
		{"requests of the account, as listed", limit.Limit{}, catalogue.Limit{Requests: 1, RequestPeriod: 60}, 0, 1, "", explanation.Limit{Kind: limit.AccountRequests, Rate: rate(1, 60)}},
		{"tokens of the account, too many ever", limit.Limit{}, tokens, 0, 0, `,"max_tokens":40`, explanation.Limit{Kind: limit.AccountTokens, Rate: rate(20, 60), SetBy: root.By, SetAt: at, Asked: 52}},
		{"nothing at all", limit.Limit{Requests: rate(0, 60)}, catalogue.Limit{}, 0, 0, "", explanation.Limit{Kind: limit.WorkspaceRequests, Rate: rate(0, 60), SetBy: "alice@acme", SetAt: at}},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := &shelf{}
			w, _ := limitedWorld(t, c.own, c.account, func(w *world) {
				w.config.Refusals = kept
				w.facts.Workspaces[1].Limits = w.facts.Workspaces[1].Limits.With("qwen-turbo", limit.Setting{Limit: c.own, SetBy: "alice@acme", SetAt: at, Version: 1})
			})
			for range c.before + 1 {
				w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", c.body)})
			}
			r := kept.last(t, 1)
			if r.Limit != c.want || r.Check != policy.Nothing || r.Status != 429 {
				t.Errorf("kept %d %+v", r.Status, r.Limit)
			}
		})
	}
}

func TestCallsAtOnceThatRefuseAreKeptWithWhoSetThem(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	kept := &shelf{}
	hold := make(chan struct{})
	w, _ := limitedWorld(t, limit.Limit{}, catalogue.Limit{}, func(w *world) {
		w.config.Refusals = kept
		w.facts.Accounts[0].KeyCalls, w.facts.Accounts[0].KeyCallsSet = 1, limit.Setter{By: "root@acme", At: at}
	})
	defer close(hold)
	pass := &limit.Pass{}
	if refused := w.config.Limits.Admit(&limit.Ask{Key: w.facts.Keys[0].ID, Workspace: marketing, Model: "qwen-turbo", KeyCalls: 1}, pass); refused != nil {
		t.Fatal(refused)
	}
	got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")})
	r := kept.last(t, 1)
	if want := (explanation.Limit{Kind: limit.KeyCalls, Rate: limit.Rate{Count: 1}, SetBy: "root@acme", SetAt: at}); r.Limit != want || got.status != 429 {
		t.Errorf("%d %+v", got.status, r.Limit)
	}
}
