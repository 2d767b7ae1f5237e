package usage

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"bailiwick/internal/ident"
)

// Retention is the moment before which each part of the books is purged; zero:
// never.
type Retention struct{ Calls, Hours, Days time.Time }

// Difference is where two parts of the books do not say the same of one series
// of calls: the first less the second.
type Difference struct {
	Account                                       ident.Account
	Workspace                                     ident.Workspace
	At                                            time.Time // when the hour or day begins
	What                                          string    // which two parts
	Series                                        int64
	Calls, Input, Output, Cached, Reasoning, Cost int64
}

// Keeping is what the keeper needs of storage.
type Keeping interface {
	// PurgeUsage deletes some of what is older, whole days only, and notes how
	// far it is. Nothing purged: it is through.
	PurgeUsage(ctx context.Context, before Retention) (purged int64, err error)
	// VerifyUsage compares calls with hours and hours with days, as far as they
	// were not purged, and gives every difference. From, if not zero, is where it begins.
	VerifyUsage(ctx context.Context, from time.Time, each func(Difference)) error
}

// Keeper purges what is old, and looks every hour whether the books of the last
// days balance.
type Keeper struct {
	Books Keeping
	// How many days calls and their sums by hour and day are kept; 0: for ever.
	Calls, Hours, Days int
	Now                func() time.Time

	found atomic.Int64
}

// Differences is how many the last look at the last days found.
func (k *Keeper) Differences() int64 { return k.found.Load() }

// Run keeps the books until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := k.Once(ctx); err != nil && ctx.Err() == nil {
			slog.Error("usage could not be kept in order, trying again in an hour", "err", err)
		}
	}
}

// Once purges and looks one time.
func (k *Keeper) Once(ctx context.Context) error {
	for {
		n, err := k.Books.PurgeUsage(ctx, Retention{k.before(k.Calls), k.before(k.Hours), k.before(k.Days)})
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		select { // others want to write too
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	found := int64(0)
	err := k.Books.VerifyUsage(ctx, k.Now().AddDate(0, 0, -2), func(Difference) { found++ })
	if err == nil {
		k.found.Store(found)
	}
	if found > 0 {
		slog.Error("the books do not balance: run bailiwick verify-books", "differences", found)
	}
	return err
}

func (k *Keeper) before(days int) time.Time {
	if days == 0 {
		return time.Time{}
	}
	return k.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
}
