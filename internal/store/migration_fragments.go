package store

import "gorm.io/gorm"

// keepFragments numbers keys and users, and keeps what begins at each character
// of what is searched in them, so that a search among a hundred thousand is a
// range of an index.
func keepFragments(tx *gorm.DB) error {
	if err := run(tx, numberRows); err != nil {
		return err
	}
	fragments := `CREATE TABLE fragments (
		shelf BIGINT NOT NULL,
		fragment TEXT NOT NULL,
		item BIGINT NOT NULL,
		PRIMARY KEY (shelf, fragment, item)
	)`
	if !postgresql(tx) {
		fragments += " WITHOUT ROWID,"
	}
	return run(tx, append([]string{fragments}, fillFragments...))
}

// The number of a key is when it was created or, where that is taken, the next
// microsecond that is free: so numbers are in the order of the list.
var numberRows = []string{
	`ALTER TABLE keys ADD COLUMN number BIGINT NOT NULL DEFAULT 0`,
	`UPDATE keys SET number = n.number FROM (
		SELECT id, place + MAX(created - place) OVER (ORDER BY created, id) AS number
		FROM (SELECT id, created, ROW_NUMBER() OVER (ORDER BY created, id) AS place FROM keys) p
	) n WHERE n.id = keys.id`,
	`CREATE UNIQUE INDEX keys_by_number ON keys (number)`,
	`ALTER TABLE users ADD COLUMN number BIGINT NOT NULL DEFAULT 0`,
	`UPDATE users SET number = n.number FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY account_id, log_on) AS number FROM users) n WHERE n.id = users.id`,
	`CREATE UNIQUE INDEX users_by_number ON users (number)`,
	`CREATE INDEX users_in_order ON users (account_id, log_on, number, role, folded)`,
	`DROP INDEX keys_of_account`,
	`DROP INDEX keys_of_workspace`,
	`DROP INDEX keys_of_account_disabled`,
	`DROP INDEX keys_of_workspace_disabled`,
	`DROP INDEX keys_of_account_stranded`,
	`DROP INDEX keys_of_workspace_stranded`,
	// A walk through the list looks for a text in these two alone.
	`CREATE INDEX keys_of_account ON keys (account_id, number DESC, id DESC, folded, hint)`,
	`CREATE INDEX keys_of_workspace ON keys (workspace_id, number DESC, id DESC, folded, hint)`,
	`CREATE INDEX keys_of_account_disabled ON keys (account_id, number DESC, id DESC) WHERE disabled <> 0`,
	`CREATE INDEX keys_of_workspace_disabled ON keys (workspace_id, number DESC, id DESC) WHERE disabled <> 0`,
	`CREATE INDEX keys_of_account_stranded ON keys (account_id, number DESC, id DESC) WHERE stranded <> 0`,
	`CREATE INDEX keys_of_workspace_stranded ON keys (workspace_id, number DESC, id DESC) WHERE stranded <> 0`,
	`CREATE INDEX keys_by_hint ON keys (account_id, hint, number)`,
	// Whose fragments stand together: a workspace's keys, an account's users.
	`CREATE TABLE shelves (
		number BIGINT PRIMARY KEY,
		owner TEXT NOT NULL UNIQUE
	)`,
	`INSERT INTO shelves (number, owner) SELECT ROW_NUMBER() OVER (ORDER BY owner), owner
		FROM (SELECT id AS owner FROM accounts UNION ALL SELECT id FROM workspaces) o`,
}

// Each step takes the first character away; so every rest stands there once.
var fillFragments = []string{
	`INSERT INTO fragments (shelf, fragment, item) WITH RECURSIVE rests (shelf, item, rest) AS (
		SELECT s.number, k.number, k.folded FROM keys k JOIN shelves s ON s.owner = k.workspace_id WHERE k.folded <> ''
		UNION ALL SELECT shelf, item, substr(rest, 2) FROM rests WHERE length(rest) > 1
	) SELECT DISTINCT shelf, substr(rest, 1, 16), item FROM rests ORDER BY 1, 2, 3`,
	`INSERT INTO fragments (shelf, fragment, item) WITH RECURSIVE rests (shelf, item, rest) AS (
		SELECT s.number, u.number, u.folded FROM users u JOIN shelves s ON s.owner = u.account_id WHERE u.folded <> ''
		UNION ALL SELECT shelf, item, substr(rest, 2) FROM rests WHERE length(rest) > 1
	) SELECT DISTINCT shelf, substr(rest, 1, 16), item FROM rests ORDER BY 1, 2, 3`,
}
