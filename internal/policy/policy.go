// Package policy is the compiled, immutable answer to "may this key, here,
// now, do this with that model?". There is one decision, Decide; the gateway,
// the model lists and the pages all ask it, and nothing else decides.
package policy

import (
	"net/netip"
	"slices"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Question is what a program wants, as it said it.
type Question struct {
	Presented bool          // it presented a credential of some kind
	Digest    secret.Digest // of the key; zero when what was presented is not well-formed
	Until     time.Time     // of a temporary key: when it ends; its digest is that of the key it stands for
	// Person asks through the console instead of with a key, in the workspace that
	// Path names; the fields above are unused then.
	Person ident.User
	// The ways a call can name its workspace, as written; empty: not used.
	Header, Path, Host string
	Address            netip.Addr
	At                 time.Time
	// Manage asks to read or change what workspaces may do, for which keys of super
	// administrators may name any workspace too.
	Manage bool
	// Model and Capability are what is asked for. Without a model the question
	// is only who is calling and where.
	Model      ident.Model
	Capability catalogue.Capability
}

// Check is one thing a decision makes sure of.
type Check int

// The checks, in the order they are made (the order of the original's
// gateway). Each is named for what holds when it passes.
const (
	Nothing         Check = iota // no check refused
	KeyPresented                 // a credential was presented
	KeyKnown                     // it is a key we issued and did not delete
	KeyEnabled                   // the key is not disabled
	KeyCurrent                   // the key has not expired
	OwnerBelongs                 // the key's owner may log on and may be in the key's workspace
	NamesAgree                   // the names of the workspace, if several, are one
	WorkspaceNamed               // it is named, where the account asks for that
	WorkspaceExists              // the named workspace is one of the account; asked only of keys that may name any, and of the console
	WorkspaceIsOurs              // the named workspace is the key's own; in the console: the person may log on and may be there
	AddressAllowed               // the call comes from where the key may be used
	ModelExists                  // the model is in the account's catalogue, or a deployment of the workspace
	ModelOffers                  // the model offers the capability
	KeyCovers                    // the model is in the key's scope
	Granted                      // the workspace holds the capability of the model; of a deployment, the right it was made by
	IsServed                     // some provider serves the model, or the deployment is up; asked for calls only
)

// Checks is a set of checks.
type Checks uint32

// Has reports whether a check is in the set.
func (s Checks) Has(c Check) bool { return s&(1<<c) != 0 }

// Decision is the policy's answer.
type Decision struct {
	Refused Check  // the first check that failed; Nothing: allowed
	Made    Checks // the checks that were made, the one that failed included
	Version int64  // of the snapshot that decided

	// What was found on the way; nil where the decision ended before.
	Account   *Account
	Key       *Key       // nil for the console's own calls
	Workspace *Workspace // the one the call acts in
	Model     *Model
}

// Allowed reports whether every check passed.
func (d Decision) Allowed() bool { return d.Refused == Nothing }

// fails makes one check. Every check of a decision is made here, so that what
// is decided and what is explained cannot differ.
func (d *Decision) fails(c Check, failed bool) bool {
	d.Made |= 1 << c
	if failed {
		d.Refused = c
	}
	return failed
}

// Decide answers a question. It reads nothing but the snapshot.
func (s *Snapshot) Decide(q Question) Decision {
	d := Decision{Version: s.version}
	found := false
	if q.Person != "" {
		found = s.seat(&q, &d)
	} else {
		found = s.identify(&q, &d) && s.place(&q, &d)
	}
	if found && q.Model != "" {
		s.permit(&q, &d)
	}
	return d
}

// identify finds the key and makes sure that it may be used now.
func (s *Snapshot) identify(q *Question, d *Decision) bool {
	if d.fails(KeyPresented, !q.Presented) {
		return false
	}
	var home *Workspace
	k := s.keyOf(q)
	if k != nil {
		home = s.homeOf(k)
	}
	if home != nil {
		d.Account = s.Account(k.Account)
	}
	if d.fails(KeyKnown, d.Account == nil) {
		return false
	}
	d.Key = k
	if d.fails(KeyEnabled, k.Disabled) || d.fails(KeyCurrent, over(k.Expires, q.At) || over(q.Until, q.At)) {
		return false
	}
	owner := s.ownerOf(k)
	if d.fails(OwnerBelongs, owner == nil || !belongs(owner, home)) {
		return false
	}
	d.Workspace = home
	return true
}

// seat finds the workspace of the console and makes sure that the person may be
// in it. Which of its pages they may open is for access to say.
func (s *Snapshot) seat(q *Question, d *Decision) bool {
	u, w := s.user(q.Person), s.workspace(ident.Workspace(q.Path))
	if d.fails(WorkspaceExists, u == nil || w == nil || w.Account != u.Account) {
		return false
	}
	d.Account = s.Account(w.Account)
	if d.fails(WorkspaceIsOurs, d.Account == nil || !belongs(u, w)) {
		return false
	}
	d.Workspace = w
	return true
}

// belongs reports whether a user may log on and may be in a workspace of their
// account.
func belongs(u *User, w *Workspace) bool {
	if u.Disabled || u.Everywhere {
		return !u.Disabled
	}
	_, is := slices.BinarySearch(w.Members, u.ID)
	return is
}

// keyOf finds the key that was presented; nil: it is none. A secret before the
// last reset is found only as long as the two overlap.
func (s *Snapshot) keyOf(q *Question) *Key {
	if q.Digest.Zero() {
		return nil
	}
	k := s.KeyBy(q.Digest)
	if k != nil && k.Digest != q.Digest && !q.At.Before(k.Rare.PreviousUntil) {
		return nil
	}
	return k
}

// over reports whether a time, if there is one, has come.
func over(end, at time.Time) bool { return !end.IsZero() && !at.Before(end) }

// place finds the workspace the call acts in. For a key that may act only at
// home, every other name is answered alike, whether or not it exists.
func (s *Snapshot) place(q *Question, d *Decision) bool {
	named, agree := oneName(q.Header, q.Path, q.Host)
	home := d.Workspace
	if d.fails(NamesAgree, !agree) || d.fails(WorkspaceNamed, named == "" && d.Account.NameWorkspace && !home.Default) {
		return false
	}
	if named != "" && named != string(home.ID) && (s.namesAny(d.Key, home) || q.Manage && s.manages(d.Key, home)) {
		w := s.workspace(ident.Workspace(named))
		if d.fails(WorkspaceExists, w == nil || w.Account != d.Account.ID) {
			return false
		}
		d.Workspace = w
	} else if d.fails(WorkspaceIsOurs, named != "" && named != string(home.ID)) {
		return false
	}
	networks := d.Key.Terms().Networks
	return !d.fails(AddressAllowed, networks != nil && !inside(q.Address, networks))
}

// namesAny reports whether a key may name any workspace of its account: keys of
// root in the Default Workspace do.
func (s *Snapshot) namesAny(k *Key, home *Workspace) bool {
	owner := s.ownerOf(k)
	return owner != nil && owner.Root && home.Default
}

// permit makes sure that the workspace may do this with the model.
func (s *Snapshot) permit(q *Question, d *Decision) {
	m := s.Model(d.Account.ID, q.Model)
	if d.fails(ModelExists, m == nil || !m.In(d.Workspace.ID)) {
		return
	}
	d.Model = m
	switch {
	case d.fails(ModelOffers, !m.Offers.Has(q.Capability)):
	case d.Key != nil && d.fails(KeyCovers, !d.Key.covers(m.ID)):
	case d.fails(Granted, !s.holds(d.Workspace, m, q.Capability)):
	case q.Capability == catalogue.Call:
		d.fails(IsServed, len(m.Servings) == 0)
	}
}

// covers reports whether a model is in the key's scope.
func (k *Key) covers(m ident.Model) bool {
	models := k.Terms().Models
	return models == nil || slices.Contains(models, m)
}

// oneName gives the one workspace that the ways name; empty: none does.
func oneName(ways ...string) (name string, agree bool) {
	for _, w := range ways {
		if w == "" {
			continue
		}
		if name != "" && name != w {
			return "", false
		}
		name = w
	}
	return name, true
}

func inside(a netip.Addr, networks []netip.Prefix) bool {
	a = a.Unmap()
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}
