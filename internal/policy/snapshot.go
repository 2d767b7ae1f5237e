package policy

import (
	"cmp"
	"slices"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
)

// Snapshot is everything a decision needs, as of one version. It never changes:
// a change of the world makes a new one, which shares what did not change.
type Snapshot struct {
	version    int64
	accounts   table[ident.Account, *Account]
	workspaces table[ident.Workspace, *Workspace]
	users      table[ident.User, *User]
	keys       table[secret.Digest, *Key]
	keysByID   table[ident.Key, *Key]
	models     table[ModelOf, *Model]
	providers  table[ident.Provider, *provider.Provider]
}

// Version grows with every change of the world.
func (s *Snapshot) Version() int64 { return s.version }

// With gives the snapshot that the facts lead to. A model that differs only in
// where it is served, or a key in its digest, replaces the old one whole.
func (s *Snapshot) With(f Facts) *Snapshot {
	next := *s
	next.version = f.Version
	next.accounts = edit(s.accounts, f.Accounts, func(a *Account) (ident.Account, *Account) { return a.ID, a }, nil)
	next.workspaces = edit(s.workspaces, f.Workspaces, func(w *Workspace) (ident.Workspace, *Workspace) { return w.ID, w }, f.Gone.Workspaces)
	next.users = edit(s.users, f.Users, func(u *User) (ident.User, *User) { return u.ID, u }, f.Gone.Users)
	next.models = edit(s.models, f.Models, func(m *Model) (ModelOf, *Model) { return ModelOf{m.Account, m.ID}, m }, f.Gone.Models)
	next.providers = edit(s.providers, f.Providers, func(p *provider.Provider) (ident.Provider, *provider.Provider) { return p.ID, p }, f.Gone.Providers)

	// A key is found by its digests and goes by its id.
	var dead []secret.Digest
	for _, k := range f.Keys {
		dead = s.digestsOf(k.ID, dead)
	}
	for _, id := range f.Gone.Keys {
		dead = s.digestsOf(id, dead)
	}
	next.keys = edit(s.keys, f.Keys, func(k *Key) (secret.Digest, *Key) { return k.Digest, k }, dead)
	next.keys = edit(next.keys, overlapping(f.Keys), func(k **Key) (secret.Digest, *Key) { return (*k).Previous, *k }, nil)
	next.keysByID = edit(s.keysByID, f.Keys, func(k *Key) (ident.Key, *Key) { return k.ID, k }, f.Gone.Keys)
	return &next
}

// digestsOf appends the digests a key is found by now.
func (s *Snapshot) digestsOf(id ident.Key, to []secret.Digest) []secret.Digest {
	k, ok := s.keysByID.get(id)
	if !ok {
		return to
	}
	if to = append(to, k.Digest); !k.Previous.Zero() {
		to = append(to, k.Previous)
	}
	return to
}

// overlapping picks the keys whose secret before the last reset may still work.
func overlapping(keys []Key) (picked []*Key) {
	for i := range keys {
		if !keys[i].Previous.Zero() {
			picked = append(picked, &keys[i])
		}
	}
	return picked
}

// Provider gives a configured provider; nil when there is none.
func (s *Snapshot) Provider(id ident.Provider) *provider.Provider {
	p, _ := s.providers.get(id)
	return p
}

// Holds reports whether a workspace may use a capability of a model. It is the
// one rule about rights: Decide asks it for calls, the pages ask it for what
// they show.
func (s *Snapshot) Holds(ws ident.Workspace, id ident.Model, c catalogue.Capability) bool {
	w, ok := s.workspaces.get(ws)
	if !ok {
		return false
	}
	m, ok := s.models.get(ModelOf{w.Account, id})
	return ok && s.holds(w, m, c)
}

func (s *Snapshot) holds(w *Workspace, m *Model, c catalogue.Capability) bool {
	switch {
	case !m.Offers.Has(c) || !m.In(w.ID):
		return false
	case m.Private():
		base := s.base(m)
		return base != nil && s.holds(w, base, m.Needs)
	case w.Default, c == catalogue.Call && w.CallAll:
		return true
	}
	return w.Grants[m.ID].Has(c)
}

// base is the model of the catalogue that a private model goes back to; nil
// when there is none.
func (s *Snapshot) base(m *Model) *Model {
	base, ok := s.models.get(ModelOf{m.Account, m.Base})
	if !ok || base.Private() {
		return nil
	}
	return base
}

// Served reports whether some provider serves the model.
func (s *Snapshot) Served(a ident.Account, id ident.Model) bool {
	m, ok := s.models.get(ModelOf{a, id})
	return ok && len(m.Servings) > 0
}

// Models lists, by id, the models an allowed question's caller may use for a
// capability, asking Decide for each of them.
func (s *Snapshot) Models(q Question, c catalogue.Capability) []*Model {
	q.Model, q.Capability = "", 0
	who := s.Decide(q)
	if !who.Allowed() {
		return nil
	}
	var list []*Model
	for of, m := range s.models.all() {
		if of.Account != who.Workspace.Account {
			continue
		}
		q.Model, q.Capability = of.Model, c
		if d := s.Decide(q); d.Allowed() || d.Refused == IsServed {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *Model) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Key gives a key by its id; nil when there is none.
func (s *Snapshot) Key(id ident.Key) *Key {
	k, _ := s.keysByID.get(id)
	return k
}

// KeyBy gives the key that goes, or before its last reset went, by a digest;
// nil when there is none.
func (s *Snapshot) KeyBy(d secret.Digest) *Key {
	k, _ := s.keys.get(d)
	return k
}

// NamesAny reports whether a question's key may name any workspace of its account.
func (s *Snapshot) NamesAny(q Question) bool {
	k := s.KeyBy(q.Digest)
	if k == nil {
		return false
	}
	home, known := s.workspaces.get(k.Workspace)
	return known && s.namesAny(k, home)
}

// Catalogue lists the models of an account's catalogue, by id.
func (s *Snapshot) Catalogue(a ident.Account) []*Model {
	return s.modelsOf(a, func(m *Model) bool { return !m.Private() })
}

// Account finds an account; nil: there is none.
func (s *Snapshot) Account(id ident.Account) *Account {
	a, _ := s.accounts.get(id)
	return a
}

// Model finds a model of an account's catalogue or a deployment; nil: there is none.
func (s *Snapshot) Model(a ident.Account, id ident.Model) *Model {
	m, _ := s.models.get(ModelOf{a, id})
	return m
}

// Private lists the models that are a workspace's alone, by id.
func (s *Snapshot) Private(ws ident.Workspace) []*Model {
	w, known := s.workspaces.get(ws)
	if !known {
		return nil
	}
	return s.modelsOf(w.Account, func(m *Model) bool { return m.Workspace == ws })
}

// Deployed lists the models of an account that are one workspace's alone, by id.
func (s *Snapshot) Deployed(a ident.Account) []*Model {
	return s.modelsOf(a, (*Model).Private)
}

// modelsOf lists models of an account by id, the catalogue's or deployments.
func (s *Snapshot) modelsOf(a ident.Account, wanted func(*Model) bool) []*Model {
	var list []*Model
	for of, m := range s.models.all() {
		if of.Account == a && wanted(m) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *Model) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// WorkspaceName is what a workspace is called; empty when there is none.
func (s *Snapshot) WorkspaceName(id ident.Workspace) string {
	w, known := s.workspaces.get(id)
	if !known {
		return ""
	}
	return w.Name
}
