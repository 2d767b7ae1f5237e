package store_test

import (
	"testing"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/deployment"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// by is an event of somebody, done to something.
func by(w *storetest.World, who, action, object string) audit.Event {
	why := w.Why(action)
	why.Actor, why.ActorName, why.Object = "", who, object
	return why
}

// settersOf are who the policy takes for those who set each limit.
func settersOf(t *testing.T, s *store.Store) (who [4]string) {
	t.Helper()
	for _, a := range facts(t, s, 0).Accounts {
		who[0], who[1] = a.KeyCallsSet.By, a.WorkspaceCallsSet.By
		if a.KeyCallsSet.At.IsZero() == (who[0] != "") || a.WorkspaceCallsSet.At.IsZero() == (who[1] != "") {
			t.Errorf("set when? %+v", a)
		}
	}
	for _, m := range facts(t, s, 0).Models {
		at := 2
		if m.Private() {
			at = 3
		}
		if who[at] = m.Limit.SetBy; m.Limit.SetAt.IsZero() == (who[at] != "") {
			t.Errorf("set when? %+v", m.Limit)
		}
	}
	return who
}

// limitEverything has a different person set each limit that an account has
// beside those of its workspaces.
func limitEverything(t *testing.T, s *store.Store) *storetest.World {
	t.Helper()
	w, ws, p := shed(t, s)
	ctx, a := t.Context(), w.Account.ID
	d := w.Deployment(ws, p, "m0", "m0-first")
	change := func(settings account.Settings, who string) {
		kept, err := s.Account(ctx, a)
		must(t, err)
		must(t, s.ChangeSettings(ctx, a, settings, kept.Version, by(w, who, "settings:change", string(a))))
	}
	to := account.Defaults
	to.KeyCalls = 7
	change(to, "key@acme")
	to.WorkspaceCalls = 9
	change(to, "place@acme")
	to.AuditDays = 400
	change(to, "nobody@acme")
	must(t, s.ChangeModelLimit(ctx, a, "m0", catalogue.Limit{Requests: 5, RequestPeriod: 60}, 1, func(catalogue.Limit) audit.Event { return by(w, "model@acme", "limits:change", "m0") }))
	must(t, s.ChangeModelPrices(ctx, a, "m0", []catalogue.Price{{Item: "input_token", Amount: "1", Unit: "1M tokens", Currency: "CNY"}}, 2, func([]catalogue.Price) audit.Event {
		return by(w, "nobody@acme", "prices:change", "m0")
	}))
	_, err := s.ChangeDeployment(ctx, ws, d.ID, func(d *deployment.Deployment) (deployment.Moved, audit.Event, error) {
		d.Requests, d.LimitsBy, d.LimitsAt, d.Version = 7, "put@acme", storetest.Start.Add(time.Hour), d.Version+1
		return deployment.Moved{}, by(w, "put@acme", "deployments:limit", string(d.ID)), nil
	})
	must(t, err)
	return w
}

func TestWhoSetALimitAndWhenIsKnownToThePolicy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "umbrella")
		w.Model("m0")
		if who := settersOf(t, s); who != [4]string{} {
			t.Errorf("before anybody set anything: %q", who)
		}
	})
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := limitEverything(t, s)
		if who := settersOf(t, s); who != [4]string{"key@acme", "place@acme", "model@acme", "put@acme"} {
			t.Errorf("set by %q", who)
		}
		m, err := s.Model(t.Context(), w.Account.ID, "m0")
		must(t, err)
		same := catalogue.Limit{Requests: 5, RequestPeriod: 60}
		must(t, s.ChangeModelLimit(t.Context(), w.Account.ID, "m0", same, m.Version, func(catalogue.Limit) audit.Event { return by(w, "again@acme", "limits:change", "m0") }))
		if who := settersOf(t, s); who[2] != "model@acme" {
			t.Errorf("who leaves a limit as it is has set it: %q", who[2])
		}
	})
}

func TestLimitsFromBeforeAreTracedInTheTrail(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s, err := store.Open(t.Context(), c)
		must(t, err)
		limitEverything(t, s)
		before := settersOf(t, s)
		must(t, s.UnsetLimits())
		must(t, s.Close())
		s = storetest.Open(t, c)
		if after := settersOf(t, s); after != before {
			t.Errorf("set by %q, and told by the trail %q", before, after)
		}
	})
}

// A deployment that was limited when it was made, before that was noted, was by
// who made it.
func TestADeploymentsFirstLimitIsItsMakers(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s, err := store.Open(t.Context(), c)
		must(t, err)
		w, ws, p := shed(t, s)
		d := w.Draft(ws, p, "m0", "m0-first")
		d.Requests, d.Creator = 5, "maker@acme"
		must(t, s.InsertDeployment(t.Context(), ws, d, 10, w.Why("deployments:create")))
		must(t, s.UnsetLimits())
		must(t, s.Close())
		s = storetest.Open(t, c)
		for _, m := range facts(t, s, 0).Models {
			if m.ID == "m0-first" && (m.Limit.SetBy != "maker@acme" || !m.Limit.SetAt.Equal(d.CreatedAt) || m.Deployment != d.ID) {
				t.Errorf("%+v", m)
			}
		}
	})
}
