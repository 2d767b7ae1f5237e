package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/work"
)

// Ask makes an item due, as a change of something else does.
func (s *Store) Ask(ctx context.Context, k work.Kind, ref string) error {
	return s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return ask(tx, k, ref) })
}

// Fenced writes under a lease, as a worker does.
func (s *Store) Fenced(ctx context.Context, l work.Lease, statement string) error {
	return s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := fenced(tx, l); err != nil {
			return err
		}
		return tx.Exec(statement).Error
	})
}
