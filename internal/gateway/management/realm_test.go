// Package management_test asks the gateway's management endpoints over real
// stores. It stands apart from the gateway's other tests so that these link no
// database: fuzzing would follow every branch of it.
package management_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
	"bailiwick/internal/workspace"
)

// realm is a gateway over a real store, and keys in it.
type realm struct {
	*storetest.World
	t                   *testing.T
	pepper              secret.Pepper
	http                *httptest.Server
	keys                map[string]string // secrets by name
	marketing, research workspace.Workspace
}

// eachRealm runs a test on every database: an account with the models qwen-plus,
// which offers everything, qwen-plain, which can be called only, and qwen-turbo
// with an account-level limit.
func eachRealm(t *testing.T, test func(t *testing.T, r *realm)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		master, err := secret.ParseMaster(base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv")))
		if err != nil {
			t.Fatal(err)
		}
		r := &realm{World: storetest.NewWorld(t, s, "acme"), t: t, pepper: master.Pepper(), keys: map[string]string{}}
		r.marketing, r.research = r.Workspace("Marketing"), r.Workspace("Research")
		for _, m := range []catalogue.Model{
			{ID: "qwen-plus", Name: "Qwen-Plus", Vendor: "qwen", Kinds: []string{"TG"}, Offers: catalogue.Of(catalogue.All...)},
			{ID: "qwen-plain", Name: "Plain", Vendor: "qwen", Kinds: []string{"TG"}, Offers: catalogue.Of(catalogue.Call)},
			{ID: "qwen-turbo", Name: "Qwen-Turbo", Vendor: "qwen", Kinds: []string{"TG"}, Offers: catalogue.Of(catalogue.Call),
				Limit: catalogue.Limit{Requests: 300, RequestPeriod: 15, Usage: 1_000_000, UsagePeriod: 12, UsageField: "total_tokens"}},
		} {
			m.Account, m.Version = r.Account.ID, 1
			r.must(s.InsertModel(t.Context(), r.Account.ID, m, r.Why("models:add")))
		}
		r.Serve(r.Provider("Engine", provider.Embedded, "").ID, "qwen-plus", "qwen-plain", "qwen-turbo")
		r.issue("root", r.Default, r.Root.ID)
		for _, who := range []struct {
			key  string
			role access.Role
			ws   ident.Workspace
		}{{"super", access.Super, r.Default}, {"super-outside", access.Super, r.marketing.ID}, {"admin", access.Regular, r.marketing.ID}, {"regular-in-default", access.Regular, r.Default}} {
			u := r.User(ident.LogOn(who.key), who.role)
			if who.role == access.Regular {
				r.Member(who.ws, u.ID, access.Administrator)
			}
			r.issue(who.key, who.ws, u.ID)
		}
		r.serve()
		test(t, r)
	})
}

// row runs what proves a row of what the original says of these addresses.
// internal/rows_test.go has the list of all.
func (r *realm) row(name string, prove func()) {
	outer := r.t
	outer.Run(name, func(t *testing.T) {
		r.t = t
		defer func() { r.t = outer }()
		prove()
	})
}

func (r *realm) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *realm) issue(name string, ws ident.Workspace, owner ident.User) {
	r.issueAs(name, ws, owner, func(*apikey.Key) {})
}

func (r *realm) issueAs(name string, ws ident.Workspace, owner ident.User, change func(*apikey.Key)) {
	text := secret.NewKey()
	k := apikey.Key{ID: ident.NewKey(), Account: r.Account.ID, Workspace: ws, Owner: owner, Digest: r.pepper.Digest(text.Reveal()), Hint: "abcd", CreatedAt: storetest.Start, Version: 1}
	change(&k)
	r.must(r.Store.InsertKey(r.t.Context(), ws, k, 50, r.Why("keys:issue")))
	r.keys[name] = text.Reveal()
}

func (r *realm) serve() {
	ctx := r.t.Context()
	keeper, err := policy.NewKeeper(ctx, r.Store)
	r.must(err)
	r.Store.OnChange(func(ctx context.Context) { _ = keeper.Refresh(ctx) })
	g := gateway.New(gateway.Config{
		Policy: keeper, Pepper: r.pepper, Usage: unbooked{}, Log: slog.New(slog.DiscardHandler),
		Open:       func(provider.Provider) (provider.Server, error) { return embedded.Open(provider.Target{}) },
		Management: &gateway.Management{Actor: r.Store.Actor, Grants: &grant.Service{Store: r.Store}, Limits: &limit.Service{Store: r.Store}},
	})
	r.http = httptest.NewServer(g)
	r.t.Cleanup(func() { r.http.Close(); g.Close() })
}

// unbooked books nothing.
type unbooked struct{}

func (unbooked) Begin(*usage.Record) error { return nil }
func (unbooked) End(*usage.Record)         {}

// ask is one request to the gateway.
type ask struct {
	method string // empty: POST with a body, else GET
	path   string
	key    string // its name; empty: none
	ws     ident.Workspace
	body   string
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// call makes a request and reads the answer.
func (r *realm) call(a ask) reply {
	r.t.Helper()
	if a.method == "" {
		a.method = map[bool]string{true: "GET", false: "POST"}[a.body == ""]
	}
	q, err := http.NewRequestWithContext(r.t.Context(), a.method, r.http.URL+a.path, strings.NewReader(a.body))
	r.must(err)
	if a.key != "" {
		q.Header.Set("Authorization", "Bearer "+r.keys[a.key])
	}
	if a.ws != "" {
		q.Header.Set("X-DashScope-WorkSpace", string(a.ws))
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(q)
	r.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	r.must(err)
	return reply{answer.StatusCode, answer.Header, string(body)}
}

const chat = "/v1/chat/completions"

func openAIBody(model, rest string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"Hello"}]` + rest + `}`
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
