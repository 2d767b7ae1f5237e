package gateway_test

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/secret"
	"bailiwick/internal/usage"
)

// The world of these tests: an account with a Default Workspace and two others.
const (
	account   = ident.Account("acc-0000000000000001")
	root      = ident.User("usr-0000000000000001")
	bob       = ident.User("usr-0000000000000002")
	home      = ident.Workspace("llm-default000000000")
	marketing = ident.Workspace("llm-marketing0000000")
	research  = ident.Workspace("llm-research00000000")
	upstream  = ident.Provider("prv-0000000000000001")
	demo      = ident.Provider("prv-0000000000000002")
)

// world is a gateway, what it knows, and the model server behind it.
type world struct {
	t      testing.TB
	facts  policy.Facts
	keeper *policy.Keeper
	pepper secret.Pepper
	books  *books
	mock   *mockserver.Server
	config gateway.Config
	limits *limit.Limiter
	http   *httptest.Server
	keys   map[string]string // secrets by name
}

// Facts implements policy.Source.
func (w *world) Facts(context.Context, int64) (policy.Facts, error) { return w.facts, nil }

// books keeps the usage records.
type books struct {
	mu    sync.Mutex
	begun []usage.Record
	list  []usage.Record
	full  bool
}

func (b *books) Begin(r *usage.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full {
		return usage.ErrFull
	}
	b.begun = append(b.begun, *r)
	return nil
}

func (b *books) End(r *usage.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, *r)
}

func (b *books) all() []usage.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]usage.Record(nil), b.list...)
}

// last waits for the record number n, counted from 1.
func (b *books) number(t testing.TB, n int) usage.Record {
	t.Helper()
	for range 500 {
		if all := b.all(); len(all) >= n {
			return all[n-1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("only %d usage records came, not %d", len(b.all()), n)
	return usage.Record{}
}

func model(id string, kinds ...string) policy.Model {
	return policy.Model{
		Model: catalogue.Model{ID: ident.Model(id), Account: account, Name: strings.ToUpper(id), Vendor: "qwen", Kinds: kinds, Context: 32768,
			Input: []string{"Text"}, Output: []string{"Text"}, Offers: catalogue.Of(catalogue.Call), OnlineSince: "2025-06-23"},
		Servings: []policy.Serving{{Provider: upstream, Name: id}},
	}
}

// newWorld makes a world; change, if not nil, has the last word on the configuration.
func newWorld(t testing.TB, change func(*world)) *world {
	t.Helper()
	mock, err := mockserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	master, err := secret.ParseMaster(base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv")))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, pepper: master.Pepper(), books: &books{}, mock: mock, keys: map[string]string{}}
	w.describe()
	w.config = gateway.Config{Pepper: w.pepper, Open: w.open, Usage: w.books, Health: &provider.Board{Now: time.Now, Patience: 1 << 30}, BaseHost: "models.example.com",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(w)
	}
	if w.keeper, err = policy.NewKeeper(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	w.config.Policy = w.keeper
	w.limits = limit.New(w.config.Now)
	w.config.Limits = w.limits
	w.serve(gateway.New(w.config))
	return w
}

// serve puts a gateway behind the address that calls go to.
func (w *world) serve(g *gateway.Gateway) {
	w.http = httptest.NewServer(g)
	server := w.http
	w.t.Cleanup(func() { server.Close(); g.Close() })
}

// describe fills in the facts.
func (w *world) describe() {
	granted := map[ident.Model]catalogue.Capabilities{}
	for _, id := range []ident.Model{"qwen-turbo", "qwen-aliased", "qwen-demo", "qwen-orphan", "qwen-vl", "text-embedding"} {
		granted[id] = catalogue.Of(catalogue.Call)
	}
	aliased, engine, orphan, mute := model("qwen-aliased", "TG"), model("qwen-demo", "TG"), model("qwen-orphan", "TG"), model("qwen-mute", "TG")
	aliased.Servings[0].Name = "vendor/model-7b"
	engine.Servings[0].Provider = demo
	orphan.Servings = nil
	mute.Offers = 0
	vectors := model("text-embedding", "TR")
	vectors.Output = nil
	w.facts = policy.Facts{
		Version:  1,
		Accounts: []policy.Account{{ID: account, Default: home, NameWorkspace: true}},
		Workspaces: []policy.Workspace{
			{ID: home, Account: account, Default: true},
			{ID: marketing, Account: account, Grants: policy.PairsOf(granted), Members: []ident.User{bob}},
			{ID: research, Account: account, Members: []ident.User{bob}},
		},
		Users: []policy.User{{ID: root, Account: account, Root: true, Everywhere: true}, {ID: bob, Account: account}},
		Models: []policy.Model{
			model("qwen-turbo", "TG"), model("qwen-plus", "TG"), aliased, engine, orphan, mute,
			model("qwen-vl", "VU"), vectors, model("text-rerank", "TR"),
		},
		Providers: []provider.Provider{
			{ID: upstream, Account: account, Kind: provider.OpenAI, BaseURL: w.mock.URL, Version: 1},
			{ID: demo, Account: account, Kind: provider.Embedded, Version: 1},
		},
	}
	w.key("marketing", marketing, bob, nil)
	w.key("research", research, bob, nil)
	w.key("root", home, root, nil)
	w.key("disabled", marketing, bob, func(k *policy.Key) { k.Disabled = true })
	w.key("expired", marketing, bob, func(k *policy.Key) { k.Expires = time.Unix(1, 0) })
	w.key("stranger", marketing, "usr-0000000000000009", nil)
	w.key("elsewhere", marketing, bob, func(k *policy.Key) {
		k.Rare = &policy.Rare{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	})
	w.key("narrow", marketing, bob, func(k *policy.Key) { k.Rare = &policy.Rare{Models: []ident.Model{"qwen-aliased"}} })
}

// key adds a key under a name.
func (w *world) key(name string, ws ident.Workspace, owner ident.User, change func(*policy.Key)) {
	text := secret.NewKey().Reveal()
	k := policy.Key{ID: ident.NewKey(), Account: account, Workspace: ws, Owner: owner, Digest: w.pepper.Digest(text)}
	if change != nil {
		change(&k)
	}
	w.facts.Keys = append(w.facts.Keys, k)
	w.keys[name] = text
}

// now makes a change of the facts count.
func (w *world) now(change func(*policy.Facts)) {
	w.t.Helper()
	change(&w.facts)
	w.facts.Version++
	if err := w.keeper.Refresh(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

const credential = "sk-upstream-canary-0123456789"

// open implements gateway.Config.Open.
func (w *world) open(p provider.Provider) (provider.Server, error) {
	if p.Kind == provider.Embedded {
		return embedded.Open(provider.Target{})
	}
	g, err := guard.New([]string{w.mock.Addr})
	if err != nil {
		return nil, err
	}
	return openai.Kind(g.DialContext)(provider.Target{BaseURL: p.BaseURL, Credential: secret.NewText(credential)})
}

// ask is one request to the gateway.
type ask struct {
	method string // empty: POST with a body, else GET
	path   string
	key    string // its name; empty: none
	ws     ident.Workspace
	header map[string]string
	body   string
	// chunked leaves it to the end of the body to say how long it is.
	chunked bool
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// call makes a request and reads the answer.
func (w *world) call(a ask) reply {
	w.t.Helper()
	if a.method == "" {
		a.method = http.MethodGet
		if a.body != "" {
			a.method = http.MethodPost
		}
	}
	r, err := http.NewRequest(a.method, w.http.URL+a.path, strings.NewReader(a.body))
	if err != nil {
		w.t.Fatal(err)
	}
	if a.chunked {
		r.ContentLength = -1
	}
	if a.key != "" {
		r.Header.Set("Authorization", "Bearer "+w.keys[a.key])
	}
	if a.ws != "" {
		r.Header.Set("X-DashScope-WorkSpace", string(a.ws))
	}
	for k, v := range a.header {
		if k == "Host" {
			r.Host = v
			continue
		}
		r.Header.Set(k, v)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("the answer broke off: %v (so far %q)", err, body)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

const (
	chat       = "/v1/chat/completions"
	generation = "/api/v1/services/aigc/text-generation/generation"
	seeing     = "/api/v1/services/aigc/multimodal-generation/generation"
)

// openAIBody and nativeBody ask a model the same thing.
func openAIBody(model, rest string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"Hello"}]` + rest + `}`
}

func nativeBody(model, parameters string) string {
	return `{"model":"` + model + `","input":{"messages":[{"role":"user","content":"Hello"}]},"parameters":{` + parameters + `}}`
}
