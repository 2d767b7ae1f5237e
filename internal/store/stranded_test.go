package store_test

import (
	"slices"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

// TestKeysAreStrandedExactlyWhenTheirOwnersAre compares what is noted on keys
// with what follows from users and members, after each kind of change.
func TestKeysAreStrandedExactlyWhenTheirOwnersAre(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a := t.Context(), w.Account.ID
		here, there := w.Workspace("Here").ID, w.Workspace("There").ID
		alice, bob := w.User("alice", access.Regular), w.User("bob", access.Regular)
		w.Member(here, alice.ID, access.Regular)
		for _, ws := range []ident.Workspace{here, there} {
			for _, owner := range []ident.User{alice.ID, bob.ID, w.Root.ID} {
				id := ident.NewKey()
				must(t, s.InsertKey(ctx, ws, apikey.Key{ID: id, Account: a, Digest: secret.TokenDigest(string(id)), Hint: "Hint", Owner: owner,
					CreatedAt: storetest.Start, Version: 1}, 50, w.Why("keys:issue")))
			}
		}
		stranded := func() (want []ident.Key) {
			all, _, err := s.Keys(ctx, a, apikey.Filter{At: storetest.Start})
			must(t, err)
			for _, k := range all {
				if k.OwnerLeft || k.OwnerDisabled {
					want = append(want, k.ID)
				}
			}
			return want
		}
		why := func(workspace.MemberChange) audit.Event { return w.Why("members:change") }
		put := func(ws ident.Workspace, u ident.User) error {
			return s.PutMembers(ctx, a, ws, []workspace.Member{{User: u, Role: access.Regular, Version: workspace.AnyVersion}}, true, why)
		}
		for _, step := range []struct {
			what string
			do   func() error
			want int
		}{
			{"at first", func() error { return nil }, 3},
			{"bob comes", func() error { return put(there, bob.ID) }, 2},
			{"bob may not log on", func() error { return s.SetUserDisabled(ctx, a, bob.ID, storetest.Start, w.Why("users:disable")) }, 3},
			{"bob may again", func() error { return s.SetUserDisabled(ctx, a, bob.ID, time.Time{}, w.Why("users:enable")) }, 2},
			{"alice has full access", func() error { return s.SetUserRole(ctx, a, alice.ID, access.Super, w.Why("users:role")) }, 1},
			{"alice no longer has", func() error { return s.SetUserRole(ctx, a, alice.ID, access.Regular, w.Why("users:role")) }, 2},
			{"alice leaves", func() error { return s.RemoveMember(ctx, a, here, alice.ID, true, why) }, 3},
			{"bob is deleted", func() error { return s.DeleteUser(ctx, a, bob.ID, w.Why("users:delete")) }, 4},
		} {
			must(t, step.do())
			found, _, err := s.Keys(ctx, a, apikey.Filter{At: storetest.Start, State: apikey.OwnerLeft})
			must(t, err)
			var got []ident.Key
			for _, k := range found {
				got = append(got, k.ID)
			}
			if want := stranded(); len(want) != step.want || !slices.Equal(got, want) {
				t.Errorf("%s: found %v, stranded are %v, want %d", step.what, got, want, step.want)
			}
		}
	})
}
