package storetest

import (
	"context"
	"sync"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/workspace"
)

// Password is the password of every user made here.
const Password = "an ordinary sentence for tests"

var hashed = sync.OnceValues(func() (string, error) {
	return secret.HashPassword(context.Background(), secret.NewText(Password))
})

// World is an account in a store, and makes things in it.
type World struct {
	t       testing.TB
	Store   *store.Store
	Account account.Account
	Root    account.User
	Default ident.Workspace
}

// NewWorld opens an account with its owner and its Default Workspace.
func NewWorld(t testing.TB, s *store.Store, alias ident.Alias) *World {
	t.Helper()
	a := account.Account{ID: ident.NewAccount(), Alias: alias, Name: string(alias), Settings: account.Defaults, CreatedAt: Start, Version: 1}
	w := &World{t: t, Store: s, Account: a, Default: ident.NewWorkspace()}
	w.Root = w.user(account.RootLogOn, access.Root)
	must(t, s.OpenAccount(t.Context(), account.Opening{Account: a, Root: w.Root, Workspace: w.Default}, false, w.Why("accounts:open")))
	return w
}

// Context is the test's.
func (w *World) Context() context.Context { return w.t.Context() }

// Why gives an event that explains a change.
func (w *World) Why(action string) audit.Event {
	return audit.Event{ID: ident.NewEvent(), Account: w.Account.ID, Actor: w.Root.ID, ActorName: "root@" + string(w.Account.Alias), Action: action, Summary: "did " + action}
}

func (w *World) user(name ident.LogOn, role access.Role) account.User {
	hash, err := hashed()
	must(w.t, err)
	return account.User{ID: ident.NewUser(), Account: w.Account.ID, LogOn: name, Name: string(name), Role: role, Password: hash, CreatedAt: Start, Generation: 1, Version: 1}
}

// User adds a RAM user.
func (w *World) User(name ident.LogOn, role access.Role) account.User {
	w.t.Helper()
	u := w.user(name, role)
	must(w.t, w.Store.InsertUser(w.t.Context(), w.Account.ID, u, w.Why("users:add")))
	return u
}

// Workspace adds a sub-workspace.
func (w *World) Workspace(name string) workspace.Workspace {
	w.t.Helper()
	ws := workspace.Workspace{ID: ident.NewWorkspace(), Account: w.Account.ID, Name: name, CreatedAt: Start, Version: 1}
	must(w.t, w.Store.InsertWorkspace(w.t.Context(), w.Account.ID, ws, w.Why("workspaces:add")))
	return ws
}

// Member puts a user into a workspace.
func (w *World) Member(ws ident.Workspace, u ident.User, role access.Role, pages ...access.Page) {
	w.t.Helper()
	m := workspace.Member{User: u, Role: role, Pages: pages, Version: workspace.AnyVersion}
	must(w.t, w.Store.PutMembers(w.t.Context(), w.Account.ID, ws, []workspace.Member{m}, true, func(workspace.MemberChange) audit.Event { return w.Why("members:put") }))
}

// Model adds a model that offers everything.
func (w *World) Model(id ident.Model) catalogue.Model {
	w.t.Helper()
	m := catalogue.Model{
		ID: id, Account: w.Account.ID, Name: string(id), Vendor: "custom", Kinds: []string{"TG"},
		Input: []string{"Text"}, Output: []string{"Text"}, Offers: catalogue.Of(catalogue.All...), Custom: true, Version: 1,
	}
	must(w.t, w.Store.InsertModel(w.t.Context(), w.Account.ID, m, w.Why("models:add")))
	return m
}

// Key makes an API key of root and gives its secret too. Digests are made with
// the pepper, which may be the zero one.
func (w *World) Key(ws ident.Workspace, pepper secret.Pepper) (apikey.Key, secret.Text) {
	w.t.Helper()
	text := secret.NewKey()
	k := apikey.Key{
		ID: ident.NewKey(), Account: w.Account.ID, Workspace: ws, Description: "for tests", Digest: pepper.Digest(text.Reveal()),
		Hint: secret.Hint(text), Owner: w.Root.ID, OwnerName: "root@" + string(w.Account.Alias), CreatedAt: Start, Version: 1,
	}
	must(w.t, w.Store.InsertKey(w.t.Context(), ws, k, w.Account.Settings.KeyLimit, w.Why("keys:issue")))
	return k, text
}

// Dataset keeps the row of a dataset of one version, with no file behind it.
func (w *World) Dataset(ws ident.Workspace) dataset.Version {
	w.t.Helper()
	d := dataset.Dataset{ID: ident.NewDataset(), Account: w.Account.ID, Workspace: ws, Name: "for tests", Method: "sft", CreatedAt: Start, CreatedBy: w.Root.ID}
	v := dataset.Version{
		ID: ident.NewFile(), Dataset: d.ID, Account: w.Account.ID, Workspace: ws, Number: 1, FileName: "for-tests.jsonl", Size: 1000,
		Examples: 10, CreatedAt: Start, CreatedBy: w.Root.ID,
	}
	q := dataset.Quota{Bytes: 1 << 30, Files: 100, FileSize: 1 << 30}
	must(w.t, w.Store.InsertDataset(w.t.Context(), ws, d, v, dataset.Report{Valid: true}, q, w.Why("datasets:change")))
	return v
}

// AdminKey makes an admin key of a user that lasts a day. Nobody knows its secret.
func (w *World) AdminKey(owner ident.User) adminkey.Key {
	w.t.Helper()
	k := adminkey.Key{
		ID: ident.NewAdminKey(), Account: w.Account.ID, Owner: owner, Name: "for tests", Digest: secret.TokenDigest(string(ident.NewEvent())), Hint: "abcd",
		CreatedAt: Start, ExpiresAt: Start.AddDate(0, 0, 1),
	}
	must(w.t, w.Store.InsertAdminKey(w.t.Context(), w.Account.ID, k, adminkey.KeysMost, w.Why("admin-keys:issue")))
	return k
}

// Provider configures a provider.
func (w *World) Provider(name string, kind provider.Kind, baseURL string) provider.Provider {
	w.t.Helper()
	p := provider.Provider{ID: ident.NewProvider(), Account: w.Account.ID, Name: name, Kind: kind, BaseURL: baseURL, CreatedAt: Start, Version: 1}
	must(w.t, w.Store.InsertProvider(w.t.Context(), w.Account.ID, p, w.Why("providers:add")))
	return p
}

// Serve makes these all that a provider serves, under their own names.
func (w *World) Serve(p ident.Provider, models ...ident.Model) {
	w.t.Helper()
	servings := make([]provider.Serving, len(models))
	for i, m := range models {
		servings[i] = provider.Serving{Provider: p, Model: m, Name: string(m)}
	}
	must(w.t, w.Store.ReplaceServings(w.t.Context(), w.Account.ID, p, servings, w.Why("providers:serve")))
}

// Grant makes these sub-workspaces all that hold a capability of a model.
func (w *World) Grant(m ident.Model, c catalogue.Capability, to ...ident.Workspace) {
	w.t.Helper()
	subject := grant.Subject{Model: m, Capability: c}
	list, err := w.Store.GrantList(w.t.Context(), w.Account.ID, subject)
	must(w.t, err)
	edit := grant.Edit{Version: list.Version, Authorized: to}
	_, err = w.Store.ReplaceGrants(w.t.Context(), w.Account.ID, subject, edit, "root@"+string(w.Account.Alias),
		func(grant.Change) audit.Event { return w.Why("grants:change") })
	must(w.t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
