package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
)

// traffic makes calls as they come: in the order of time, of a few workspaces,
// keys and models at once.
func traffic(w *storetest.World, places []ident.Workspace, at time.Time, count int) []usage.Record {
	records := make([]usage.Record, count)
	for i := range records {
		records[i] = usage.Record{
			Call: ident.NewCall(), At: at.Add(time.Duration(i) * 137 * time.Millisecond), Account: w.Account.ID, Workspace: places[rand.IntN(len(places))],
			Key: ident.Key(fmt.Sprint("key-", rand.IntN(5))), Member: w.Root.ID, Model: ident.Model(fmt.Sprint("model-", rand.IntN(4))), Dialect: "openai", Provider: "prv-1",
			Input: rand.IntN(8000), Output: rand.IntN(1000), Source: usage.FromProvider, Cost: rand.Int64N(20_000), Currency: "CNY", PriceVersion: 3, Status: 200,
			Stream: rand.IntN(2) == 0, Duration: time.Duration(rand.IntN(30_000)) * time.Millisecond, FirstByte: time.Duration(rand.IntN(900)) * time.Millisecond,
		}
	}
	return records
}

func TestAnchor_BodiesNotInListQuery_ACallTakesAtMost200BytesWithItsIndexes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		places := []ident.Workspace{w.Default, w.Workspace("a").ID, w.Workspace("b").ID, w.Workspace("c").ID}
		const batches, each = 50, 400
		began := time.Now()
		for i := range batches {
			must(t, s.InsertUsage(t.Context(), traffic(w, places, storetest.Start.Add(time.Duration(i*each)*137*time.Millisecond), each)))
		}
		took := time.Since(began)
		query := "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE 'usage_calls%' OR name LIKE 'sqlite_autoindex_usage_calls%'"
		if s.Postgres() {
			query = "SELECT pg_total_relation_size('usage_calls')"
		}
		size, err := s.Number(query)
		must(t, err)
		t.Logf("%d bytes and %v a call", size/(batches*each), took/(batches*each))
		if size == 0 || size > 200*batches*each {
			t.Errorf("%d bytes a call", size/(batches*each))
		}
	})
}

// BenchmarkUsagePages asks what the Usage pages ask of a database with
// BAILIWICK_ROWS calls; ten million are what it was made for.
func BenchmarkUsagePages(b *testing.B) {
	rows, err := strconv.Atoi(os.Getenv("BAILIWICK_ROWS"))
	if err != nil {
		rows = 50_000
	}
	for name, open := range map[string]func(testing.TB) *store.Store{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			w := storetest.NewWorld(b, s, "acme")
			fill(b, s, w, rows)
			a, ws := w.Account.ID, w.Default
			month := usage.Filter{From: storetest.Start.AddDate(0, 0, -29), To: storetest.Start.AddDate(0, 0, 1)}
			of := month
			of.Workspace = ws
			rare := of
			rare.Failed, rare.Model = true, "model-3"
			page := func(f usage.Filter) func() error {
				return func() error { _, _, err := s.Usage(b.Context(), a, f, usage.Page{Limit: 50}); return err }
			}
			sums := func(q usage.Query) func() error {
				return func() error { _, err := s.UsageSums(b.Context(), a, q); return err }
			}
			for what, ask := range map[string]func() error{
				"calls of a workspace": page(of), "calls of the account": page(month), "rare calls": page(rare), "rare calls of the account": page(usage.Filter{Failed: true, Key: "key-2"}),
				"a month by model": sums(usage.Query{Filter: of, By: usage.ByModel}), "a month by key and day, account": sums(usage.Query{Filter: month, By: usage.ByKey, Step: usage.Day, Apart: []string{"key-1"}}),
				"a day by hour": sums(usage.Query{Filter: usage.Filter{From: storetest.Start.AddDate(0, 0, -1), To: storetest.Start}, By: usage.ByModel, Step: usage.Hour}),
				"a year":        sums(usage.Query{Filter: usage.Filter{From: storetest.Start.AddDate(-1, 0, 0)}, By: usage.ByMember, Step: usage.Day}),
			} {
				b.Run(what, func(b *testing.B) {
					for b.Loop() {
						if err := ask(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

// fill makes calls of 90 days in the database itself, in the order of time.
func fill(b *testing.B, s *store.Store, w *storetest.World, rows int) {
	b.Helper()
	places := []ident.Workspace{w.Default, w.Workspace("a").ID, w.Workspace("b").ID, w.Workspace("c").ID}
	var first []usage.Record
	for _, p := range places {
		for n := range 50 {
			r := traffic(w, []ident.Workspace{p}, storetest.Start.AddDate(0, 0, 1), 1)[0]
			r.Key, r.Model, r.Stream = ident.Key(fmt.Sprint("key-", n%10)), ident.Model(fmt.Sprint("model-", n/10)), false
			first = append(first, r)
			if n%10 == 0 {
				r.Call, r.Status, r.Code, r.Source = ident.NewCall(), 429, "limit_requests", usage.Nothing
				first = append(first, r)
			}
		}
	}
	must(b, s.InsertUsage(b.Context(), first))
	from := storetest.Start.AddDate(0, 0, -90).UnixMicro()
	step := 90 * 86400 * 1_000_000 / rows
	row := `SELECT %[1]d + CAST(n AS BIGINT) * %[2]d, 5000, s.place, s.id, 1200, 300, 0, 0, 800000, 90000, %[3]s FROM n JOIN usage_series s ON s.id = 1 + CASE WHEN n %% 997 = 0 THEN n / 997 %% %[4]d ELSE CAST(n AS BIGINT) * 7919 %% %[4]d END`
	series, err := s.Number("SELECT COUNT(*) FROM usage_series")
	must(b, err)
	insert := "INSERT INTO usage_calls (at, cost, place, series, input, output, cached, reasoning, duration, first_byte, call_id) "
	if s.Postgres() {
		must(b, s.Exec(insert+"WITH n AS (SELECT generate_series(1, "+strconv.Itoa(rows)+") AS n) "+fmt.Sprintf(row, from, step, "decode(md5(n::text), 'hex')", series)))
	} else {
		must(b, s.Exec("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < "+strconv.Itoa(rows)+") "+insert+fmt.Sprintf(row, from, step, "randomblob(16)", series)))
	}
	for table, period := range map[string]string{"usage_hours": "3600000000", "usage_days": "86400000000"} {
		must(b, s.Exec("INSERT INTO "+table+" (place, at, series, calls, input, output, cached, reasoning, cost) SELECT place, at / "+period+
			", series, COUNT(*), SUM(input), SUM(output), SUM(cached), SUM(reasoning), SUM(cost) FROM usage_calls WHERE at < "+strconv.FormatInt(storetest.Start.UnixMicro(), 10)+" GROUP BY 1, 2, 3"))
	}
	if s.Postgres() {
		must(b, s.Exec("ANALYZE"))
	}
}
