package store

import "gorm.io/gorm"

// nameKeyEditors lets a key say who changed it last, so that whoever edits it at
// the same time can be told.
func nameKeyEditors(tx *gorm.DB) error {
	return run(tx, []string{
		`ALTER TABLE keys ADD COLUMN edited_at BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE keys ADD COLUMN edited_by TEXT NOT NULL DEFAULT ''`,
	})
}
