package policy

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Source is where the world is kept.
type Source interface {
	// Facts gives the present state of everything that changed after a version;
	// version 0 asks for everything.
	Facts(ctx context.Context, after int64) (Facts, error)
}

// Poll is how often a keeper looks for changes that other processes made.
const Poll = 250 * time.Millisecond

// Keeper holds the present snapshot and brings it up to date.
type Keeper struct {
	source  Source
	present atomic.Pointer[Snapshot]
	refresh sync.Mutex
	checked atomic.Pointer[time.Time] // when the snapshot was last known to be the present state
}

// NewKeeper loads the world and keeps it.
func NewKeeper(ctx context.Context, source Source) (*Keeper, error) {
	k := &Keeper{source: source}
	k.present.Store(&Snapshot{})
	return k, k.Refresh(ctx)
}

// Now gives the present snapshot. It takes no lock and asks no database.
func (k *Keeper) Now() *Snapshot { return k.present.Load() }

// Age is for how long the snapshot has not been known to be the present state,
// because the database does not answer or this process was stopped. It is told
// at the moment of use, so that it holds after a pause of the whole process too.
func (k *Keeper) Age(at time.Time) time.Duration { return at.Sub(*k.checked.Load()) }

// Refresh brings the snapshot up to what is committed. It is called after each
// change of this process, before the change is answered, so that the change
// counts from then on.
func (k *Keeper) Refresh(ctx context.Context) error {
	k.refresh.Lock()
	defer k.refresh.Unlock()
	old, asked := k.present.Load(), time.Now()
	f, err := k.source.Facts(ctx, old.version)
	if err != nil {
		return err
	}
	k.checked.Store(&asked)
	if f.Version > old.version {
		k.present.Store(old.With(f))
	}
	return nil
}

// Run polls for changes that other processes made, until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := k.Refresh(ctx); err != nil && ctx.Err() == nil {
				slog.Error("the policy could not be brought up to date, trying again", "err", err)
			}
		}
	}
}
