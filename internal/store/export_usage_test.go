package store

import (
	"strings"

	"gorm.io/gorm"
)

// Unbook makes usage again what it was before it had sums, and keeps these rows:
// the columns are those of the first table, in its order.
func (s *Store) Unbook(rows ...[]any) error {
	return s.write.Transaction(func(tx *gorm.DB) error {
		statements := []string{"DELETE FROM migrations WHERE id LIKE '%_books'"}
		for _, table := range []string{"usage_places", "usage_series", "usage_calls", "usage_hours", "usage_days", "usage_since"} {
			statements = append(statements, "DROP TABLE "+table)
		}
		for _, text := range beginTables {
			if strings.Contains(text, "CREATE TABLE usage ") || strings.Contains(text, "ON usage ") {
				statements = append(statements, text)
			}
		}
		if err := run(tx, statements); err != nil {
			return err
		}
		for _, r := range rows {
			if err := tx.Exec("INSERT INTO usage VALUES "+tuples(1, len(r)), r...).Error; err != nil {
				return err
			}
		}
		return nil
	})
}
