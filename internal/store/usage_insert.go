package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// usageRow is a call as it is kept: small, and made of numbers.
type usageRow struct {
	At        stamp
	Cost      int64
	Place     int64
	Series    int64
	Input     int
	Output    int
	Cached    int
	Reasoning int
	Duration  int64  // microseconds
	FirstByte int64  // microseconds
	Call      []byte `gorm:"column:call_id"`
}

var usageSources = []usage.Source{usage.Nothing, usage.FromProvider, usage.Counted, usage.Estimated}

// hour and day are the lengths of the periods that sums are kept for.
const (
	hour = stamp(time.Hour / time.Microsecond)
	day  = 24 * hour
)

func micros(d time.Duration) int64 { return int64(small(int(d.Microseconds()))) }

// seriesOf is what the record shares with others. It accepts everything: a
// record that could not be kept would hold up those behind it.
func seriesOf(place int64, r usage.Record) usageSeries {
	return usageSeries{
		Place: place, Key: ident.Key(clip(string(r.Key), 64)), Member: ident.User(clip(string(r.Member), 64)), Model: ident.Model(clip(string(r.Model), 128)),
		Provider: ident.Provider(clip(string(r.Provider), 64)), Dialect: clip(r.Dialect, 32), Stream: r.Stream,
		Source: max(0, slices.Index(usageSources, r.Source)), Status: min(small(r.Status), 9999), Code: clip(r.Code, 128),
		Currency: clip(r.Currency, 8), PriceVersion: r.PriceVersion,
	}
}

// InsertUsage implements usage.Books.
func (s *Store) InsertUsage(ctx context.Context, records []usage.Record) error {
	if len(records) == 0 {
		return nil
	}
	words := s.words.begin()
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		rows, err := words.rows(tx, records)
		if err != nil {
			return err
		}
		fresh, err := insertCalls(tx, rows)
		if err != nil || len(fresh) == 0 {
			return err
		}
		if err := addSums(tx, "usage_hours", hour, fresh); err != nil {
			return err
		}
		if err := addSums(tx, "usage_days", day, fresh); err != nil {
			return err
		}
		return noteUse(tx, records)
	})
	if err == nil {
		s.words.commit(words)
	}
	return explain(err, "usage")
}

const callColumns = "at, cost, place, series, input, output, cached, reasoning, duration, first_byte, call_id"

// insertCalls keeps rows and gives those that were not there yet. They are kept
// in the order of the index, so that two processes never wait for each other.
func insertCalls(tx *gorm.DB, rows []usageRow) (fresh []usageRow, err error) {
	slices.SortStableFunc(rows, compareCalls)
	rows = slices.CompactFunc(rows, func(a, b usageRow) bool { return compareCalls(a, b) == 0 })
	for piece := range slices.Chunk(rows, 250) {
		args := make([]any, 0, 11*len(piece))
		for _, r := range piece {
			args = append(args, r.At, r.Cost, r.Place, r.Series, r.Input, r.Output, r.Cached, r.Reasoning, r.Duration, r.FirstByte, r.Call)
		}
		var added []struct {
			Call []byte `gorm:"column:call_id"`
		}
		err := tx.Raw("INSERT INTO usage_calls ("+callColumns+") VALUES "+tuples(len(piece), 11)+" ON CONFLICT DO NOTHING RETURNING call_id", args...).Scan(&added).Error
		if err != nil {
			return nil, err
		}
		if len(added) == len(piece) {
			fresh = append(fresh, piece...)
			continue
		}
		has := make(map[string]bool, len(added))
		for _, a := range added {
			has[string(a.Call)] = true
		}
		for _, r := range piece {
			if has[string(r.Call)] {
				fresh = append(fresh, r)
			}
		}
	}
	return fresh, nil
}

func compareCalls(a, b usageRow) int {
	return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.At, b.At), cmp.Compare(string(a.Call), string(b.Call)))
}

// tuples are the placeholders of some rows.
func tuples(rows, columns int) string {
	one := "(?" + strings.Repeat(",?", columns-1) + ")"
	return one + strings.Repeat(","+one, rows-1)
}

type sumKey struct {
	place  int64
	at     stamp
	series int64
}

type sumFigures struct{ calls, input, output, cached, reasoning, cost int64 }

// addSums adds rows to the sums of their periods.
func addSums(tx *gorm.DB, table string, period stamp, rows []usageRow) error {
	sums := map[sumKey]sumFigures{}
	for _, r := range rows {
		k := sumKey{r.Place, r.At / period, r.Series}
		f := sums[k]
		sums[k] = sumFigures{f.calls + 1, f.input + int64(r.Input), f.output + int64(r.Output), f.cached + int64(r.Cached), f.reasoning + int64(r.Reasoning), f.cost + r.Cost}
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.at, b.at), cmp.Compare(a.series, b.series))
	})
	for piece := range slices.Chunk(keys, 250) {
		args := make([]any, 0, 9*len(piece))
		for _, k := range piece {
			f := sums[k]
			args = append(args, k.place, k.at, k.series, f.calls, f.input, f.output, f.cached, f.reasoning, f.cost)
		}
		if err := tx.Exec(`INSERT INTO `+table+` AS t (place, at, series, calls, input, output, cached, reasoning, cost) VALUES `+tuples(len(piece), 9)+`
			ON CONFLICT (place, at, series) DO UPDATE SET calls = t.calls + excluded.calls, input = t.input + excluded.input, output = t.output + excluded.output,
			cached = t.cached + excluded.cached, reasoning = t.reasoning + excluded.reasoning, cost = t.cost + excluded.cost`, args...).Error; err != nil {
			return err
		}
	}
	return nil
}

// usedEvery is how exactly the last use of a key is known.
const usedEvery = stamp(time.Minute / time.Microsecond)

// noteUse keeps when keys were last used with success.
func noteUse(tx *gorm.DB, records []usage.Record) error {
	used := map[ident.Key]stamp{}
	for _, r := range records {
		if r.Key != "" && r.Code == "" {
			used[r.Key] = max(used[r.Key], stampOf(r.At))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(used)) {
		if _, err := exec(tx, "UPDATE keys SET last_used = ? WHERE id = ? AND last_used <= ?", used[id], clip(string(id), 64), used[id]-usedEvery); err != nil {
			return err
		}
	}
	return nil
}
