package store

import (
	"gorm.io/gorm"

	"bailiwick/internal/ident"
)

// people gives users an e-mail address and a way in, members a version and a
// place in their list, and keys the name of their owner, who may be gone.
func people(tx *gorm.DB) error {
	if err := run(tx, peopleColumns); err != nil {
		return err
	}
	if err := keepOwners(tx); err != nil {
		return err
	}
	if err := foldUsers(tx); err != nil {
		return err
	}
	return run(tx, peopleIndexes)
}

var peopleColumns = []string{
	`ALTER TABLE users ADD COLUMN email TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE users ADD COLUMN folded TEXT NOT NULL DEFAULT ''`, // what is searched: log-on name, display name, e-mail
	`ALTER TABLE users ADD COLUMN must_change BOOLEAN NOT NULL DEFAULT FALSE`,
	`ALTER TABLE users ADD COLUMN last_log_on BIGINT NOT NULL DEFAULT 0`,
	`ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1`,
	`ALTER TABLE members ADD COLUMN log_on TEXT NOT NULL DEFAULT ''`, // of the user; it never changes
	`ALTER TABLE members ADD COLUMN version BIGINT NOT NULL DEFAULT 1`,
	`UPDATE members SET log_on = (SELECT u.log_on FROM users u WHERE u.id = members.user_id)`,
	// The one first log-on link that is out for a user.
	`CREATE TABLE invitations (
		user_id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL,
		digest BYTES NOT NULL UNIQUE CHECK (length(digest) = 32),
		created BIGINT NOT NULL,
		expires BIGINT NOT NULL,
		FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
	)`,
}

var peopleIndexes = []string{
	`CREATE INDEX members_in_order ON members (workspace_id, log_on)`,
	`CREATE INDEX keys_by_owner ON keys (owner_id)`,
}

// keepOwners lets keys outlive their owners: then they have none, and the name
// of the one they had.
func keepOwners(tx *gorm.DB) error {
	if postgresql(tx) {
		return run(tx, []string{
			`ALTER TABLE keys ALTER COLUMN owner_id DROP NOT NULL`,
			`ALTER TABLE keys ADD COLUMN owner_name TEXT NOT NULL DEFAULT ''`,
			`UPDATE keys SET owner_name = (SELECT u.log_on || '@' || a.alias FROM users u JOIN accounts a ON a.id = u.account_id WHERE u.id = keys.owner_id)`,
		})
	}
	return run(tx, []string{
		`CREATE TABLE keys_anew (
			id TEXT PRIMARY KEY,
			account_id TEXT NOT NULL,
			workspace_id TEXT NOT NULL,
			owner_id TEXT,
			owner_name TEXT NOT NULL,
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
		`INSERT INTO keys_anew SELECT k.id, k.account_id, k.workspace_id, k.owner_id, u.log_on || '@' || a.alias, k.description, k.folded, k.digest,
			k.hint, k.created, k.last_used, k.disabled, k.expires, k.models, k.networks, k.version
			FROM keys k JOIN users u ON u.id = k.owner_id JOIN accounts a ON a.id = u.account_id`,
		`DROP TABLE keys`,
		`ALTER TABLE keys_anew RENAME TO keys`,
		`CREATE INDEX keys_of_account ON keys (account_id, created DESC, id DESC)`,
		`CREATE INDEX keys_of_workspace ON keys (workspace_id, created DESC, id DESC)`,
	})
}

// foldUsers fills what is searched for; the database's own lower case knows
// only some letters.
func foldUsers(tx *gorm.DB) error {
	var rows []struct {
		ID          ident.User
		LogOn, Name string
	}
	if err := tx.Raw("SELECT id, log_on, name FROM users").Scan(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		if err := tx.Exec("UPDATE users SET folded = ? WHERE id = ?", foldedUser(r.LogOn, r.Name, ""), r.ID).Error; err != nil {
			return err
		}
	}
	return nil
}
