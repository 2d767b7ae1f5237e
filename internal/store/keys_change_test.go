package store_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func TestAKeyIsEditedOnceForEachVersion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		k, _ := w.Key(w.Default, secret.Pepper{})
		edit := k
		edit.Description, edit.Models = "nightly reports", []ident.Model{"qwen-plus"}
		edit.Networks, edit.ExpiresAt = []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}, storetest.Start.Add(time.Hour)
		// What an edit does not change, whatever it is said to be.
		edit.Digest, edit.Hint, edit.Owner, edit.Workspace = secret.TokenDigest("other"), "xxxx", "usr-nobody", "llm-nowhere"
		must(t, s.UpdateKey(ctx, w.Default, edit, w.Why("keys:edit")))
		wantFault(t, s.UpdateKey(ctx, w.Default, edit, w.Why("keys:edit")), fault.Conflict, "version")

		got, err := s.Key(ctx, w.Default, k.ID)
		must(t, err)
		want := k
		want.Description, want.Models, want.Networks, want.ExpiresAt, want.Version = edit.Description, edit.Models, edit.Networks, edit.ExpiresAt, 2
		want.EditedAt, want.EditedBy = got.EditedAt, w.Why("").ActorName // by the store's clock
		if !reflect.DeepEqual(got, want) || got.EditedAt.IsZero() {
			t.Errorf("got %+v, want %+v", got, want)
		}
		page, _, err := s.Keys(ctx, w.Account.ID, apikey.Filter{Search: "NIGHTLY"})
		must(t, err)
		if len(page) != 1 {
			t.Error("it is not found by its new description")
		}
	})
}

func TestOfTwoResetsAtOnceOneWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		k, _ := w.Key(w.Default, secret.Pepper{})
		var won atomic.Int64
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				mine := k
				mine.Digest = secret.TokenDigest(fmt.Sprint(i))
				switch err := s.ResetKey(t.Context(), w.Default, mine, k.Digest, w.Why("keys:reset")); {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.Conflict):
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d won", won.Load())
		}
		// The right version with a secret that is no longer the key's does not win either.
		late := k
		late.Version = 2
		wantFault(t, s.ResetKey(t.Context(), w.Default, late, k.Digest, w.Why("keys:reset")), fault.Conflict, "version")
	})
}

func TestThePolicyLearnsWhatNarrowsAKeyAndItsOldSecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		k, _ := w.Key(w.Default, secret.Pepper{})
		k.Models, k.Networks, k.ExpiresAt = []ident.Model{"qwen-plus"}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, storetest.Start.Add(time.Hour)
		before := version(t, s)
		must(t, s.UpdateKey(ctx, w.Default, k, w.Why("keys:edit")))
		k.Version, k.Previous, k.PreviousUntil = 2, k.Digest, storetest.Start.Add(time.Minute)
		k.Digest = secret.TokenDigest("new")
		must(t, s.ResetKey(ctx, w.Default, k, k.Previous, w.Why("keys:reset")))
		want := policy.Key{
			ID: k.ID, Account: w.Account.ID, Workspace: w.Default, Owner: w.Root.ID, Digest: k.Digest, Expires: k.ExpiresAt,
			Rare: &policy.Rare{Previous: k.Previous, PreviousUntil: k.PreviousUntil, Models: k.Models, Networks: k.Networks},
		}
		for _, after := range []int64{0, before} {
			if f := facts(t, s, after); len(f.Keys) != 1 || !reflect.DeepEqual(f.Keys[0], want) {
				t.Errorf("after %d: %+v, want %+v", after, f.Keys, want)
			}
		}
	})
}

func TestTheLimitOfKeysIsASetting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		if n, err := s.KeyLimit(ctx, w.Account.ID); n != 50 || err != nil {
			t.Fatal(n, err)
		}
		to := w.Account.Settings
		to.KeyLimit = 3
		must(t, s.ChangeSettings(ctx, w.Account.ID, to, 1, w.Why("settings:change")))
		if n, err := s.KeyLimit(ctx, w.Account.ID); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		_, err := s.KeyLimit(ctx, ident.NewAccount())
		wantFault(t, err, fault.Missing, "")
	})
}

// zoo makes a key of every state and gives their ids.
func zoo(t *testing.T, s *store.Store) (*storetest.World, map[apikey.State]ident.Key) {
	w := storetest.NewWorld(t, s, "acme")
	ctx, ws := t.Context(), w.Workspace("Marketing").ID
	alice, bob, carol := w.User("alice", access.Regular), w.User("bob", access.Regular), w.User("carol", access.Super)
	w.Member(ws, bob.ID, access.Regular)
	must(t, s.SetUserDisabled(ctx, w.Account.ID, carol.ID, storetest.Start, w.Why("users:disable")))
	ids := map[apikey.State]ident.Key{}
	add := func(state apikey.State, owner ident.User, expires, disabled time.Time) {
		ids[state] = ident.NewKey()
		k := apikey.Key{ID: ids[state], Account: w.Account.ID, Digest: secret.TokenDigest(string(state)), Hint: "Z" + string(state)[:3], Owner: owner,
			CreatedAt: storetest.Start, ExpiresAt: expires, Version: 1}
		must(t, s.InsertKey(ctx, ws, k, 50, w.Why("keys:issue")))
		must(t, s.SetKeyDisabled(ctx, ws, k.ID, disabled, w.Why("keys:disable")))
	}
	past, future := storetest.Start.Add(-time.Second), storetest.Start.Add(time.Second)
	add(apikey.Enabled, bob.ID, future, time.Time{})
	add(apikey.Expired, alice.ID, storetest.Start, time.Time{})
	add(apikey.Disabled, alice.ID, past, past)
	add(apikey.OwnerLeft, alice.ID, time.Time{}, time.Time{})
	add(apikey.OwnerDisabled, carol.ID, time.Time{}, time.Time{})
	return w, ids
}

func TestKeysAreFoundByTheirState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w, ids := zoo(t, s)
		find := func(f apikey.Filter) (found []ident.Key) {
			f.At = storetest.Start
			page, _, err := s.Keys(t.Context(), w.Account.ID, f)
			must(t, err)
			for _, k := range page {
				found = append(found, k.ID)
				if ids[k.State(f.At)] != k.ID {
					t.Errorf("%s says of itself that it is %s", k.ID, k.State(f.At))
				}
			}
			slices.Sort(found)
			return found
		}
		for state, id := range ids {
			want := []ident.Key{id}
			if state == apikey.OwnerLeft || state == apikey.OwnerDisabled {
				want = slices.Sorted(slices.Values([]ident.Key{ids[apikey.OwnerLeft], ids[apikey.OwnerDisabled]}))
				state = apikey.OwnerLeft
			}
			for _, order := range []apikey.Order{apikey.ByCreation, apikey.ByUse, apikey.ByExpiry} {
				if got := find(apikey.Filter{State: state, Order: order}); !slices.Equal(got, want) {
					t.Errorf("%s by %q: %v, want %v", state, order, got, want)
				}
			}
		}
		if got := find(apikey.Filter{}); len(got) != len(ids) {
			t.Errorf("all: %d", len(got))
		}
		if got := find(apikey.Filter{Search: "Zena"}); !slices.Equal(got, []ident.Key{ids[apikey.Enabled]}) {
			t.Errorf("by the last four characters: %v", got)
		}
		for _, wrong := range []apikey.Filter{{State: "x"}, {Order: "x"}} {
			_, _, err := s.Keys(t.Context(), w.Account.ID, wrong)
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", wrong, err)
			}
		}
	})
}

func TestKeysAreSortedBothWaysWithoutLossInPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		for i := range 23 {
			k := apikey.Key{
				ID: ident.NewKey(), Account: w.Account.ID, Digest: secret.TokenDigest(fmt.Sprint(i)), Owner: w.Root.ID, Version: 1,
				CreatedAt: storetest.Start.Add(time.Duration(i*7%23/2) * time.Second), LastUsedAt: storetest.Start.Add(time.Duration(i*5%23/3) * time.Second),
			}
			if i%4 > 0 {
				k.ExpiresAt = storetest.Start.Add(time.Duration(i*11%23/2) * time.Hour)
			}
			must(t, s.InsertKey(ctx, w.Default, k, 50, w.Why("keys:issue")))
		}
		never := storetest.Start.Add(1000 * time.Hour)
		values := map[apikey.Order]func(apikey.Listed) time.Time{
			apikey.ByCreation: func(k apikey.Listed) time.Time { return k.CreatedAt },
			apikey.ByUse:      func(k apikey.Listed) time.Time { return k.LastUsedAt },
			apikey.ByExpiry: func(k apikey.Listed) time.Time {
				if k.ExpiresAt.IsZero() {
					return never
				}
				return k.ExpiresAt
			},
		}
		for order, value := range values {
			for _, reversed := range []bool{false, true} {
				var seen []time.Time
				ids := map[ident.Key]bool{}
				for f := (apikey.Filter{Order: order, Reversed: reversed, Limit: 4}); ; {
					page, next, err := s.Keys(ctx, w.Account.ID, f)
					must(t, err)
					for _, k := range page {
						seen, ids[k.ID] = append(seen, value(k)), true
					}
					if f.After = next; next == "" {
						break
					}
				}
				rising := (order == apikey.ByExpiry) != reversed
				if !rising {
					slices.Reverse(seen)
				}
				if len(ids) != 23 || !slices.IsSortedFunc(seen, time.Time.Compare) {
					t.Errorf("by %q, reversed %v: %d keys, %v", order, reversed, len(ids), seen)
				}
			}
		}
	})
}
