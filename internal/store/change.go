package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// kind is what sort of thing a change was made to, as the policy sorts them.
type kind string

const (
	anAccount  kind = "account"
	aUser      kind = "user"
	aWorkspace kind = "workspace"
	aModel     kind = "model"
	aKey       kind = "key"
	aProvider  kind = "provider"
)

const (
	clockSelect  = "SELECT seq FROM clock WHERE id = 1"
	clockTick    = "UPDATE clock SET seq = seq + 1 WHERE id = 1 RETURNING seq"
	changeUpsert = `INSERT INTO change_log (kind, account_id, id, seq) VALUES (?, ?, ?, ?)
		ON CONFLICT (kind, account_id, id) DO UPDATE SET seq = excluded.seq`
)

// thing is something the policy knows of.
type thing struct {
	Kind    kind
	Account ident.Account `gorm:"column:account_id"`
	ID      string
}

func (k kind) of(a ident.Account, ids ...string) []thing {
	things := make([]thing, len(ids))
	for i, id := range ids {
		things[i] = thing{k, a, id}
	}
	return things
}

// deed is what was done: why, and to which things.
type deed struct {
	why     audit.Event
	touched []thing
}

// errUnchanged ends a change that turned out to change nothing. It rolls back
// and is no error to the caller.
var errUnchanged = errors.New("unchanged")

// change keeps a change, the event that explains it and the note of what was
// touched, all of them or none, and then tells the hooks.
func (s *Store) change(ctx context.Context, why audit.Event, touched []thing, do func(tx *gorm.DB) error) error {
	return s.changeAs(ctx, func(tx *gorm.DB) (deed, error) { return deed{why, touched}, do(tx) })
}

// changeAs is change for what is known only once it is done.
func (s *Store) changeAs(ctx context.Context, do func(tx *gorm.DB) (deed, error)) error {
	return s.changes(ctx, func(tx *gorm.DB) ([]deed, error) {
		done, err := do(tx)
		return []deed{done}, err
	})
}

// changes keeps several deeds, all of them or none. Each has a number of its
// own, and an event.
func (s *Store) changes(ctx context.Context, do func(tx *gorm.DB) ([]deed, error)) error {
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		seq, err := tick(tx)
		if err != nil {
			return err
		}
		done, err := do(tx)
		if err != nil {
			return err
		}
		for i, d := range done {
			if i > 0 {
				if seq, err = tick(tx); err != nil {
					return err
				}
			}
			if err := s.note(tx, seq, d); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err == nil {
		s.tellHooks(ctx)
	}
	return err
}

// tick takes the next number of the clock. Its row stays locked until the
// transaction ends, which puts changes in line.
func tick(tx *gorm.DB) (seq int64, err error) {
	err = tx.Raw(clockTick).Scan(&seq).Error
	if err == nil && seq == 0 {
		err = errors.New("the clock has no row")
	}
	return seq, err
}

// note writes the event and what was touched. Its errors are ours: a duplicate
// here is not the caller's.
func (s *Store) note(tx *gorm.DB, seq int64, done deed) error {
	if err := s.chainEvent(tx, seq, done.why); err != nil {
		return fmt.Errorf("audit event: %v", err)
	}
	for _, t := range done.touched {
		if err := tx.Exec(changeUpsert, t.Kind, t.Account, t.ID, seq).Error; err != nil {
			return fmt.Errorf("change log: %v", err)
		}
	}
	return nil
}

// exec runs a statement and says how many rows it touched.
func exec(tx *gorm.DB, statement string, args ...any) (int64, error) {
	done := tx.Exec(statement, args...)
	return done.RowsAffected, done.Error
}

// there reports whether a row with these conditions is there.
func there[T any](ctx context.Context, tx *gorm.DB, where string, args ...any) (bool, error) {
	n, err := of[T](tx).Where(where, args...).Limit(1).Count(ctx)
	return n > 0, err
}
