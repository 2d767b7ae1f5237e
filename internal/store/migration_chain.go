package store

import (
	"encoding/json"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// chainEvents gives every event its place in the chain of its account, those
// that are there already in the order of their commits.
func chainEvents(tx *gorm.DB) error {
	if err := run(tx, chainTables); err != nil {
		return err
	}
	if err := chainOld(tx); err != nil {
		return err
	}
	if err := run(tx, chainIndexes); err != nil {
		return err
	}
	if postgresql(tx) {
		return run(tx, chainTriggersPostgres)
	}
	return run(tx, chainTriggersSQLite)
}

var chainTables = []string{
	`ALTER TABLE audit_events RENAME TO audit_events_before`,
	`CREATE TABLE audit_events (
		account_id TEXT NOT NULL,
		seq BIGINT NOT NULL,
		id TEXT NOT NULL UNIQUE,
		at BIGINT NOT NULL,
		workspace_id TEXT NOT NULL,
		actor_id TEXT NOT NULL,
		actor_name TEXT NOT NULL,
		address TEXT NOT NULL,
		call_id TEXT NOT NULL,
		action TEXT NOT NULL,
		object TEXT NOT NULL,
		summary TEXT NOT NULL,
		detail TEXT NOT NULL,
		tick BIGINT NOT NULL,
		prev BYTES NOT NULL,
		hash BYTES NOT NULL,
		PRIMARY KEY (account_id, seq)
	)`,
	// The end of each account's chain.
	`CREATE TABLE audit_heads (
		account_id TEXT PRIMARY KEY,
		seq BIGINT NOT NULL,
		hash BYTES NOT NULL
	)`,
}

var chainIndexes = []string{
	`DROP TABLE audit_events_before`,
	`CREATE INDEX audit_events_in_order ON audit_events (account_id, at, seq)`,
	`CREATE INDEX audit_events_by_workspace ON audit_events (account_id, workspace_id, at, seq)`,
	`CREATE INDEX audit_events_by_actor ON audit_events (account_id, actor_name, at, seq)`,
	`CREATE INDEX audit_events_by_action ON audit_events (account_id, action, at, seq)`,
	`CREATE INDEX audit_events_by_object ON audit_events (account_id, object, at, seq)`,
}

// The trail is still only added to.
var (
	chainTriggersSQLite = []string{
		`CREATE TRIGGER audit_events_keep_update BEFORE UPDATE ON audit_events
			BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
		`CREATE TRIGGER audit_events_keep_delete BEFORE DELETE ON audit_events
			BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
		// REPLACE deletes without asking the trigger above.
		`CREATE TRIGGER audit_events_keep_replace BEFORE INSERT ON audit_events
			WHEN EXISTS (SELECT 1 FROM audit_events WHERE account_id = NEW.account_id AND seq = NEW.seq OR id = NEW.id)
			BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
	}
	chainTriggersPostgres = []string{
		`CREATE TRIGGER audit_events_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
			FOR EACH STATEMENT EXECUTE FUNCTION audit_events_keep()`,
	}
)

// unchained is an event as it was kept before, and then also its place.
type unchained struct {
	Tick      int64  // its number before: the clock's
	Account   string `gorm:"column:account_id"`
	Seq       int64
	ID        string
	At        int64
	Workspace string `gorm:"column:workspace_id"`
	Actor     string `gorm:"column:actor_id"`
	ActorName string
	Address   string
	Call      string `gorm:"column:call_id"`
	Action    string
	Object    string
	Summary   string
	Detail    string
	Prev      []byte
	Hash      []byte
}

const selectUnchained = `SELECT seq AS tick, account_id, id, at, workspace_id, actor_id, actor_name, address, call_id, action, object, summary, detail
	FROM audit_events_before WHERE seq > ? ORDER BY seq LIMIT 1000`

// chainOld moves the events over, some at a time.
func chainOld(tx *gorm.DB) error {
	heads := map[string]audit.Line{}
	for last := int64(-1); ; {
		var rows []unchained
		if err := tx.Raw(selectUnchained, last).Scan(&rows).Error; err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for i := range rows {
			head := heads[rows[i].Account]
			line, err := rows[i].link(head)
			if err != nil {
				return err
			}
			heads[rows[i].Account], last = line, rows[i].Tick
			rows[i].Seq, rows[i].Prev, rows[i].Hash = line.Seq, line.Prev[:], line.Hash[:]
		}
		if err := tx.Table("audit_events").CreateInBatches(rows, 50).Error; err != nil {
			return err
		}
	}
	for account, head := range heads {
		if _, err := exec(tx, "INSERT INTO audit_heads (account_id, seq, hash) VALUES (?, ?, ?)", account, head.Seq, head.Hash[:]); err != nil {
			return err
		}
	}
	return nil
}

func (r unchained) link(head audit.Line) (audit.Line, error) {
	e := audit.Event{
		ID: ident.Event(r.ID), At: stamp(r.At).time(), Account: ident.Account(r.Account), Workspace: ident.Workspace(r.Workspace),
		Actor: ident.User(r.Actor), ActorName: r.ActorName, Address: r.Address, Call: ident.Call(r.Call),
		Action: r.Action, Object: r.Object, Summary: r.Summary,
	}
	if r.Detail != "" {
		if err := json.Unmarshal([]byte(r.Detail), &e.Detail); err != nil {
			return audit.Line{}, err
		}
	}
	return audit.LinkFirst(head.Hash, head.Seq+1, e), nil
}
