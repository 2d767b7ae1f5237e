package store

import "gorm.io/gorm"

// keepMetadata makes room for what programs note on their trainings.
func keepMetadata(tx *gorm.DB) error {
	return run(tx, []string{`ALTER TABLE trainings ADD COLUMN metadata TEXT NOT NULL DEFAULT 'null'`})
}
