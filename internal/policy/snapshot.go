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
	accounts   roll[ident.Account, Account]
	workspaces roll[ident.Workspace, Workspace]
	users      roll[ident.User, User]
	keys       roll[ident.Key, Key]
	digests    index // the keys' numbers, by what keys are found by
	models     roll[ModelOf, Model]
	providers  roll[ident.Provider, provider.Provider]
}

// Version grows with every change of the world.
func (s *Snapshot) Version() int64 { return s.version }

// With gives the snapshot that the facts lead to. A model that differs only in
// where it is served, or a key in its digest, replaces the old one whole.
func (s *Snapshot) With(f Facts) *Snapshot {
	next := *s
	next.version = f.Version
	next.accounts = s.accounts.with(f.Accounts, nil, nameOfAccount)
	next.workspaces = s.workspaces.with(f.Workspaces, f.Gone.Workspaces, nameOfWorkspace)
	next.users = s.users.with(f.Users, f.Gone.Users, nameOfUser)
	next.models = s.models.with(f.Models, f.Gone.Models, nameOfModel)
	next.providers = s.providers.with(f.Providers, f.Gone.Providers, nameOfProvider)
	next.changeKeys(f)
	return &next
}

// changeKeys takes the facts about keys. A key is found by its digests and goes
// by its id; what its digests were is forgotten before any new one counts.
func (s *Snapshot) changeKeys(f Facts) {
	if len(f.Keys) == 0 && len(f.Gone.Keys) == 0 {
		return
	}
	keys, digests := s.keys.draft(len(f.Keys)), s.digests.draft(len(f.Keys))
	forget := func(id ident.Key) {
		if n := keys.number(id, nameOfKey); n != 0 {
			keys.at(n).digests(func(d secret.Digest) { digests.remove(hashOf(d), n) })
		}
	}
	for i := range f.Keys {
		forget(f.Keys[i].ID)
	}
	for _, id := range f.Gone.Keys {
		forget(id)
		keys.remove(id, nameOfKey)
	}
	for _, k := range f.Keys {
		k.home, k.owner = s.workspaces.number(k.Workspace, nameOfWorkspace), s.users.number(k.Owner, nameOfUser)
		n := keys.put(&k, nameOfKey)
		k.digests(func(d secret.Digest) { digests.insert(hashOf(d), n) })
	}
	s.keys, s.digests = keys.done(), digests.index
}

// digests are what a key is found by.
func (k *Key) digests(each func(secret.Digest)) {
	each(k.Digest)
	if k.Rare != nil && !k.Rare.Previous.Zero() {
		each(k.Rare.Previous)
	}
}

func nameOfProvider(p *provider.Provider) ident.Provider { return p.ID }

// Account finds an account; nil: there is none.
func (s *Snapshot) Account(id ident.Account) *Account { return s.accounts.get(id, nameOfAccount) }

func (s *Snapshot) workspace(id ident.Workspace) *Workspace {
	return s.workspaces.get(id, nameOfWorkspace)
}

func (s *Snapshot) user(id ident.User) *User { return s.users.get(id, nameOfUser) }

// Model finds a model of an account's catalogue or a deployment; nil: there is none.
func (s *Snapshot) Model(a ident.Account, id ident.Model) *Model {
	return s.models.get(ModelOf{a, id}, nameOfModel)
}

// homeOf is the workspace of a key, nil when there is none; ownerOf likewise.
func (s *Snapshot) homeOf(k *Key) *Workspace {
	return s.workspaces.near(k.home, k.Workspace, nameOfWorkspace)
}

func (s *Snapshot) ownerOf(k *Key) *User { return s.users.near(k.owner, k.Owner, nameOfUser) }

// Provider gives a configured provider; nil when there is none.
func (s *Snapshot) Provider(id ident.Provider) *provider.Provider {
	return s.providers.get(id, nameOfProvider)
}

// Holds reports whether a workspace may use a capability of a model. It is the
// one rule about rights: Decide asks it for calls, the pages ask it for what
// they show.
func (s *Snapshot) Holds(ws ident.Workspace, id ident.Model, c catalogue.Capability) bool {
	w := s.workspace(ws)
	if w == nil {
		return false
	}
	m := s.Model(w.Account, id)
	return m != nil && s.holds(w, m, c)
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
	return w.Grants.Get(m.ID).Has(c)
}

// base is the model of the catalogue that a private model goes back to; nil
// when there is none.
func (s *Snapshot) base(m *Model) *Model {
	base := s.Model(m.Account, m.Base)
	if base == nil || base.Private() {
		return nil
	}
	return base
}

// Served reports whether some provider serves the model.
func (s *Snapshot) Served(a ident.Account, id ident.Model) bool {
	m := s.Model(a, id)
	return m != nil && len(m.Servings) > 0
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
	for m := range s.models.all() {
		if m.Account != who.Workspace.Account {
			continue
		}
		q.Model, q.Capability = m.ID, c
		if d := s.Decide(q); d.Allowed() || d.Refused == IsServed {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *Model) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Key gives a key by its id; nil when there is none.
func (s *Snapshot) Key(id ident.Key) *Key {
	return s.keys.get(id, nameOfKey)
}

// KeyBy gives the key that goes, or before its last reset went, by a digest;
// nil when there is none.
func (s *Snapshot) KeyBy(d secret.Digest) *Key {
	n := s.digests.find(hashOf(d), func(n uint32) bool {
		k := s.keys.at(n)
		return k.Digest == d || k.Rare != nil && k.Rare.Previous == d
	})
	if n == 0 {
		return nil
	}
	return s.keys.at(n)
}

// NamesAny reports whether a question's key may name any workspace of its account.
func (s *Snapshot) NamesAny(q Question) bool {
	k := s.KeyBy(q.Digest)
	if k == nil {
		return false
	}
	home := s.homeOf(k)
	return home != nil && s.namesAny(k, home)
}

// Catalogue lists the models of an account's catalogue, by id.
func (s *Snapshot) Catalogue(a ident.Account) []*Model {
	return s.modelsOf(a, func(m *Model) bool { return !m.Private() })
}

// Private lists the models that are a workspace's alone, by id.
func (s *Snapshot) Private(ws ident.Workspace) []*Model {
	w := s.workspace(ws)
	if w == nil {
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
	for m := range s.models.all() {
		if m.Account == a && wanted(m) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *Model) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// WorkspaceName is what a workspace is called; empty when there is none.
func (s *Snapshot) WorkspaceName(id ident.Workspace) string {
	w := s.workspace(id)
	if w == nil {
		return ""
	}
	return w.Name
}
