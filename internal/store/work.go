package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/work"
)

var _ work.Store = (*Store)(nil)

// clockOf is the database's clock in microseconds since 1970: the one clock of
// all who lease work, wherever they run.
func clockOf(tx *gorm.DB) string {
	if postgresql(tx) {
		return "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT"
	}
	return "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
}

// ask makes an item of work due at once, in the transaction of the change that
// makes it necessary. One that is leased is due again as soon as it is given
// back, and its worker is nudged.
func ask(tx *gorm.DB, k work.Kind, ref string) error {
	now := clockOf(tx)
	return tx.Exec(`INSERT INTO work_items (kind, ref, due, owner, fence, attempts, nudged, last_error) VALUES (?, ?, `+now+`, '', 0, 0, ?, '')
		ON CONFLICT (kind, ref) DO UPDATE SET nudged = (work_items.owner <> ''), attempts = 0,
			due = CASE WHEN work_items.owner = '' THEN excluded.due ELSE work_items.due END`, k, ref, false).Error
}

// fenced makes sure, in the transaction of what a worker writes, that its lease
// still stands. The item stays locked until the transaction ends.
func fenced(tx *gorm.DB, l work.Lease) error {
	return held(exec(tx, "UPDATE work_items SET fence = fence WHERE kind = ? AND ref = ? AND owner = ? AND fence = ?", l.Kind, l.Ref, l.Owner, l.Fence))
}

func held(rows int64, err error) error {
	if err == nil && rows == 0 {
		return work.ErrLost
	}
	return err
}

// ClaimWork implements work.Store.
func (s *Store) ClaimWork(ctx context.Context, k work.Kind, owner string, ttl time.Duration) (l work.Lease, found bool, err error) {
	now, lock := clockOf(s.write), ""
	if postgresql(s.write) {
		lock = " FOR UPDATE SKIP LOCKED"
	} else if due, err := there[workRow](ctx, s.read, "kind = ? AND due <= "+now, k); err != nil || !due {
		return l, false, err // looking does not wait for those who write
	}
	var rows []workRow
	err = s.write.WithContext(ctx).Raw(`UPDATE work_items SET owner = ?, fence = fence + 1, nudged = ?, due = `+now+` + ?
		WHERE kind = ? AND ref = (SELECT ref FROM work_items WHERE kind = ? AND due <= `+now+` ORDER BY due LIMIT 1`+lock+`)
		RETURNING kind, ref, owner, fence, attempts`, owner, false, ttl.Microseconds(), k, k).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return l, false, err
	}
	r := rows[0]
	return work.Lease{Kind: r.Kind, Ref: r.Ref, Owner: r.Owner, Fence: r.Fence, Attempts: r.Attempts}, true, nil
}

type workRow struct {
	Kind     work.Kind
	Ref      string
	Owner    string
	Fence    int64
	Attempts int
	Nudged   bool
}

func (workRow) TableName() string { return "work_items" }

const underLease = " WHERE kind = ? AND ref = ? AND owner = ? AND fence = ?"

// RenewWork implements work.Store.
func (s *Store) RenewWork(ctx context.Context, l work.Lease, ttl time.Duration) (nudged bool, err error) {
	err = s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		err := held(exec(tx, "UPDATE work_items SET due = "+clockOf(tx)+" + ?"+underLease, ttl.Microseconds(), l.Kind, l.Ref, l.Owner, l.Fence))
		if err != nil {
			return err
		}
		n, err := exec(tx, "UPDATE work_items SET nudged = ?"+underLease+" AND nudged = ?", false, l.Kind, l.Ref, l.Owner, l.Fence, true)
		nudged = n > 0
		return err
	})
	return nudged, err
}

// PutBackWork implements work.Store.
func (s *Store) PutBackWork(ctx context.Context, l work.Lease, after time.Duration, cause error) error {
	attempts, why := 0, ""
	if cause != nil {
		attempts, why = l.Attempts+1, clip(cause.Error(), 2000)
	}
	tx := s.write.WithContext(ctx)
	return held(exec(tx, `UPDATE work_items SET owner = '', due = CASE WHEN nudged THEN `+clockOf(tx)+` ELSE `+clockOf(tx)+` + ? END,
		nudged = ?, attempts = ?, last_error = ?`+underLease, after.Microseconds(), false, attempts, why, l.Kind, l.Ref, l.Owner, l.Fence))
}

// FinishWork implements work.Store.
func (s *Store) FinishWork(ctx context.Context, l work.Lease) error {
	return s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		n, err := exec(tx, "DELETE FROM work_items"+underLease+" AND NOT nudged", l.Kind, l.Ref, l.Owner, l.Fence)
		if err != nil || n > 0 {
			return err
		}
		return held(exec(tx, "UPDATE work_items SET owner = '', attempts = 0, nudged = ?, due = "+clockOf(tx)+underLease, false, l.Kind, l.Ref, l.Owner, l.Fence))
	})
}
