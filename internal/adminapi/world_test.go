package adminapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminapi"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

// TestMain keeps what the server logs out of what the tests say.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// clock is a time that tests move on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is two accounts with one thing of each sort, and the management API
// before them.
type world struct {
	policy *policy.Keeper
	t      testing.TB
	clock  *clock
	store  *store.Store
	server *adminapi.Server
	keys   *adminkey.Service
	pepper secret.Pepper
	config adminapi.Config

	ours, theirs *estate
	root, super  string // secrets of admin keys of ours
	at           string // where requests come from
	last         int64  // the version that was seen last
}

type estate struct {
	*storetest.World
	ws, second workspace.Workspace
	alice, bob account.User // bob is a member of ws
	boss       account.User // a super administrator
	key        apikey.Key
	secret     string
	provider   provider.Provider
	model      ident.Model
}

const model ident.Model = "acme/own:7b"

func newEstate(t testing.TB, s *store.Store, alias ident.Alias, pepper secret.Pepper) *estate {
	e := &estate{World: storetest.NewWorld(t, s, alias), model: model}
	if alias != "acme" {
		e.model = "zyzzyva/own:7b"
	}
	e.ws, e.second = e.Workspace(string(alias)+" marketing"), e.Workspace(string(alias)+" research")
	e.alice, e.bob, e.boss = e.User("alice", access.Regular), e.User("bob", access.Regular), e.User("boss", access.Super)
	e.Member(e.ws.ID, e.bob.ID, access.Regular)
	e.Model(e.model)
	e.provider = e.Provider(string(alias)+" vLLM", provider.OpenAI, "http://127.0.0.1:9/v1")
	e.Serve(e.provider.ID, e.model)
	e.Grant(e.model, catalogue.Call, e.ws.ID)
	k, text := e.Key(e.ws.ID, pepper)
	e.key, e.secret = k, text.Reveal()
	return e
}

func newWorld(t testing.TB, s *store.Store) *world {
	c := &clock{now: storetest.Start.Add(time.Hour)}
	w := &world{t: t, clock: c, store: s, at: "192.0.2.7"}
	w.ours, w.theirs = newEstate(t, s, "acme", w.pepper), newEstate(t, s, "zyzzyva", w.pepper)
	w.keys = &adminkey.Service{Store: s, Now: c.Now}
	keeper, err := policy.NewKeeper(t.Context(), s)
	w.must(err)
	s.OnChange(func(ctx context.Context) { w.must(keeper.Refresh(ctx)) })
	w.policy = keeper
	w.config = adminapi.Config{
		Services: w.services(s), AdminKeys: w.keys, Throttle: &account.Throttle{Now: c.Now}, BaseURL: "https://models.example.com", Now: c.Now,
		Address: func(r *http.Request) string { host, _, _ := net.SplitHostPort(r.RemoteAddr); return host },
		Once: func(ctx context.Context, a ident.Account, claim adminkey.Claim, do func(adminapi.Services) (adminkey.Answer, error)) (adminkey.Answer, bool, error) {
			return s.Once(ctx, a, claim, func(in *store.Store) (adminkey.Answer, error) { return do(w.services(in)) })
		},
	}
	w.serve()
	w.root, w.super = w.adminKey(w.ours.Root.ID), w.adminKey(w.ours.boss.ID)
	return w
}

func (w *world) serve() {
	server, err := adminapi.New(w.config)
	w.must(err)
	w.server = server
}

func (w *world) services(s *store.Store) adminapi.Services {
	now := w.clock.Now
	return adminapi.Services{
		Accounts: &account.Service{Store: s, Now: now}, People: &account.People{Store: s, Now: now}, Trail: &account.Trail{Store: s},
		Workspaces: &workspace.Service{Store: s, Now: now}, Members: &workspace.Members{Store: s}, Catalogue: &catalogue.Service{Store: s},
		Grants: &grant.Service{Store: s}, Why: &explanation.Service{Store: s, Policy: w.policy, Now: now}, Keys: &apikey.Service{Store: s, Pepper: w.pepper, Now: now}, Providers: &provider.Service{Store: s, Now: now},
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// adminKey makes an admin key of a user and gives its secret.
func (w *world) adminKey(u ident.User, networks ...string) string {
	w.t.Helper()
	by, err := w.store.Actor(w.t.Context(), u)
	w.must(err)
	_, text, err := w.keys.Issue(w.t.Context(), by, adminkey.Terms{Name: "for tests", Days: adminkey.UsualLife, Networks: networks})
	w.must(err)
	return text.Reveal()
}

// answer is what was answered.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// ask sends a request; header are names and values by turns.
func (w *world) ask(key, method, path, body string, header ...string) *answer {
	w.t.Helper()
	if !strings.HasPrefix(path, "/openapi") {
		path = adminapi.Prefix + path
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = w.at + ":4242"
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	text, err := io.ReadAll(rec.Body)
	w.must(err)
	a := &answer{w.t, method + " " + path, rec.Code, rec.Result().Header, string(text)}
	w.matches(a, method, strings.TrimPrefix(path, adminapi.Prefix))
	return a
}

// is makes sure of the status.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s answered %d, not %d: %s", a.what, a.status, status, a.body)
	}
	return a
}

// fails makes sure of status, code and field of a refusal.
func (a *answer) fails(status int, code, field string) *answer {
	a.t.Helper()
	f := decode[adminapi.Failure](a.is(status)).Error
	if f.Code != code || f.Field != field || f.Message == "" || f.RequestID != a.header.Get("X-Request-Id") {
		a.t.Fatalf("%s answered %+v, not %s about %q", a.what, f, code, field)
	}
	return a
}

func (a *answer) says(texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.t.Fatalf("%s does not say %q: %s", a.what, text, a.body)
		}
	}
	return a
}

func decode[T any](a *answer) (value T) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.body)
	}
	return value
}

// version is the number of the last change.
func (w *world) version() int64 {
	w.t.Helper()
	f, err := w.store.Facts(w.t.Context(), w.last)
	w.must(err)
	w.last = f.Version
	return w.last
}
