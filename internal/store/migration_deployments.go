package store

import "gorm.io/gorm"

// deployments makes the tables of deployments, of their moves, and of what is
// charged for beside calls.
func deployments(tx *gorm.DB) error { return run(tx, deploymentTables) }

var deploymentTables = []string{
	`CREATE TABLE deployments (
		id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		name TEXT NOT NULL,
		title TEXT NOT NULL,
		folded TEXT NOT NULL,
		model_id TEXT NOT NULL,
		base_id TEXT NOT NULL,
		tuned_id TEXT NOT NULL,
		provider_id TEXT NOT NULL,
		demo BOOLEAN NOT NULL,
		engine TEXT NOT NULL UNIQUE,
		calls TEXT NOT NULL,
		handle TEXT NOT NULL,
		capacity BIGINT NOT NULL CHECK (capacity BETWEEN 0 AND 999),
		capacity_before BIGINT NOT NULL,
		ready BIGINT NOT NULL,
		requests BIGINT NOT NULL,
		tokens BIGINT NOT NULL,
		state TEXT NOT NULL CHECK (state IN ('pending', 'deploying', 'running', 'updating', 'degraded', 'stopped', 'failed', 'deleting')),
		reason TEXT NOT NULL,
		desired BIGINT NOT NULL,
		observed BIGINT NOT NULL CHECK (observed <= desired),
		price BIGINT NOT NULL,
		currency TEXT NOT NULL,
		created BIGINT NOT NULL,
		created_by TEXT NOT NULL,
		creator TEXT NOT NULL,
		by_key TEXT NOT NULL,
		updated BIGINT NOT NULL,
		up_since BIGINT NOT NULL,
		booked BIGINT NOT NULL,
		version BIGINT NOT NULL,
		UNIQUE (account_id, name),
		UNIQUE (account_id, id),
		CHECK ((up_since <> 0) = (state IN ('running', 'updating', 'degraded'))),
		FOREIGN KEY (account_id, workspace_id) REFERENCES workspaces (account_id, id)
	)`,
	`CREATE INDEX deployments_by_time ON deployments (workspace_id, created, id)`,
	`CREATE INDEX deployments_by_base ON deployments (account_id, base_id)`,
	`CREATE INDEX deployments_by_tuned ON deployments (account_id, tuned_id) WHERE tuned_id <> ''`,
	`CREATE INDEX deployments_by_provider ON deployments (account_id, provider_id)`,
	`CREATE TABLE deployment_moves (
		account_id TEXT NOT NULL,
		deployment_id TEXT NOT NULL,
		number BIGINT NOT NULL,
		at BIGINT NOT NULL,
		from_state TEXT NOT NULL,
		to_state TEXT NOT NULL,
		reason TEXT NOT NULL,
		PRIMARY KEY (account_id, deployment_id, number),
		FOREIGN KEY (account_id, deployment_id) REFERENCES deployments (account_id, id) ON DELETE CASCADE
	)`,
	// What is charged for beside calls, by the hour: seconds that replicas of a
	// deployment were up, and tokens that a training learnt from. It stays when
	// what it came of goes.
	`CREATE TABLE bookings (
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		kind TEXT NOT NULL CHECK (kind IN ('deployment', 'training')),
		ref TEXT NOT NULL,
		hour BIGINT NOT NULL,
		model_id TEXT NOT NULL,
		base_id TEXT NOT NULL,
		provider_id TEXT NOT NULL,
		quantity BIGINT NOT NULL,
		cost BIGINT NOT NULL,
		currency TEXT NOT NULL,
		PRIMARY KEY (account_id, kind, ref, hour)
	)`,
	`CREATE INDEX bookings_by_hour ON bookings (account_id, workspace_id, hour)`,
}
