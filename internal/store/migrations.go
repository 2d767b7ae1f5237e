package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
)

// migrations are applied in this order, each once. One that was released is
// never edited. They are written as SQL, so that no later change of a row's
// type can change them.
func migrations() []*gormigrate.Migration {
	return []*gormigrate.Migration{
		{ID: "202611230001_begin", Migrate: begin},
		{ID: "202611230010_people", Migrate: people},
		{ID: "202611230020_keys", Migrate: keysToTheEnd},
		{ID: "202611230030_audit_chain", Migrate: chainEvents},
		{ID: "202611280090_routing", Migrate: routing},
		{ID: "202611280080_limits", Migrate: limitCalls},
		{ID: "202611280070_books", Migrate: books},
		{ID: "202611280020_trail", Migrate: trailToTheEnd},
		{ID: "202611280050_refusals", Migrate: keepRefusals},
		{ID: "202611280030_admin_keys", Migrate: adminKeys},
		{ID: "202611280010_factors", Migrate: factors},
		{ID: "202611280040_keys", Migrate: nameKeyEditors},
		{ID: "202611280041_administrators", Migrate: findAdministrators},
		{ID: "202611280101_owners", Migrate: strandKeys},
		{ID: "202611280100_search", Migrate: searchInIndex},
		{ID: "202611280205_work", Migrate: leaseWork},
		{ID: "202611280220_trainings", Migrate: trainings},
		{ID: "202611280210_datasets", Migrate: keepDatasets},
		{ID: "202611280230_deployments", Migrate: deployments},
		{ID: "202611280200_fragments", Migrate: keepFragments},
		{ID: "202611280211_metadata", Migrate: keepMetadata},
		{ID: "202611280300_limit_setters", Migrate: nameLimitSetters},
		{ID: "202611280310_member_texts", Migrate: keepMemberTexts},
	}
}

// migrationLock is the number of the advisory lock that starters queue at on
// PostgreSQL. On SQLite BEGIN IMMEDIATE puts them in line.
const migrationLock = 727274

// migrate brings the tables up to date in one transaction: several starters at
// once are safe, and a migration that fails leaves nothing behind.
func migrate(ctx context.Context, db *gorm.DB) error {
	err := db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if postgresql(tx) {
			if err := tx.Exec("SELECT pg_advisory_xact_lock(?)", migrationLock).Error; err != nil {
				return err
			}
		}
		options := *gormigrate.DefaultOptions
		options.ValidateUnknownMigrations = true
		return gormigrate.New(tx, &options, migrations()).Migrate()
	})
	if errors.Is(err, gormigrate.ErrUnknownPastMigration) {
		return errors.New("it was made by a newer version of this program: use that version, or a backup made by this one")
	}
	return err
}

func postgresql(db *gorm.DB) bool { return db.Name() == "postgres" }

// sqliteWords and postgresWords spell the few words of our SQL that differ.
// Texts sort by their bytes on both, whatever the database's language.
var (
	sqliteWords   = strings.NewReplacer("BIGINT", "INTEGER", "SMALLINT", "INTEGER", "BOOLEAN", "INTEGER", "BYTES", "BLOB", "DOUBLE PRECISION", "REAL")
	postgresWords = strings.NewReplacer("BYTES", "BYTEA", "TEXT", `TEXT COLLATE "C"`)
)

// makesIndex finds the name of an index that a statement makes.
var makesIndex = regexp.MustCompile(`^CREATE (?:UNIQUE )?INDEX (\w+)`)

// run executes the statements of a migration in the database's own words. An
// index that somebody made by hand under a name of ours gives way to ours.
func run(tx *gorm.DB, statements []string) error {
	for _, text := range statements {
		if postgresql(tx) {
			text = postgresWords.Replace(text)
		} else if text = sqliteWords.Replace(text); strings.HasPrefix(text, "CREATE TABLE") {
			text += " STRICT"
		}
		if m := makesIndex.FindStringSubmatch(text); m != nil {
			if err := tx.Exec("DROP INDEX IF EXISTS " + m[1]).Error; err != nil {
				return fmt.Errorf("%w with the index %s", err, m[1])
			}
		}
		if err := tx.Exec(text).Error; err != nil {
			return fmt.Errorf("%w in %s", err, text)
		}
	}
	return nil
}
