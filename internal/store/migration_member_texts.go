package store

import "gorm.io/gorm"

// keepMemberTexts gives members what is searched of their users, so that a walk
// through the members of a workspace needs an index alone.
func keepMemberTexts(tx *gorm.DB) error {
	return run(tx, []string{
		`ALTER TABLE members ADD COLUMN number BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE members ADD COLUMN folded TEXT NOT NULL DEFAULT ''`,
		`UPDATE members SET number = u.number, folded = u.folded FROM users u WHERE u.id = members.user_id`,
		`DROP INDEX members_in_order`,
		`CREATE INDEX members_in_order ON members (workspace_id, log_on, number, folded)`,
		`CREATE INDEX members_by_number ON members (number, workspace_id)`,
	})
}
