package store_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/deployment"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
	"bailiwick/internal/workspace"
)

// known is what somebody knows who applied every delta.
type known struct {
	version    int64
	accounts   map[ident.Account]policy.Account
	workspaces map[ident.Workspace]policy.Workspace
	users      map[ident.User]policy.User
	keys       map[ident.Key]policy.Key
	models     map[policy.ModelOf]policy.Model
	providers  map[ident.Provider]provider.Provider
}

func nothingKnown() *known {
	return &known{
		accounts: map[ident.Account]policy.Account{}, workspaces: map[ident.Workspace]policy.Workspace{}, users: map[ident.User]policy.User{},
		keys: map[ident.Key]policy.Key{}, models: map[policy.ModelOf]policy.Model{}, providers: map[ident.Provider]provider.Provider{},
	}
}

func put[K comparable, V any](m map[K]V, present []V, key func(V) K, gone []K) {
	for _, k := range gone {
		delete(m, k)
	}
	for _, v := range present {
		m[key(v)] = v
	}
}

func (n *known) learn(f policy.Facts) *known {
	n.version = f.Version
	put(n.accounts, f.Accounts, func(a policy.Account) ident.Account { return a.ID }, nil)
	put(n.workspaces, f.Workspaces, func(w policy.Workspace) ident.Workspace { return w.ID }, f.Gone.Workspaces)
	put(n.users, f.Users, func(u policy.User) ident.User { return u.ID }, f.Gone.Users)
	put(n.keys, f.Keys, func(k policy.Key) ident.Key { return k.ID }, f.Gone.Keys)
	put(n.models, f.Models, func(m policy.Model) policy.ModelOf { return policy.ModelOf{Account: m.Account, Model: m.ID} }, f.Gone.Models)
	put(n.providers, f.Providers, func(p provider.Provider) ident.Provider { return p.ID }, f.Gone.Providers)
	return n
}

func facts(t testing.TB, s *store.Store, after int64) policy.Facts {
	t.Helper()
	f, err := s.Facts(t.Context(), after)
	must(t, err)
	return f
}

func TestDeltasLeadToWhatAFullLoadGives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		chaos := newChaos(t, s, rand.New(rand.NewPCG(seed, 1)))
		often, seldom := nothingKnown(), nothingKnown()
		workspaces, keys, models := 0, 0, 0 // the most there were at once
		for step := range 300 {
			chaos.act()
			often.learn(facts(t, s, often.version))
			workspaces, keys, models = max(workspaces, len(often.workspaces)), max(keys, len(often.keys)), max(models, len(often.models))
			if step%17 == 0 {
				seldom.learn(facts(t, s, seldom.version))
			}
		}
		seldom.learn(facts(t, s, seldom.version))
		full := nothingKnown().learn(facts(t, s, 0))
		if !reflect.DeepEqual(often, full) {
			t.Errorf("step by step:\n%+v\nfull:\n%+v", often, full)
		}
		if !reflect.DeepEqual(seldom, full) {
			t.Errorf("in large steps:\n%+v\nfull:\n%+v", seldom, full)
		}
		if workspaces < 4 || keys == 0 || models == 0 {
			t.Errorf("a poor world: %d workspaces, %d keys and %d models at most", workspaces, keys, models)
		}
	})
}

// chaos changes two accounts at random. What is refused is part of the game;
// only our own failures count.
type chaos struct {
	t      *testing.T
	s      *store.Store
	dice   *rand.Rand
	worlds []*storetest.World
	names  int
}

func newChaos(t *testing.T, s *store.Store, dice *rand.Rand) *chaos {
	c := &chaos{t: t, s: s, dice: dice}
	for _, alias := range []ident.Alias{"acme", "umbrella"} {
		w := storetest.NewWorld(t, s, alias)
		w.Model("m0")
		w.Model("m1")
		w.User("alice", access.Regular)
		w.Workspace("first")
		c.worlds = append(c.worlds, w)
	}
	return c
}

func pick[T any](dice *rand.Rand, list []T) (one T) {
	if len(list) > 0 {
		one = list[dice.IntN(len(list))]
	}
	return one
}

// act does one thing at random, knowing the world from a full load.
func (c *chaos) act() {
	w := pick(c.dice, c.worlds)
	a, ctx, now := w.Account.ID, c.t.Context(), facts(c.t, c.s, 0)
	var subs []ident.Workspace
	var users []ident.User
	var keys []policy.Key
	var providers []provider.Provider
	for _, x := range now.Workspaces {
		if x.Account == a && !x.Default {
			subs = append(subs, x.ID)
		}
	}
	for _, x := range now.Users {
		if x.Account == a {
			users = append(users, x.ID)
		}
	}
	for _, x := range now.Keys {
		if x.Account == a {
			keys = append(keys, x)
		}
	}
	for _, x := range now.Providers {
		if x.Account == a {
			providers = append(providers, x)
		}
	}
	model, ws, key, p := ident.Model(fmt.Sprint("m", c.dice.IntN(2))), pick(c.dice, subs), pick(c.dice, keys), pick(c.dice, providers)
	c.names++
	name := fmt.Sprint("name ", c.names)
	person := pick(c.dice, users) // root too, who is missing to all but the keys
	switch c.dice.IntN(24) {
	case 0:
		_ = c.s.InsertWorkspace(ctx, a, workspace.Workspace{ID: ident.NewWorkspace(), Name: name, Version: 1}, w.Why("workspaces:add"))
	case 1:
		if x, err := c.s.Workspace(ctx, a, ws); err == nil {
			must(c.t, c.s.RenameWorkspace(ctx, a, ws, name, x.Version, w.Why("workspaces:rename")))
		}
	case 2:
		_, _ = c.s.DeleteWorkspace(ctx, a, ws, w.Why("workspaces:delete"))
	case 3, 4:
		var to []ident.Workspace
		for _, id := range subs {
			if c.dice.IntN(2) == 0 {
				to = append(to, id)
			}
		}
		w.Grant(model, pick(c.dice, catalogue.All), to...)
	case 5:
		m := []workspace.Member{{User: person, Role: access.Regular, Version: workspace.AnyVersion}}
		_ = c.s.PutMembers(ctx, a, ws, m, true, func(workspace.MemberChange) audit.Event { return w.Why("members:change") })
	case 6, 17, 18:
		home := pick(c.dice, append(subs, w.Default))
		k := apikey.Key{ID: ident.NewKey(), Account: a, Owner: person, Digest: secret.TokenDigest(name), CreatedAt: storetest.Start, Version: 1}
		if c.dice.IntN(2) == 0 {
			k.Models, k.ExpiresAt = []ident.Model{model}, storetest.Start.Add(time.Hour)
		}
		must(c.t, c.s.InsertKey(ctx, home, k, 1000, w.Why("keys:issue")))
	case 7:
		at := storetest.Start
		if c.dice.IntN(2) == 0 {
			at = time.Time{}
		}
		_ = c.s.SetKeyDisabled(ctx, key.Workspace, key.ID, at, w.Why("keys:disable"))
	case 8:
		_ = c.s.DeleteKey(ctx, key.Workspace, key.ID, w.Why("keys:delete"))
	case 9:
		w.Provider(name, provider.OpenAI, "http://10.0.0.1/v1")
	case 10:
		if p.ID != "" {
			w.Serve(p.ID, []ident.Model{"m0", "m1"}[:c.dice.IntN(3)]...)
		}
	case 13:
		_ = c.s.RemoveMember(ctx, a, ws, person, true, func(workspace.MemberChange) audit.Event { return w.Why("members:remove") })
	case 14:
		_ = c.s.SetUserDisabled(ctx, a, person, []time.Time{{}, storetest.Start}[c.dice.IntN(2)], w.Why("users:disable"))
	case 15:
		_ = c.s.SetUserRole(ctx, a, person, []access.Role{access.Super, access.Regular}[c.dice.IntN(2)], w.Why("users:promote"))
	case 16:
		if c.dice.IntN(4) == 0 {
			_ = c.s.DeleteUser(ctx, a, person, w.Why("users:delete"))
		}
	case 11:
		if p.ID != "" && c.dice.IntN(3) == 0 {
			_ = c.s.DeleteProvider(ctx, a, p.ID, w.Why("providers:delete"))
		} else if p.ID != "" {
			p.Name = name
			must(c.t, c.s.UpdateProvider(ctx, a, p, w.Why("providers:change")))
			must(c.t, c.s.NoteTest(ctx, a, p.ID, storetest.Start, "slow", w.Why("providers:test")))
		}
	case 12:
		x, err := c.s.Account(ctx, a)
		must(c.t, err)
		x.Settings.NameWorkspace = !x.Settings.NameWorkspace
		must(c.t, c.s.ChangeSettings(ctx, a, x.Settings, x.Version, w.Why("settings:change")))
	case 19:
		if k, err := c.s.Key(ctx, key.Workspace, key.ID); err == nil {
			k.Models, k.Networks, k.ExpiresAt = []ident.Model{model}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, time.Time{}
			must(c.t, c.s.UpdateKey(ctx, key.Workspace, k, w.Why("keys:edit")))
		}
	case 21, 22:
		if p.ID != "" {
			d := w.Draft(pick(c.dice, append(subs, w.Default)), p.ID, model, ident.Model("dep-"+string(rune('a'+c.dice.IntN(4)))))
			_ = c.s.InsertDeployment(ctx, d.Workspace, d, 1000, w.Why("deployments:create"))
		}
	case 23:
		c.moveDeployment(w, pick(c.dice, append(subs, w.Default)))
	case 20:
		if k, err := c.s.Key(ctx, key.Workspace, key.ID); err == nil {
			old := k.Digest
			if k.Digest, k.Previous = secret.TokenDigest(name), (secret.Digest{}); c.dice.IntN(2) == 0 {
				k.Previous, k.PreviousUntil = old, storetest.Start.Add(time.Hour)
			}
			must(c.t, c.s.ResetKey(ctx, key.Workspace, k, old, w.Why("keys:reset")))
		}
	}
}

// moveDeployment takes a deployment a step further, or away.
func (c *chaos) moveDeployment(w *storetest.World, ws ident.Workspace) {
	ctx := c.t.Context()
	page, _, _, err := c.s.Deployments(ctx, ws, deployment.Filter{})
	must(c.t, err)
	d := pick(c.dice, page)
	if d.ID == "" {
		return
	}
	_, _ = c.s.ChangeDeployment(ctx, ws, d.ID, func(d *deployment.Deployment) (deployment.Moved, audit.Event, error) {
		d.Version++
		d.Calls = d.Engine
		m, err := d.Move(pick(c.dice, deployment.States), "", storetest.Start)
		return m, w.Why("deployments:change"), err
	})
	l, found, err := c.s.ClaimWork(ctx, deployment.Work, "chaos", time.Hour)
	must(c.t, err)
	if !found {
		return
	}
	place, id, _ := strings.Cut(l.Ref, "/")
	if d, err := c.s.Deployment(ctx, ident.Workspace(place), ident.Deployment(id)); err == nil && d.State == deployment.Deleting {
		must(c.t, c.s.DropDeployment(ctx, d.Workspace, d, l, w.Why("deployments:gone")))
		must(c.t, c.s.FinishWork(ctx, l))
		return
	}
	must(c.t, c.s.PutBackWork(ctx, l, 0, nil))
}

// While others write, every version that is read holds exactly what was
// committed up to it: whoever follows misses nothing.
func TestAReaderThatFollowsWritersMissesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		a := w.Workspace("a")
		var writers sync.WaitGroup
		done := make(chan struct{})
		for range 4 {
			writers.Go(func() {
				for range 25 {
					if err := insertKey(t.Context(), w, a.ID, 1000); err != nil {
						t.Error(err)
					}
				}
			})
		}
		go func() { writers.Wait(); close(done) }()
		seen := nothingKnown()
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			seen.learn(facts(t, s, seen.version))
		}
		if full := nothingKnown().learn(facts(t, s, 0)); len(full.keys) != 100 || !reflect.DeepEqual(seen, full) {
			t.Fatalf("%d keys seen of %d", len(seen.keys), len(full.keys))
		}
	})
}

func TestWhatIsNoChangeIsNoDelta(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		before := version(t, s)
		must(t, s.Note(t.Context(), w.Why("users:log-on")))
		must(t, s.InsertUsage(t.Context(), []usage.Record{{Call: ident.NewCall(), Account: w.Account.ID, Workspace: w.Default}}))
		f := facts(t, s, before)
		if !reflect.DeepEqual(f, policy.Facts{Version: f.Version, Keys: f.Keys, Providers: f.Providers}) || len(f.Keys)+len(f.Providers) > 0 {
			t.Fatalf("%+v", f)
		}
		statements := s.Reads(func() { facts(t, s, f.Version) })
		if len(statements) != 0 { // beside the one that is prepared
			t.Fatalf("asking again reads %q", statements)
		}
		if _, err := s.Facts(t.Context(), f.Version+1); err == nil {
			t.Fatal("a database that went back goes unnoticed")
		}
	})
}

func TestADeltaOfThousandsIsReadInPieces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		before := version(t, s)
		models := make([]catalogue.Model, 1700)
		for i := range models {
			models[i] = catalogue.Model{ID: ident.Model(fmt.Sprintf("model-%04d", i)), Name: "x", Version: 1}
		}
		must(t, s.InstallModels(t.Context(), w.Account.ID, models, w.Why("models:install")))
		if f := facts(t, s, before); len(f.Models) != len(models) || len(f.Gone.Models) != 0 {
			t.Fatalf("%d models", len(f.Models))
		}
	})
}
