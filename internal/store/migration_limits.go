package store

import "gorm.io/gorm"

// limitCalls keeps the limits of workspaces, how many calls may run at once, and
// which servers keep limits together.
func limitCalls(tx *gorm.DB) error { return run(tx, limitStatements) }

var limitStatements = []string{
	`ALTER TABLE accounts ADD COLUMN key_calls BIGINT NOT NULL DEFAULT 512 CHECK (key_calls >= 0)`,
	`ALTER TABLE accounts ADD COLUMN workspace_calls BIGINT NOT NULL DEFAULT 2048 CHECK (workspace_calls >= 0)`,
	// A period of 0 is no limit.
	`CREATE TABLE limits (
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		model_id TEXT NOT NULL,
		requests BIGINT NOT NULL CHECK (requests >= 0),
		request_period BIGINT NOT NULL CHECK (request_period >= 0),
		tokens BIGINT NOT NULL CHECK (tokens >= 0),
		token_period BIGINT NOT NULL CHECK (token_period >= 0),
		set_at BIGINT NOT NULL,
		set_by TEXT NOT NULL,
		version BIGINT NOT NULL,
		PRIMARY KEY (workspace_id, model_id),
		CHECK (token_period = 0 OR request_period > 0),
		FOREIGN KEY (account_id, workspace_id) REFERENCES workspaces (account_id, id),
		FOREIGN KEY (account_id, model_id) REFERENCES models (account_id, id)
	)`,
	`CREATE INDEX limits_by_model ON limits (account_id, model_id)`,
	`CREATE TABLE replicas (
		id TEXT PRIMARY KEY,
		seen BIGINT NOT NULL
	)`,
}
