package store

import "gorm.io/gorm"

// trailToTheEnd gives events what they lacked — what the actor and the object
// are, the result, before and after — and lets old ones go behind a signed
// anchor. Events that are there keep their hashes, which cover what they had.
func trailToTheEnd(tx *gorm.DB) error {
	before, after := trailTriggersBeforeSQLite, trailTriggersSQLite
	if postgresql(tx) {
		before, after = trailTriggersBeforePostgres, trailTriggersPostgres
	}
	for _, statements := range [][]string{before, trailColumns, after} {
		if err := run(tx, statements); err != nil {
			return err
		}
	}
	return nil
}

var trailColumns = []string{
	`ALTER TABLE audit_events ADD COLUMN actor_kind TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE audit_events ADD COLUMN object_kind TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE audit_events ADD COLUMN object_name TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE audit_events ADD COLUMN result TEXT NOT NULL DEFAULT 'done'`,
	`ALTER TABLE audit_events ADD COLUMN changes TEXT NOT NULL DEFAULT ''`,
	`ALTER TABLE audit_events ADD COLUMN form BIGINT NOT NULL DEFAULT 1`, // which fields the hash covers
	`UPDATE audit_events SET result = 'refused' WHERE action LIKE '%refused'`,
	`CREATE INDEX audit_events_by_result ON audit_events (account_id, result, at, seq)`,
	// The last line of each lot that was deleted for its age.
	`CREATE TABLE audit_anchors (
		account_id TEXT NOT NULL,
		seq BIGINT NOT NULL,
		hash BYTES NOT NULL,
		at BIGINT NOT NULL,
		signature BYTES NOT NULL,
		PRIMARY KEY (account_id, seq)
	)`,
	`ALTER TABLE accounts ADD COLUMN audit_days BIGINT NOT NULL DEFAULT 365 CHECK (audit_days >= 0)`, // 0: for ever
}

// Events are still only added, but for those that an anchor covers; anchors are
// only added.
var (
	trailTriggersBeforeSQLite   = []string{`DROP TRIGGER audit_events_keep_update`, `DROP TRIGGER audit_events_keep_delete`}
	trailTriggersBeforePostgres = []string{`DROP TRIGGER audit_events_keep ON audit_events`}

	trailTriggersSQLite = []string{
		`CREATE TRIGGER audit_events_keep_update BEFORE UPDATE ON audit_events
			BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
		`CREATE TRIGGER audit_events_keep_delete BEFORE DELETE ON audit_events
			WHEN NOT EXISTS (SELECT 1 FROM audit_anchors a WHERE a.account_id = OLD.account_id AND a.seq >= OLD.seq)
			BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
		`CREATE TRIGGER audit_anchors_keep_update BEFORE UPDATE ON audit_anchors
			BEGIN SELECT RAISE(ABORT, 'audit anchors are only added'); END`,
		`CREATE TRIGGER audit_anchors_keep_delete BEFORE DELETE ON audit_anchors
			BEGIN SELECT RAISE(ABORT, 'audit anchors are only added'); END`,
		`CREATE TRIGGER audit_anchors_keep_replace BEFORE INSERT ON audit_anchors
			WHEN EXISTS (SELECT 1 FROM audit_anchors WHERE account_id = NEW.account_id AND seq = NEW.seq)
			BEGIN SELECT RAISE(ABORT, 'audit anchors are only added'); END`,
	}
	trailTriggersPostgres = []string{
		`CREATE TRIGGER audit_events_keep BEFORE UPDATE OR TRUNCATE ON audit_events
			FOR EACH STATEMENT EXECUTE FUNCTION audit_events_keep()`,
		`CREATE FUNCTION audit_events_let_go() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN
				IF EXISTS (SELECT 1 FROM audit_anchors a WHERE a.account_id = OLD.account_id AND a.seq >= OLD.seq) THEN RETURN OLD; END IF;
				RAISE EXCEPTION 'audit events are only added';
			END $$`,
		`CREATE TRIGGER audit_events_keep_delete BEFORE DELETE ON audit_events
			FOR EACH ROW EXECUTE FUNCTION audit_events_let_go()`,
		`CREATE TRIGGER audit_anchors_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_anchors
			FOR EACH STATEMENT EXECUTE FUNCTION audit_events_keep()`,
	}
)
