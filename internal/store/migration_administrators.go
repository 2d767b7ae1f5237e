package store

import "gorm.io/gorm"

// findAdministrators makes those who administer a workspace quick to find among
// thousands of members, because every page of the console names workspaces, and
// the keys of a page of users among a hundred thousand.
func findAdministrators(tx *gorm.DB) error {
	return run(tx, []string{
		`CREATE INDEX members_by_role ON members (workspace_id, role, user_id)`,
		`CREATE INDEX keys_of_account_by_owner ON keys (account_id, owner_id)`,
	})
}
