package policy_test

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// explains makes sure that an explanation is the decision, that its steps are
// the reference's, and that every change it proposes leads where it says: the
// change is made in the plain world and the reference is asked again.
func (r maker) explains(t *testing.T, w world, s *policy.Snapshot, q policy.Question, did map[policy.Do]int) {
	if !r.some(8) {
		return
	}
	r.did.explanations++
	e := s.Explain(q)
	refused, made := w.reference(q)
	if e.Decision != s.Decide(q) || e.Refused != refused {
		t.Fatalf("%+v: explained %+v, the reference says %d", q, e.Decision, refused)
	}
	var steps []policy.Check
	for i, step := range e.Steps {
		switch {
		case step.State == policy.Unasked:
			continue
		case step.State == policy.Failed != (step.Check == refused), i < len(made)-1 && step.State != policy.Passed:
			t.Fatalf("%+v: refused by %d, and the steps are %v", q, refused, e.Steps)
		}
		steps = append(steps, step.Check)
	}
	if !slices.Equal(steps, made) {
		t.Fatalf("%+v: the steps are %v, the reference made %v", q, steps, made)
	}
	if refused == policy.Nothing && len(e.Changes) > 0 {
		t.Fatalf("%+v is allowed and should change: %v", q, e.Changes)
	}
	w = w.copied()
	for _, c := range e.Changes {
		did[c.Do]++
		before := refused
		if c.Do == policy.PresentKey {
			w.everyKeyIsKnown(t, q)
			return
		}
		q = w.make(c, q)
		if refused, _ = w.reference(q); refused != c.Next {
			t.Fatalf("%+v: change %+v should lead to check %d and leads to %d", q, c, c.Next, refused)
		}
		if refused == before && c.Do != policy.ExtendKey && c.Do != policy.EnableUser {
			t.Fatalf("%+v: change %+v flips nothing: check %d still refuses", q, c, refused)
		}
	}
	if refused == policy.Granted && w.groundless(e, q) {
		return
	}
	if refused != policy.Nothing && refused != policy.ModelOffers && refused != policy.WorkspaceExists {
		t.Fatalf("%+v: after all changes check %d refuses: %+v", q, refused, e.Changes)
	}
}

// groundless says whether the model is one that a workspace made of a base that is
// gone, or that no longer offers what it was made by: nothing can be granted then.
func (w world) groundless(e policy.Explanation, q policy.Question) bool {
	for a := range w.accounts {
		m := w.models[policy.ModelOf{Account: a, Model: q.Model}]
		base, there := w.models[policy.ModelOf{Account: a, Model: m.Base}]
		if m.Private() && (e.Key == nil || e.Key.Account == a) && (!there || base.Private() || !base.Offers.Has(m.Needs)) {
			return true
		}
	}
	return false
}

// everyKeyIsKnown makes sure that any key of the world passes the first checks.
func (w world) everyKeyIsKnown(t *testing.T, q policy.Question) {
	for _, k := range w.keys {
		if _, homed := w.workspaces[k.Workspace]; !homed {
			continue
		}
		q.Presented, q.Digest = true, k.Digest
		if refused, _ := w.reference(q); refused == policy.KeyPresented || refused == policy.KeyKnown {
			t.Fatalf("key %s is not known", k.ID)
		}
	}
}

func (w world) copied() world {
	return world{maps.Clone(w.accounts), maps.Clone(w.workspaces), maps.Clone(w.users), maps.Clone(w.keys), maps.Clone(w.models)}
}

// make makes a change as an administrator or caller would who read it.
func (w world) make(c policy.Change, q policy.Question) policy.Question {
	var k policy.Key
	if c.Key != nil {
		k = w.keys[c.Key.ID]
	}
	switch c.Do {
	case policy.PresentSecret:
		q.Digest = k.Digest
	case policy.RenewTemporary:
		q.Until = q.At.Add(time.Minute)
	case policy.NameOwn:
		q.Header, q.Path, q.Host = "", "", string(c.Workspace)
	case policy.SayAddress:
		q.Address = c.Address
	case policy.ChooseModel:
		q.Model = c.Model
	case policy.IssueKey:
		for id, other := range w.keys {
			if id == c.Key.ID { // issued anew before, in this world
				k = other
			}
		}
		k = k.Narrow(func(r *policy.Rare) { r.Previous = secret.Digest{} })
		k.ID, k.Owner, k.Digest = "key-fresh", "usr-fresh", secret.Digest{200}
		w.users["usr-fresh"] = policy.User{ID: "usr-fresh", Account: k.Account}
		home := w.workspaces[k.Workspace]
		home.Members = joined(home.Members, "usr-fresh")
		w.workspaces[k.Workspace] = home
		w.keys[k.ID] = k
		q.Digest = k.Digest
	case policy.EnableKey, policy.ExtendKey, policy.WidenKey, policy.AllowAddress:
		if c.Key.ID == "key-0000000000000000" { // the explanation's name for the fresh key
			k = w.keys["key-fresh"]
		}
		switch c.Do {
		case policy.EnableKey:
			k.Disabled = false
		case policy.ExtendKey:
			k.Expires = time.Time{}
		case policy.WidenKey:
			k = k.Narrow(func(r *policy.Rare) { r.Models = append(slices.Clone(r.Models), c.Model) })
		case policy.AllowAddress:
			k = k.Narrow(func(r *policy.Rare) { r.Networks = append(slices.Clone(r.Networks), netip.PrefixFrom(c.Address, 32)) })
		}
		w.keys[k.ID] = k
	case policy.EnableUser:
		u := w.users[c.User]
		u.Disabled = false
		w.users[c.User] = u
	case policy.AddMember:
		ws := w.workspaces[c.Workspace]
		ws.Members = joined(ws.Members, c.User)
		w.workspaces[c.Workspace] = ws
	case policy.Authorize:
		ws := w.workspaces[c.Workspace]
		ws.Grants = ws.Grants.With(c.Model, ws.Grants.Get(c.Model)|catalogue.Of(c.Capability))
		w.workspaces[c.Workspace] = ws
	case policy.AddModel, policy.Serve:
		account := w.workspaces[c.Workspace].Account
		of := policy.ModelOf{Account: account, Model: c.Model}
		m, there := w.models[of]
		if !there || c.Do == policy.AddModel {
			m = policy.Model{Model: catalogue.Model{ID: c.Model, Account: account, Offers: catalogue.Of(catalogue.All...)}}
		}
		m.Servings = []policy.Serving{{Provider: "prv-any", Name: "any"}}
		w.models[of] = m
	}
	return q
}

func TestAnAddressThatWasNotSaidIsExplainedByOneThatWouldDo(t *testing.T) {
	s := narrowed(netip.MustParsePrefix("10.0.0.0/8"))
	e := s.Explain(policy.Question{Presented: true, Digest: digestOf(1), At: start})
	if e.Refused != policy.AddressAllowed || len(e.Changes) != 1 || e.Changes[0].Do != policy.SayAddress || e.Changes[0].Next != policy.Nothing {
		t.Errorf("%+v", e.Changes)
	}
	e = s.Explain(policy.Question{Presented: true, Digest: digestOf(1), At: start, Address: netip.MustParseAddr("::ffff:192.0.2.1")})
	if len(e.Changes) != 1 || e.Changes[0].Do != policy.AllowAddress || e.Changes[0].Next != policy.Nothing {
		t.Errorf("%+v", e.Changes)
	}
}

// joined are members and one more.
func joined(members []ident.User, u ident.User) []ident.User {
	all := append(slices.Clone(members), u)
	slices.Sort(all)
	return slices.Compact(all)
}

// narrowed is a world of one key that works from some networks alone.
func narrowed(networks ...netip.Prefix) *policy.Snapshot {
	return (&policy.Snapshot{}).With(policy.Facts{
		Version: 1, Accounts: []policy.Account{{ID: "acc-1"}}, Workspaces: []policy.Workspace{{ID: "llm-1", Account: "acc-1", Default: true}},
		Users: []policy.User{{ID: "usr-1", Everywhere: true}},
		Keys:  []policy.Key{{ID: "key-1", Account: "acc-1", Workspace: "llm-1", Owner: "usr-1", Digest: digestOf(1), Rare: &policy.Rare{Networks: networks}}},
	})
}

func TestAnAddressInAZoneIsNeverPromised(t *testing.T) {
	e := narrowed(netip.MustParsePrefix("fe80::/10")).Explain(policy.Question{Presented: true, Digest: digestOf(1), At: start, Address: netip.MustParseAddr("fe80::1%eth0")})
	for _, c := range e.Changes {
		if c.Next == policy.Nothing {
			t.Errorf("%+v would not let it through", c)
		}
	}
	if len(e.Changes) > 2 {
		t.Errorf("the same change is proposed %d times", len(e.Changes))
	}
}

func TestTheSecretBeforeAResetIsExplainedByItsKey(t *testing.T) {
	key := policy.Key{ID: "key-1", Account: "acc-1", Workspace: "llm-1", Owner: "usr-1", Digest: digestOf(2), Rare: &policy.Rare{Previous: digestOf(1), PreviousUntil: start}}
	s := narrowed().With(policy.Facts{Version: 2, Keys: []policy.Key{key}})
	e := s.Explain(policy.Question{Presented: true, Digest: digestOf(1), At: start})
	if e.Refused != policy.KeyKnown || e.Stale == nil || e.Stale.ID != "key-1" || e.Changes[0].Do != policy.PresentSecret || e.Changes[0].Next != policy.Nothing {
		t.Errorf("%+v", e)
	}
}
