package store_test

import (
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// BenchmarkInsertUsage is what booking one call costs, of many at once.
func BenchmarkInsertUsage(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			const each = 2000
			s := open(b)
			w := storetest.NewWorld(b, s, "acme")
			at := storetest.Start
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				records := traffic(w, []ident.Workspace{w.Default}, at, each)
				at = at.Add(each * 137 * time.Millisecond)
				b.StartTimer()
				must(b, s.InsertUsage(b.Context(), records))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*each), "ns/call")
		})
	}
}
