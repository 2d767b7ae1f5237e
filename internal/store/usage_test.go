package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
)

func TestARecordComesBackAsItWasKeptAndIsKeptOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		key, _ := w.Key(w.Default, secret.Pepper{})
		r := usage.Record{
			Call: ident.NewCall(), At: storetest.Start.Add(time.Microsecond), Account: w.Account.ID, Workspace: w.Default, Key: key.ID,
			Model: "qwen-turbo", Dialect: "dashscope", Provider: ident.NewProvider(), Input: 10, Output: 20, Cached: 3, Reasoning: 4,
			Source: usage.Counted, Status: 429, Code: "Throttling.RateQuota", Stream: true, Duration: time.Hour + time.Microsecond, FirstByte: time.Millisecond,
		}
		again := r
		again.Input = 1000
		must(t, s.InsertUsage(ctx, []usage.Record{r, again}))
		must(t, s.InsertUsage(ctx, []usage.Record{again}))
		must(t, s.InsertUsage(ctx, nil))
		page, next, err := s.Usage(ctx, w.Default, usage.Filter{})
		must(t, err)
		want := []usage.Listed{{Record: r, KeyDescription: "for tests"}}
		if !reflect.DeepEqual(page, want) || next != "" {
			t.Fatalf("kept %+v, got %+v", want, page)
		}
	})
}

func TestNoRecordCanHoldUpTheOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		odd := usage.Record{
			Call: ident.NewCall(), At: storetest.Start, Account: w.Account.ID, Workspace: w.Default, Model: ident.Model("\xff\x00" + strings.Repeat("é", 500)),
			Dialect: strings.Repeat("x", 99), Input: 1 << 40, Output: -5, Source: "nobody knows", Status: 1 << 20, Code: "a\x00b", Duration: -1,
		}
		must(t, s.InsertUsage(t.Context(), []usage.Record{odd, {Call: "", Workspace: w.Default}}))
		page, _, err := s.Usage(t.Context(), w.Default, usage.Filter{})
		must(t, err)
		if len(page) != 2 {
			t.Fatalf("%d records", len(page))
		}
	})
}

func TestUsageIsListedAndSummed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		ws := w.Workspace("Marketing")
		day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		var records []usage.Record
		for i := range 30 {
			r := usage.Record{
				Call: ident.NewCall(), At: day.Add(time.Duration(i/2) * 6 * time.Hour), Account: w.Account.ID, Workspace: ws.ID,
				Model: ident.Model(fmt.Sprint("m", i%3)), Input: i, Output: 2 * i, Status: 200,
			}
			if i%5 == 0 {
				r.Status, r.Code = 403, "Workspace.AccessDenied"
			}
			records = append(records, r)
		}
		must(t, s.InsertUsage(ctx, records))
		must(t, s.InsertUsage(ctx, []usage.Record{{Call: ident.NewCall(), At: day, Account: w.Account.ID, Workspace: w.Default, Input: 1000}}))

		from, to := day.AddDate(0, 0, 1), day.AddDate(0, 0, 3)
		got := map[ident.Call]bool{}
		f := usage.Filter{From: from, To: to, Limit: 3}
		for {
			page, next, err := s.Usage(ctx, ws.ID, f)
			must(t, err)
			for i, r := range page {
				if got[r.Call] || i > 0 && page[i-1].At.Before(r.At) || r.At.Before(from) || !r.At.Before(to) {
					t.Errorf("%+v", r)
				}
				got[r.Call] = true
			}
			if f.After = next; next == "" {
				break
			}
		}
		if len(got) != 16 {
			t.Fatalf("%d records in two days", len(got))
		}
		failed, _, err := s.Usage(ctx, ws.ID, usage.Filter{Failed: true, Model: "m0"})
		must(t, err)
		if len(failed) != 2 {
			t.Fatalf("%d failed calls of m0", len(failed))
		}
		days, err := s.UsageByDay(ctx, ws.ID, from, to)
		must(t, err)
		wantDays := []usage.Day{
			{Day: from, Sum: usage.Sum{Calls: 8, Failed: 2, Input: 92, Output: 184}},
			{Day: from.AddDate(0, 0, 1), Sum: usage.Sum{Calls: 8, Failed: 1, Input: 156, Output: 312}},
		}
		if !reflect.DeepEqual(days, wantDays) {
			t.Fatalf("%+v", days)
		}
		models, err := s.UsageByModel(ctx, ws.ID, from, to)
		must(t, err)
		var names []ident.Model
		var total usage.Sum
		for _, m := range models {
			names = append(names, m.Model)
			total = usage.Sum{Calls: total.Calls + m.Calls, Failed: total.Failed + m.Failed, Input: total.Input + m.Input, Output: total.Output + m.Output}
		}
		if !slices.Equal(names, []ident.Model{"m2", "m0", "m1"}) || total != (usage.Sum{Calls: 16, Failed: 3, Input: 248, Output: 496}) {
			t.Fatalf("%+v", models)
		}
		_, _, err = s.Usage(ctx, ws.ID, usage.Filter{After: "x"})
		wantFault(t, err, fault.Invalid, "after")
	})
}
