package policy_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
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
// of the original's gateway, one sentence each. It also says which checks it
// made, in their order.
func (w world) reference(q policy.Question) (refused policy.Check, made []policy.Check) {
	refuses := func(c policy.Check, when bool) bool {
		made = append(made, c)
		if when {
			refused = c
		}
		return when
	}
	var key *policy.Key
	var home policy.Workspace
	if q.Person != "" {
		who, known := w.users[q.Person]
		place, there := w.workspaces[ident.Workspace(q.Path)]
		if refuses(policy.WorkspaceExists, !known || !there || who.Account != place.Account) {
			return
		}
		if refuses(policy.WorkspaceIsOurs, who.Disabled || !who.Everywhere && !slices.Contains(place.Members, who.ID)) {
			return
		}
		home = place
	} else {
		if refuses(policy.KeyPresented, !q.Presented) {
			return
		}
		for _, k := range w.keys {
			if q.Digest == (secret.Digest{}) {
				continue
			}
			if k.Digest == q.Digest || k.Terms().Previous == q.Digest && q.At.Before(k.Terms().PreviousUntil) {
				key = &k
			}
		}
		there := false
		if key != nil {
			home, there = w.workspaces[key.Workspace]
		}
		if refuses(policy.KeyKnown, key == nil || !there) {
			return
		}
		if refuses(policy.KeyEnabled, key.Disabled) {
			return
		}
		expired := !key.Expires.IsZero() && (q.At.After(key.Expires) || q.At.Equal(key.Expires))
		ended := !q.Until.IsZero() && !q.At.Before(q.Until)
		if refuses(policy.KeyCurrent, expired || ended) {
			return
		}
		owner, known := w.users[key.Owner]
		if refuses(policy.OwnerBelongs, !known || owner.Disabled || !owner.Everywhere && !slices.Contains(home.Members, owner.ID)) {
			return
		}
		names := map[string]bool{}
		for _, n := range []string{q.Header, q.Path, q.Host} {
			if n != "" {
				names[n] = true
			}
		}
		if refuses(policy.NamesAgree, len(names) > 1) {
			return
		}
		if refuses(policy.WorkspaceNamed, len(names) == 0 && !home.Default && w.accounts[key.Account].NameWorkspace) {
			return
		}
		acts := home
		elsewhere := len(names) == 1 && !names[string(home.ID)]
		if elsewhere && owner.Root && home.Default {
			for n := range names {
				acts, there = w.workspaces[ident.Workspace(n)]
			}
			if refuses(policy.WorkspaceExists, !there || acts.Account != key.Account) {
				return
			}
		} else if refuses(policy.WorkspaceIsOurs, elsewhere) {
			return
		}
		from := key.Terms().Networks == nil
		for _, p := range key.Terms().Networks {
			from = from || p.Contains(q.Address.Unmap())
		}
		if refuses(policy.AddressAllowed, !from) {
			return
		}
		home = acts
	}
	if q.Model == "" {
		return
	}
	m, there := w.models[policy.ModelOf{Account: home.Account, Model: q.Model}]
	elsewhere := there && m.Workspace != "" && m.Workspace != home.ID
	if refuses(policy.ModelExists, !there || elsewhere) {
		return
	}
	if refuses(policy.ModelOffers, !m.Offers.Has(q.Capability)) {
		return
	}
	if key != nil && refuses(policy.KeyCovers, key.Terms().Models != nil && !slices.Contains(key.Terms().Models, q.Model)) {
		return
	}
	right, of, offered := q.Capability, q.Model, true
	if m.Workspace != "" { // what the workspace deployed: it needs the right it was made by, and nothing else
		right, of = m.Needs, m.Base
		base, there := w.models[policy.ModelOf{Account: home.Account, Model: m.Base}]
		offered = there && base.Workspace == "" && base.Offers.Has(m.Needs)
	}
	allowed := home.Default
	allowed = allowed || right == catalogue.Call && home.CallAll
	allowed = allowed || home.Grants.Get(of).Has(right)
	allowed = allowed && offered
	if refuses(policy.Granted, !allowed) {
		return
	}
	if q.Capability == catalogue.Call {
		refuses(policy.IsServed, len(m.Servings) == 0)
	}
	return
}

// maker draws worlds and questions from small sets of names, so that they meet.
type maker struct {
	*rand.Rand
	seldom int // one question of so many is compared with the lists
	did    *made
}

// made counts what was compared.
type made struct{ questions, lists, marks, explanations int }

func (r maker) account() ident.Account     { return ident.Account(fmt.Sprint("acc-", r.IntN(2))) }
func (r maker) workspace() ident.Workspace { return ident.Workspace(fmt.Sprint("llm-", r.IntN(5))) }
func (r maker) user() ident.User           { return ident.User(fmt.Sprint("usr-", r.IntN(5))) }
func (r maker) model() ident.Model         { return ident.Model(fmt.Sprint("m", r.IntN(4))) }
func (r maker) digest() secret.Digest      { return secret.Digest{byte(1 + r.IntN(8))} }
func (r maker) some(n int) bool            { return r.IntN(n) == 0 }

var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// change draws one change of the world, makes it, and says it as facts.
func (r maker) change(w world) (f policy.Facts) {
	switch r.IntN(7) {
	case 0:
		a := policy.Account{ID: r.account(), NameWorkspace: r.some(2)}
		w.accounts[a.ID] = a
		f.Accounts = append(f.Accounts, a)
	case 1:
		ws := policy.Workspace{ID: r.workspace(), Account: r.account(), Default: r.some(3), CallAll: r.some(5)}
		grants, members := map[ident.Model]catalogue.Capabilities{}, map[ident.User]bool{}
		for range r.IntN(4) {
			grants[r.model()] |= catalogue.Capabilities(r.IntN(8))
			members[r.user()] = true
		}
		ws.Grants, ws.Members = policy.PairsOf(grants), slices.Sorted(maps.Keys(members))
		if r.some(8) {
			delete(w.workspaces, ws.ID)
			f.Gone.Workspaces = append(f.Gone.Workspaces, ws.ID)
			break
		}
		w.workspaces[ws.ID] = ws
		f.Workspaces = append(f.Workspaces, ws)
	case 2:
		u := policy.User{ID: r.user(), Account: r.account(), Root: r.some(3), Everywhere: r.some(2), Disabled: r.some(6)}
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
	case 5, 6:
		m := policy.Model{Model: catalogue.Model{ID: r.model(), Account: r.account(), Offers: catalogue.Capabilities(r.IntN(8))}}
		if r.some(2) {
			m.Workspace, m.Base, m.Needs = r.workspace(), r.model(), catalogue.All[1+r.IntN(2)]
			if !r.some(4) {
				m.Offers = catalogue.Of(catalogue.Call)
			}
		}
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
		if other != id && (o.Digest == k.Digest || o.Terms().Previous == k.Digest) {
			return
		}
	}
	var rare policy.Rare
	if before, there := w.keys[id]; there && before.Digest != k.Digest {
		rare.Previous, rare.PreviousUntil = before.Digest, start.Add(time.Duration(r.IntN(5))*time.Hour)
	}
	if r.some(4) {
		k.Expires = start.Add(time.Duration(r.IntN(5)) * time.Hour)
	}
	if r.some(4) {
		rare.Models = []ident.Model{r.model()}
	}
	if r.some(4) {
		rare.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/30")}
	}
	if !reflect.ValueOf(rare).IsZero() || r.some(2) { // empty terms are as good as none
		k.Rare = &rare
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
	if r.some(20) {
		q.Address = netip.Addr{} // not said
	}
	if r.some(6) {
		q.Until = start.Add(time.Duration(r.IntN(5)) * time.Hour)
	}
	if r.some(30) {
		q.Digest = secret.Digest{} // not well-formed
	}
	if r.some(10) {
		q.Person, q.Path = r.user(), string(r.workspace())
	}
	if !r.some(5) {
		q.Model, q.Capability = r.model(), catalogue.All[r.IntN(3)]
	}
	return q
}

// aim turns some questions to a workspace's own model, asked there by somebody
// who may be there: drawn blindly they hardly ever meet.
func (r maker) aim(w world, q *policy.Question) {
	if !r.some(4) {
		return
	}
	m := w.models[policy.ModelOf{Account: r.account(), Model: r.model()}]
	if !m.Private() {
		return
	}
	q.Model, q.Capability = m.ID, catalogue.Call
	q.Person, q.Path = r.user(), string(m.Workspace)
	for n := range 6 {
		if k := w.keys[ident.Key(fmt.Sprint("key-", n))]; k.Workspace == m.Workspace {
			q.Person, q.Path, q.Header, q.Host, q.Digest = "", "", string(k.Workspace), "", k.Digest
		}
	}
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
	worlds, seldom := 100_000, 16
	if n, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		worlds, seldom = worlds*n, 1 // with SOAK=25 more than a million of each kind are compared
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := maker{Rand: rand.New(rand.NewPCG(seed, 1)), seldom: seldom, did: &made{}}
	seen, did := map[policy.Check]int{}, map[policy.Do]int{}
	private := map[policy.Check]int{}
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
			r.aim(w, &q)
			got := snapshot.Decide(q)
			r.did.questions++
			want, made := w.reference(q)
			seen[want]++
			if got.Model != nil && got.Model.Private() {
				private[want]++
			}
			if got.Refused != want || !slices.Equal(checksOf(got.Made), made) {
				t.Fatalf("world %d: %+v: decided %d after %v, the reference says %d after %v", i, q, got.Refused, checksOf(got.Made), want, made)
			}
			r.listAgrees(t, w, snapshot, q)
			r.explains(t, w, snapshot, q, did)
		}
	}
	for _, c := range []policy.Check{policy.Nothing, policy.ModelOffers, policy.KeyCovers, policy.Granted, policy.IsServed} {
		if private[c] == 0 {
			t.Errorf("no question about a workspace's own model was answered with check %d: the test does not reach it", c)
		}
	}
	t.Logf("compared %+v", *r.did)
	t.Logf("about workspaces' own models: %v", private)
	for c := policy.Nothing; c <= policy.IsServed; c++ {
		if seen[c] == 0 {
			t.Errorf("no question was answered with check %d: the test does not reach it", c)
		}
	}
	for c := policy.PresentKey; c <= policy.Serve; c++ {
		if did[c] == 0 {
			t.Errorf("no explanation proposed change %d: the test does not reach it", c)
		}
	}
}

// checksOf lists a set in the order of the checks. Those two that ask where a
// named workspace is are never made both.
func checksOf(set policy.Checks) (list []policy.Check) {
	for c := policy.KeyPresented; c <= policy.IsServed; c++ {
		if set.Has(c) {
			list = append(list, c)
		}
	}
	return list
}

// listAgrees makes sure that the model list shows exactly what calls would get,
// and that the gallery marks as authorized exactly what calls would get with a
// key that is not narrowed.
func (r maker) listAgrees(t *testing.T, w world, s *policy.Snapshot, q policy.Question) {
	if !r.some(r.seldom) {
		return
	}
	q.Model, q.Capability = "", 0
	where := s.Decide(q)
	c := catalogue.All[r.IntN(3)]
	var listed []ident.Model
	for _, m := range s.Models(q, c) {
		listed = append(listed, m.ID)
	}
	for n := range 4 {
		q.Model, q.Capability = ident.Model(fmt.Sprint("m", n)), c
		is, _ := w.reference(q)
		may := is == policy.Nothing || is == policy.IsServed
		r.did.lists++
		if may != slices.Contains(listed, q.Model) {
			t.Fatalf("%+v: listed %v, but the call is answered with check %d", q, listed, is)
		}
		if !where.Allowed() || is == policy.KeyCovers {
			continue
		}
		r.did.marks++
		if marked := s.Holds(where.Workspace.ID, q.Model, c); marked != may {
			t.Fatalf("%+v: the gallery says %v, but the call is answered with check %d", q, marked, is)
		}
	}
}

func TestASnapshotNeverChanges(t *testing.T) {
	digest := secret.Digest{7}
	facts := policy.Facts{
		Version:    1,
		Accounts:   []policy.Account{{ID: "acc-1"}},
		Workspaces: []policy.Workspace{{ID: "llm-1", Account: "acc-1", Members: []ident.User{"usr-1"}}},
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
