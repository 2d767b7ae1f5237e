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
	// The ways a call can name its workspace, as written; empty: not used.
	Header, Path, Host string
	Address            netip.Addr
	At                 time.Time
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
	WorkspaceExists              // the named workspace is one of the account; asked only of keys that may name any
	WorkspaceIsOurs              // the named workspace is the key's own
	AddressAllowed               // the call comes from where the key may be used
	ModelExists                  // the model is in the account's catalogue
	ModelOffers                  // the model offers the capability
	KeyCovers                    // the model is in the key's scope
	Granted                      // the workspace holds the capability of the model
	IsServed                     // some provider serves the model; asked for calls only
)

// Decision is the policy's answer.
type Decision struct {
	Refused Check // the first check that failed; Nothing: allowed
	Version int64 // of the snapshot that decided

	// What was found on the way; nil where the decision ended before.
	Account   *Account
	Key       *Key
	Workspace *Workspace // the one the call acts in
	Model     *Model
}

// Allowed reports whether every check passed.
func (d Decision) Allowed() bool { return d.Refused == Nothing }

// Decide answers a question. It reads nothing but the snapshot.
func (s *Snapshot) Decide(q Question) Decision {
	d := Decision{Version: s.version}
	d.Refused = s.identify(q, &d)
	if d.Refused == Nothing {
		d.Refused = s.place(q, &d)
	}
	if d.Refused == Nothing && q.Model != "" {
		d.Refused = s.permit(q, &d)
	}
	return d
}

// identify finds the key and makes sure that it may be used now.
func (s *Snapshot) identify(q Question, d *Decision) Check {
	if !q.Presented {
		return KeyPresented
	}
	k, known := s.keyOf(q)
	if !known {
		return KeyKnown
	}
	home, known := s.workspaces.get(k.Workspace)
	if !known {
		return KeyKnown
	}
	d.Key = k
	d.Account, _ = s.accounts.get(k.Account)
	switch {
	case d.Account == nil:
		return KeyKnown
	case k.Disabled:
		return KeyEnabled
	case over(k.Expires, q.At), over(q.Until, q.At):
		return KeyCurrent
	}
	owner, known := s.users.get(k.Owner)
	if !known || owner.Disabled || !owner.Everywhere && !home.Members[owner.ID] {
		return OwnerBelongs
	}
	d.Workspace = home
	return Nothing
}

// keyOf finds the key that was presented. A secret before the last reset is
// found only as long as the two overlap.
func (s *Snapshot) keyOf(q Question) (*Key, bool) {
	if q.Digest.Zero() {
		return nil, false
	}
	k, known := s.keys.get(q.Digest)
	if known && k.Digest != q.Digest && !q.At.Before(k.PreviousUntil) {
		return nil, false
	}
	return k, known
}

// over reports whether a time, if there is one, has come.
func over(end, at time.Time) bool { return !end.IsZero() && !at.Before(end) }

// place finds the workspace the call acts in. For a key that may act only at
// home, every other name is answered alike, whether or not it exists.
func (s *Snapshot) place(q Question, d *Decision) Check {
	named, agree := oneName(q.Header, q.Path, q.Host)
	home := d.Workspace
	switch {
	case !agree:
		return NamesAgree
	case named == "" && d.Account.NameWorkspace && !home.Default:
		return WorkspaceNamed
	case named == "" || named == string(home.ID):
		// at home
	case !s.namesAny(d.Key, home):
		return WorkspaceIsOurs
	default:
		w, known := s.workspaces.get(ident.Workspace(named))
		if !known || w.Account != d.Account.ID {
			return WorkspaceExists
		}
		d.Workspace = w
	}
	if d.Key.Networks != nil && !inside(q.Address, d.Key.Networks) {
		return AddressAllowed
	}
	return Nothing
}

// namesAny reports whether a key may name any workspace of its account: keys of
// root in the Default Workspace do.
func (s *Snapshot) namesAny(k *Key, home *Workspace) bool {
	owner, ok := s.users.get(k.Owner)
	return ok && owner.Root && home.Default
}

// permit makes sure that the workspace may do this with the model.
func (s *Snapshot) permit(q Question, d *Decision) Check {
	m, known := s.models.get(ModelOf{d.Account.ID, q.Model})
	if !known {
		return ModelExists
	}
	d.Model = m
	switch {
	case !m.Offers.Has(q.Capability):
		return ModelOffers
	case d.Key.Models != nil && !slices.Contains(d.Key.Models, m.ID):
		return KeyCovers
	case !holds(d.Workspace, m, q.Capability):
		return Granted
	case q.Capability == catalogue.Call && len(m.Servings) == 0:
		return IsServed
	}
	return Nothing
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
