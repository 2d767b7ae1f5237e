package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// anchorRow is the last line of a lot that was deleted for its age.
type anchorRow struct {
	Account   ident.Account `gorm:"column:account_id;primaryKey"`
	Seq       int64         `gorm:"primaryKey;autoIncrement:false"`
	Hash      []byte
	At        stamp
	Signature []byte
}

func (anchorRow) TableName() string { return "audit_anchors" }

func (r anchorRow) anchor() audit.Anchor {
	return audit.Anchor{Head: audit.Head{Account: r.Account, Seq: r.Seq, Hash: linkOf(r.Hash).String(), At: r.At.time(), Signature: r.Signature}}
}

func anchorsOf(ctx context.Context, tx *gorm.DB, a ident.Account) ([]audit.Anchor, error) {
	rows, err := of[anchorRow](tx).Where("account_id = ?", a).Order("seq").Find(ctx)
	if err != nil {
		return nil, explain(err, "event")
	}
	list := make([]audit.Anchor, len(rows))
	for i, r := range rows {
		list[i] = r.anchor()
	}
	return list, nil
}

// expireLot is how many lines are deleted in one transaction.
const expireLot = 1000

// ExpireTrail deletes the oldest lines of an account that are from before a
// time, a lot of them, and says how many. What is left follows the anchor that
// sign makes of the last of them; why tells of it in the trail. No line goes
// before one that has to stay.
func (s *Store) ExpireTrail(ctx context.Context, a ident.Account, before time.Time, sign func(seq int64, hash audit.Digest) audit.Anchor, why func(from, to int64) audit.Event) (n int64, err error) {
	err = s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// The head is locked first, so that two servers do not delete at once.
		if _, err := exec(tx, "UPDATE audit_heads SET seq = seq WHERE account_id = ?", a); err != nil {
			return err
		}
		rows, err := of[eventRow](tx).Raw("SELECT * FROM audit_events WHERE account_id = ? ORDER BY seq LIMIT ?", a, expireLot).Find(ctx)
		if err != nil {
			return err
		}
		for n < int64(len(rows)) && rows[n].At < stampOf(before) {
			n++
		}
		if n == 0 {
			return nil
		}
		first, last := rows[0], rows[n-1]
		made := sign(last.Seq, linkOf(last.Hash))
		row := anchorRow{Account: a, Seq: last.Seq, Hash: last.Hash, At: stampOf(made.At), Signature: made.Signature}
		if err := of[anchorRow](tx).Create(ctx, &row); err != nil {
			return err
		}
		if _, err := exec(tx, "DELETE FROM audit_events WHERE account_id = ? AND seq <= ?", a, last.Seq); err != nil {
			return err
		}
		return s.chainEvent(tx, 0, why(first.Seq, last.Seq))
	})
	if err != nil {
		n = 0
	}
	return n, explain(err, "event")
}
