package store

import "gorm.io/gorm"

// adminKeys makes room for the keys of the management API, and for what their
// requests were answered.
func adminKeys(tx *gorm.DB) error { return run(tx, adminKeysStatements) }

var adminKeysStatements = []string{
	`CREATE TABLE admin_keys (
		id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL,
		owner_id TEXT NOT NULL,
		name TEXT NOT NULL,
		digest BYTES NOT NULL UNIQUE CHECK (length(digest) = 32),
		hint TEXT NOT NULL,
		networks TEXT,
		created BIGINT NOT NULL,
		expires BIGINT NOT NULL CHECK (expires > 0),
		last_used BIGINT NOT NULL,
		UNIQUE (account_id, id),
		FOREIGN KEY (account_id, owner_id) REFERENCES users (account_id, id)
	)`,
	`CREATE INDEX admin_keys_of_account ON admin_keys (account_id, created DESC, id DESC)`,
	`CREATE INDEX admin_keys_by_owner ON admin_keys (owner_id)`,
	// What a request with an idempotency key was answered, sealed for the admin key
	// that sent it. A foreign key would lock that admin key before the clock.
	`CREATE TABLE admin_claims (
		admin_key_id TEXT NOT NULL,
		mark BYTES NOT NULL CHECK (length(mark) = 32),
		account_id TEXT NOT NULL,
		body BYTES NOT NULL CHECK (length(body) = 32),
		status BIGINT NOT NULL,
		answer BYTES,
		expires BIGINT NOT NULL,
		PRIMARY KEY (admin_key_id, mark)
	)`,
}
