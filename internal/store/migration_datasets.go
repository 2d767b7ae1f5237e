package store

import "gorm.io/gorm"

// keepDatasets makes room for training files and says how many there may be.
func keepDatasets(tx *gorm.DB) error { return run(tx, datasetStatements) }

var datasetStatements = []string{
	`ALTER TABLE accounts ADD COLUMN dataset_files BIGINT NOT NULL DEFAULT 100 CHECK (dataset_files >= 0)`,
	`ALTER TABLE accounts ADD COLUMN dataset_megabytes BIGINT NOT NULL DEFAULT 5120 CHECK (dataset_megabytes >= 0)`,
	`ALTER TABLE accounts ADD COLUMN dataset_file_megabytes BIGINT NOT NULL DEFAULT 300 CHECK (dataset_file_megabytes > 0)`,
	`CREATE TABLE datasets (
		id TEXT PRIMARY KEY,
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		name TEXT NOT NULL,
		folded TEXT NOT NULL,
		description TEXT NOT NULL,
		method TEXT NOT NULL,
		created BIGINT NOT NULL,
		created_by TEXT NOT NULL,
		creator TEXT NOT NULL,
		changed BIGINT NOT NULL,
		latest TEXT NOT NULL,
		numbers BIGINT NOT NULL CHECK (numbers > 0),
		versions BIGINT NOT NULL CHECK (versions > 0),
		bytes BIGINT NOT NULL CHECK (bytes >= 0),
		UNIQUE (workspace_id, id),
		FOREIGN KEY (account_id, workspace_id) REFERENCES workspaces (account_id, id)
	)`,
	`CREATE INDEX datasets_by_change ON datasets (workspace_id, changed, id)`,
	`CREATE INDEX datasets_by_name ON datasets (workspace_id, folded, id)`,
	`CREATE INDEX datasets_by_size ON datasets (workspace_id, bytes, id)`,
	`CREATE INDEX datasets_of_account ON datasets (account_id, workspace_id)`,
	// Who made a file may be deleted, so that there is no foreign key to them.
	`CREATE TABLE dataset_files (
		id TEXT PRIMARY KEY,
		dataset_id TEXT NOT NULL,
		account_id TEXT NOT NULL,
		workspace_id TEXT NOT NULL,
		number BIGINT NOT NULL CHECK (number > 0),
		file_name TEXT NOT NULL,
		size BIGINT NOT NULL CHECK (size > 0),
		sha256 TEXT NOT NULL,
		md5 TEXT NOT NULL,
		examples BIGINT NOT NULL,
		tokens BIGINT NOT NULL,
		warnings BIGINT NOT NULL,
		created BIGINT NOT NULL,
		created_by TEXT NOT NULL,
		creator TEXT NOT NULL,
		by_key TEXT NOT NULL,
		report TEXT NOT NULL,
		UNIQUE (dataset_id, number),
		FOREIGN KEY (workspace_id, dataset_id) REFERENCES datasets (workspace_id, id),
		FOREIGN KEY (account_id, workspace_id) REFERENCES workspaces (account_id, id)
	)`,
	`CREATE INDEX dataset_files_by_time ON dataset_files (workspace_id, created, id)`,
	`CREATE INDEX dataset_files_of_account ON dataset_files (account_id, workspace_id)`,
	`CREATE INDEX dataset_files_of_dataset ON dataset_files (workspace_id, dataset_id, number)`,
}
