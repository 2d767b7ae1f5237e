package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/apikey"
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
	for _, b := range []*bulk{&s.calls, &s.hours, &s.days} {
		if err := b.prepare(ctx, s.write); err != nil {
			return explain(err, "usage")
		}
	}
	err := s.insertUsage(ctx, records, s.allCalls)
	if errors.Is(err, errSome) {
		err = s.insertUsage(ctx, records, freshCalls)
	}
	return explain(err, "usage")
}

func (s *Store) insertUsage(ctx context.Context, records []usage.Record, insert func(*gorm.DB, []usageRow) ([]usageRow, error)) error {
	words := s.words.begin()
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		rows, err := words.rows(tx, records)
		if err != nil {
			return err
		}
		fresh, err := insert(tx, inOrder(rows))
		if err != nil || len(fresh) == 0 {
			return err
		}
		if err := addSums(tx, &s.hours, hour, fresh); err != nil {
			return err
		}
		if err := addSums(tx, &s.days, day, fresh); err != nil {
			return err
		}
		return words.noteUse(tx, records)
	})
	if err == nil {
		s.words.commit(words)
	}
	return err
}

const callColumns = "at, cost, place, series, input, output, cached, reasoning, duration, first_byte, call_id"

func (r usageRow) values(args []any) []any {
	return append(args, int64(r.At), r.Cost, r.Place, r.Series, int64(r.Input), int64(r.Output), int64(r.Cached), int64(r.Reasoning), r.Duration, r.FirstByte, r.Call)
}

func newCalls() bulk {
	return bulk{columns: 11, text: func(tuples string) string {
		return "INSERT INTO usage_calls (" + callColumns + ") VALUES " + tuples + " ON CONFLICT DO NOTHING"
	}}
}

// inOrder puts rows into the order of the index, so that two processes never
// wait for each other, and leaves each call once.
func inOrder(rows []usageRow) []usageRow {
	slices.SortStableFunc(rows, compareCalls)
	return slices.CompactFunc(rows, func(a, b usageRow) bool { return compareCalls(a, b) == 0 })
}

func compareCalls(a, b usageRow) int {
	return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.At, b.At), bytes.Compare(a.Call, b.Call))
}

// errSome ends a transaction in which some rows were there already.
var errSome = errors.New("some of these calls are kept already")

// allCalls keeps rows none of which is there yet, which is what nearly always is.
func (s *Store) allCalls(tx *gorm.DB, rows []usageRow) ([]usageRow, error) {
	taken, err := s.calls.insert(tx, len(rows), func(args []any, i int) []any { return rows[i].values(args) })
	if err == nil && taken < int64(len(rows)) {
		err = errSome
	}
	return rows, err
}

// freshCalls keeps rows and gives those that were not there yet.
func freshCalls(tx *gorm.DB, rows []usageRow) (fresh []usageRow, err error) {
	for piece := range slices.Chunk(rows, 250) {
		args := make([]any, 0, 11*len(piece))
		for _, r := range piece {
			args = r.values(args)
		}
		var added []struct {
			Call []byte `gorm:"column:call_id"`
		}
		if err := tx.Raw("INSERT INTO usage_calls ("+callColumns+") VALUES "+tuples(len(piece), 11)+" ON CONFLICT DO NOTHING RETURNING call_id", args...).Scan(&added).Error; err != nil {
			return nil, err
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

func newSums(table string) bulk {
	return bulk{columns: 9, text: func(tuples string) string {
		return `INSERT INTO ` + table + ` AS t (place, at, series, calls, input, output, cached, reasoning, cost) VALUES ` + tuples + `
			ON CONFLICT (place, at, series) DO UPDATE SET calls = t.calls + excluded.calls, input = t.input + excluded.input, output = t.output + excluded.output,
			cached = t.cached + excluded.cached, reasoning = t.reasoning + excluded.reasoning, cost = t.cost + excluded.cost`
	}}
}

// addSums adds rows to the sums of their periods.
func addSums(tx *gorm.DB, table *bulk, period stamp, rows []usageRow) error {
	sums := map[sumKey]sumFigures{}
	var k sumKey
	var f sumFigures
	for _, r := range rows { // those of one place and time follow each other
		if next := (sumKey{r.Place, r.At / period, r.Series}); next != k {
			sums[k] = f
			k, f = next, sums[next]
		}
		f = sumFigures{f.calls + 1, f.input + int64(r.Input), f.output + int64(r.Output), f.cached + int64(r.Cached), f.reasoning + int64(r.Reasoning), f.cost + r.Cost}
	}
	sums[k] = f
	delete(sums, sumKey{}) // no place has the number 0
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.at, b.at), cmp.Compare(a.series, b.series))
	})
	_, err := table.insert(tx, len(keys), func(args []any, i int) []any {
		k, f := keys[i], sums[keys[i]]
		return append(args, k.place, int64(k.at), k.series, f.calls, f.input, f.output, f.cached, f.reasoning, f.cost)
	})
	return err
}

// usedEvery is how exactly the last use of a key is known.
const usedEvery = stamp(apikey.UseKnown / time.Microsecond)

// noteUse keeps when keys were last used with success, unless it is known that
// this was kept a moment ago.
func (u *wordsUsed) noteUse(tx *gorm.DB, records []usage.Record) error {
	for _, r := range records {
		if r.Key != "" && r.Code == "" {
			u.used[r.Key] = max(u.used[r.Key], stampOf(r.At))
		}
	}
	u.known.mu.Lock()
	maps.DeleteFunc(u.used, func(id ident.Key, at stamp) bool { return at-u.known.used[id] < usedEvery })
	u.known.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(u.used)) {
		n, err := exec(tx, "UPDATE keys SET last_used = ? WHERE id = ? AND last_used <= ?", u.used[id], clip(string(id), 64), u.used[id]-usedEvery)
		if err != nil {
			return err
		}
		if n == 0 { // another server kept it
			delete(u.used, id)
		}
		runtime.Gosched() // as between the pieces of a bulk
	}
	return nil
}
