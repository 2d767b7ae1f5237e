package policy

import (
	"net/netip"
	"slices"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Do is a kind of change.
type Do int

// The kinds. Those of the first group are the caller's to make, the others an
// administrator's.
const (
	PresentKey     Do = iota + 1 // send a key that the console issued
	PresentSecret                // send the key's present secret, not the one before its reset
	RenewTemporary               // ask for a fresh temporary key
	NameOwn                      // name the key's own workspace, once
	SayAddress                   // come from an address in the key's networks
	ChooseModel                  // ask for another model, which would be allowed

	IssueKey     // issue another key in its place: this one's owner is gone
	EnableKey    //
	ExtendKey    // let the key end later, or never
	EnableUser   //
	AddMember    // put the owner back into the workspace
	AllowAddress // add the address to the key's networks
	AddModel     // add the model to the catalogue, served somewhere
	WidenKey     // add the model to the key's scope
	Authorize    // grant the capability of the model to the workspace
	Serve        // let a provider serve the model, or start the deployment
)

// Depends is the Next of a change after which the key decides that is presented.
const Depends Check = -1

// Change is one change of the world or of the question, and what it leads to.
type Change struct {
	Do   Do
	Next Check // the check that refuses afterwards; Nothing: allowed

	// What it is about, where the kind needs it.
	Key        *Key
	User       ident.User
	Workspace  ident.Workspace
	Model      ident.Model
	Capability catalogue.Capability
	Address    netip.Addr // AllowAddress: invalid means every address
}

// change finds the one change that makes the check pass that failed; false
// where there is none.
func (s *Snapshot) change(q Question, d Decision) (Change, bool) {
	c := Change{Key: d.Key, Model: q.Model, Capability: q.Capability, Address: q.Address}
	if d.Key != nil {
		c.User, c.Workspace = d.Key.Owner, d.Key.Workspace
	} else if q.Person != "" {
		c.User, c.Workspace = q.Person, ident.Workspace(q.Path)
	}
	if d.Workspace != nil {
		c.Workspace = d.Workspace.ID
	}
	switch d.Refused {
	case KeyPresented, KeyKnown:
		c.Do = PresentKey
		if k := s.stale(q.Digest); d.Refused == KeyKnown && k != nil {
			c.Do, c.Key, c.Workspace = PresentSecret, k, k.Workspace
		}
	case KeyEnabled:
		c.Do = EnableKey
	case KeyCurrent:
		if c.Do = RenewTemporary; over(d.Key.Expires, q.At) {
			c.Do = ExtendKey
		}
	case OwnerBelongs:
		c.Do = s.belonging(c.User)
	case NamesAgree, WorkspaceNamed, WorkspaceExists, WorkspaceIsOurs:
		if c.Do = NameOwn; q.Person != "" {
			c.Do = s.belonging(c.User)
			return c, d.Refused == WorkspaceIsOurs
		}
	case AddressAllowed:
		if c.Do = AllowAddress; !q.Address.IsValid() && len(d.Key.Terms().Networks) > 0 {
			c.Do, c.Address = SayAddress, d.Key.Terms().Networks[0].Addr()
		}
	case ModelExists:
		c.Do = AddModel
	case ModelOffers:
		return s.otherModel(q, c)
	case KeyCovers:
		c.Do = WidenKey
	case Granted:
		return s.authorize(c, d.Model)
	case IsServed:
		c.Do = Serve
	}
	return c, c.Do != 0
}

// belonging is what lets a user belong again.
func (s *Snapshot) belonging(id ident.User) Do {
	u := s.user(id)
	switch {
	case u == nil:
		return IssueKey
	case u.Disabled:
		return EnableUser
	}
	return AddMember
}

// authorize grants what is missing: of a deployment, the right it was made by.
// There is nothing to be granted where its base is gone or no longer offers that.
func (s *Snapshot) authorize(c Change, m *Model) (Change, bool) {
	c.Do = Authorize
	if !m.Private() {
		return c, true
	}
	c.Model, c.Capability = m.Base, m.Needs
	base := s.base(m)
	return c, base != nil && base.Offers.Has(m.Needs)
}

// otherModel finds a model that would be allowed in place of one that does not
// offer what is asked for.
func (s *Snapshot) otherModel(q Question, c Change) (Change, bool) {
	for _, m := range s.Models(q, q.Capability) {
		if q.Capability != catalogue.Call || len(m.Servings) > 0 {
			c.Do, c.Model = ChooseModel, m.ID
			return c, true
		}
	}
	return c, false
}

// made gives the world and the question as they are once a change is made. It
// is a trial: what it gives is asked and thrown away.
func (c Change) made(s *Snapshot, q Question) (*Snapshot, Question) {
	f := Facts{Version: s.version}
	switch c.Do {
	case PresentSecret:
		q.Digest = c.Key.Digest
	case RenewTemporary:
		q.Until = q.At.Add(1)
	case NameOwn:
		q.Header, q.Path, q.Host = string(c.Workspace), "", ""
	case SayAddress:
		q.Address = c.Address
	case ChooseModel:
		q.Model = c.Model
	case EnableUser:
		if u := s.user(c.User); u != nil {
			enabled := *u
			enabled.Disabled = false
			f.Users = []User{enabled}
		}
	case AddMember:
		f.Workspaces = s.altered(c.Workspace, func(w *Workspace) { w.Members = joined(w.Members, c.User) })
	case Authorize:
		f.Workspaces = s.altered(c.Workspace, func(w *Workspace) {
			w.Grants = w.Grants.With(c.Model, w.Grants.Get(c.Model)|catalogue.Of(c.Capability))
		})
	case AddModel:
		f.Models = []Model{{Model: catalogue.Model{ID: c.Model, Account: c.Key.account(s, c), Offers: catalogue.Of(c.Capability)}, Servings: anywhere}}
	case Serve:
		if m := s.Model(c.Key.account(s, c), c.Model); m != nil {
			served := *m
			served.Servings = anywhere
			f.Models = []Model{served}
		}
	case IssueKey:
		f = c.issued(s, &q)
	default:
		f.Keys = []Key{c.key()}
	}
	return s.With(f), q
}

// anywhere stands for whatever provider somebody will choose.
var anywhere = []Serving{{Provider: "prv-0000000000000000", Name: "chosen"}}

// account is the account a change is made in: the key's or, where the console
// asks, the workspace's.
func (k *Key) account(s *Snapshot, c Change) ident.Account {
	if k != nil {
		return k.Account
	}
	w := s.workspace(c.Workspace)
	if w == nil {
		return ""
	}
	return w.Account
}

// key is the key as a change of it leaves it.
func (c Change) key() Key {
	k := *c.Key
	switch c.Do {
	case EnableKey:
		k.Disabled = false
	case ExtendKey:
		k.Expires = k.Expires.AddDate(1000, 0, 0)
	case WidenKey:
		return k.Narrow(func(r *Rare) { r.Models = append(slices.Clone(r.Models), c.Model) })
	case AllowAddress:
		return k.Narrow(func(r *Rare) {
			if !c.Address.IsValid() {
				r.Networks = nil
				return
			}
			a := c.Address.Unmap()
			r.Networks = append(slices.Clone(r.Networks), netip.PrefixFrom(a, a.BitLen()))
		})
	}
	return k
}

// issued are the facts of a fresh key on the same terms, whose owner may be in
// the workspace, and the question presents it.
func (c Change) issued(s *Snapshot, q *Question) Facts {
	owner := User{ID: "usr-0000000000000000", Account: c.Key.Account, Everywhere: true}
	k := c.Key.Narrow(func(r *Rare) { r.Previous = secret.Digest{} })
	k.ID, k.Owner = "key-0000000000000000", owner.ID
	k.Digest = secret.Digest{0: 1, len(secret.Digest{}) - 1: 1} // no secret has this one
	q.Digest = k.Digest
	return Facts{Version: s.version, Users: []User{owner}, Keys: []Key{k}}
}

// altered is a workspace with something changed.
func (s *Snapshot) altered(id ident.Workspace, alter func(*Workspace)) []Workspace {
	w := s.workspace(id)
	if w == nil {
		return nil
	}
	changed := *w
	alter(&changed)
	return []Workspace{changed}
}

// joined are the members with one more; the list it is made from stays as it is.
func joined(members []ident.User, u ident.User) []ident.User {
	i, is := slices.BinarySearch(members, u)
	if is {
		return members
	}
	return slices.Insert(slices.Clone(members), i, u)
}
