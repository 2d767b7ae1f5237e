package store_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func TestAKeyComesBackAsItWasKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		full := apikey.Key{
			ID: ident.NewKey(), Account: w.Account.ID, Workspace: w.Default, Description: "nightly „reports“", Digest: secret.TokenDigest("a"),
			Hint: "wxyz", Owner: w.Root.ID, CreatedAt: storetest.Start.Add(time.Microsecond), LastUsedAt: storetest.Start.Add(time.Hour),
			ExpiresAt: storetest.Start.Add(48 * time.Hour), DisabledAt: storetest.Start.Add(time.Minute),
			Previous: secret.TokenDigest("z"), PreviousUntil: storetest.Start.Add(time.Hour),
			Models:   []ident.Model{"qwen-turbo", "qwen-plus"},
			Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}, Version: 1,
		}
		nothing := full
		nothing.ID, nothing.Digest, nothing.Models, nothing.Networks = ident.NewKey(), secret.TokenDigest("b"), []ident.Model{}, []netip.Prefix{}
		plain := apikey.Key{ID: ident.NewKey(), Account: w.Account.ID, Workspace: w.Default, Digest: secret.TokenDigest("c"), Owner: w.Root.ID, CreatedAt: storetest.Start, Version: 1}
		for _, k := range []apikey.Key{full, nothing, plain} {
			must(t, s.InsertKey(ctx, w.Default, k, 50, w.Why("keys:issue")))
			k.OwnerName = "root@acme"
			got, err := s.Key(ctx, w.Default, k.ID)
			must(t, err)
			if !reflect.DeepEqual(got, k) {
				t.Errorf("kept %+v, got %+v", k, got)
			}
		}
		again := plain
		again.ID = ident.NewKey()
		wantFault(t, s.InsertKey(ctx, w.Default, again, 50, w.Why("keys:issue")), fault.Conflict, "")
	})
}

func TestAKeyIsDisabledAndEnabled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		k, _ := w.Key(w.Default, secret.Pepper{})
		at := storetest.Start.Add(time.Minute)
		must(t, s.SetKeyDisabled(ctx, w.Default, k.ID, at, w.Why("keys:disable")))
		before := version(t, s)
		must(t, s.SetKeyDisabled(ctx, w.Default, k.ID, at.Add(time.Hour), w.Why("keys:disable")))
		got, err := s.Key(ctx, w.Default, k.ID)
		must(t, err)
		if !got.DisabledAt.Equal(at) || got.Version != 2 || version(t, s) != before {
			t.Fatalf("%+v", got)
		}
		must(t, s.SetKeyDisabled(ctx, w.Default, k.ID, time.Time{}, w.Why("keys:enable")))
		if got, _ = s.Key(ctx, w.Default, k.ID); !got.DisabledAt.IsZero() || got.Version != 3 {
			t.Fatalf("%+v", got)
		}
		must(t, s.DeleteKey(ctx, w.Default, k.ID, w.Why("keys:delete")))
		wantFault(t, s.DeleteKey(ctx, w.Default, k.ID, w.Why("keys:delete")), fault.Missing, "")
	})
}

func TestKeysComeNewestFirstInPagesWithTheirNames(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		a, b := w.Workspace("a"), w.Workspace("b")
		var want []ident.Key
		for i := range 17 {
			ws := []ident.Workspace{a.ID, b.ID, w.Default}[i%3]
			k := apikey.Key{
				ID: ident.NewKey(), Account: w.Account.ID, Workspace: ws, Description: fmt.Sprint("Key No. ", i), Digest: secret.TokenDigest(fmt.Sprint(i)),
				Owner: w.Root.ID, CreatedAt: storetest.Start.Add(time.Duration(i/4) * time.Second), Version: 1, // several at once
			}
			must(t, s.InsertKey(ctx, ws, k, 50, w.Why("keys:issue")))
			want = append(want, k.ID)
		}
		all := func(f apikey.Filter) (ids []ident.Key) {
			for {
				page, next, err := s.Keys(ctx, w.Account.ID, f)
				must(t, err)
				for i, k := range page {
					if i > 0 && page[i-1].CreatedAt.Before(k.CreatedAt) || k.OwnerName != "root@acme" || k.WorkspaceName == "" {
						t.Errorf("%+v", k)
					}
					ids = append(ids, k.ID)
				}
				if f.After = next; next == "" {
					return ids
				}
			}
		}
		for _, size := range []int{1, 3, 16, 17, 50} {
			got := all(apikey.Filter{Limit: size})
			sortedGot, sortedWant := slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
			if !slices.Equal(sortedGot, sortedWant) {
				t.Fatalf("pages of %d: %d keys of %d", size, len(got), len(want))
			}
		}
		for name, f := range map[string]struct {
			apikey.Filter
			count int
		}{
			"one workspace":  {apikey.Filter{Only: []ident.Workspace{a.ID}, Limit: 2}, 6},
			"two workspaces": {apikey.Filter{Only: []ident.Workspace{a.ID, w.Default}, Limit: 2}, 11},
			"none":           {apikey.Filter{Only: []ident.Workspace{}}, 0},
			"description":    {apikey.Filter{Search: "no. 1", Limit: 2}, 8},
			"id":             {apikey.Filter{Search: string(want[4])}, 1},
			"nothing":        {apikey.Filter{Search: "%"}, 0},
		} {
			if got := all(f.Filter); len(got) != f.count {
				t.Errorf("%s: %d keys, want %d", name, len(got), f.count)
			}
		}
		for _, cursor := range []string{"x", "WyIxIl0", "WyJhIiwiYiJd"} {
			_, _, err := s.Keys(ctx, w.Account.ID, apikey.Filter{After: cursor})
			wantFault(t, err, fault.Invalid, "after")
		}
	})
}
