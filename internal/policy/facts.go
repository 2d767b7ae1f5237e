package policy

import (
	"net/netip"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
)

// Account is what the policy needs to know of an account.
type Account struct {
	ID            ident.Account
	Default       ident.Workspace
	NameWorkspace bool // calls from sub-workspaces must name their workspace
	// How many calls may run at once with one key and in one workspace; 0: any number.
	KeyCalls, WorkspaceCalls       int
	KeyCallsSet, WorkspaceCallsSet limit.Setter // who set them
}

func nameOfAccount(a *Account) ident.Account { return a.ID }

// Workspace is what the policy needs to know of a workspace: its grants and
// who belongs to it.
type Workspace struct {
	ID      ident.Workspace
	Account ident.Account
	Name    string
	Default bool
	CallAll bool
	Grants  Pairs[ident.Model, catalogue.Capabilities]
	Members []ident.User // sorted
	Limits  Pairs[ident.Model, limit.Setting]
}

func nameOfWorkspace(w *Workspace) ident.Workspace { return w.ID }

// User is what the policy needs to know of the owner of keys.
type User struct {
	ID         ident.User
	Account    ident.Account
	Root       bool
	Everywhere bool // root or a super administrator
	Disabled   bool
}

func nameOfUser(u *User) ident.User { return u.ID }

// Key is what the policy needs to know of an API key.
type Key struct {
	ID        ident.Key
	Account   ident.Account
	Workspace ident.Workspace
	Owner     ident.User
	Digest    secret.Digest
	Expires   time.Time // zero: never
	Disabled  bool
	// Where its workspace and its owner likely are in a snapshot.
	home, owner uint32
	// Rare is what few keys have; nil: nothing of it. There may be a hundred
	// thousand keys, and a key without it takes less than 200 bytes.
	Rare *Rare
}

// Rare is what few keys have.
type Rare struct {
	// Previous is the secret before the last reset, which works on until
	// PreviousUntil; zero: none does.
	Previous      secret.Digest
	PreviousUntil time.Time
	Models        []ident.Model  // nil: every model of the workspace
	Networks      []netip.Prefix // nil: from everywhere
}

func nameOfKey(k *Key) ident.Key { return k.ID }

// Terms gives what few keys have, also of a key that has nothing of it.
func (k *Key) Terms() Rare {
	if k.Rare == nil {
		return Rare{}
	}
	return *k.Rare
}

// Narrow gives the key with other rare terms.
func (k Key) Narrow(change func(*Rare)) Key {
	r := k.Terms()
	change(&r)
	k.Rare = &r
	return k
}

// Model is a model of an account's catalogue and where it is served, or a
// deployment: a model that is one workspace's alone.
type Model struct {
	catalogue.Model
	// Workspace is whose alone the model is; empty: it is of the catalogue. In other
	// workspaces it does not exist. In its own it needs no grant of its own: the
	// workspace may call it while it holds Needs of Base.
	Workspace  ident.Workspace
	Deployment ident.Deployment
	Base       ident.Model          // the model of the catalogue that it goes back to
	Needs      catalogue.Capability // Deploy where it is the base as it is, Train where it was tuned

	Tariff   *catalogue.Tariff // of its prices; nil: none
	Servings []Serving         // by order
	Trainers []Serving         // likewise: programs that train it, and answer no calls
}

func nameOfModel(m *Model) ModelOf { return ModelOf{m.Account, m.ID} }

// In reports whether the model exists for a workspace.
func (m *Model) In(ws ident.Workspace) bool { return !m.Private() || m.Workspace == ws }

// Private reports whether the model is one workspace's alone.
func (m *Model) Private() bool { return m.Workspace != "" }

// Serving is one place a model is served at.
type Serving struct {
	Provider ident.Provider
	Name     string // of the model at the provider
	Order    int    // places of the least order are tried first
	Weight   int    // the share of calls among places of one order
}

// Facts are the present state of some things, as of a version. A thing that is
// gone is named in Gone.
type Facts struct {
	Version    int64
	Accounts   []Account
	Workspaces []Workspace
	Users      []User
	Keys       []Key
	Models     []Model
	Providers  []provider.Provider
	Gone       Gone
}

// Gone names what no longer exists.
type Gone struct {
	Workspaces []ident.Workspace
	Users      []ident.User
	Keys       []ident.Key
	Models     []ModelOf
	Providers  []ident.Provider
}

// ModelOf names a model of one account's catalogue.
type ModelOf struct {
	Account ident.Account
	Model   ident.Model
}
