package deployment_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/deployment"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/work"
)

// engine is a model server as the loop sees it, whose moods tests choose.
type engine struct {
	provider.Server
	up     map[string]provider.DeploySpec // by name
	broken map[string]bool
	down   bool  // it does not answer
	takes  error // what Apply says
	cut    bool  // the process dies once Apply took effect
}

var errKilled = errors.New("killed")

func (e *engine) Deploys(string, *provider.Artifact) error { return nil }

func (e *engine) Apply(_ context.Context, s provider.DeploySpec) (string, error) {
	switch {
	case e.down:
		return "", fault.New(fault.Unavailable, "The engine does not answer.")
	case e.takes != nil:
		return "", e.takes
	}
	if had, there := e.up[s.Name]; !there || had.Generation <= s.Generation {
		e.up[s.Name] = s
	}
	if e.cut {
		return "", errKilled
	}
	return s.Name, nil
}

func (e *engine) Status(_ context.Context, handle string) (provider.DeployState, error) {
	if e.down {
		return provider.DeployState{}, fault.New(fault.Unavailable, "The engine does not answer.")
	}
	s, there := e.up[handle]
	switch {
	case !there:
		return provider.DeployState{Phase: provider.DeployGone}, nil
	case e.broken[handle]:
		return provider.DeployState{Phase: provider.DeployBroken, Message: "It has no memory left."}, nil
	case s.Replicas == 0:
		return provider.DeployState{Phase: provider.DeployDown}, nil
	}
	return provider.DeployState{Phase: provider.DeployUp, Replicas: s.Replicas}, nil
}

func (e *engine) Remove(_ context.Context, handle string) error {
	if e.down {
		return fault.New(fault.Unavailable, "The engine does not answer.")
	}
	delete(e.up, handle)
	delete(e.broken, handle)
	return nil
}

func (e *engine) Handles(_ context.Context, prefix string) (list []string, err error) {
	if e.down {
		return nil, fault.New(fault.Unavailable, "The engine does not answer.")
	}
	for name := range e.up {
		if strings.HasPrefix(name, prefix) {
			list = append(list, name)
		}
	}
	return list, nil
}

// house is an account whose one provider is an engine.
type house struct {
	t      *testing.T
	w      *storetest.World
	ws     ident.Workspace
	by     access.Actor
	place  provider.Place
	engine *engine
	may    bool
	gone   bool // the provider
	s      *deployment.Service
	loop   *deployment.Loop
}

func (h *house) Refresh(context.Context) error                                       { return nil }
func (h *house) Holds(_ ident.Workspace, m ident.Model, c catalogue.Capability) bool { return h.may }
func (h *house) Models(ident.Account) []catalogue.Model                              { return []catalogue.Model{{ID: "m0"}} }
func (h *house) Places(ident.Account, ident.Model) []provider.Place                  { return []provider.Place{h.place} }
func (h *house) Provider(ident.Provider) (provider.Provider, bool)                   { return h.place.Provider, !h.gone }
func (h *house) Providers() []provider.Provider                                      { return []provider.Provider{h.place.Provider} }
func (h *house) open(provider.Provider) (provider.Server, error)                     { return h.engine, nil }

func newHouse(t *testing.T, s *store.Store) *house {
	h := &house{t: t, w: storetest.NewWorld(t, s, "acme"), engine: &engine{up: map[string]provider.DeploySpec{}, broken: map[string]bool{}}, may: true}
	h.ws = h.w.Workspace("Marketing").ID
	h.w.Model("m0")
	h.place = provider.Place{Provider: h.w.Provider("engine", provider.OpenAI, "http://10.0.0.1/v1"), Name: "m0"}
	h.by = access.Actor{Account: h.w.Account.ID, Alias: "acme", User: h.w.Root.ID, LogOn: "root", Role: access.Root}
	h.s = &deployment.Service{Store: s, World: h, Open: h.open, Now: time.Now}
	h.loop = &deployment.Loop{Service: h.s, Store: s, Engines: h}
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) create(suffix string) deployment.Deployment {
	h.t.Helper()
	d, err := h.s.Create(h.t.Context(), h.by, h.ws, deployment.Wanted{Model: "m0", Suffix: suffix, Capacity: 1})
	h.must(err)
	return d
}

// tick works on whatever is due; false: nothing was. A killed worker gives nothing
// back, and its lease ends soon.
func (h *house) tick() bool {
	h.t.Helper()
	l, found, err := h.w.Store.ClaimWork(h.t.Context(), deployment.Work, "worker", 5*time.Millisecond)
	h.must(err)
	if !found {
		return false
	}
	next, err := h.loop.Do(h.t.Context(), &work.Held{Lease: l})
	switch {
	case errors.Is(err, errKilled), errors.Is(err, work.ErrLost):
		return true
	case err != nil:
		err = h.w.Store.PutBackWork(h.t.Context(), l, 0, err)
	case next.Done:
		err = h.w.Store.FinishWork(h.t.Context(), l)
	default:
		err = h.w.Store.PutBackWork(h.t.Context(), l, 0, nil)
	}
	if !errors.Is(err, work.ErrLost) {
		h.must(err)
	}
	return true
}

// settle looks at everything often enough for whatever is left to be done. Nothing
// waits for its time.
func (h *house) settle() {
	h.t.Helper()
	for range 8 * (len(h.all()) + 1) {
		h.tick()
	}
}

func (h *house) all() []deployment.Deployment {
	h.t.Helper()
	list, _, _, err := h.s.List(h.t.Context(), h.by, h.ws, deployment.Filter{Limit: 100})
	h.must(err)
	return list
}

func (h *house) find(id ident.Deployment) deployment.Deployment {
	h.t.Helper()
	d, err := h.s.Find(h.t.Context(), h.by, h.ws, id)
	h.must(err)
	return d
}

func TestADeploymentIsPutUpScaledStoppedStartedAndTakenAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		d := h.create("one")
		if d.Name != "m0-one" || d.State != deployment.Pending {
			t.Errorf("%+v", d)
		}
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Running || d.Ready != 1 || d.Calls != d.Engine || d.UpSince.IsZero() {
			t.Errorf("put up: %+v", d)
		}
		d, err := h.s.Scale(t.Context(), h.by, h.ws, d.ID, 3)
		if err != nil || d.State != deployment.Updating {
			t.Errorf("%v %s", err, d.State)
		}
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Running || d.Ready != 3 || h.engine.up[d.Engine].Replicas != 3 {
			t.Errorf("scaled: %+v", d)
		}
		_, err = h.s.Stop(t.Context(), h.by, h.ws, d.ID)
		h.must(err)
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Stopped || d.Ready != 0 || !d.UpSince.IsZero() || h.engine.up[d.Engine].Replicas != 0 {
			t.Errorf("stopped: %+v", d)
		}
		_, err = h.s.Start(t.Context(), h.by, h.ws, d.ID)
		h.must(err)
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Running || d.Ready != 3 {
			t.Errorf("started: %+v", d)
		}
		d, err = h.s.Delete(t.Context(), h.by, h.ws, d.ID)
		if err != nil || d.State != deployment.Deleting {
			t.Errorf("%v %s", err, d.State)
		}
		if _, err := h.s.Start(t.Context(), h.by, h.ws, d.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("started while it is deleted: %v", err)
		}
		h.settle()
		if len(h.all()) != 0 || len(h.engine.up) != 0 {
			t.Errorf("left: %v, %v", h.all(), h.engine.up)
		}
	})
}

func TestWhatAnEngineDoesIsToldWithItsReason(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		h.engine.down = true
		d := h.create("one")
		h.tick()
		if d = h.find(d.ID); d.State != deployment.Deploying || d.Reason != "The engine does not answer." {
			t.Errorf("an engine that does not answer: %s %q", d.State, d.Reason)
		}
		h.engine.down = false
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Running || d.Reason != "" {
			t.Errorf("it answers again: %s %q", d.State, d.Reason)
		}
		h.engine.down = true
		h.tick()
		if d = h.find(d.ID); d.State != deployment.Degraded || d.Reason == "" {
			t.Errorf("it fell silent: %s %q", d.State, d.Reason)
		}
		h.engine.down = false
		delete(h.engine.up, d.Engine) // started anew, it knows nothing
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Running || len(h.engine.up) != 1 {
			t.Errorf("lost: %s %v", d.State, h.engine.up)
		}
		h.engine.broken[d.Engine] = true
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Failed || d.Reason != "It has no memory left." {
			t.Errorf("broken: %s %q", d.State, d.Reason)
		}
		delete(h.engine.broken, d.Engine)
		_, err := h.s.Start(t.Context(), h.by, h.ws, d.ID)
		h.must(err)
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Running {
			t.Errorf("tried again: %s %q", d.State, d.Reason)
		}
		h.engine.takes = fault.New(fault.Invalid, "It is of another architecture.")
		other := h.create("two")
		h.settle()
		if other = h.find(other.ID); other.State != deployment.Failed || other.Reason != "It is of another architecture." {
			t.Errorf("not taken: %s %q", other.State, other.Reason)
		}
		moves, err := h.s.History(t.Context(), h.by, h.ws, d.ID)
		if err != nil || len(moves) < 6 || moves[len(moves)-1].To != deployment.Pending || moves[0].To != deployment.Running {
			t.Errorf("%v, %v", moves, err)
		}
	})
}

func TestWithoutTheRightNothingIsPutUpAndWhatWaitsFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		d := h.create("one")
		h.may = false
		h.settle()
		if d = h.find(d.ID); d.State != deployment.Failed || !strings.Contains(d.Reason, "not authorized for Model Deployment of m0") || len(h.engine.up) != 0 {
			t.Errorf("withdrawn while it waited: %s %q", d.State, d.Reason)
		}
		for what, try := range map[string]func() error{
			"Create": func() error {
				_, err := h.s.Create(t.Context(), h.by, h.ws, deployment.Wanted{Model: "m0", Suffix: "two", Capacity: 1})
				return err
			},
			"Start": func() error { _, err := h.s.Start(t.Context(), h.by, h.ws, d.ID); return err },
			"Scale": func() error { _, err := h.s.Scale(t.Context(), h.by, h.ws, d.ID, 2); return err },
		} {
			if err := try(); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := h.s.Delete(t.Context(), h.by, h.ws, d.ID)
		h.must(err)
		h.gone = true // with its provider
		h.settle()
		if len(h.all()) != 0 {
			t.Errorf("left: %v", h.all())
		}
	})
}

func TestWhatIsBadlySaidIsRefusedOnItsField(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	h.create("one")
	for field, w := range map[string][]deployment.Wanted{
		"model":     {{Capacity: 1}, {Model: "never", Capacity: 1}, {Model: "bad model", Capacity: 1}},
		"capacity":  {{Model: "m0", Capacity: -1}, {Model: "m0", Capacity: 1000}},
		"suffix":    {{Model: "m0", Capacity: 1, Suffix: "one"}, {Model: "m0", Capacity: 1, Suffix: "Upper"}, {Model: "m0", Capacity: 1, Suffix: "toolongsuffix"}},
		"name":      {{Model: "m0", Capacity: 1, Title: strings.Repeat("x", 65)}},
		"rpm_limit": {{Model: "m0", Capacity: 1, Requests: -1}},
		"tpm_limit": {{Model: "m0", Capacity: 1, Tokens: 2_000_000_000}},
	} {
		for _, wanted := range w {
			if _, err := h.s.Create(t.Context(), h.by, h.ws, wanted); err == nil {
				t.Errorf("%+v was made", wanted)
			} else if _, on := fault.On(err, field); !on {
				t.Errorf("%+v: %v", wanted, err)
			}
		}
	}
	h.s.Most = 1
	if _, err := h.s.Create(t.Context(), h.by, h.ws, deployment.Wanted{Model: "m0", Capacity: 1}); !fault.Is(err, fault.Full) {
		t.Errorf("one too many: %v", err)
	}
}

// People change what is wanted, engines lose, break and fall silent, workers die
// once an engine did as it was told: in the end each engine has what is wanted
// of it, once, and nothing else.
func TestWhateverHappensTheEngineEndsWithWhatIsWanted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		dice := rand.New(rand.NewPCG(seed, 1))
		h := newHouse(t, s)
		wanted := map[ident.Deployment]int{} // replicas
		var ids []ident.Deployment
		did := map[int]int{}
		for step := range 400 {
			do := dice.IntN(12)
			did[do]++
			pick := func() (id ident.Deployment) {
				if len(ids) > 0 {
					id = ids[dice.IntN(len(ids))]
				}
				return id
			}
			id := pick()
			switch {
			case do == 0 && len(ids) < 6:
				d := h.create(fmt.Sprint("s", step))
				ids, wanted[d.ID] = append(ids, d.ID), 1
			case do == 1 && id != "":
				n := dice.IntN(4)
				if _, err := h.s.Scale(t.Context(), h.by, h.ws, id, n); err == nil {
					wanted[id] = n
				}
			case do == 2 && id != "":
				if d, err := h.s.Start(t.Context(), h.by, h.ws, id); err == nil {
					wanted[id] = d.Capacity
				}
			case do == 3 && id != "" && dice.IntN(2) == 0:
				_, err := h.s.Delete(t.Context(), h.by, h.ws, id)
				h.must(err)
				delete(wanted, id)
				ids = remove(ids, id)
			case do == 4:
				for name := range h.engine.up {
					if dice.IntN(3) == 0 {
						delete(h.engine.up, name)
					}
				}
			case do == 5:
				h.engine.down = dice.IntN(2) == 0
			case do == 6:
				h.engine.cut = dice.IntN(2) == 0
			case do == 7 && id != "":
				h.engine.broken[h.find(id).Engine] = true
			default:
				h.tick()
				time.Sleep(time.Duration(dice.IntN(3)) * 3 * time.Millisecond) // leases end now and then
			}
		}
		h.engine.down, h.engine.cut, h.engine.broken = false, false, map[string]bool{}
		time.Sleep(10 * time.Millisecond)
		h.settle()
		for _, d := range h.all() { // what had failed is tried once more
			if d.State == deployment.Failed {
				n := wanted[d.ID]
				_, err := h.s.Scale(t.Context(), h.by, h.ws, d.ID, n)
				h.must(err)
			}
		}
		h.settle()
		_, err := h.loop.Clean(t.Context(), nil)
		h.must(err)
		if len(h.all()) != len(wanted) {
			t.Errorf("%d deployments, not %d", len(h.all()), len(wanted))
		}
		served := map[string]bool{}
		for _, d := range h.all() {
			n, there := wanted[d.ID]
			at, up := h.engine.up[d.Engine]
			switch {
			case !there:
				t.Errorf("%s was deleted, and is %s", d.Name, d.State)
			case n > 0 && (d.State != deployment.Running || !up || at.Replicas != n || d.Ready != n || d.Observed != d.Desired):
				t.Errorf("%s is %s (%s) with %d of %d, and at the engine %v with %d", d.Name, d.State, d.Reason, d.Ready, n, up, at.Replicas)
			case n == 0 && (d.State != deployment.Stopped || up && at.Replicas != 0):
				t.Errorf("%s is %s (%s), and should be stopped", d.Name, d.State, d.Reason)
			}
			served[d.Engine] = true
		}
		for name, spec := range h.engine.up {
			if !served[name] {
				t.Errorf("an orphan: %s %+v", name, spec)
			}
		}
		for do := range 8 {
			if did[do] == 0 {
				t.Errorf("nobody did %d", do)
			}
		}
	})
}

func remove(ids []ident.Deployment, id ident.Deployment) (left []ident.Deployment) {
	for _, x := range ids {
		if x != id {
			left = append(left, x)
		}
	}
	return left
}

func TestOnlyMovesThatExistAreMade(t *testing.T) {
	made, all := 0, append([]deployment.State{}, deployment.States...)
	for _, from := range all {
		for _, to := range all {
			d := deployment.Deployment{State: from}
			if from.Up() {
				d.UpSince, d.Ready = time.Unix(1, 0), 2
			}
			m, err := d.Move(to, "because", time.Unix(9, 0))
			if err != nil {
				if d.State != from || m != (deployment.Moved{}) {
					t.Errorf("%s to %s was refused and made", from, to)
				}
				continue
			}
			made++
			if from == deployment.Deleting || from == to || m.From != from || m.To != to || m.Reason != "because" || d.State != to || d.Reason != "because" {
				t.Errorf("%s to %s: %+v", from, to, m)
			}
			if to.Up() == d.UpSince.IsZero() || !to.Up() && from.Up() && d.Ready != 0 {
				t.Errorf("%s to %s: up since %v, %d ready", from, to, d.UpSince, d.Ready)
			}
		}
	}
	if made == 0 {
		t.Error("no move was made")
	}
}

func TestOrphansOfOthersAreLeftAlone(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	d := h.create("one")
	h.settle()
	orphan, others := deployment.EngineName(h.place.Provider.ID), deployment.EngineName(ident.NewProvider())
	h.engine.up[orphan], h.engine.up[others] = provider.DeploySpec{}, provider.DeploySpec{}
	_, err := h.loop.Clean(t.Context(), nil)
	h.must(err)
	if _, there := h.engine.up[orphan]; there {
		t.Error("an orphan was left")
	}
	if len(h.engine.up) != 2 || h.engine.up[d.Engine].Replicas != 1 {
		t.Errorf("there are %v", h.engine.up)
	}
}
