package store

import (
	"context"
	"encoding/json"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// eventRow is one line of the trail; its number is the clock's, so that lines
// are in the order of the commits.
type eventRow struct {
	Seq       int64 `gorm:"primaryKey;autoIncrement:false"`
	ID        ident.Event
	At        stamp
	Account   ident.Account   `gorm:"column:account_id"`
	Workspace ident.Workspace `gorm:"column:workspace_id"`
	Actor     ident.User      `gorm:"column:actor_id"`
	ActorName string
	Address   string
	Call      ident.Call `gorm:"column:call_id"`
	Action    string
	Object    string
	Summary   string
	Detail    string // JSON; empty: none
}

func (eventRow) TableName() string { return "audit_events" }

func eventRowOf(seq int64, at stamp, e audit.Event) (eventRow, error) {
	row := eventRow{
		Seq: seq, ID: e.ID, At: at, Account: e.Account, Workspace: e.Workspace, Actor: e.Actor,
		ActorName: clip(e.ActorName, 200), Address: clip(e.Address, 100), Call: e.Call,
		Action: e.Action, Object: clip(e.Object, 200), Summary: clip(e.Summary, 1000),
	}
	if len(e.Detail) == 0 {
		return row, nil
	}
	detail, err := json.Marshal(e.Detail)
	row.Detail = string(detail)
	return row, err
}

// insertEvent writes an event at the clock's time.
func (s *Store) insertEvent(tx *gorm.DB, seq int64, e audit.Event) error {
	row, err := eventRowOf(seq, stampOf(s.now()), e)
	if err != nil {
		return err
	}
	return tx.Create(&row).Error
}

// Note implements account.Store.
func (s *Store) Note(ctx context.Context, why audit.Event) error {
	return s.noting(ctx, why, func(*gorm.DB) error { return nil })
}

// noting keeps an event with what the policy need not know of.
func (s *Store) noting(ctx context.Context, why audit.Event, do func(tx *gorm.DB) error) error {
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		seq, err := tick(tx)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		return s.note(tx, seq, deed{why: why})
	})
	return explain(err, "event")
}
