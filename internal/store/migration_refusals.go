package store

import "gorm.io/gorm"

// keepRefusals keeps what the gateway refused for a while, to be explained.
func keepRefusals(tx *gorm.DB) error { return run(tx, refusalsStatements) }

// Refusals have no foreign keys: they outlive what they tell of, and those of
// unknown keys belong to no account.
var refusalsStatements = []string{
	`CREATE TABLE refusals (
		call_id TEXT PRIMARY KEY,
		at BIGINT NOT NULL,
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		key_id TEXT NOT NULL,
		hint TEXT NOT NULL,
		person_id TEXT NOT NULL,
		header TEXT NOT NULL,
		path TEXT NOT NULL,
		host TEXT NOT NULL,
		address TEXT NOT NULL,
		until BIGINT NOT NULL,
		model_id TEXT NOT NULL,
		capability SMALLINT NOT NULL,
		refused SMALLINT NOT NULL,
		made BIGINT NOT NULL,
		version BIGINT NOT NULL,
		status SMALLINT NOT NULL,
		code TEXT NOT NULL
	)`,
	`CREATE INDEX refusals_of_account ON refusals (account_id, at DESC, call_id DESC)`,
	`CREATE INDEX refusals_of_workspace ON refusals (account_id, workspace_id, at DESC, call_id DESC)`,
	`CREATE INDEX refusals_by_age ON refusals (at)`,
}
