package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func invitation(text string, until time.Time) account.Invitation {
	return account.Invitation{Token: secret.TokenDigest(text), Created: storetest.Start, Until: until}
}

// everybody walks through the pages of a list.
func everybody(t *testing.T, w *storetest.World, f account.UserFilter) (names []string) {
	t.Helper()
	for {
		page, next, err := w.Store.Users(t.Context(), w.Account.ID, f)
		must(t, err)
		for _, u := range page {
			names = append(names, string(u.LogOn))
		}
		if f.After = next; next == "" {
			return names
		}
	}
}

func TestUsersComeByNameInPagesWithoutRoot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		var want []string
		for i := range 17 {
			want = append(want, string(w.User(ident.LogOn(fmt.Sprintf("user%02d", (i*5)%17)), access.Regular).LogOn))
		}
		slices.Sort(want)
		if got := everybody(t, w, account.UserFilter{Limit: 4}); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if got := everybody(t, w, account.UserFilter{Search: "USER1", Limit: 3}); !slices.Equal(got, want[10:]) {
			t.Errorf("a search found %q", got)
		}
		for _, wrong := range []string{"%", "_", "user01 user01"} {
			if got := everybody(t, w, account.UserFilter{Search: wrong}); len(got) > 0 {
				t.Errorf("%q found %q", wrong, got)
			}
		}
	})
}

func TestUsersAreFoundByEveryNameAndNarrowedByState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a := t.Context(), w.Account.ID
		alice, bob := w.User("alice", access.Super), w.User("bob", access.Regular)
		alice.Name, alice.Email = "Ælice Öst", "a.o@example.com"
		must(t, s.UpdateUser(ctx, a, alice, w.Why("users:edit")))
		for _, search := range []string{"ælice", "ÖST", "A.O@EX", "alice"} {
			if got := everybody(t, w, account.UserFilter{Search: search}); !slices.Equal(got, []string{"alice"}) {
				t.Errorf("%q found %q", search, got)
			}
		}
		w.User("carol", access.Regular)
		must(t, s.SetUserDisabled(ctx, a, bob.ID, storetest.Start, w.Why("users:disable")))
		must(t, s.InsertUsers(ctx, a, []account.Newcomer{{
			User:       account.User{ID: ident.NewUser(), LogOn: "dave", Name: "Dave", Role: access.Regular, CreatedAt: storetest.Start, Generation: 1, Version: 1},
			Invitation: invitation("dave", storetest.Start.Add(time.Hour)), Why: w.Why("users:add"),
		}}))
		for state, want := range map[account.UserState][]string{
			account.Active: {"alice", "carol"}, account.Invited: {"dave"}, account.Disabled: {"bob"}, account.Supers: {"alice"}, "": {"alice", "bob", "carol", "dave"},
		} {
			if got := everybody(t, w, account.UserFilter{State: state}); !slices.Equal(got, want) {
				t.Errorf("%q: %q", state, got)
			}
		}
	})
}

func TestAListedUserSaysWhatBelongsToThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a := t.Context(), w.Account.ID
		alice, ws := w.User("alice", access.Regular), w.Workspace("b")
		w.Member(w.Default, alice.ID, access.Administrator)
		w.Member(ws.ID, alice.ID, access.Regular, access.PageKeys)
		insertKeyOf(t, w, ws.ID, alice.ID, "nightly")
		must(t, s.LoggedOn(ctx, a, alice.ID, storetest.Start, w.Why("users:log-on")))
		got, err := s.User(ctx, a, alice.ID)
		must(t, err)
		if got.Workspaces != 2 || got.Keys != 1 || !got.LastLogOn.Equal(storetest.Start) || !got.LinkUntil.IsZero() {
			t.Errorf("%+v", got)
		}
		seats, err := s.Seats(ctx, a, alice.ID)
		must(t, err)
		want := []account.Seat{
			{Workspace: ws.ID, Name: "b", Membership: access.Membership{Role: access.Regular, Pages: []access.Page{access.PageKeys}}},
			{Workspace: w.Default, Name: "Default Workspace", Membership: access.Membership{Role: access.Administrator}},
		}
		if !reflect.DeepEqual(seats, want) {
			t.Errorf("%+v", seats)
		}
	})
}

func TestManyUsersAreAddedAllOrNone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a := t.Context(), w.Account.ID
		newcomer := func(name ident.LogOn) account.Newcomer {
			u := account.User{ID: ident.NewUser(), LogOn: name, Name: string(name), Role: access.Regular, CreatedAt: storetest.Start, Generation: 1, Version: 1}
			return account.Newcomer{User: u, Invitation: invitation(string(name), storetest.Start.Add(time.Hour)), Why: w.Why("users:add")}
		}
		before := version(t, s)
		err := s.InsertUsers(ctx, a, []account.Newcomer{newcomer("alice"), newcomer("bob"), newcomer("alice")})
		wantFault(t, err, fault.Conflict, "logon")
		if fault.Show(err) != "There is already a user alice@acme." || version(t, s) != before || len(everybody(t, w, account.UserFilter{})) > 0 {
			t.Errorf("%v, version %d, %q", err, version(t, s), everybody(t, w, account.UserFilter{}))
		}
		must(t, s.InsertUsers(ctx, a, []account.Newcomer{newcomer("alice"), newcomer("bob")}))
		events, err := s.Strings("SELECT action FROM audit_events ORDER BY seq")
		must(t, err)
		if !slices.Equal(events, []string{"accounts:open", "users:add", "users:add"}) {
			t.Errorf("%q", events)
		}
		taken, err := s.Taken(ctx, a, []ident.LogOn{"alice", "carol", "bob", "root"})
		slices.Sort(taken)
		if err != nil || !slices.Equal(taken, []ident.LogOn{"alice", "bob", "root"}) {
			t.Errorf("%q, %v", taken, err)
		}
	})
}

func TestSec39_AnInvitationIsUsedOnceAndInTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a := t.Context(), w.Account.ID
		alice, until := w.User("alice", access.Regular), storetest.Start.Add(time.Hour)
		must(t, s.Invite(ctx, a, alice.ID, invitation("first", until), w.Why("users:invite")))
		must(t, s.Invite(ctx, a, alice.ID, invitation("second", until), w.Why("users:invite")))
		missing := func(what string, err error) {
			t.Helper()
			if !fault.Is(err, fault.Missing) {
				t.Errorf("%s: %v", what, err)
			}
		}
		find := func(text string, at time.Time) error {
			_, err := s.Invitation(ctx, secret.TokenDigest(text), at)
			return err
		}
		missing("a replaced one", find("first", storetest.Start))
		missing("one that is over", find("second", until))
		missing("one that never was", find("third", storetest.Start))
		missing("accepting what is over", s.AcceptInvitation(ctx, secret.TokenDigest("second"), until, "hash", w.Why("users:accept-invitation")))
		must(t, find("second", storetest.Start))
		if u, _ := s.User(ctx, a, alice.ID); u.Password != "" || !u.LinkUntil.Equal(until) {
			t.Errorf("%+v", u)
		}

		must(t, s.SetUserDisabled(ctx, a, alice.ID, storetest.Start, w.Why("users:disable")))
		missing("that of somebody disabled", find("second", storetest.Start))
		must(t, s.SetUserDisabled(ctx, a, alice.ID, time.Time{}, w.Why("users:enable")))

		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() {
				results[i] = s.AcceptInvitation(ctx, secret.TokenDigest("second"), storetest.Start, fmt.Sprint("hash", i), w.Why("users:accept-invitation"))
			})
		}
		wait.Wait()
		accepted := 0
		for _, err := range results {
			if err == nil {
				accepted++
			} else if !fault.Is(err, fault.Missing) {
				t.Error(err)
			}
		}
		missing("a used one", find("second", storetest.Start))
		if u, _ := s.User(ctx, a, alice.ID); accepted != 1 || u.Password == "" || !u.LinkUntil.IsZero() || u.MustChange {
			t.Errorf("accepted %d times: %+v", accepted, u)
		}
	})
}

func TestAPasswordGivenByOthersIsADutyAndTakesInvitationsAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, alice := t.Context(), w.Account.ID, w.User("alice", access.Regular)
		must(t, s.Invite(ctx, a, alice.ID, invitation("link", storetest.Start.Add(time.Hour)), w.Why("users:invite")))
		must(t, s.SetPassword(ctx, a, alice.ID, "given", true, w.Why("users:reset-password")))
		if _, err := s.Invitation(ctx, secret.TokenDigest("link"), storetest.Start); !fault.Is(err, fault.Missing) {
			t.Errorf("the link works: %v", err)
		}
		for _, step := range []struct {
			must bool
			duty access.Duty
		}{{true, access.ChangePassword}, {false, access.NoDuty}} {
			must(t, s.SetPassword(ctx, a, alice.ID, "hash", step.must, w.Why("password:change")))
			actor, err := s.Actor(ctx, alice.ID)
			if err != nil || actor.Duty != step.duty {
				t.Errorf("%+v, %v", actor, err)
			}
		}
	})
}

func TestSec10_RootIsMissingToEverythingThatChangesUsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, root, why := t.Context(), w.Account.ID, w.Root, w.Why("tries:root")
		before := version(t, s)
		for name, err := range map[string]error{
			"update": s.UpdateUser(ctx, a, root, why), "role": s.SetUserRole(ctx, a, root.ID, access.Regular, why),
			"disable": s.SetUserDisabled(ctx, a, root.ID, storetest.Start, why), "delete": s.DeleteUser(ctx, a, root.ID, why),
			"invite": s.Invite(ctx, a, root.ID, invitation("x", storetest.Start), why), "sessions": s.EndSessions(ctx, a, root.ID, why),
			"member": putMember(w, w.Default, root.ID, access.Regular, 0, true),
		} {
			if !fault.Is(err, fault.Missing) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if version(t, s) != before {
			t.Error("something changed")
		}
	})
}

func TestAnEditOfAUserFromAnOldVersionIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		alice := w.User("alice", access.Regular)
		alice.Name = "Alice"
		must(t, s.UpdateUser(t.Context(), w.Account.ID, alice, w.Why("users:edit")))
		alice.Name = "Eve"
		wantFault(t, s.UpdateUser(t.Context(), w.Account.ID, alice, w.Why("users:edit")), fault.Conflict, "version")
		if got, _ := s.User(t.Context(), w.Account.ID, alice.ID); got.Name != "Alice" || got.Version != 2 {
			t.Errorf("%+v", got)
		}
	})
}

func TestADeletedUserLeavesOnlyDeadKeysBehind(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, ws := t.Context(), w.Account.ID, w.Workspace("a")
		alice := w.User("alice", access.Regular)
		w.Member(ws.ID, alice.ID, access.Administrator)
		k := insertKeyOf(t, w, ws.ID, alice.ID, "nightly")
		must(t, s.Invite(ctx, a, alice.ID, invitation("x", storetest.Start.Add(time.Hour)), w.Why("users:invite")))
		must(t, s.DeleteUser(ctx, a, alice.ID, w.Why("users:delete")))
		for _, table := range []string{"users WHERE id", "members WHERE user_id", "invitations WHERE user_id", "sessions WHERE user_id", "keys WHERE owner_id"} {
			if n, err := s.Number("SELECT COUNT(*) FROM " + table + " = '" + string(alice.ID) + "'"); err != nil || n != 0 {
				t.Errorf("%s: %d, %v", table, n, err)
			}
		}
		kept, err := s.Key(ctx, ws.ID, k)
		if err != nil || kept.Owner != "" || kept.OwnerName != "alice@acme" {
			t.Errorf("%+v, %v", kept, err)
		}
		again := w.User("alice", access.Regular) // the name is free
		w.Member(ws.ID, again.ID, access.Administrator)
		for _, fact := range facts(t, s, 0).Keys {
			if fact.ID == k && fact.Owner != "" {
				t.Errorf("the key has the owner %s", fact.Owner)
			}
		}
	})
}

func TestTheImpactOfAUserNamesWhatWorksNow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a := t.Context(), w.Account.ID
		one, two := w.Workspace("one"), w.Workspace("two")
		alice, bob := w.User("alice", access.Super), w.User("bob", access.Regular)
		w.Member(one.ID, alice.ID, access.Administrator)
		w.Member(two.ID, alice.ID, access.Administrator)
		w.Member(two.ID, bob.ID, access.Administrator)
		insertKeyOf(t, w, one.ID, alice.ID, "inside")
		insertKeyOf(t, w, w.Default, alice.ID, "outside")
		off := insertKeyOf(t, w, one.ID, alice.ID, "disabled")
		must(t, s.SetKeyDisabled(ctx, one.ID, off, storetest.Start, w.Why("keys:disable")))
		insertKeyOf(t, w, one.ID, bob.ID, "somebody else's")
		for name, life := range map[string]time.Duration{"terraform": time.Hour, "expired": 0} {
			k := adminkey.Key{ID: ident.NewAdminKey(), Owner: alice.ID, Name: name, Digest: secret.TokenDigest(name), ExpiresAt: storetest.Start.Add(life)}
			must(t, s.InsertAdminKey(ctx, a, k, 9, w.Why("admin-keys:issue")))
		}
		got, err := s.UserImpact(ctx, a, alice.ID, storetest.Start)
		must(t, err)
		slices.Sort(got.Keys)
		want := account.Impact{Keys: []string{"inside", "outside"}, Elsewhere: []string{"outside"}, Workspaces: []string{"one", "two"}, Alone: []string{"one"}, AdminKeys: []string{"terraform"}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v", got)
		}
		must(t, s.SetUserDisabled(ctx, a, bob.ID, storetest.Start, w.Why("users:disable")))
		if got, _ := s.UserImpact(ctx, a, alice.ID, storetest.Start); !slices.Equal(got.Alone, []string{"one", "two"}) {
			t.Errorf("a disabled administrator counts: %q", got.Alone)
		}
	})
}
