package store

import "gorm.io/gorm"

// routing lets several providers serve a model in an order and by weight.
func routing(tx *gorm.DB) error { return run(tx, routingStatements) }

var routingStatements = []string{
	`ALTER TABLE servings ADD COLUMN place INTEGER NOT NULL DEFAULT 1 CHECK (place BETWEEN 1 AND 9)`,
	`ALTER TABLE servings ADD COLUMN weight INTEGER NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 100)`,
}
