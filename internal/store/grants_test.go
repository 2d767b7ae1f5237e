package store_test

import (
	"reflect"
	"slices"
	"sync"
	"testing"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

var calling = grant.Subject{Model: "qwen-turbo", Capability: catalogue.Call}

// authorize makes an edit and gives what it changed.
func authorize(t testing.TB, w *storetest.World, version int64, to ...ident.Workspace) (grant.Change, error) {
	return w.Store.ReplaceGrants(t.Context(), w.Account.ID, calling, grant.Edit{Version: version, Authorized: to}, "root@acme",
		func(c grant.Change) audit.Event {
			if len(c.Granted)+len(c.Revoked) == 0 {
				t.Error("an event is asked for a change of nothing")
			}
			return w.Why("grants:change")
		})
}

func grantList(t testing.TB, w *storetest.World) grant.List {
	t.Helper()
	list, err := w.Store.GrantList(t.Context(), w.Account.ID, calling)
	must(t, err)
	return list
}

func TestAnEditMakesExactlyTheListedHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		w.Model("qwen-turbo")
		a, b, c := w.Workspace("b team"), w.Workspace("A team"), w.Workspace("C team")
		before := grantList(t, w)
		names := []string{}
		for _, h := range before.Holders {
			names = append(names, h.Name)
			if h.Granted || h.All || !h.Since.IsZero() || h.By != "" {
				t.Errorf("%+v", h)
			}
		}
		if !slices.Equal(names, []string{"A team", "b team", "C team"}) {
			t.Fatalf("holders in the order %q", names)
		}
		change, err := authorize(t, w, before.Version, a.ID, b.ID, a.ID)
		must(t, err)
		want := grant.Change{Granted: []ident.Workspace{a.ID, b.ID}}
		slices.Sort(want.Granted)
		if !reflect.DeepEqual(change, want) {
			t.Fatalf("%+v", change)
		}
		change, err = authorize(t, w, before.Version+1, b.ID, c.ID)
		must(t, err)
		if !reflect.DeepEqual(change, grant.Change{Granted: []ident.Workspace{c.ID}, Revoked: []ident.Workspace{a.ID}}) {
			t.Fatalf("%+v", change)
		}
		for _, h := range grantList(t, w).Holders {
			if h.Granted != (h.Workspace != a.ID) || h.Granted && (h.By != "root@acme" || h.Since.IsZero()) {
				t.Errorf("%+v", h)
			}
		}
		other, err := s.GrantList(t.Context(), w.Account.ID, grant.Subject{Model: "qwen-turbo", Capability: catalogue.Train})
		must(t, err)
		if other.Version != before.Version || slices.ContainsFunc(other.Holders, func(h grant.Holder) bool { return h.Granted }) {
			t.Fatalf("training changed too: %+v", other)
		}
	})
}

func TestSec39_OfTwoEditsAtOnceOneWinsAndNothingIsLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		w.Model("qwen-turbo")
		a, b := w.Workspace("a"), w.Workspace("b")
		for range 10 {
			version := grantList(t, w).Version
			edits := [][]ident.Workspace{{a.ID}, {b.ID}, {a.ID, b.ID}, {}}
			errs := make([]error, len(edits))
			changes := make([]grant.Change, len(edits))
			var wait sync.WaitGroup
			for i, to := range edits {
				wait.Go(func() { changes[i], errs[i] = authorize(t, w, version, to...) })
			}
			wait.Wait()
			won := -1
			for i, err := range errs {
				changed := len(changes[i].Granted)+len(changes[i].Revoked) > 0
				switch {
				case err == nil && changed && won >= 0:
					t.Fatal("two edits of one version won")
				case err == nil && changed:
					won = i
				case err != nil:
					wantFault(t, err, fault.Conflict, "version")
				}
			}
			list := grantList(t, w)
			var hold []ident.Workspace
			for _, h := range list.Holders {
				if h.Granted {
					hold = append(hold, h.Workspace)
				}
			}
			if won < 0 || list.Version != version+1 || !slices.Equal(hold, edits[won]) && len(hold)+len(edits[won]) > 0 {
				t.Fatalf("edit %d won, version %d after %d, %v hold it", won, list.Version, version, hold)
			}
		}
	})
}

func TestAnEditOfNothingWritesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		w.Model("qwen-turbo")
		a := w.Workspace("a")
		_, err := authorize(t, w, 1, a.ID)
		must(t, err)
		before := version(t, s)
		change, err := authorize(t, w, 2, a.ID)
		must(t, err)
		if len(change.Granted)+len(change.Revoked) > 0 || grantList(t, w).Version != 2 || version(t, s) != before {
			t.Fatalf("%+v", change)
		}
	})
}

func TestOnlySubWorkspacesOfTheAccountCanHoldSomething(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w, other := storetest.NewWorld(t, s, "acme"), storetest.NewWorld(t, s, "umbrella")
		w.Model("qwen-turbo")
		a, foreign := w.Workspace("a"), other.Workspace("a")
		for _, id := range []ident.Workspace{w.Default, foreign.ID, other.Default, ident.NewWorkspace(), ""} {
			_, err := authorize(t, w, 1, a.ID, id)
			wantFault(t, err, fault.Missing, "")
		}
		if list := grantList(t, w); list.Version != 1 || list.Holders[0].Granted {
			t.Fatalf("%+v", list)
		}
	})
}

func TestAuthorizeAllShowsAsSuch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		w.Model("qwen-turbo")
		a := w.Workspace("a")
		must(t, s.Exec("UPDATE workspaces SET call_all = TRUE WHERE id = ?", a.ID))
		if h := grantList(t, w).Holders[0]; h.Granted || !h.All {
			t.Fatalf("%+v", h)
		}
		list, err := s.GrantList(t.Context(), w.Account.ID, grant.Subject{Model: "qwen-turbo", Capability: catalogue.Deploy})
		must(t, err)
		if list.Holders[0].All {
			t.Fatal("authorize all is about calling")
		}
	})
}

func TestAnEditLeavesThoseAloneWhoMayCallEveryModel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		w.Model("qwen-turbo")
		open, own, other := w.Workspace("a").ID, w.Workspace("b").ID, w.Workspace("c").ID
		w.Grant("qwen-turbo", catalogue.Call, own)
		must(t, s.Exec("UPDATE workspaces SET call_all = TRUE WHERE id IN (?, ?)", open, own))
		w.Grant("qwen-turbo", catalogue.Call, open, other)
		holders := grantList(t, w).Holders
		if !holders[0].All || holders[0].Granted || !holders[1].All || !holders[1].Granted || !holders[2].Granted {
			t.Fatalf("%+v", holders)
		}
		w.Grant("qwen-turbo", catalogue.Train, open)
		list, err := s.GrantList(t.Context(), w.Account.ID, grant.Subject{Model: "qwen-turbo", Capability: catalogue.Train})
		must(t, err)
		if !list.Holders[0].Granted || list.Holders[0].All {
			t.Fatal("training cannot be granted to who may call every model")
		}
	})
}

func TestTheMatrixShowsWhoHoldsWhat(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w, other := storetest.NewWorld(t, s, "acme"), storetest.NewWorld(t, s, "umbrella")
		ctx, a := t.Context(), w.Account.ID
		one, two := w.Workspace("One"), w.Workspace("Two")
		for _, id := range []ident.Model{"a", "b", "c"} {
			w.Model(id)
			other.Model(id)
		}
		w.Grant("a", catalogue.Call, one.ID, two.ID)
		w.Grant("c", catalogue.Train, two.ID)
		other.Grant("b", catalogue.Call, other.Workspace("Theirs").ID)

		all, next, err := s.GrantMatrix(ctx, a, grant.MatrixFilter{Limit: 2})
		must(t, err)
		rest, end, err := s.GrantMatrix(ctx, a, grant.MatrixFilter{Limit: 2, After: next})
		if must(t, err); len(all) != 2 || len(rest) != 1 || next == "" || end != "" {
			t.Fatalf("pages of %d and %d", len(all), len(rest))
		}
		if r := all[0]; r.Model != "a" || len(r.Holders[catalogue.Call]) != 2 || len(r.Holders[catalogue.Train]) != 0 || r.Versions[catalogue.Call] != 2 || r.Versions[catalogue.Train] != grant.Unedited {
			t.Errorf("a: %+v", r)
		}
		if r := all[1]; len(r.Holders) != 0 {
			t.Errorf("b shows what others hold: %+v", r)
		}
		ones, _, err := s.GrantMatrix(ctx, a, grant.MatrixFilter{Workspace: one.ID})
		if must(t, err); len(ones) != 1 || len(ones[0].Holders[catalogue.Call]) != 1 {
			t.Errorf("of one workspace: %+v", ones)
		}
		found, _, err := s.GrantMatrix(ctx, a, grant.MatrixFilter{Search: "B"})
		if must(t, err); len(found) != 1 || found[0].Model != "b" {
			t.Errorf("found %+v", found)
		}
		_, _, err = s.GrantMatrix(ctx, a, grant.MatrixFilter{After: "nonsense"})
		wantFault(t, err, fault.Invalid, "after")
	})
}
