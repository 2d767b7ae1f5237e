package web_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminapi"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/deployment"
	"bailiwick/internal/explanation"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/workspace"
	"bailiwick/web"
)

// password is everybody's.
const password = "a short sentence of our own"

// clock is a time that tests move on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond) // no two moments are the same
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC)} }

// company is an account with the Default Workspace and two departments, A and
// B, and people of every standing; beside it, another company.
type company struct {
	t       testing.TB
	clock   *clock
	store   *store.Store
	keeper  *policy.Keeper
	config  web.Config
	server  *web.Server
	account account.Account
	root    access.Actor
	home    ident.Workspace // the Default Workspace
	a, b    ident.Workspace
	remote  *remote // what the provider of kind openai answers
	cookies map[string]*http.Cookie
	sibling map[ident.Workspace]ident.Key // a key of A and one of B, for the guard

	siblingFile map[ident.Workspace]dataset.Version // one of A and one of B

	colleague map[ident.Workspace]ident.User // a member of A and one of B
	outsider  account.User                   // of neither
	engines   map[ident.Account]ident.Provider
	hired     int
}

// remote stands in for the models of a provider.
type remote struct {
	mu    sync.Mutex
	names []string
	err   error
	seen  []provider.Target
}

func (r *remote) open(t provider.Target) (provider.Server, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, t)
	return r, nil
}

func (r *remote) Has(string) bool { return true }

func (r *remote) Models(context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names, r.err
}

func (r *remote) Call(context.Context, provider.Request) (*provider.Answer, error) {
	return nil, fault.New(fault.Unavailable, "Nobody is called here.")
}

// newCompany makes the companies in a database and a console before it.
func newCompany(t testing.TB, s *store.Store, c *clock) *company {
	t.Helper()
	o := &company{t: t, clock: c, store: s, cookies: map[string]*http.Cookie{}}
	o.configure()
	o.account, o.root, o.home = o.open("Acme", "acme")
	o.a, o.b = o.add("Marketing"), o.add("Research")
	o.hire("super", access.Super, "", "", nil)
	o.hire("alice", access.Regular, o.a, access.Administrator, nil)
	o.hire("bert", access.Regular, o.b, access.Administrator, nil)
	o.hire("bob", access.Regular, o.a, access.Regular, nil)
	o.hire("carol", access.Regular, o.a, access.Regular, []access.Page{access.PageKeys})
	return o
}

// configure puts a console before the database.
func (o *company) configure() {
	t, s, c := o.t, o.store, o.clock
	o.remote = &remote{names: []string{"qwen-plus", "my-model:7b"}}
	keeper, err := policy.NewKeeper(t.Context(), s)
	o.must(err)
	s.OnChange(func(ctx context.Context) { o.must(keeper.Refresh(ctx)) })
	o.keeper = keeper
	master, err := secret.ParseMaster("AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK+2vcTL0tk=")
	o.must(err)
	sealer, err := master.Sealer()
	o.must(err)
	folder, err := dataset.OpenFolder(t.TempDir())
	o.must(err)
	t.Cleanup(func() { folder.Close() })
	o.config = web.Config{
		Health:   &provider.Board{Now: c.Now},
		Accounts: &account.Service{Store: s, Throttle: &account.Throttle{Now: c.Now}, Now: c.Now},
		Factors: &factor.Service{
			Store: s, Sealer: sealer, Pepper: master.Factors(), Throttle: &account.Throttle{Now: c.Now}, Now: c.Now,
		},
		People:     &account.People{Store: s, Now: c.Now},
		Workspaces: &workspace.Service{Store: s, Now: c.Now},
		Members:    &workspace.Members{Store: s},
		Catalogue:  &catalogue.Service{Store: s},
		Grants:     &grant.Service{Store: s},
		Keys:       &apikey.Service{Store: s, Pepper: master.Pepper(), Now: c.Now},
		AdminKeys:  &adminkey.Service{Store: s, Pepper: master.AdminPepper(), Now: c.Now},
		Datasets:   &dataset.Service{Store: s, Folder: folder, Now: c.Now},
		Usage:      &usage.Service{Store: s, Now: c.Now},
		Limits:     &limit.Service{Store: s}, Limiter: limit.New(c.Now),
		Providers: &provider.Service{
			Store: s, Sealer: sealer, CheckAddress: func(*url.URL) error { return nil }, Now: c.Now,
			Kinds: map[provider.Kind]provider.Open{provider.Embedded: o.remote.open, provider.OpenAI: o.remote.open},
		},
		Why:   &explanation.Service{Store: s, Policy: keeper, Pepper: master.Pepper(), Now: c.Now},
		Trail: audit.NewRecorder(s, c.Now),
		Audit: &account.Trail{Store: s, Checker: &audit.Checker{
			Chains: s, Path: filepath.Join(t.TempDir(), "heads"), Key: master.Signer().Public().(ed25519.PublicKey), Now: c.Now,
		}},
		Policy: keeper, Sessions: s.Sessions(store.SessionConfig{}), CloudName: "Alibaba Cloud", BaseURL: "https://models.example.com", Now: c.Now,
	}
	o.config.Trainings = &training.Service{
		Store: s, World: keeper, Data: o.config.Datasets, Open: o.config.Providers.ServerOf, Folder: t.TempDir(), Now: c.Now,
	}
	o.config.Deployments = &deployment.Service{Store: s, World: keeper, Open: o.config.Providers.ServerOf, Folder: o.config.Trainings.Folder, Now: c.Now}
	o.config.Audit.Record = o.config.Trail.Record
	t.Cleanup(o.config.Trail.Close)
	o.config.Factors.Accounts, o.config.Factors.Trail, o.config.Accounts.Trail = o.config.Accounts, o.config.Trail, o.config.Trail
	o.config.OpenAPI = func() ([]byte, error) { return adminapi.Document(o.config.BaseURL) }
	o.serve()
}

// start gives a test its company, in an SQLite database of its own. It is made
// once, with everybody logged on, and copied from then on.
func start(t testing.TB) *company {
	t.Helper()
	first.once.Do(func() { first.make(t) })
	c := newClock()
	o := &company{t: t, clock: c, store: reopenStore(t, c, first.file), account: first.account, root: first.root, home: first.home, a: first.a, b: first.b}
	o.configure()
	o.cookies = maps.Clone(first.cookies)
	return o
}

// first is the company that tests start with.
var first firstCompany

type firstCompany struct {
	once sync.Once
	company
	file []byte
}

func (o *firstCompany) make(t testing.TB) {
	c := newClock()
	config := storetest.SQLiteConfig(t)
	config.Now = c.Now
	s, err := store.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	o.company = *newCompany(t, s, c)
	for _, who := range people[1:] {
		o.cookie(who)
	}
	o.must(s.Close())
	o.file, err = os.ReadFile(filepath.Join(config.Data, "bailiwick.db"))
	o.must(err)
}

func (o *company) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// serve makes the console anew, after the configuration was changed.
func (o *company) serve() {
	o.t.Helper()
	server, err := web.New(o.config)
	o.must(err)
	o.server = server
}

func (o *company) open(name, alias string) (account.Account, access.Actor, ident.Workspace) {
	o.t.Helper()
	ctx := o.t.Context()
	a, err := o.config.Accounts.Open(ctx, account.NewAccount{Name: name, Alias: alias, Password: secret.NewText(password)})
	o.must(err)
	o.must(o.config.Catalogue.Install(ctx, a.ID))
	u, err := o.store.UserByLogOn(ctx, a.Alias, account.RootLogOn)
	o.must(err)
	root, err := o.store.Actor(ctx, u.ID)
	o.must(err)
	all, _, err := o.config.Workspaces.List(ctx, root, workspace.Filter{Limit: 1})
	o.must(err)
	return a, root, all[0].ID
}

func (o *company) add(name string) ident.Workspace {
	o.t.Helper()
	w, err := o.config.Workspaces.Add(o.t.Context(), o.root, name)
	o.must(err)
	return w.ID
}

func (o *company) hire(name ident.LogOn, role access.Role, ws ident.Workspace, there access.Role, pages []access.Page) {
	o.t.Helper()
	ctx := o.t.Context()
	u, err := o.config.Accounts.AddUser(ctx, o.account, account.NewUser{LogOn: name, Role: role, Password: secret.NewText(password)})
	o.must(err)
	if ws != "" {
		o.must(o.config.Members.Seat(ctx, o.account.ID, ws, workspace.Member{User: u.ID, Role: there, Pages: pages}))
	}
}

// actor is who somebody of the company is now.
func (o *company) actor(name ident.LogOn) access.Actor {
	o.t.Helper()
	u, err := o.store.UserByLogOn(o.t.Context(), o.account.Alias, name)
	o.must(err)
	who, err := o.store.Actor(o.t.Context(), u.ID)
	o.must(err)
	return who
}

func (o *company) key(by access.Actor, ws ident.Workspace, description string) apikey.Key {
	o.t.Helper()
	k, _, err := o.config.Keys.Issue(o.t.Context(), by, ws, apikey.Terms{Description: description})
	o.must(err)
	return k
}

func (o *company) adminKey(by access.Actor, name string) adminkey.Key {
	o.t.Helper()
	k, _, err := o.config.AdminKeys.Issue(o.t.Context(), by, adminkey.Terms{Name: name, Days: adminkey.UsualLife})
	o.must(err)
	return k
}

func (o *company) provider(by access.Actor, name string) provider.Provider {
	o.t.Helper()
	p, err := o.config.Providers.Add(o.t.Context(), by, provider.Form{Name: name, Kind: provider.OpenAI, BaseURL: "http://127.0.0.1:9/v1", Credential: secret.NewText("sk-upstream-canary")})
	o.must(err)
	return p
}

// authorize lets exactly these workspaces use a capability of a model.
func (o *company) authorize(m ident.Model, c catalogue.Capability, to ...ident.Workspace) {
	o.t.Helper()
	subject := grant.Subject{Model: m, Capability: c}
	list, err := o.config.Grants.List(o.t.Context(), o.root, subject)
	o.must(err)
	_, err = o.config.Grants.Authorize(o.t.Context(), o.root, subject, grant.Edit{Version: list.Version, Authorized: to})
	o.must(err)
}

// answer is what the console answered.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// part marks a request as one that a script sends for a part of a page.
var part = map[string]string{"HX-Request": "true", "HX-Request-Type": "partial"}

// ask sends a request as somebody; the empty name is nobody.
func (o *company) ask(who, method, path string, fields url.Values, header map[string]string) *answer {
	o.t.Helper()
	r := httptest.NewRequest(method, "https://console.example.com"+path, nil)
	if method == "POST" {
		r = httptest.NewRequest(method, "https://console.example.com"+path, strings.NewReader(fields.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return o.do(who, r, header)
}

// sent posts a body as somebody.
func (o *company) sent(who, path, body string, header map[string]string) *answer {
	o.t.Helper()
	return o.do(who, httptest.NewRequest("POST", "https://console.example.com"+path, strings.NewReader(body)), header)
}

func (o *company) do(who string, r *http.Request, header map[string]string) *answer {
	o.t.Helper()
	r.RemoteAddr = "192.0.2.7:4242"
	for name, value := range header {
		r.Header.Set(name, value)
	}
	if who != "" {
		r.AddCookie(o.cookie(who))
	}
	w := httptest.NewRecorder()
	o.server.ServeHTTP(w, r)
	return &answer{o.t, fmt.Sprintf("%s %s as %q", r.Method, r.URL.Path, who), w.Code, w.Result().Header, w.Body.String()}
}

func (o *company) get(who, path string) *answer {
	o.t.Helper()
	return o.ask(who, "GET", path, nil, nil)
}

func (o *company) post(who, path string, pairs ...string) *answer {
	o.t.Helper()
	return o.ask(who, "POST", path, fieldsOf(pairs), nil)
}

// fieldsOf makes form fields of names and values by turns.
func fieldsOf(pairs []string) url.Values {
	fields := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields.Add(pairs[i], pairs[i+1])
	}
	return fields
}

// cookie is the session of somebody, who logs on for it once.
func (o *company) cookie(who string) *http.Cookie {
	o.t.Helper()
	if o.cookies[who] == nil {
		name := who
		if !strings.Contains(who, "@") {
			name += "@acme"
		}
		got := o.post("", "/logon", "account", name, "password", password).is(303)
		o.cookies[who] = got.cookie()
	}
	return o.cookies[who]
}

// cookie is the session that an answer sets.
func (a *answer) cookie() *http.Cookie {
	a.t.Helper()
	set, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil {
		a.t.Fatalf("%s set no session: %v", a.what, err)
	}
	return set
}

// is makes sure of the status.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s answered %d, not %d: %s", a.what, a.status, status, words(a.body))
	}
	return a
}

// to makes sure that it leads somewhere.
func (a *answer) to(place string) *answer {
	a.t.Helper()
	if got := a.is(303).header.Get("Location"); got != place {
		a.t.Fatalf("%s leads to %q, not to %q", a.what, got, place)
	}
	return a
}

// says makes sure that all these texts can be read.
func (a *answer) says(texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(words(a.body), text) {
			a.t.Fatalf("%s does not say %q: %s", a.what, text, words(a.body))
		}
	}
	return a
}

// hides makes sure that none of these texts is anywhere in the answer.
func (a *answer) hides(texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			a.t.Fatalf("%s holds %q", a.what, text)
		}
	}
	return a
}

// holds makes sure that all these pieces of markup are there.
func (a *answer) holds(pieces ...string) *answer {
	a.t.Helper()
	for _, piece := range pieces {
		if !strings.Contains(a.body, piece) {
			a.t.Fatalf("%s does not hold %s", a.what, piece)
		}
	}
	return a
}

// field is the value of a hidden field.
func (a *answer) field(name string) string {
	a.t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.body)
	if found == nil {
		a.t.Fatalf("%s has no field %s", a.what, name)
	}
	return found[1]
}

var (
	tags   = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
	quotes = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// words is a page as it is read, without its markup.
func words(body string) string {
	return strings.TrimSpace(quotes.Replace(spaces.ReplaceAllString(tags.ReplaceAllString(body, " "), " ")))
}

func secretOf(text string) secret.Text { return secret.NewText(text) }
