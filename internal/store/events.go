package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"gorm.io/gorm"

	"bailiwick/internal/access"
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
	ActorKind audit.Kind
	ActorName string
	Address   string
	Call      ident.Call `gorm:"column:call_id"`
	Action    string
	Object    string
	// ObjectKind and ObjectName say what the object is, and how it was called.
	ObjectKind string
	ObjectName string
	Result     audit.Result
	Summary    string
	Changes    string // JSON; empty: none
	Detail     string // JSON; empty: none
	Tick       int64  // the clock's number of the change it explains; zero: it changed nothing
	Form       audit.Form
	Prev       []byte
	Hash       []byte
}

func (eventRow) TableName() string { return "audit_events" }

func eventRowOf(at stamp, e audit.Event) eventRow {
	return eventRow{
		Account: e.Account, ID: e.ID, At: at, Workspace: e.Workspace, Actor: e.Actor, ActorKind: e.ActorKind,
		ActorName: plainText(e.ActorName, 200), Address: plainText(e.Address, 100), Call: e.Call,
		Action: plainText(e.Action, 100), Object: plainText(e.Object, 200), ObjectKind: plainText(e.ObjectKind, 50), ObjectName: plainText(e.ObjectName, 200),
		Result: e.Result, Summary: plainText(e.Summary, 1000), Changes: changesText(e.Changes), Detail: detailText(e.Detail), Form: audit.ThisForm,
	}
}

// plainText is what a text says on one line: whoever reads the trail in a
// terminal or a spreadsheet must not be written to by it.
func plainText(text string, most int) string {
	return clip(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != 0 {
			return ' '
		}
		return r
	}, text), most)
}

// What an event may hold; the rest is left out.
const (
	changesMost = 200
	detailMost  = 200
	valueMost   = 4000
)

func changesText(list []audit.Change) string {
	if len(list) == 0 {
		return ""
	}
	kept := make([]audit.Change, min(len(list), changesMost))
	for i := range kept {
		c := list[i]
		kept[i] = audit.Change{Field: plainText(c.Field, 100), Old: plainText(c.Old, valueMost), New: plainText(c.New, valueMost)}
	}
	return jsonText(kept)
}

func detailText(detail map[string]string) string {
	if len(detail) == 0 {
		return ""
	}
	kept := make(map[string]string, len(detail))
	for _, name := range slices.Sorted(maps.Keys(detail))[:min(len(detail), detailMost)] {
		kept[plainText(name, 100)] = plainText(detail[name], valueMost)
	}
	return jsonText(kept)
}

func jsonText(v any) string {
	text, _ := json.Marshal(v) // strings always marshal
	return string(text)
}

// event gives back what was kept. What we did not write so stays to be seen:
// whoever verifies the chain finds that the line was edited.
func (r eventRow) event() audit.Event {
	e := audit.Event{
		ID: r.ID, At: r.At.time(), Account: r.Account, Workspace: r.Workspace, Actor: r.Actor, ActorKind: r.ActorKind, ActorName: r.ActorName,
		Address: r.Address, Call: r.Call, Action: r.Action, Object: r.Object, ObjectKind: r.ObjectKind, ObjectName: r.ObjectName,
		Result: r.Result, Summary: r.Summary,
	}
	if r.Changes != "" {
		if json.Unmarshal([]byte(r.Changes), &e.Changes) != nil || changesText(e.Changes) != r.Changes {
			e.Changes = []audit.Change{{Field: unreadable, Old: r.Changes}}
		}
	}
	if r.Detail != "" {
		if json.Unmarshal([]byte(r.Detail), &e.Detail) != nil || r.Form != audit.FirstForm && detailText(e.Detail) != r.Detail {
			e.Detail = map[string]string{unreadable: r.Detail}
		}
	}
	return e
}

// unreadable names what somebody wrote into a line that we would not.
const unreadable = "unreadable"

func (r eventRow) line() audit.Line {
	return audit.Line{Event: r.event(), Seq: r.Seq, Tick: r.Tick, Form: r.Form, Prev: linkOf(r.Prev), Hash: linkOf(r.Hash)}
}

// linkOf reads a digest. Somebody may have made it longer or shorter: then it is
// one that nothing has.
func linkOf(b []byte) (d audit.Digest) {
	if len(b) != len(d) {
		return sha256.Sum256(append([]byte("no digest "), b...))
	}
	copy(d[:], b)
	return d
}

// headRow is the end of an account's chain.
type headRow struct {
	Account ident.Account `gorm:"column:account_id"`
	Seq     int64
	Hash    []byte
}

func (r headRow) tip() audit.Tip {
	return audit.Tip{Account: r.Account, Seq: r.Seq, Hash: linkOf(r.Hash)}
}

// headStep takes the next number of an account's chain and gives the hash of
// the line before it. The row stays locked until the transaction ends, which
// puts the events of an account in line wherever they come from.
const headStep = `INSERT INTO audit_heads (account_id, seq, hash) VALUES (?, 1, ?)
	ON CONFLICT (account_id) DO UPDATE SET seq = audit_heads.seq + 1 RETURNING account_id, seq, hash`

// chainEvent writes an event at the clock's time and at the end of the chain of
// its account. The hash covers what the columns hold, not what was asked for.
func (s *Store) chainEvent(tx *gorm.DB, tick int64, e audit.Event) error {
	e, err := settled(tx, e)
	if err != nil {
		return err
	}
	row := eventRowOf(stampOf(s.now()), e)
	var head headRow
	if err := tx.Raw(headStep, row.Account, make([]byte, len(audit.Digest{}))).Scan(&head).Error; err != nil {
		return err
	}
	line := audit.Link(linkOf(head.Hash), head.Seq, tick, row.event())
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

// names are where things of a kind have their names.
var names = map[string]string{
	"account":   "SELECT name FROM accounts WHERE id = ? AND id = ?",
	"user":      "SELECT log_on FROM users WHERE account_id = ? AND id = ?",
	"workspace": "SELECT name FROM workspaces WHERE account_id = ? AND id = ?",
	"key":       "SELECT description FROM keys WHERE account_id = ? AND id = ?",
	"provider":  "SELECT name FROM providers WHERE account_id = ? AND id = ?",
	"model":     "SELECT name FROM models WHERE account_id = ? AND id = ?",
}

// settled fills in what goes without saying: what the actor is, and how the
// object is called now. What was deleted has to be named by whoever deletes it.
func settled(tx *gorm.DB, e audit.Event) (audit.Event, error) {
	if e.ActorKind == "" && e.Actor != "" {
		var who struct {
			Role access.Role
			Name string
		}
		err := tx.Raw(`SELECT u.role, u.log_on || '@' || a.alias AS name FROM users u JOIN accounts a ON a.id = u.account_id
			WHERE u.account_id = ? AND u.id = ?`, e.Account, e.Actor).Scan(&who).Error
		if err != nil {
			return e, err
		}
		if who.Role == access.Root {
			e.ActorKind = audit.Root
		}
		if who.Name != "" {
			e.ActorName = who.Name
		}
	}
	e = e.Settled()
	query := names[e.ObjectKind]
	if e.ObjectName != "" || query == "" {
		return e, nil
	}
	return e, tx.Raw(query, e.Account, e.Object).Scan(&e.ObjectName).Error
}

// Note implements account.Store and audit.Noter.
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
