package store

import "gorm.io/gorm"

// strandKeys notes on each key whether it is stranded, so that a few such keys
// are found among a hundred thousand, and finds disabled users as fast.
func strandKeys(tx *gorm.DB) error {
	return run(tx, []string{
		`ALTER TABLE keys ADD COLUMN stranded SMALLINT NOT NULL DEFAULT 0 CHECK (stranded IN (0, 1))`,
		setStranded + ` WHERE 1 = 1`,
		`CREATE INDEX keys_of_account_stranded ON keys (account_id, created DESC, id DESC) WHERE stranded <> 0`,
		`CREATE INDEX keys_of_workspace_stranded ON keys (workspace_id, created DESC, id DESC) WHERE stranded <> 0`,
		`CREATE INDEX users_disabled ON users (account_id, log_on) WHERE disabled <> 0`,
	})
}
