package store

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// eventRow is one line of the trail in its place in the account's chain.
type eventRow struct {
	Account   ident.Account `gorm:"column:account_id;primaryKey"`
	Seq       int64         `gorm:"primaryKey;autoIncrement:false"` // 1, 2, 3 … within the account
	ID        ident.Event
	At        stamp
	Workspace ident.Workspace `gorm:"column:workspace_id"`
	Actor     ident.User      `gorm:"column:actor_id"`
	ActorName string
	Address   string
	Call      ident.Call `gorm:"column:call_id"`
	Action    string
	Object    string
	Summary   string
	Detail    string // JSON; empty: none
	Tick      int64  // the clock's number of the change it explains; zero: it changed nothing
	Prev      []byte
	Hash      []byte
}

func (eventRow) TableName() string { return "audit_events" }

func eventRowOf(at stamp, e audit.Event) (eventRow, error) {
	row := eventRow{
		Account: e.Account, ID: e.ID, At: at, Workspace: e.Workspace, Actor: e.Actor,
		ActorName: clip(e.ActorName, 200), Address: clip(e.Address, 100), Call: e.Call,
		Action: clip(e.Action, 100), Object: clip(e.Object, 200), Summary: clip(e.Summary, 1000),
	}
	if len(e.Detail) == 0 {
		return row, nil
	}
	detail := make(map[string]string, len(e.Detail))
	for name, value := range e.Detail {
		detail[clip(name, 100)] = clip(value, 4000)
	}
	text, err := json.Marshal(detail)
	row.Detail = string(text)
	return row, err
}

// event gives back what was kept. What is no detail of ours stays to be seen:
// whoever verifies the chain finds that the line was edited.
func (r eventRow) event() audit.Event {
	e := audit.Event{
		ID: r.ID, At: r.At.time(), Account: r.Account, Workspace: r.Workspace, Actor: r.Actor, ActorName: r.ActorName,
		Address: r.Address, Call: r.Call, Action: r.Action, Object: r.Object, Summary: r.Summary,
	}
	if r.Detail == "" {
		return e
	}
	if err := json.Unmarshal([]byte(r.Detail), &e.Detail); err != nil {
		e.Detail = map[string]string{"unreadable": r.Detail}
	}
	return e
}

func (r eventRow) line() audit.Line {
	return audit.Line{Event: r.event(), Seq: r.Seq, Prev: linkOf(r.Prev), Hash: linkOf(r.Hash)}
}

// linkOf reads a digest of any length, since somebody may have cut it.
func linkOf(b []byte) (d audit.Digest) {
	copy(d[:], b)
	return d
}

// headRow is the end of an account's chain.
type headRow struct {
	Account ident.Account `gorm:"column:account_id"`
	Seq     int64
	Hash    []byte
}

// headStep takes the next number of an account's chain and gives the hash of
// the line before it. The row stays locked until the transaction ends, which
// puts the events of an account in line wherever they come from.
const headStep = `INSERT INTO audit_heads (account_id, seq, hash) VALUES (?, 1, ?)
	ON CONFLICT (account_id) DO UPDATE SET seq = audit_heads.seq + 1 RETURNING account_id, seq, hash`

// chainEvent writes an event at the clock's time and at the end of the chain of
// its account. The hash covers what the columns hold, not what was asked for.
func (s *Store) chainEvent(tx *gorm.DB, tick int64, e audit.Event) error {
	row, err := eventRowOf(stampOf(s.now()), e)
	if err != nil {
		return err
	}
	var head headRow
	if err := tx.Raw(headStep, row.Account, make([]byte, len(audit.Digest{}))).Scan(&head).Error; err != nil {
		return err
	}
	line := audit.Link(linkOf(head.Hash), head.Seq, row.event())
	row.Tick, row.Seq, row.Prev, row.Hash = tick, line.Seq, line.Prev[:], line.Hash[:]
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	n, err := exec(tx, "UPDATE audit_heads SET hash = ? WHERE account_id = ? AND seq = ?", row.Hash, row.Account, row.Seq)
	if err == nil && n != 1 {
		err = fmt.Errorf("the chain of %s has no head", row.Account)
	}
	return err
}

// Note implements account.Store.
func (s *Store) Note(ctx context.Context, why audit.Event) error {
	return s.noting(ctx, why, func(*gorm.DB) error { return nil })
}

// noting keeps an event with what the policy need not know of: the clock
// stands still.
func (s *Store) noting(ctx context.Context, why audit.Event, do func(tx *gorm.DB) error) error {
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := do(tx); err != nil {
			return err
		}
		return s.chainEvent(tx, 0, why)
	})
	return explain(err, "event")
}
