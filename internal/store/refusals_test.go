package store_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func TestARefusalComesBackAsItWasKeptAndIsKeptOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		r := explanation.Refusal{
			Call: ident.NewCall(), At: storetest.Start.Add(time.Microsecond), Account: w.Account.ID, Workspace: w.Default, Key: ident.NewKey(),
			Hint: "a1b2", Person: ident.NewUser(), Header: "llm-1", Path: "llm-2", Host: "llm-3", Address: netip.MustParseAddr("2001:db8::7"),
			Until: storetest.Start.Add(time.Hour), Model: "qwen-turbo", Capability: catalogue.Call, Check: policy.Granted, Made: 1<<policy.Granted | 1<<policy.KeyKnown,
			Version: 42, Status: 403, Code: "Model.AccessDenied",
			Limit: explanation.Limit{Kind: limit.AccountTokens, Rate: limit.Rate{Count: 5, Period: 60}, SetBy: "root@acme", SetAt: storetest.Start, Asked: 7},
		}
		again := r
		again.Status = 404
		must(t, s.InsertRefusals(ctx, []explanation.Refusal{r, again}))
		got, err := s.Refusal(ctx, w.Account.ID, r.Call)
		must(t, err)
		if !reflect.DeepEqual(got, r) {
			t.Fatalf("kept %+v, got %+v", r, got)
		}
		odd := explanation.Refusal{Call: ident.NewCall(), Header: "\xff\x00" + strings.Repeat("é", 99), Code: "a\x00b", Model: "\xff"}
		must(t, s.InsertRefusals(ctx, []explanation.Refusal{odd}))
		if _, err := s.Refusal(ctx, w.Account.ID, odd.Call); err != nil {
			t.Errorf("that of an unknown key: %v", err)
		}
	})
}

func TestRefusalsAreListedNewestFirstPageByPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		sub := w.Workspace("Marketing").ID
		for i := range 5 {
			must(t, s.InsertRefusals(t.Context(), []explanation.Refusal{
				{Call: ident.NewCall(), At: storetest.Start.Add(time.Duration(i) * time.Second), Account: w.Account.ID, Workspace: sub, Status: i},
				{Call: ident.NewCall(), At: storetest.Start, Account: w.Account.ID, Workspace: w.Default, Status: 99},
				{Call: ident.NewCall(), At: storetest.Start, Status: 98}, // of an unknown key
			}))
		}
		var seen []int
		for after := ""; ; {
			page, next, err := s.Refusals(t.Context(), w.Account.ID, sub, after, 2)
			must(t, err)
			for _, r := range page {
				seen = append(seen, r.Status)
			}
			if after = next; next == "" {
				break
			}
		}
		if !reflect.DeepEqual(seen, []int{4, 3, 2, 1, 0}) {
			t.Errorf("listed %v", seen)
		}
		if all, _, err := s.Refusals(t.Context(), w.Account.ID, "", "", 100); err != nil || len(all) != 10 {
			t.Errorf("%d of the account: %v", len(all), err)
		}
		if _, _, err := s.Refusals(t.Context(), w.Account.ID, "", "no cursor", 100); !fault.Is(err, fault.Invalid) {
			t.Errorf("a cursor that is none: %v", err)
		}
	})
}

func TestRefusalsGoWhenTheyAreOldOrTooMany(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one, two := storetest.NewWorld(t, s, "acme").Account.ID, storetest.NewWorld(t, s, "umbrella").Account.ID
		calls := map[ident.Account][]ident.Call{}
		for i := range 10 {
			for _, a := range []ident.Account{one, two, ""} {
				r := explanation.Refusal{Call: ident.NewCall(), At: storetest.Start.Add(time.Duration(i) * time.Minute), Account: a}
				calls[a] = append(calls[a], r.Call)
				must(t, s.InsertRefusals(t.Context(), []explanation.Refusal{r}))
			}
		}
		must(t, s.PruneRefusals(t.Context(), storetest.Start.Add(3*time.Minute), 5, 2))
		for a, list := range calls {
			keeps := 5
			if a == "" {
				keeps = 2
			}
			for i, call := range list {
				_, err := s.Refusal(t.Context(), a, call)
				if there := err == nil; there != (i >= 10-keeps) {
					t.Errorf("number %d of %q: %v", i, a, err)
				}
			}
		}
		must(t, s.PruneRefusals(t.Context(), storetest.Start.Add(8*time.Minute), 5, 2))
		if left, _, _ := s.Refusals(t.Context(), one, "", "", 100); len(left) != 2 {
			t.Errorf("%d are left", len(left))
		}
	})
}
