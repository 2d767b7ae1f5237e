package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/apikey"
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
			Call: ident.NewCall(), At: storetest.Start.Add(time.Microsecond), Account: w.Account.ID, Workspace: w.Default, Key: key.ID, Member: w.Root.ID,
			Model: "qwen-turbo", Dialect: "dashscope", Provider: ident.NewProvider(), Input: 10, Output: 20, Cached: 3, Reasoning: 4,
			Source: usage.Counted, Cost: 15, Currency: "CNY", PriceVersion: 3, Status: 429, Code: "Throttling.RateQuota", Stream: true,
			Duration: time.Minute + time.Microsecond, FirstByte: time.Millisecond,
		}
		again := r
		again.Input, again.Cost = 1000, 1000
		must(t, s.InsertUsage(ctx, []usage.Record{r, again}))
		must(t, s.InsertUsage(ctx, []usage.Record{again}))
		must(t, s.InsertUsage(ctx, nil))
		page, next, err := s.Usage(ctx, w.Account.ID, usage.Filter{Workspace: w.Default}, usage.Page{})
		must(t, err)
		want := usage.Listed{Record: r, KeyDescription: "for tests", MemberName: "root", WorkspaceName: page[0].WorkspaceName}
		if len(page) != 1 || !reflect.DeepEqual(page[0], want) || next != "" || page[0].WorkspaceName == "" {
			t.Fatalf("kept %+v, got %+v", want, page)
		}
		one, err := s.UsageCall(ctx, w.Account.ID, w.Default, r.Call, r.At)
		must(t, err)
		if !reflect.DeepEqual(one, want) {
			t.Fatalf("%+v", one)
		}
		lines, err := s.UsageSums(ctx, w.Account.ID, usage.Query{})
		must(t, err)
		sum := usage.Sum{Calls: 1, Failed: 1, Input: 10, Output: 20, Cached: 3, Reasoning: 4, Costs: usage.Costs{"CNY": 15}}
		if len(lines) != 1 || !reflect.DeepEqual(lines[0].Sum, sum) {
			t.Fatalf("%+v", lines)
		}
	})
}

func TestNoRecordCanHoldUpTheOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		odd := usage.Record{
			Call: ident.NewCall(), At: storetest.Start, Account: w.Account.ID, Workspace: w.Default, Model: ident.Model("\xff\x00" + strings.Repeat("é", 500)), Key: "key-\x00\xff",
			Dialect: strings.Repeat("x", 99), Input: 1 << 40, Output: -5, Source: "nobody knows", Status: 1 << 20, Code: "a\x00b", Duration: -1, Cost: -7, Currency: strings.Repeat("€", 99),
		}
		must(t, s.InsertUsage(t.Context(), []usage.Record{odd, {Call: "", Account: w.Account.ID, Workspace: w.Default, At: time.Unix(-1e9, 0)}}))
		page, _, err := s.Usage(t.Context(), w.Account.ID, usage.Filter{}, usage.Page{})
		must(t, err)
		if len(page) != 2 {
			t.Fatalf("%d records", len(page))
		}
		balanced(t, s)
	})
}

// balanced makes sure that calls, hours and days say the same.
func balanced(t *testing.T, s *store.Store) {
	t.Helper()
	must(t, s.VerifyUsage(t.Context(), time.Time{}, func(d usage.Difference) { t.Errorf("the books do not balance: %+v", d) }))
}

// calls are thirty of a workspace in 8 days: every third of one of three models,
// every fifth refused.
func someCalls(w *storetest.World, ws ident.Workspace, day time.Time) (records []usage.Record) {
	for i := range 30 {
		r := usage.Record{
			Call: ident.NewCall(), At: day.Add(time.Duration(i/2) * 6 * time.Hour), Account: w.Account.ID, Workspace: ws, Member: w.Root.ID,
			Model: ident.Model(fmt.Sprint("m", i%3)), Input: i, Output: 2 * i, Status: 200, Currency: "CNY", Cost: int64(i),
		}
		if i%5 == 0 {
			r.Status, r.Code = 403, "Workspace.AccessDenied"
		}
		records = append(records, r)
	}
	return records
}

func TestUsageIsListedPageByPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a := t.Context(), w.Account.ID
		one, two := w.Workspace("Marketing"), w.Workspace("Research")
		day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		all := append(someCalls(w, one.ID, day), someCalls(w, two.ID, day)...)
		must(t, s.InsertUsage(ctx, all))
		for name, c := range map[string]struct {
			f     usage.Filter
			count int
		}{
			"of a workspace":       {usage.Filter{Workspace: one.ID}, 30},
			"of the account":       {usage.Filter{}, 60},
			"of two days":          {usage.Filter{From: day.AddDate(0, 0, 1), To: day.AddDate(0, 0, 3)}, 32},
			"of a model":           {usage.Filter{Model: "m1"}, 20},
			"of a model, an hour":  {usage.Filter{Model: "m0", From: day.Add(time.Hour), To: day.Add(6*time.Hour + time.Minute), Workspace: two.ID}, 1},
			"failed, of a model":   {usage.Filter{Failed: true, Model: "m0"}, 4},
			"of a member":          {usage.Filter{Member: w.Root.ID, Workspace: one.ID}, 30},
			"of nobody":            {usage.Filter{Member: "usr-nobody"}, 0},
			"of no key":            {usage.Filter{Key: "key-none"}, 0},
			"of no workspace":      {usage.Filter{Workspace: ident.NewWorkspace()}, 0},
			"failed, of the later": {usage.Filter{Failed: true, From: day.AddDate(0, 0, 2)}, 4},
		} {
			got := map[ident.Call]bool{}
			last := time.Now().AddDate(100, 0, 0)
			p := usage.Page{Limit: 3}
			for {
				page, next, err := s.Usage(ctx, a, c.f, p)
				must(t, err)
				for _, r := range page {
					if got[r.Call] || r.At.After(last) || !c.f.From.IsZero() && r.At.Before(c.f.From) || !c.f.To.IsZero() && !r.At.Before(c.f.To) || c.f.Failed && r.Code == "" {
						t.Errorf("%s: %+v", name, r)
					}
					got[r.Call], last = true, r.At
				}
				if p.After = next; next == "" {
					break
				}
			}
			if len(got) != c.count {
				t.Errorf("%s: %d, want %d", name, len(got), c.count)
			}
		}
		for _, after := range []string{"x", "WyIxIiwiMiJd"} {
			_, _, err := s.Usage(ctx, a, usage.Filter{}, usage.Page{After: after})
			wantFault(t, err, fault.Invalid, "after")
		}
		if _, err := s.UsageCall(ctx, a, two.ID, all[0].Call, all[0].At); !fault.Is(err, fault.Missing) {
			t.Errorf("a call of another workspace: %v", err)
		}
	})
}

func TestSumsSayWhatTheCallsSay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a := t.Context(), w.Account.ID
		one := w.Workspace("Marketing")
		day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		must(t, s.InsertUsage(ctx, someCalls(w, one.ID, day)))
		must(t, s.InsertUsage(ctx, []usage.Record{{Call: ident.NewCall(), At: day, Account: a, Workspace: w.Default, Input: 1000, Cost: 5, Currency: "USD"}}))
		balanced(t, s)
		from, to := day.AddDate(0, 0, 1), day.AddDate(0, 0, 3)
		ask := func(q usage.Query) []usage.Line {
			t.Helper()
			lines, err := s.UsageSums(ctx, a, q)
			must(t, err)
			return lines
		}
		in := usage.Filter{Workspace: one.ID, From: from, To: to}
		days := ask(usage.Query{Filter: in, Step: usage.Day})
		want := []usage.Line{
			{At: from, Sum: usage.Sum{Calls: 8, Failed: 2, Input: 92, Output: 184, Costs: usage.Costs{"CNY": 92}}},
			{At: from.AddDate(0, 0, 1), Sum: usage.Sum{Calls: 8, Failed: 1, Input: 156, Output: 312, Costs: usage.Costs{"CNY": 156}}},
		}
		if !reflect.DeepEqual(days, want) {
			t.Fatalf("%+v", days)
		}
		if hours := ask(usage.Query{Filter: in, Step: usage.Hour}); len(hours) != 8 || !hours[1].At.Equal(from.Add(6*time.Hour)) || hours[1].Calls != 2 {
			t.Fatalf("%+v", hours)
		}
		models := ask(usage.Query{Filter: in, By: usage.ByModel, Apart: []string{"m1"}})
		if len(models) != 2 || models[0].Name != usage.Others || models[0].Calls != 11 || models[1].Name != "m1" || models[1].Calls != 5 {
			t.Fatalf("%+v", models)
		}
		members := ask(usage.Query{Filter: usage.Filter{Failed: true}, By: usage.ByMember})
		if len(members) != 1 || members[0].Label != "root" || members[0].Calls != 6 || members[0].Failed != 6 {
			t.Fatalf("%+v", members)
		}
		workspaces := ask(usage.Query{By: usage.ByWorkspace, Hourly: true})
		slices.SortFunc(workspaces, func(a, b usage.Line) int { return a.Calls - b.Calls })
		if len(workspaces) != 2 || workspaces[1].Label != "Marketing" || workspaces[1].Calls != 30 || workspaces[0].Costs["USD"] != 5 {
			t.Fatalf("%+v", workspaces)
		}
		if codes := ask(usage.Query{By: usage.ByCode}); len(codes) != 2 || codes[1].Name != "Workspace.AccessDenied" || codes[1].Calls != 6 {
			t.Fatalf("%+v", codes)
		}
		if whole := ask(usage.Query{}); len(whole) != 1 || whole[0].Calls != 31 || len(whole[0].Costs) != 2 {
			t.Fatalf("two currencies stay apart in one line: %+v", whole)
		}
	})
}

func TestTheBooksNameEveryDifference(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		must(t, s.InsertUsage(t.Context(), someCalls(w, w.Default, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC))))
		balanced(t, s)
		for _, c := range []struct{ spoil, back, what string }{
			{"UPDATE usage_hours SET input = input + 1 WHERE at = (SELECT MIN(at) FROM usage_hours) AND series = 1", "UPDATE usage_hours SET input = input - 1 WHERE at = (SELECT MIN(at) FROM usage_hours) AND series = 1", "calls − hours hours − days"},
			{"UPDATE usage_days SET cost = cost + 1 WHERE at = (SELECT MAX(at) FROM usage_days)", "UPDATE usage_days SET cost = cost - 1 WHERE at = (SELECT MAX(at) FROM usage_days)", "hours − days"},
			{"UPDATE usage_calls SET at = at + 3600000000 WHERE at = (SELECT MIN(at) FROM usage_calls)", "UPDATE usage_calls SET at = at - 3600000000 WHERE at = (SELECT MIN(at) FROM usage_calls)", "calls − hours"},
			{"UPDATE usage_days SET series = series + 1000 WHERE at = (SELECT MAX(at) FROM usage_days)", "UPDATE usage_days SET series = series - 1000 WHERE at = (SELECT MAX(at) FROM usage_days)", "hours − days"},
		} {
			must(t, s.Exec(c.spoil))
			var found []string
			must(t, s.VerifyUsage(t.Context(), time.Time{}, func(d usage.Difference) {
				if d.Workspace != w.Default {
					t.Errorf("%+v", d)
				}
				found = append(found, d.What)
			}))
			if got := strings.Join(slices.Compact(slices.Clone(found)), " "); got != c.what {
				t.Errorf("%s: %q", c.spoil, found)
			}
			must(t, s.Exec(c.back))
			balanced(t, s)
		}
	})
}

func TestWhatIsOldIsPurgedDayByDayAndTheRestStaysBalanced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		now := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
		for i := range 40 {
			must(t, s.InsertUsage(t.Context(), someCalls(w, w.Default, now.AddDate(0, 0, -10*i))))
		}
		k := usage.Keeper{Books: s, Calls: 90, Hours: 200, Days: 300, Now: func() time.Time { return now }}
		must(t, k.Once(t.Context()))
		for table, oldest := range map[string]int{"usage_calls": 90 * 86400e6, "usage_hours": 200 * 86400e6, "usage_days": 300 * 86400e6} {
			unit := map[string]string{"usage_calls": "1", "usage_hours": "3600000000", "usage_days": "86400000000"}[table]
			n, err := s.Number("SELECT CAST(MIN(at) * CAST(" + unit + " AS BIGINT) AS BIGINT) FROM " + table)
			must(t, err)
			if cut := int(now.Truncate(24*time.Hour).UnixMicro()) - oldest; n < cut || n > cut+10*86400e6 {
				t.Errorf("%s begins at %v", table, time.UnixMicro(int64(n)))
			}
		}
		balanced(t, s)
		must(t, s.InsertUsage(t.Context(), someCalls(w, w.Default, now.AddDate(0, 0, -95)))) // an old journal turned up
		balanced(t, s)
	})
}

func TestKeysRememberTheirLastUseWithTheRecords(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		key, _ := w.Key(w.Default, secret.Pepper{})
		record := func(after time.Duration, code string) usage.Record {
			return usage.Record{Call: ident.NewCall(), At: storetest.Start.Add(after), Account: w.Account.ID, Workspace: w.Default, Key: key.ID, Code: code}
		}
		for _, c := range []struct {
			records []usage.Record
			want    time.Duration
		}{
			{[]usage.Record{record(2*time.Hour, ""), record(time.Hour, "")}, 2 * time.Hour},
			{[]usage.Record{record(3*time.Hour, "Refused")}, 2 * time.Hour},
			{[]usage.Record{record(time.Hour, "")}, 2 * time.Hour},
			{[]usage.Record{record(2*time.Hour+apikey.UseKnown-time.Second, "")}, 2 * time.Hour},
			{[]usage.Record{record(2*time.Hour+apikey.UseKnown, "")}, 2*time.Hour + apikey.UseKnown},
			{[]usage.Record{record(4*time.Hour, "")}, 4 * time.Hour},
		} {
			must(t, s.InsertUsage(t.Context(), c.records))
			k, err := s.Key(t.Context(), w.Default, key.ID)
			must(t, err)
			if got := k.LastUsedAt.Sub(storetest.Start); got != c.want {
				t.Errorf("last used after %v, want %v", got, c.want)
			}
		}
	})
}

func TestCallsThatWereKeptBeforeAreInTheSumsAfterTheMigration(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s := storetest.Open(t, c)
		w := storetest.NewWorld(t, s, "acme")
		key, _ := w.Key(w.Default, secret.Pepper{})
		at := storetest.Start
		var rows [][]any
		calls := map[ident.Call]bool{}
		for i := range 300 {
			id, code := ident.NewCall(), ""
			if i%10 == 0 {
				code = "Model.AccessDenied"
			}
			calls[id] = true
			k := string(key.ID)
			if i%7 == 0 {
				k = "key-that-is-gone"
			}
			rows = append(rows, []any{string(id), at.Add(time.Duration(i) * 7 * time.Hour).UnixMicro(), string(w.Account.ID), string(w.Default), k, fmt.Sprint("m", i%3), "openai", "prv",
				i, 2 * i, 0, 1, 1 + i%3, 200, code, i%2 == 0, int64(i) * 1e8, int64(1000)})
		}
		must(t, s.Unbook(rows...))
		again := storetest.Open(t, c)
		balanced(t, again)
		page, _, err := again.Usage(t.Context(), w.Account.ID, usage.Filter{Workspace: w.Default}, usage.Page{Limit: 1000})
		must(t, err)
		for _, r := range page {
			if !calls[r.Call] || r.Key == key.ID && r.Member != w.Root.ID || r.Key != key.ID && r.Member != "" || r.Output != 2*r.Input || r.Source == usage.Nothing {
				t.Fatalf("%+v", r)
			}
		}
		sums, err := again.UsageSums(t.Context(), w.Account.ID, usage.Query{})
		must(t, err)
		if len(page) != 300 || len(sums) != 1 || sums[0].Calls != 300 || sums[0].Failed != 30 || sums[0].Input != 299*300/2 {
			t.Fatalf("%d calls, sums %+v", len(page), sums)
		}
	})
}
