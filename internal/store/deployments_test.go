package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/deployment"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/work"
)

// shed is an account with a model that a provider serves, and a workspace that
// may deploy it.
func shed(t *testing.T, s *store.Store) (*storetest.World, ident.Workspace, ident.Provider) {
	t.Helper()
	w := storetest.NewWorld(t, s, "acme")
	ws := w.Workspace("Marketing").ID
	w.Model("m0")
	p := w.Provider("demo", provider.Embedded, "")
	w.Serve(p.ID, "m0")
	w.Grant("m0", catalogue.Deploy, ws)
	return w, ws, p.ID
}

// worker leases a deployment's work.
func worker(t *testing.T, s *store.Store, owner string) work.Lease {
	t.Helper()
	l, found, err := s.ClaimWork(t.Context(), deployment.Work, owner, day)
	if err != nil || !found {
		t.Fatalf("%s found %v: %v", owner, found, err)
	}
	return l
}

// brought moves a deployment as the loop does.
func brought(t *testing.T, s *store.Store, w *storetest.World, d deployment.Deployment, l work.Lease, at time.Time, to ...deployment.State) deployment.Deployment {
	t.Helper()
	for _, state := range to {
		m, err := d.Move(state, "", at)
		must(t, err)
		must(t, s.NoteDeployment(t.Context(), d.Workspace, d, l, []deployment.Moved{m}, w.Why("deployments:moved")))
		d.Version++
	}
	return d
}

func TestADeploymentIsAModelOfItsWorkspaceWhileItIsNotDeleted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w, ws, p := shed(t, s)
		d := w.Deployment(ws, p, "m0", "m0-first")
		seen := nothingKnown()
		fact := func() (policy.Model, bool) {
			seen.learn(facts(t, s, seen.version))
			m, there := seen.models[policy.ModelOf{Account: w.Account.ID, Model: "m0-first"}]
			return m, there
		}
		m, there := fact()
		if !there || m.Workspace != ws || m.Base != "m0" || m.Needs != catalogue.Deploy || m.Offers != catalogue.Of(catalogue.Call) || len(m.Servings) != 0 {
			t.Errorf("pending: %+v", m)
		}
		l := worker(t, s, "a")
		d.Calls, d.Handle, d.Observed, d.Ready = d.Engine, d.Engine, 1, 1
		d = brought(t, s, w, d, l, storetest.Start, deployment.Deploying, deployment.Running)
		if m, _ = fact(); len(m.Servings) != 1 || m.Servings[0].Name != d.Engine || m.Servings[0].Provider != p {
			t.Errorf("running: %+v", m)
		}
		_, err := s.ChangeDeployment(t.Context(), ws, d.ID, func(d *deployment.Deployment) (deployment.Moved, audit.Event, error) {
			d.Requests, d.Tokens, d.Version = 7, 9000, d.Version+1
			return deployment.Moved{}, w.Why("deployments:limit"), nil
		})
		must(t, err)
		if m, _ = fact(); m.Limit.Requests != 7 || m.Limit.RequestPeriod != 60 || m.Limit.Usage != 9000 || m.Limit.UsagePeriod != 60 {
			t.Errorf("limited: %+v", m.Limit)
		}
		d, err = s.ChangeDeployment(t.Context(), ws, d.ID, func(d *deployment.Deployment) (deployment.Moved, audit.Event, error) {
			d.Version++
			m, err := d.Move(deployment.Deleting, "", storetest.Start)
			return m, w.Why("deployments:delete"), err
		})
		must(t, err)
		if _, there = fact(); there {
			t.Error("it is a model while it is being deleted")
		}
		if err := s.InsertDeployment(t.Context(), ws, again(d), 1000, w.Why("deployments:create")); !fault.Is(err, fault.Conflict) {
			t.Errorf("its name is free already: %v", err)
		}
		must(t, s.DropDeployment(t.Context(), ws, d, l, w.Why("deployments:gone")))
		must(t, s.InsertDeployment(t.Context(), ws, again(d), 1000, w.Why("deployments:create")))
		if _, there = fact(); !there {
			t.Error("one of the same name is not there")
		}
		moves, err := s.DeploymentMoves(t.Context(), ws, d.ID, 10)
		if !fault.Is(err, fault.Missing) {
			t.Errorf("moves of one that is gone: %v, %v", moves, err)
		}
	})
}

// again is another deployment of the same name.
func again(d deployment.Deployment) deployment.Deployment {
	d.ID, d.Engine, d.State, d.Observed, d.UpSince, d.Booked = ident.NewDeployment(), deployment.EngineName(d.Provider), deployment.Pending, 0, time.Time{}, time.Time{}
	return d
}

func TestADeploymentsNameIsNobodyElses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w, ws, p := shed(t, s)
		other := w.Workspace("Research").ID
		d := w.Deployment(ws, p, "m0", "m0-first")
		taken := again(d)
		for what, name := range map[string]ident.Model{"another workspace's deployment": "m0-first", "a model of the catalogue": "m0"} {
			taken.Name = name
			if f, is := fault.On(s.InsertDeployment(t.Context(), other, taken, 1000, w.Why("deployments:create")), "suffix"); !is || f.Kind != fault.Conflict {
				t.Errorf("%s: %v", what, f)
			}
		}
		if err := s.InsertModel(t.Context(), w.Account.ID, catalogue.Model{ID: "m0-first", Custom: true}, w.Why("models:add")); !fault.Is(err, fault.Conflict) {
			t.Errorf("a model of the catalogue takes its name: %v", err)
		}
		imported := []catalogue.Model{{ID: "m0-first", Account: w.Account.ID, Custom: true, Version: 1}}
		if err := s.ImportModels(t.Context(), w.Account.ID, p, imported, []provider.Serving{{Provider: p, Model: "m0-first", Name: "x"}}, w.Why("models:import")); !fault.Is(err, fault.Conflict) {
			t.Errorf("an imported model takes its name: %v", err)
		}
		foreign := storetest.NewWorld(t, s, "umbrella")
		there := foreign.Workspace("Sales").ID
		foreign.Model("m0")
		foreign.Deployment(there, foreign.Provider("demo", provider.Embedded, "").ID, "m0", "m0-first") // another account's is its own
	})
}

func TestOnlyWhoHoldsTheLeaseAndKnowsThePresentStateNotesADeployment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w, ws, p := shed(t, s)
		d := w.Deployment(ws, p, "m0", "m0-first")
		lost, found, err := s.ClaimWork(t.Context(), deployment.Work, "a", time.Millisecond)
		if err != nil || !found {
			t.Fatal(found, err)
		}
		time.Sleep(5 * time.Millisecond)
		l := worker(t, s, "b")
		m, err := d.Move(deployment.Deploying, "", storetest.Start)
		must(t, err)
		if err := s.NoteDeployment(t.Context(), ws, d, lost, []deployment.Moved{m}, w.Why("deployments:moved")); !errors.Is(err, work.ErrLost) {
			t.Errorf("with a lost lease: %v", err)
		}
		if err := s.DropDeployment(t.Context(), ws, d, lost, w.Why("deployments:gone")); !errors.Is(err, work.ErrLost) {
			t.Errorf("dropped with a lost lease: %v", err)
		}
		_, err = s.ChangeDeployment(t.Context(), ws, d.ID, func(d *deployment.Deployment) (deployment.Moved, audit.Event, error) {
			d.Capacity, d.Desired, d.Version = 3, d.Desired+1, d.Version+1
			return deployment.Moved{}, w.Why("deployments:scale"), nil
		})
		must(t, err)
		if err := s.NoteDeployment(t.Context(), ws, d, l, []deployment.Moved{m}, w.Why("deployments:moved")); !fault.Is(err, fault.Conflict) {
			t.Errorf("from what is not so any more: %v", err)
		}
		if err := s.DropDeployment(t.Context(), ws, d, l, w.Why("deployments:gone")); !fault.Is(err, fault.Conflict) {
			t.Errorf("dropped from what is not so any more: %v", err)
		}
		kept, err := s.Deployment(t.Context(), ws, d.ID)
		if err != nil || kept.State != deployment.Pending || kept.Capacity != 3 {
			t.Errorf("%+v, %v", kept, err)
		}
		must(t, s.NoteDeployment(t.Context(), ws, kept, l, nil, audit.Event{}))
		if nudged, err := s.RenewWork(t.Context(), l, day); err != nil || !nudged {
			t.Errorf("nudged %v, %v", nudged, err)
		}
	})
}

func TestHoursAreBookedOnceWhileReplicasAnswer(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		clock := &storetest.Clock{}
		c.Now = clock.Now
		s := storetest.Open(t, c)
		w, ws, p := shed(t, s)
		d := w.Deployment(ws, p, "m0", "m0-first")
		l := worker(t, s, "a")
		d.Capacity, d.Ready, d.Calls = 2, 2, d.Engine
		must(t, s.Exec("UPDATE deployments SET price = 3600000, currency = 'CNY'"))
		d.Price = deployment.Price{Millionths: 3_600_000, Currency: "CNY"}
		begun := clock.Now()
		d = brought(t, s, w, d, l, begun, deployment.Deploying, deployment.Running)
		look := func(after time.Duration) {
			t.Helper()
			clock.Pass(after)
			must(t, s.NoteDeployment(t.Context(), ws, d, l, nil, audit.Event{}))
			var err error
			d, err = s.Deployment(t.Context(), ws, d.ID)
			must(t, err)
		}
		for range 20 { // 100 minutes, over one full hour at least
			look(5 * time.Minute)
		}
		look(3 * time.Hour) // nobody looked: nobody called it
		look(10 * time.Minute)
		clock.Pass(30 * time.Second)
		d.Capacity = 0
		brought(t, s, w, d, l, clock.Now(), deployment.Updating, deployment.Stopped)
		clock.Pass(time.Hour)
		d, err := s.Deployment(t.Context(), ws, d.ID)
		must(t, err)
		must(t, s.NoteDeployment(t.Context(), ws, d, l, nil, audit.Event{}))
		const seconds = 2 * (100*60 + 10*60 + 30)
		number := func(query string) int {
			n, err := s.Number("SELECT CAST(" + query + " AS BIGINT) FROM bookings")
			must(t, err)
			return n
		}
		if got := number("SUM(quantity)"); got != seconds {
			t.Errorf("%d seconds are booked, not %d", got, seconds)
		}
		if cost := number("SUM(cost)"); cost != seconds*1000 {
			t.Errorf("they cost %d", cost)
		}
		if most := number("MAX(quantity)"); most > 2*3600 {
			t.Errorf("an hour has %d seconds", most)
		}
		if hours := number("COUNT(*)"); hours < 3 {
			t.Errorf("%d hours", hours)
		}
		f := usage.Filter{Workspace: ws, From: storetest.Start.Truncate(day), To: storetest.Start.Add(2 * day)}
		list, err := s.Beside(t.Context(), w.Account.ID, f)
		want := usage.Beside{Kind: usage.Deployed, Workspace: ws, Model: "m0-first", Base: "m0", Provider: p, Quantity: seconds, Cost: seconds * 1000, Currency: "CNY"}
		if err != nil || len(list) != 1 || list[0] != want {
			t.Errorf("%+v, %v", list, err)
		}
		for what, f := range map[string]usage.Filter{
			"another workspace": {Workspace: w.Default, From: f.From, To: f.To}, "another time": {Workspace: ws, From: f.To, To: f.To.Add(day)},
		} {
			if list, err := s.Beside(t.Context(), w.Account.ID, f); err != nil || len(list) != 0 {
				t.Errorf("%s: %v, %v", what, list, err)
			}
		}
		if list, err := s.Beside(t.Context(), ident.NewAccount(), f); err != nil || len(list) != 0 {
			t.Errorf("another account: %v, %v", list, err)
		}
	})
}

func TestDeploymentsAreListedNewestFirstAndFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w, ws, p := shed(t, s)
		for _, name := range []ident.Model{"m0-a", "m0-b", "m0-c"} {
			w.Deployment(ws, p, "m0", name)
		}
		w.Deployment(w.Workspace("Research").ID, p, "m0", "m0-hidden")
		var names []ident.Model
		f := deployment.Filter{Limit: 2}
		for range 3 {
			page, next, total, err := s.Deployments(t.Context(), ws, f)
			must(t, err)
			if total != 3 {
				t.Errorf("%d in all", total)
			}
			for _, d := range page {
				names = append(names, d.Name)
			}
			if f.After = next; next == "" {
				break
			}
		}
		slices.Sort(names)
		if !slices.Equal(names, []ident.Model{"m0-a", "m0-b", "m0-c"}) {
			t.Errorf("listed %v", names)
		}
		found, _, total, err := s.Deployments(t.Context(), ws, deployment.Filter{Search: "0-B", State: deployment.Pending})
		if err != nil || len(found) != 1 || total != 1 || found[0].Name != "m0-b" {
			t.Errorf("found %v, %v", found, err)
		}
		at, err := s.DeploymentsAt(t.Context(), w.Account.ID, p)
		if err != nil || len(at) != 4 {
			t.Errorf("%d at the provider, %v", len(at), err)
		}
		named, err := s.DeploymentNamed(t.Context(), ws, "m0-hidden")
		if !fault.Is(err, fault.Missing) {
			t.Errorf("another workspace's: %+v, %v", named, err)
		}
	})
}

// foreignDeployments are the methods of deployments, asked in my workspace for
// what is another's, and in another's account for what is mine.
func foreignDeployments(t *testing.T, s *store.Store, mine, other estate) map[string]func() error {
	ctx, ws, why := t.Context(), mine.ws.ID, mine.Why("tries:foreign")
	second := func(_ any, err error) error { return err }
	strange := other.put
	strange.Workspace, strange.Account = ws, mine.Account.ID
	change := func(*deployment.Deployment) (deployment.Moved, audit.Event, error) {
		return deployment.Moved{}, why, nil
	}
	return map[string]func() error{
		"InsertDeployment in": func() error {
			return s.InsertDeployment(ctx, other.ws.ID, mine.Draft(other.ws.ID, mine.provider.ID, mine.model, "fresh"), 9, why)
		},
		"InsertDeployment of": func() error {
			d := mine.Draft(ws, mine.provider.ID, mine.model, "fresh")
			d.Tuned = ident.NewTuned()
			return s.InsertDeployment(ctx, ws, d, 9, why)
		},
		"Deployment":       func() error { return second(s.Deployment(ctx, ws, other.put.ID)) },
		"DeploymentNamed":  func() error { return second(s.DeploymentNamed(ctx, ws, other.put.Name)) },
		"DeploymentMoves":  func() error { return second(s.DeploymentMoves(ctx, ws, other.put.ID, 9)) },
		"ChangeDeployment": func() error { return second(s.ChangeDeployment(ctx, ws, other.put.ID, change)) },
		"NoteDeployment":   func() error { return s.NoteDeployment(ctx, ws, strange, work.Lease{}, nil, why) },
		"DropDeployment":   func() error { return s.DropDeployment(ctx, ws, strange, work.Lease{}, why) },
	}
}

func TestTrainedTokensAreBookedOnceWithTheEndOfATraining(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ws := w.Workspace("Marketing").ID
		for state, cost := range map[training.State]int64{training.Succeeded: 30_000, training.Failed: 0} {
			j, err := storetest.NewTraining(t.Context(), s, w.Account.ID, w.Root.ID, ws)
			must(t, err)
			l, found, err := s.ClaimWork(t.Context(), training.Work, "a", day)
			if err != nil || !found {
				t.Fatal(found, err)
			}
			end := func(to training.State) error {
				_, err := s.EndTraining(t.Context(), ws, j.ID, l, func(j *training.Job) (training.News, audit.Event, error) {
					j.State, j.EndedAt, j.TrainedTokens, j.Price = to, storetest.Start, 1000, training.Price{Millionths: 30_000_000, Currency: "CNY"}
					return training.News{}, w.Why("trainings:end"), nil
				})
				return err
			}
			must(t, end(state))
			must(t, end(state)) // told again, it is booked no second time
			list, err := s.Beside(t.Context(), w.Account.ID, usage.Filter{Model: j.Output, From: time.Now().Add(-day), To: time.Now().Add(day)})
			if err != nil || len(list) != 1 || list[0].Kind != usage.Trained || list[0].Quantity != 1000 || list[0].Cost != cost {
				t.Errorf("%s: %+v, %v", state, list, err)
			}
			must(t, s.FinishWork(t.Context(), l))
		}
	})
}
