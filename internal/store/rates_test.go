package store_test

import (
	"strings"
	"testing"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// ratesOf wants these figures, whatever is set now; a period of 0 leaves them alone.
func ratesOf(m ident.Model, requests, requestPeriod, tokens, tokenPeriod int) limit.Change {
	c := limit.Change{Model: m, Version: limit.AnyVersion}
	if requestPeriod > 0 {
		c.Requests, c.RequestPeriod = &requests, &requestPeriod
	}
	if tokenPeriod > 0 {
		c.Tokens, c.TokenPeriod = &tokens, &tokenPeriod
	}
	return c
}

// limit gives the estate's workspace a limit.
func (e estate) limit(t *testing.T) {
	t.Helper()
	must(t, e.Store.ChangeLimits(t.Context(), e.Account.ID, e.ws.ID, []limit.Change{ratesOf(e.model, 60, 60, 0, 0)}, "root", e.limited))
}

func (e estate) limited(m ident.Model, _, after limit.Limit) audit.Event {
	why := e.Why("limits:change")
	why.Workspace, why.Object, why.Summary = e.ws.ID, string(m), after.Requests.Words("request")
	return why
}

func rates(requests, requestPeriod, tokens, tokenPeriod int) limit.Limit {
	return limit.Limit{Requests: limit.Rate{Count: requests, Period: requestPeriod}, Tokens: limit.Rate{Count: tokens, Period: tokenPeriod}}
}

func TestALimitIsOverlaidDeletedAndKnownToThePolicyAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme")
		ctx, a := t.Context(), e.Account.ID
		change := func(changes ...limit.Change) error {
			return s.ChangeLimits(ctx, a, e.ws.ID, changes, "root@acme", e.limited)
		}
		is := func(want limit.Limit) limit.Setting {
			t.Helper()
			set, err := s.Limits(ctx, a, e.ws.ID)
			must(t, err)
			f, err := s.Facts(ctx, 0)
			must(t, err)
			for _, w := range f.Workspaces {
				if w.ID == e.ws.ID && w.Limits.Get(e.model) != set[e.model] {
					t.Fatalf("the policy knows %+v, kept is %+v", w.Limits, set)
				}
			}
			if set[e.model].Limit != want {
				t.Fatalf("limit %+v, want %+v", set[e.model], want)
			}
			return set[e.model]
		}
		e.limit(t)
		first := is(rates(60, 60, 0, 0))
		if first.SetBy != "root" || first.SetAt.IsZero() || first.Version == 0 {
			t.Fatalf("%+v", first)
		}
		must(t, change(ratesOf(e.model, 0, 0, 100_000, 60)))
		second := is(rates(60, 60, 100_000, 60))
		must(t, change(ratesOf(e.model, 5, 1, 0, 0)))
		third := is(rates(5, 1, 100_000, 60))
		if second.Version <= first.Version || third.Version <= second.Version {
			t.Fatal("versions do not grow")
		}
		before := version(t, s)
		must(t, change(ratesOf(e.model, 5, 1, 0, 0)))
		if version(t, s) != before {
			t.Fatal("a change to what is there was written")
		}
		must(t, change(limit.Change{Model: e.model, Delete: true, Version: third.Version}))
		is(limit.Limit{})
		wantFault(t, change(limit.Change{Model: e.model, Delete: true, Version: third.Version}), fault.Conflict, "version")
		wantFault(t, change(ratesOf(e.model, 0, 0, 5, 1)), fault.Invalid, "tokens")
		is(limit.Limit{})
		must(t, change(ratesOf(e.model, 0, 1, 0, 0)))
		if again := is(rates(0, 1, 0, 0)); again.Version <= third.Version {
			t.Fatal("a version came back")
		}
		said, err := s.Strings("SELECT summary FROM audit_events WHERE action = 'limits:change' ORDER BY seq")
		must(t, err)
		if got := strings.Join(said, "; "); got != "60 requests in 60 s; 60 requests in 60 s; 5 requests in 1 s; no request limit; 0 requests in 1 s" {
			t.Fatal(got)
		}
	})
}

func TestSeveralLimitsAreChangedTogetherOrNotAtAll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme")
		e.Model("other")
		ctx, a, before := t.Context(), e.Account.ID, version(t, s)
		bad := []limit.Change{ratesOf("other", 9, 60, 0, 0), ratesOf(e.model, 0, 0, 0, limit.MaxPeriod+1)}
		wantFault(t, s.ChangeLimits(ctx, a, e.ws.ID, bad, "root@acme", e.limited), fault.Invalid, "token_period")
		missing := []limit.Change{ratesOf("other", 9, 60, 0, 0), ratesOf("no-such-model", 9, 60, 0, 0)}
		wantFault(t, s.ChangeLimits(ctx, a, e.ws.ID, missing, "root@acme", e.limited), fault.Missing, "")
		if version(t, s) != before {
			t.Fatal("half a change was kept")
		}
	})
}

func TestLimitsOfAllWorkspacesAddUpAMinute(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme")
		e.limit(t)
		ctx, a := t.Context(), e.Account.ID
		must(t, s.ChangeLimits(ctx, a, e.Default, []limit.Change{ratesOf(e.model, 1, 3, 50, 10)}, "root@acme", e.limited))
		sums, err := s.LimitSums(ctx, a)
		must(t, err)
		if got := sums[e.model]; got != (limit.Sum{Requests: 80, Tokens: 300}) {
			t.Fatalf("%+v", got)
		}
	})
}

func TestALimitGoesWithItsWorkspace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme")
		ctx, a := t.Context(), e.Account.ID
		ws := e.Workspace("Empty")
		must(t, s.ChangeLimits(ctx, a, ws.ID, []limit.Change{ratesOf(e.model, 1, 1, 0, 0)}, "root@acme", e.limited))
		left, err := s.DeleteWorkspace(ctx, a, ws.ID, e.Why("workspaces:delete"))
		if err != nil || left != nil {
			t.Fatal(left, err)
		}
		n, err := s.Number("SELECT COUNT(*) FROM limits")
		if must(t, err); n != 0 {
			t.Fatalf("%d limits are left", n)
		}
	})
}

func TestTheAccountsLimitOfAModelIsChangedWithItsVersion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme")
		ctx, a := t.Context(), e.Account.ID
		to := catalogue.Limit{Requests: 100, RequestPeriod: 60, Usage: 5000, UsagePeriod: 10}
		var was catalogue.Limit
		change := func(to catalogue.Limit, v int64) error {
			return s.ChangeModelLimit(ctx, a, e.model, to, v, func(b catalogue.Limit) audit.Event { was = b; return e.Why("limits:change") })
		}
		must(t, change(to, 1))
		m, err := s.Model(ctx, a, e.model)
		must(t, err)
		to.SetBy, to.SetAt = "root@acme", m.Limit.SetAt
		if m.Limit != to || to.SetAt.IsZero() || m.Version != 2 || was != (catalogue.Limit{}) {
			t.Fatalf("%+v after %+v", m, was)
		}
		wantFault(t, change(catalogue.Limit{}, 1), fault.Conflict, "version")
		must(t, change(catalogue.Limit{}, 2))
		if was != to {
			t.Fatalf("the event says %+v before", was)
		}
	})
}

func TestServersThatShareTheLimitsCountEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for i, id := range []string{"one", "two", "three", "two"} {
			n, err := s.Beat(ctx, id)
			must(t, err)
			if want := min(i+1, 3); s.Postgres() && n != want || !s.Postgres() && n != 1 {
				t.Fatalf("beat %d counts %d servers", i, n)
			}
		}
		if !s.Postgres() {
			return
		}
		must(t, s.Leave(ctx, "three"))
		must(t, s.Exec("UPDATE replicas SET seen = seen - ? WHERE id = 'one'", (6*time.Second).Microseconds()))
		n, err := s.Beat(ctx, "two")
		if must(t, err); n != 1 {
			t.Fatalf("%d servers count after one left and one fell silent", n)
		}
	})
}
