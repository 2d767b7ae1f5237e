package store

import "gorm.io/gorm"

// begin makes the first tables.
func begin(tx *gorm.DB) error {
	if err := run(tx, beginTables); err != nil {
		return err
	}
	if postgresql(tx) {
		return run(tx, beginTriggersPostgres)
	}
	return run(tx, beginTriggersSQLite)
}

// Foreign keys name the account together with the id, so that no row can belong
// to another account than what it refers to. Events and usage have none: they
// outlive what they tell of. Wherever rows are listed there is an index in the
// order of the list.
var beginTables = []string{
	`CREATE TABLE clock (
		id SMALLINT PRIMARY KEY CHECK (id = 1),
		seq BIGINT NOT NULL
	)`,
	`INSERT INTO clock (id, seq) VALUES (1, 0)`,
	// The last change of each thing.
	`CREATE TABLE change_log (
		kind TEXT NOT NULL,
		account_id TEXT NOT NULL,
		id TEXT NOT NULL,
		seq BIGINT NOT NULL,
		PRIMARY KEY (kind, account_id, id)
	)`,
	`CREATE INDEX change_log_by_seq ON change_log (seq)`,
	`CREATE TABLE audit_events (
		seq BIGINT PRIMARY KEY,
		id TEXT NOT NULL UNIQUE,
		at BIGINT NOT NULL,
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		actor_id TEXT NOT NULL,
		actor_name TEXT NOT NULL,
		address TEXT NOT NULL,
		call_id TEXT NOT NULL,
		action TEXT NOT NULL,
		object TEXT NOT NULL,
		summary TEXT NOT NULL,
		detail TEXT NOT NULL
	)`,
	`CREATE INDEX audit_events_by_account ON audit_events (account_id, seq)`,
	`CREATE INDEX audit_events_by_workspace ON audit_events (workspace_id, seq)`,
	`CREATE TABLE accounts (
		id TEXT PRIMARY KEY,
		alias TEXT NOT NULL UNIQUE,
		name TEXT NOT NULL,
		name_workspace BOOLEAN NOT NULL,
		workspace_limit BIGINT NOT NULL CHECK (workspace_limit >= 0),
		workspace_count BIGINT NOT NULL DEFAULT 0 CHECK (workspace_count >= 0),
		created BIGINT NOT NULL,
		version BIGINT NOT NULL
	)`,
	`CREATE TABLE users (
		id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL REFERENCES accounts (id),
		log_on TEXT NOT NULL,
		name TEXT NOT NULL,
		role TEXT NOT NULL CHECK (role IN ('root', 'super', 'regular')),
		password TEXT NOT NULL,
		created BIGINT NOT NULL,
		disabled BIGINT NOT NULL,
		generation BIGINT NOT NULL,
		UNIQUE (account_id, log_on),
		UNIQUE (account_id, id)
	)`,
	`CREATE UNIQUE INDEX users_one_root ON users (account_id) WHERE role = 'root'`,
	`CREATE TABLE workspaces (
		id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL REFERENCES accounts (id),
		name TEXT NOT NULL,
		folded TEXT NOT NULL,
		is_default BOOLEAN NOT NULL,
		call_all BOOLEAN NOT NULL,
		key_count BIGINT NOT NULL DEFAULT 0 CHECK (key_count >= 0),
		created BIGINT NOT NULL,
		version BIGINT NOT NULL,
		UNIQUE (account_id, folded),
		UNIQUE (account_id, id)
	)`,
	`CREATE UNIQUE INDEX workspaces_one_default ON workspaces (account_id) WHERE is_default`,
	`CREATE INDEX workspaces_in_order ON workspaces (account_id, is_default DESC, folded, id)`,
	`CREATE TABLE members (
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		user_id TEXT NOT NULL,
		role TEXT NOT NULL CHECK (role IN ('administrator', 'regular')),
		pages TEXT,
		PRIMARY KEY (workspace_id, user_id),
		FOREIGN KEY (account_id, workspace_id) REFERENCES workspaces (account_id, id),
		FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
	)`,
	`CREATE INDEX members_by_user ON members (user_id)`,
	`CREATE TABLE models (
		account_id TEXT NOT NULL REFERENCES accounts (id),
		id TEXT NOT NULL,
		name TEXT NOT NULL,
		vendor TEXT NOT NULL,
		offers SMALLINT NOT NULL,
		custom BOOLEAN NOT NULL,
		facts TEXT NOT NULL,
		version BIGINT NOT NULL,
		PRIMARY KEY (account_id, id)
	)`,
	// A secret sealed under the master key, to find a wrong key before it is used.
	`CREATE TABLE installation (
		id SMALLINT PRIMARY KEY CHECK (id = 1),
		canary BYTES NOT NULL
	)`,
	// The version of who is authorized for one capability of one model.
	`CREATE TABLE grant_lists (
		account_id TEXT NOT NULL,
		model_id TEXT NOT NULL,
		capability SMALLINT NOT NULL,
		version BIGINT NOT NULL,
		edited_at BIGINT NOT NULL,
		edited_by TEXT NOT NULL,
		PRIMARY KEY (account_id, model_id, capability),
		FOREIGN KEY (account_id, model_id) REFERENCES models (account_id, id)
	)`,
	`CREATE TABLE grants (
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		model_id TEXT NOT NULL,
		capability SMALLINT NOT NULL CHECK (capability IN (1, 2, 4)),
		since BIGINT NOT NULL,
		granted_by TEXT NOT NULL,
		PRIMARY KEY (workspace_id, model_id, capability),
		FOREIGN KEY (account_id, workspace_id) REFERENCES workspaces (account_id, id),
		FOREIGN KEY (account_id, model_id) REFERENCES models (account_id, id)
	)`,
	`CREATE INDEX grants_by_model ON grants (account_id, model_id, capability)`,
	`CREATE TABLE keys (
		id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		owner_id TEXT NOT NULL,
		description TEXT NOT NULL,
		folded TEXT NOT NULL,
		digest BYTES NOT NULL UNIQUE CHECK (length(digest) = 32),
		hint TEXT NOT NULL,
		created BIGINT NOT NULL,
		last_used BIGINT NOT NULL,
		disabled BIGINT NOT NULL,
		expires BIGINT NOT NULL,
		models TEXT,
		networks TEXT,
		version BIGINT NOT NULL,
		FOREIGN KEY (account_id, workspace_id) REFERENCES workspaces (account_id, id),
		FOREIGN KEY (account_id, owner_id) REFERENCES users (account_id, id)
	)`,
	`CREATE INDEX keys_of_account ON keys (account_id, created DESC, id DESC)`,
	`CREATE INDEX keys_of_workspace ON keys (account_id, workspace_id, created DESC, id DESC)`,
	`CREATE TABLE providers (
		id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL REFERENCES accounts (id),
		name TEXT NOT NULL,
		folded TEXT NOT NULL,
		kind TEXT NOT NULL,
		base_url TEXT NOT NULL,
		sealed BYTES,
		created BIGINT NOT NULL,
		tested BIGINT NOT NULL,
		test_error TEXT NOT NULL,
		version BIGINT NOT NULL,
		UNIQUE (account_id, folded),
		UNIQUE (account_id, id)
	)`,
	`CREATE TABLE servings (
		account_id TEXT NOT NULL,
		provider_id TEXT NOT NULL,
		model_id TEXT NOT NULL,
		name TEXT NOT NULL,
		PRIMARY KEY (provider_id, model_id),
		FOREIGN KEY (account_id, provider_id) REFERENCES providers (account_id, id),
		FOREIGN KEY (account_id, model_id) REFERENCES models (account_id, id)
	)`,
	`CREATE INDEX servings_by_model ON servings (account_id, model_id)`,
	`CREATE TABLE usage (
		call_id TEXT PRIMARY KEY,
		at BIGINT NOT NULL,
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		key_id TEXT NOT NULL,
		model_id TEXT NOT NULL,
		dialect TEXT NOT NULL,
		provider_id TEXT NOT NULL,
		input INTEGER NOT NULL,
		output INTEGER NOT NULL,
		cached INTEGER NOT NULL,
		reasoning INTEGER NOT NULL,
		source SMALLINT NOT NULL,
		status SMALLINT NOT NULL,
		code TEXT NOT NULL,
		stream BOOLEAN NOT NULL,
		duration BIGINT NOT NULL,
		first_byte BIGINT NOT NULL
	)`,
	`CREATE INDEX usage_in_order ON usage (workspace_id, at DESC, call_id DESC)`,
	`CREATE TABLE sessions (
		digest BYTES PRIMARY KEY,
		user_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		notice TEXT NOT NULL,
		created BIGINT NOT NULL,
		seen BIGINT NOT NULL,
		expires BIGINT NOT NULL,
		address TEXT NOT NULL,
		agent TEXT NOT NULL,
		generation BIGINT NOT NULL
	)`,
	`CREATE INDEX sessions_by_user ON sessions (user_id)`,
	`CREATE INDEX sessions_by_expiry ON sessions (expires)`,
}

// The trail is only added to.
var (
	beginTriggersSQLite = []string{
		`CREATE TRIGGER audit_events_keep_update BEFORE UPDATE ON audit_events
			BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
		`CREATE TRIGGER audit_events_keep_delete BEFORE DELETE ON audit_events
			BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
		// REPLACE deletes without asking the trigger above.
		`CREATE TRIGGER audit_events_keep_replace BEFORE INSERT ON audit_events
			WHEN EXISTS (SELECT 1 FROM audit_events WHERE seq = NEW.seq OR id = NEW.id)
			BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
	}
	beginTriggersPostgres = []string{
		`CREATE FUNCTION audit_events_keep() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'audit events are only added'; END $$`,
		`CREATE TRIGGER audit_events_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
			FOR EACH STATEMENT EXECUTE FUNCTION audit_events_keep()`,
	}
)
