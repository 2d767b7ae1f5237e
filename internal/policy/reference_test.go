package policy_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// world is everything there is, as plain lists.
type world struct {
	accounts   map[ident.Account]policy.Account
	workspaces map[ident.Workspace]policy.Workspace
	users      map[ident.User]policy.User
	keys       map[ident.Key]policy.Key
	models     map[policy.ModelOf]policy.Model
}

// reference answers slowly and obviously: the rules of the world in the order
// of the original's gateway, one sentence each.
func (w world) reference(q policy.Question) policy.Check {
	if !q.Presented {
		return policy.KeyPresented
	}
	var key *policy.Key
	for _, k := range w.keys {
		if q.Digest == (secret.Digest{}) {
			continue
		}
		if k.Digest == q.Digest || k.Previous == q.Digest && q.At.Before(k.PreviousUntil) {
			key = &k
		}
	}
	if key == nil {
		return policy.KeyKnown
	}
	home, there := w.workspaces[key.Workspace]
	if !there {
		return policy.KeyKnown
	}
	if key.Disabled {
		return policy.KeyEnabled
	}
	if !key.Expires.IsZero() && (q.At.After(key.Expires) || q.At.Equal(key.Expires)) {
		return policy.KeyCurrent
	}
	if !q.Until.IsZero() && !q.At.Before(q.Until) {
		return policy.KeyCurrent
	}
	owner, there := w.users[key.Owner]
	if !there || owner.Disabled {
		return policy.OwnerBelongs
	}
	if !owner.Everywhere && !home.Members[owner.ID] {
		return policy.OwnerBelongs
	}
	names := map[string]bool{}
	for _, n := range []string{q.Header, q.Path, q.Host} {
		if n != "" {
			names[n] = true
		}
	}
	if len(names) > 1 {
		return policy.NamesAgree
	}
	acts := home
	if len(names) == 0 {
		if !home.Default && w.accounts[key.Account].NameWorkspace {
			return policy.WorkspaceNamed
		}
	}
	for n := range names {
		if n == string(home.ID) {
			break
		}
		if !(owner.Root && home.Default) {
			return policy.WorkspaceIsOurs
		}
		named, there := w.workspaces[ident.Workspace(n)]
		if !there || named.Account != key.Account {
			return policy.WorkspaceExists
		}
		acts = named
	}
	if key.Networks != nil {
		from := false
		for _, p := range key.Networks {
			from = from || p.Contains(q.Address.Unmap())
		}
		if !from {
			return policy.AddressAllowed
		}
	}
	if q.Model == "" {
		return policy.Nothing
	}
	m, there := w.models[policy.ModelOf{Account: key.Account, Model: q.Model}]
	if !there {
		return policy.ModelExists
	}
	if !m.Offers.Has(q.Capability) {
		return policy.ModelOffers
	}
	if key.Models != nil && !slices.Contains(key.Models, q.Model) {
		return policy.KeyCovers
	}
	allowed := acts.Default
	allowed = allowed || q.Capability == catalogue.Call && acts.CallAll
	allowed = allowed || acts.Grants[q.Model].Has(q.Capability)
	if !allowed {
		return policy.Granted
	}
	if q.Capability == catalogue.Call && len(m.Servings) == 0 {
		return policy.IsServed
	}
	return policy.Nothing
}

// maker draws worlds and questions from small sets of names, so that they meet.
type maker struct{ *rand.Rand }

func (r maker) account() ident.Account     { return ident.Account(fmt.Sprint("acc-", r.IntN(2))) }
func (r maker) workspace() ident.Workspace { return ident.Workspace(fmt.Sprint("llm-", r.IntN(5))) }
func (r maker) user() ident.User           { return ident.User(fmt.Sprint("usr-", r.IntN(5))) }
func (r maker) model() ident.Model         { return ident.Model(fmt.Sprint("m", r.IntN(4))) }
func (r maker) digest() secret.Digest      { return secret.Digest{byte(1 + r.IntN(8))} }
func (r maker) some(n int) bool            { return r.IntN(n) == 0 }

var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// change draws one change of the world, makes it, and says it as facts.
func (r maker) change(w world) (f policy.Facts) {
	switch r.IntN(6) {
	case 0:
		a := policy.Account{ID: r.account(), NameWorkspace: r.some(2)}
		w.accounts[a.ID] = a
		f.Accounts = append(f.Accounts, a)
	case 1:
		ws := policy.Workspace{ID: r.workspace(), Account: r.account(), Default: r.some(3), CallAll: r.some(5),
			Grants: map[ident.Model]catalogue.Capabilities{}, Members: map[ident.User]bool{}}
		for range r.IntN(4) {
			ws.Grants[r.model()] = catalogue.Capabilities(r.IntN(8))
			ws.Members[r.user()] = true
		}
		if r.some(8) {
			delete(w.workspaces, ws.ID)
			f.Gone.Workspaces = append(f.Gone.Workspaces, ws.ID)
			break
		}
		w.workspaces[ws.ID] = ws
		f.Workspaces = append(f.Workspaces, ws)
	case 2:
		u := policy.User{ID: r.user(), Root: r.some(3), Everywhere: r.some(2), Disabled: r.some(6)}
		u.Everywhere = u.Everywhere || u.Root
		if r.some(8) {
			delete(w.users, u.ID)
			f.Gone.Users = append(f.Gone.Users, u.ID)
			break
		}
		w.users[u.ID] = u
		f.Users = append(f.Users, u)
	case 3, 4:
		r.changeKey(w, &f)
	case 5:
		m := policy.Model{Model: catalogue.Model{ID: r.model(), Account: r.account(), Offers: catalogue.Capabilities(r.IntN(8))}}
		if !r.some(4) {
			m.Servings = []policy.Serving{{Provider: "prv-1", Name: "x"}}
		}
		of := policy.ModelOf{Account: m.Account, Model: m.ID}
		if r.some(8) {
			delete(w.models, of)
			f.Gone.Models = append(f.Gone.Models, of)
			break
		}
		w.models[of] = m
		f.Models = append(f.Models, m)
	}
	return f
}

func (r maker) changeKey(w world, f *policy.Facts) {
	id := ident.Key(fmt.Sprint("key-", r.IntN(6)))
	if r.some(8) {
		delete(w.keys, id)
		f.Gone.Keys = append(f.Gone.Keys, id)
		return
	}
	k := policy.Key{ID: id, Workspace: r.workspace(), Owner: r.user(), Digest: r.digest(), Disabled: r.some(8)}
	// A key belongs to its workspace's account, and no two keys have one digest.
	home, there := w.workspaces[k.Workspace]
	if !there {
		return
	}
	k.Account = home.Account
	if _, there := w.accounts[k.Account]; !there {
		return
	}
	for other, o := range w.keys {
		if other != id && (o.Digest == k.Digest || o.Previous == k.Digest) {
			return
		}
	}
	if before, there := w.keys[id]; there && before.Digest != k.Digest {
		k.Previous, k.PreviousUntil = before.Digest, start.Add(time.Duration(r.IntN(5))*time.Hour)
	}
	if r.some(4) {
		k.Expires = start.Add(time.Duration(r.IntN(5)) * time.Hour)
	}
	if r.some(4) {
		k.Models = []ident.Model{r.model()}
	}
	if r.some(4) {
		k.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/30")}
	}
	w.keys[id] = k
	f.Keys = append(f.Keys, k)
}

func (r maker) question() policy.Question {
	q := policy.Question{Presented: !r.some(20), Digest: r.digest(), At: start.Add(time.Duration(r.IntN(5)) * time.Hour),
		Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(8))})}
	for _, way := range []*string{&q.Header, &q.Path, &q.Host} {
		if r.some(3) {
			*way = string(r.workspace())
		}
	}
	if r.some(6) {
		q.Until = start.Add(time.Duration(r.IntN(5)) * time.Hour)
	}
	if r.some(30) {
		q.Digest = secret.Digest{} // not well-formed
	}
	if !r.some(5) {
		q.Model, q.Capability = r.model(), catalogue.All[r.IntN(3)]
	}
	return q
}

// coherent says whether keys and workspaces of a world still fit together: the
// store never lets a workspace change accounts or go while keys belong to it.
func (w world) coherent() bool {
	for _, k := range w.keys {
		if home, there := w.workspaces[k.Workspace]; there && home.Account != k.Account {
			return false
		}
		if _, there := w.accounts[k.Account]; !there {
			return false
		}
	}
	return true
}

func TestThePolicyAgreesWithASlowObviousReferenceOverRandomWorlds(t *testing.T) {
	worlds := 100_000
	if n, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		worlds *= n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := maker{rand.New(rand.NewPCG(seed, 1))}
	seen := map[policy.Check]int{}
	var w world
	snapshot := &policy.Snapshot{}
	for i := range worlds {
		if i%500 == 0 || !w.coherent() { // begin again, so that the world does not settle
			w = world{map[ident.Account]policy.Account{}, map[ident.Workspace]policy.Workspace{}, map[ident.User]policy.User{}, map[ident.Key]policy.Key{}, map[policy.ModelOf]policy.Model{}}
			snapshot = &policy.Snapshot{}
			for a := range 2 {
				id := ident.Account(fmt.Sprint("acc-", a))
				w.accounts[id] = policy.Account{ID: id, NameWorkspace: true}
				snapshot = snapshot.With(policy.Facts{Version: 1, Accounts: []policy.Account{w.accounts[id]}})
			}
		}
		f := r.change(w)
		f.Version = snapshot.Version() + 1
		snapshot = snapshot.With(f)
		if !w.coherent() {
			continue
		}
		for range 4 {
			q := r.question()
			got, want := snapshot.Decide(q), w.reference(q)
			seen[want]++
			if got.Refused != want {
				t.Fatalf("world %d: %+v: decided %d, the reference says %d", i, q, got.Refused, want)
			}
			r.listAgrees(t, w, snapshot, q)
		}
	}
	for c := policy.Nothing; c <= policy.IsServed; c++ {
		if seen[c] == 0 {
			t.Errorf("no question was answered with check %d: the test does not reach it", c)
		}
	}
}

// listAgrees makes sure that the model list shows exactly what calls would get.
func (r maker) listAgrees(t *testing.T, w world, s *policy.Snapshot, q policy.Question) {
	if !r.some(16) {
		return
	}
	var listed []ident.Model
	for _, m := range s.Models(q, catalogue.Call) {
		listed = append(listed, m.ID)
	}
	for n := range 4 {
		q.Model, q.Capability = ident.Model(fmt.Sprint("m", n)), catalogue.Call
		is := w.reference(q)
		may := is == policy.Nothing || is == policy.IsServed
		if may != slices.Contains(listed, q.Model) {
			t.Fatalf("%+v: listed %v, but the call is answered with check %d", q, listed, is)
		}
	}
}

func TestASnapshotNeverChanges(t *testing.T) {
	digest := secret.Digest{7}
	facts := policy.Facts{
		Version:    1,
		Accounts:   []policy.Account{{ID: "acc-1"}},
		Workspaces: []policy.Workspace{{ID: "llm-1", Account: "acc-1", Members: map[ident.User]bool{"usr-1": true}}},
		Users:      []policy.User{{ID: "usr-1"}},
		Keys:       []policy.Key{{ID: "key-1", Account: "acc-1", Workspace: "llm-1", Owner: "usr-1", Digest: digest}},
	}
	before := (&policy.Snapshot{}).With(facts)
	after := before.With(policy.Facts{Version: 2, Gone: policy.Gone{Keys: []ident.Key{"key-1"}}})
	q := policy.Question{Presented: true, Digest: digest, At: start}
	if d := before.Decide(q); !d.Allowed() || d.Version != 1 {
		t.Errorf("the old snapshot decides %+v after the key went", d)
	}
	if d := after.Decide(q); d.Refused != policy.KeyKnown || d.Version != 2 {
		t.Errorf("the new snapshot decides %+v although the key is gone", d)
	}
}

func TestAResetKeyIsNoLongerFoundUnderItsOldSecret(t *testing.T) {
	old, fresh := secret.Digest{1}, secret.Digest{2}
	key := policy.Key{ID: "key-1", Account: "acc-1", Workspace: "llm-1", Owner: "usr-1", Digest: old}
	s := (&policy.Snapshot{}).With(policy.Facts{Version: 1, Accounts: []policy.Account{{ID: "acc-1"}},
		Workspaces: []policy.Workspace{{ID: "llm-1", Account: "acc-1"}}, Users: []policy.User{{ID: "usr-1", Everywhere: true}}, Keys: []policy.Key{key}})
	key.Digest = fresh
	s = s.With(policy.Facts{Version: 2, Keys: []policy.Key{key}})
	if d := s.Decide(policy.Question{Presented: true, Digest: old, At: start}); d.Refused != policy.KeyKnown {
		t.Errorf("the old secret is answered with check %d", d.Refused)
	}
	if d := s.Decide(policy.Question{Presented: true, Digest: fresh, At: start}); !d.Allowed() {
		t.Errorf("the new secret is answered with check %d", d.Refused)
	}
}
