package store

import "gorm.io/gorm"

// leaseWork keeps what has to be done in the background. An item's due time is
// also when its lease ends, so that what a dead process left is found by the
// same look into the index.
func leaseWork(tx *gorm.DB) error {
	return run(tx, []string{
		`CREATE TABLE work_items (
		kind TEXT NOT NULL,
		ref TEXT NOT NULL,
		due BIGINT NOT NULL,
		owner TEXT NOT NULL,
		fence BIGINT NOT NULL,
		attempts BIGINT NOT NULL,
		nudged BOOLEAN NOT NULL,
		last_error TEXT NOT NULL,
		PRIMARY KEY (kind, ref)
	)`,
		`CREATE INDEX work_items_by_due ON work_items (kind, due)`,
	})
}
