// Package work hands out what has to be done in the background, so that it is
// done by one process at a time and goes on with another when that one dies.
//
// An item is leased for a while, and its lease is renewed while it is worked on.
// Each lease has a number, the fence, which grows: whatever is written for the
// work is written in one transaction with the check that the fence still
// stands. So a worker that was given up, and does not know it yet, changes
// nothing any more.
package work

import (
	"context"
	"errors"
	"time"
)

// Kind is a sort of work, such as "training".
type Kind string

// Lease is leave to work on one item.
type Lease struct {
	Kind     Kind
	Ref      string // what is to be worked on; there is one item for each
	Owner    string // who holds it
	Fence    int64
	Attempts int // times in a row that it ended in an error before this one
}

// ErrLost means that a lease is another's by now, or the item is gone: stop, and
// write nothing.
var ErrLost = errors.New("the lease of this work is lost")

// Store keeps the items. Its clock is the database's where several machines share it.
type Store interface {
	// ClaimWork leases the item of a kind that has been due for longest; false: none is due.
	ClaimWork(ctx context.Context, k Kind, owner string, ttl time.Duration) (Lease, bool, error)
	// RenewWork holds a lease for longer, and says whether somebody asked for the
	// item since it was last asked; ErrLost when it is lost.
	RenewWork(ctx context.Context, l Lease, ttl time.Duration) (nudged bool, err error)
	// PutBackWork ends a lease and makes the item due after a while, or at once if
	// somebody asked for it meanwhile; a cause counts as an attempt that failed and
	// is kept for operators. ErrLost when it is lost.
	PutBackWork(ctx context.Context, l Lease, after time.Duration, cause error) error
	// FinishWork ends a lease and removes the item; if somebody asked for it
	// meanwhile, it is due at once instead. ErrLost when it is lost.
	FinishWork(ctx context.Context, l Lease) error
}
