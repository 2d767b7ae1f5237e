package store

import "gorm.io/gorm"

// factors gives users second factors, sessions a half-way state and the moment
// somebody last proved who they are, and accounts the rule of who needs a factor.
func factors(tx *gorm.DB) error { return run(tx, factorTables) }

var factorTables = []string{
	`ALTER TABLE users ADD COLUMN has_factor BOOLEAN NOT NULL DEFAULT FALSE`, // as the tables below say
	`ALTER TABLE users ADD COLUMN remind_after BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE accounts ADD COLUMN require_factor TEXT NOT NULL DEFAULT 'nobody' CHECK (require_factor IN ('nobody', 'administrators', 'everybody'))`,
	`ALTER TABLE sessions ADD COLUMN pending_id TEXT NOT NULL DEFAULT ''`, // of the user whose password was right, and whose second factor is missing
	`ALTER TABLE sessions ADD COLUMN proved BIGINT NOT NULL DEFAULT 0`,
	`CREATE INDEX sessions_by_pending ON sessions (pending_id)`,
	// Authenticator apps: the seed is sealed.
	`CREATE TABLE authenticators (
		user_id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL,
		seed BYTES NOT NULL,
		step BIGINT NOT NULL,
		created BIGINT NOT NULL,
		FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
	)`,
	`CREATE TABLE passkeys (
		id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL,
		user_id TEXT NOT NULL,
		name TEXT NOT NULL,
		credential BYTES NOT NULL UNIQUE,
		record TEXT NOT NULL,
		created BIGINT NOT NULL,
		used BIGINT NOT NULL,
		challenge BIGINT NOT NULL,
		FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
	)`,
	`CREATE INDEX passkeys_of_user ON passkeys (user_id, created, id)`,
	// Recovery codes that were not used yet.
	`CREATE TABLE recovery_codes (
		user_id TEXT NOT NULL,
		account_id TEXT NOT NULL,
		digest BYTES NOT NULL CHECK (length(digest) = 32),
		PRIMARY KEY (user_id, digest),
		FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
	)`,
}
