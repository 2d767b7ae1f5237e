package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

func putMember(w *storetest.World, ws ident.Workspace, u ident.User, role access.Role, version int64, alone bool) error {
	m := workspace.Member{User: u, Role: role, Version: version}
	return w.Store.PutMembers(w.Context(), w.Account.ID, ws, []workspace.Member{m}, alone, func(workspace.MemberChange) audit.Event { return w.Why("members:change") })
}

func removeMember(w *storetest.World, ws ident.Workspace, u ident.User, alone bool) error {
	return w.Store.RemoveMember(w.Context(), w.Account.ID, ws, u, alone, func(workspace.MemberChange) audit.Event { return w.Why("members:remove") })
}

// insertKeyOf makes a key of somebody.
func insertKeyOf(t *testing.T, w *storetest.World, ws ident.Workspace, owner ident.User, description string) ident.Key {
	t.Helper()
	k := apikey.Key{
		ID: ident.NewKey(), Account: w.Account.ID, Workspace: ws, Description: description, Digest: secret.TokenDigest(string(ident.NewKey())),
		Owner: owner, CreatedAt: storetest.Start, Version: 1,
	}
	must(t, w.Store.InsertKey(t.Context(), ws, k, 50, w.Why("keys:issue")))
	return k.ID
}

func TestMembersComeByNameInPagesAndAreSearched(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ws, other := w.Workspace("a"), w.Workspace("b")
		var want []ident.LogOn
		for i := range 11 {
			u := w.User(ident.LogOn(fmt.Sprintf("user%02d", (i*3)%11)), access.Regular)
			w.Member(ws.ID, u.ID, access.Regular, access.PageUsage)
			want = append(want, u.LogOn)
		}
		w.Member(other.ID, w.User("zoe", access.Regular).ID, access.Regular)
		slices.Sort(want)
		walk := func(f workspace.MemberFilter) (names []ident.LogOn) {
			for {
				page, next, err := s.Members(t.Context(), w.Account.ID, ws.ID, f)
				must(t, err)
				for _, m := range page {
					names = append(names, m.LogOn)
					if m.Role != access.Regular || !slices.Equal(m.Pages, []access.Page{access.PageUsage}) || m.Version != 1 {
						t.Errorf("%+v", m)
					}
				}
				if f.After = next; next == "" {
					return names
				}
			}
		}
		if got := walk(workspace.MemberFilter{Limit: 3}); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if got := walk(workspace.MemberFilter{Search: "USER1"}); !slices.Equal(got, want[10:]) {
			t.Errorf("%q", got)
		}
	})
}

func TestCandidatesAreTheUsersWhoAreNoMembers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ws := w.Workspace("a")
		w.Member(ws.ID, w.User("alice", access.Regular).ID, access.Regular)
		w.User("bob", access.Regular)
		w.User("carol", access.Super)
		names := func(search string, limit int) (names []ident.LogOn) {
			list, _, err := s.Candidates(t.Context(), w.Account.ID, ws.ID, workspace.CandidateFilter{Search: search, Limit: limit})
			must(t, err)
			for _, c := range list {
				names = append(names, c.LogOn)
			}
			return names
		}
		if got := names("", 10); !slices.Equal(got, []ident.LogOn{"bob", "carol"}) {
			t.Errorf("%q", got)
		}
		if got := names("CAR", 10); !slices.Equal(got, []ident.LogOn{"carol"}) {
			t.Errorf("%q", got)
		}
		if got := names("", 1); !slices.Equal(got, []ident.LogOn{"bob"}) {
			t.Errorf("%q", got)
		}
	})
}

func TestAMemberIsChangedFromTheVersionThatIsThere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ws, alice := w.Workspace("a").ID, w.User("alice", access.Regular).ID
		wantFault(t, putMember(w, ws, alice, access.Regular, 1, false), fault.Conflict, "version") // nobody is there
		must(t, putMember(w, ws, alice, access.Regular, 0, false))
		wantFault(t, putMember(w, ws, alice, access.Regular, 0, false), fault.Conflict, "version")
		must(t, putMember(w, ws, alice, access.Administrator, 1, false))
		wantFault(t, putMember(w, ws, alice, access.Regular, 1, true), fault.Conflict, "version")
		before := version(t, s)
		must(t, putMember(w, ws, alice, access.Administrator, 2, false)) // as it is
		if version(t, s) != before {
			t.Error("what stays as it is was kept")
		}
		must(t, putMember(w, ws, alice, access.Regular, workspace.AnyVersion, true))
		if m, err := s.Member(t.Context(), w.Account.ID, ws, alice); err != nil || m.Role != access.Regular || m.Version != 3 {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

func TestSec10_TheLastAdministratorGoesOnlyWhenThatIsMeant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ws, alice, bob := w.Workspace("a").ID, w.User("alice", access.Regular).ID, w.User("bob", access.Regular).ID
		must(t, putMember(w, ws, alice, access.Administrator, 0, false))
		must(t, putMember(w, ws, bob, access.Regular, 0, false))
		wantFault(t, putMember(w, ws, alice, access.Regular, 1, false), fault.Conflict, "alone")
		wantFault(t, removeMember(w, ws, alice, false), fault.Conflict, "alone")
		must(t, removeMember(w, ws, bob, false))

		must(t, putMember(w, ws, bob, access.Administrator, 0, false))
		must(t, s.SetUserDisabled(t.Context(), w.Account.ID, bob, storetest.Start, w.Why("users:disable")))
		wantFault(t, removeMember(w, ws, alice, false), fault.Conflict, "alone") // who is disabled administers nothing
		if l, err := s.Leaving(t.Context(), w.Account.ID, ws, alice); err != nil || !l.Last {
			t.Errorf("%+v, %v", l, err)
		}
		must(t, removeMember(w, ws, alice, true))
		wantFault(t, removeMember(w, ws, alice, true), fault.Missing, "")

		swap := []workspace.Member{{User: alice, Role: access.Administrator}, {User: bob, Role: access.Regular, Version: 1}}
		must(t, s.PutMembers(t.Context(), w.Account.ID, ws, swap, false, func(workspace.MemberChange) audit.Event { return w.Why("members:change") }))
	})
}

func TestTwoAdministratorsCannotRemoveEachOtherAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for range 5 {
			w := storetest.NewWorld(t, s, ident.Alias("a"+string(ident.NewUser()[4:12])))
			ws, both := w.Workspace("a").ID, []ident.User{w.User("alice", access.Regular).ID, w.User("bob", access.Regular).ID}
			for _, u := range both {
				must(t, putMember(w, ws, u, access.Administrator, 0, false))
			}
			var wait sync.WaitGroup
			for _, u := range both {
				wait.Go(func() { _ = removeMember(w, ws, u, false) })
			}
			wait.Wait()
			if names, err := s.Administrators(t.Context(), w.Account.ID, ws); err != nil || len(names) != 1 {
				t.Fatalf("%q remain, %v", names, err)
			}
		}
	})
}

func TestLeavingNamesTheKeysThatStop(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ws, alice := w.Workspace("a").ID, w.User("alice", access.Regular)
		w.Member(ws, alice.ID, access.Regular)
		insertKeyOf(t, w, ws, alice.ID, "nightly")
		insertKeyOf(t, w, w.Default, alice.ID, "elsewhere")
		if l, err := s.Leaving(t.Context(), w.Account.ID, ws, alice.ID); err != nil || l.Last || !slices.Equal(l.Keys, []string{"nightly"}) {
			t.Errorf("%+v, %v", l, err)
		}
		must(t, s.SetUserRole(t.Context(), w.Account.ID, alice.ID, access.Super, w.Why("users:promote")))
		if l, err := s.Leaving(t.Context(), w.Account.ID, ws, alice.ID); err != nil || len(l.Keys) > 0 {
			t.Errorf("full access keeps them: %+v, %v", l, err)
		}
	})
}
