package store

import "gorm.io/gorm"

// searchInIndex lets a search for keys, which looks at each in the order of the
// list, read the index alone and only fetch what it found.
func searchInIndex(tx *gorm.DB) error {
	return run(tx, []string{
		`DROP INDEX keys_of_account`,
		`CREATE INDEX keys_of_account ON keys (account_id, created DESC, id DESC, folded, hint)`,
		`DROP INDEX keys_of_workspace`,
		`CREATE INDEX keys_of_workspace ON keys (workspace_id, created DESC, id DESC, folded, hint)`,
	})
}
