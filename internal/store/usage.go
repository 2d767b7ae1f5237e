package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// usageRow is lean and accepts everything: a record that could not be kept
// would hold up those behind it.
type usageRow struct {
	Call      ident.Call `gorm:"column:call_id;primaryKey"`
	At        stamp
	Account   ident.Account   `gorm:"column:account_id"`
	Workspace ident.Workspace `gorm:"column:workspace_id"`
	Key       ident.Key       `gorm:"column:key_id"`
	Model     ident.Model     `gorm:"column:model_id"`
	Dialect   string
	Provider  ident.Provider `gorm:"column:provider_id"`
	Input     int
	Output    int
	Cached    int
	Reasoning int
	Source    int // its place in sources
	Status    int
	Code      string
	Stream    bool
	Duration  int64 // microseconds
	FirstByte int64 // microseconds
}

func (usageRow) TableName() string { return "usage" }

var sources = []usage.Source{usage.Nothing, usage.FromProvider, usage.Counted, usage.Estimated}

func usageRowOf(r usage.Record) usageRow {
	return usageRow{
		Call: ident.Call(clip(string(r.Call), 64)), At: stampOf(r.At),
		Account: r.Account, Workspace: r.Workspace, Key: r.Key, Provider: r.Provider,
		Model: ident.Model(clip(string(r.Model), 128)), Dialect: clip(r.Dialect, 32),
		Input: small(r.Input), Output: small(r.Output), Cached: small(r.Cached), Reasoning: small(r.Reasoning),
		Source: max(0, slices.Index(sources, r.Source)), Status: min(small(r.Status), 9999), Code: clip(r.Code, 128),
		Stream: r.Stream, Duration: r.Duration.Microseconds(), FirstByte: r.FirstByte.Microseconds(),
	}
}

func (r usageRow) record() usage.Record {
	return usage.Record{
		Call: r.Call, At: r.At.time(), Account: r.Account, Workspace: r.Workspace, Key: r.Key, Model: r.Model,
		Dialect: r.Dialect, Provider: r.Provider, Input: r.Input, Output: r.Output, Cached: r.Cached, Reasoning: r.Reasoning,
		Source: sources[r.Source], Status: r.Status, Code: r.Code, Stream: r.Stream,
		Duration: time.Duration(r.Duration) * time.Microsecond, FirstByte: time.Duration(r.FirstByte) * time.Microsecond,
	}
}

// InsertUsage implements usage.Store.
func (s *Store) InsertUsage(ctx context.Context, records []usage.Record) error {
	if len(records) == 0 {
		return nil
	}
	rows := make([]usageRow, len(records))
	for i, r := range records {
		rows[i] = usageRowOf(r)
	}
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		return of[usageRow](tx, clause.OnConflict{DoNothing: true}).CreateInBatches(ctx, &rows, 200)
	})
	return explain(err, "usage")
}

// usedEvery is how exactly the last use of a key is known.
const usedEvery = stamp(time.Minute / time.Microsecond)

// KeysUsed implements usage.Store. Keys are taken in order, so that two
// processes never wait for each other.
func (s *Store) KeysUsed(ctx context.Context, at map[ident.Key]time.Time) error {
	if len(at) == 0 {
		return nil
	}
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, id := range slices.Sorted(maps.Keys(at)) {
			used := stampOf(at[id])
			if _, err := exec(tx, "UPDATE keys SET last_used = ? WHERE id = ? AND last_used <= ?", used, id, used-usedEvery); err != nil {
				return err
			}
		}
		return nil
	})
	return explain(err, "API key")
}
