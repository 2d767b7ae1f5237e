package store

import "gorm.io/gorm"

// keysToTheEnd lets keys be reset with an overlap, limits them by a setting, and
// makes every order of their lists an index.
func keysToTheEnd(tx *gorm.DB) error { return run(tx, keysStatements) }

var keysStatements = []string{
	`ALTER TABLE accounts ADD COLUMN key_limit BIGINT NOT NULL DEFAULT 50 CHECK (key_limit >= 0)`,
	`ALTER TABLE keys ADD COLUMN previous BYTES CHECK (length(previous) = 32)`,
	`ALTER TABLE keys ADD COLUMN previous_until BIGINT NOT NULL DEFAULT 0`,
	`CREATE INDEX keys_of_account_by_use ON keys (account_id, last_used DESC, id DESC)`,
	`CREATE INDEX keys_of_workspace_by_use ON keys (workspace_id, last_used DESC, id DESC)`,
	// A key that never expires stands behind all that do.
	`CREATE INDEX keys_of_account_by_expiry ON keys (account_id, (` + lasts + `), id)`,
	`CREATE INDEX keys_of_workspace_by_expiry ON keys (workspace_id, (` + lasts + `), id)`,
	`CREATE INDEX keys_of_account_disabled ON keys (account_id, created DESC, id DESC) WHERE disabled <> 0`,
	`CREATE INDEX keys_of_workspace_disabled ON keys (workspace_id, created DESC, id DESC) WHERE disabled <> 0`,
}

// lasts is when a key ends, as lists are sorted by it. It is written in the
// queries as it is in the indexes.
const lasts = "CASE WHEN expires = 0 THEN 9223372036854775807 ELSE expires END"
