package store

import (
	"context"
	"iter"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// Tips implements audit.Tips.
func (s *Store) Tips(ctx context.Context) ([]audit.Tip, error) {
	return tips(ctx, s.read)
}

func tips(ctx context.Context, tx *gorm.DB) ([]audit.Tip, error) {
	rows, err := of[headRow](tx).Raw("SELECT account_id, seq, hash FROM audit_heads ORDER BY account_id").Find(ctx)
	if err != nil {
		return nil, explain(err, "event")
	}
	list := make([]audit.Tip, len(rows))
	for i, r := range rows {
		list[i] = r.tip()
	}
	return list, nil
}

// Chains visits the chain of every account that has a head, a line or itself in
// the database, all of them at one moment. The lines can be walked once, and
// only until the visit returns.
func (s *Store) Chains(ctx context.Context, visit func(audit.Chain) error) error {
	return s.view(ctx, func(tx *gorm.DB) error {
		heads, err := tips(ctx, tx)
		if err != nil {
			return err
		}
		ends := make(map[ident.Account]audit.Tip, len(heads))
		for _, t := range heads {
			ends[t.Account] = t
		}
		var all []ident.Account
		err = tx.Raw(`SELECT account_id FROM audit_heads UNION SELECT DISTINCT account_id FROM audit_events UNION SELECT id FROM accounts
			ORDER BY 1`).Scan(&all).Error
		if err != nil {
			return explain(err, "event")
		}
		for _, a := range all {
			end := ends[a]
			end.Account = a
			if err := visitChain(ctx, tx, end, visit); err != nil {
				return err
			}
		}
		return nil
	})
}

// Chain visits the chain of one account.
func (s *Store) Chain(ctx context.Context, a ident.Account, visit func(audit.Chain) error) error {
	return s.view(ctx, func(tx *gorm.DB) error {
		end := audit.Tip{Account: a}
		rows, err := of[headRow](tx).Raw("SELECT account_id, seq, hash FROM audit_heads WHERE account_id = ?", a).Find(ctx)
		if err != nil {
			return explain(err, "event")
		}
		for _, r := range rows {
			end = r.tip()
		}
		return visitChain(ctx, tx, end, visit)
	})
}

func visitChain(ctx context.Context, tx *gorm.DB, end audit.Tip, visit func(audit.Chain) error) error {
	anchors, err := anchorsOf(ctx, tx, end.Account)
	if err != nil {
		return err
	}
	return visit(audit.Chain{Tip: end, Anchors: anchors, Lines: chainLines(ctx, tx, end.Account)})
}

// chainLines reads the lines of an account in the order of their numbers.
func chainLines(ctx context.Context, tx *gorm.DB, a ident.Account) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		for last := int64(-1 << 62); ; {
			rows, err := of[eventRow](tx).Raw("SELECT * FROM audit_events WHERE account_id = ? AND seq > ? ORDER BY seq LIMIT 1000", a, last).Find(ctx)
			if err != nil {
				yield(audit.Line{}, explain(err, "event"))
				return
			}
			for _, r := range rows {
				if last = r.Seq; !yield(r.line(), nil) {
					return
				}
			}
			if len(rows) == 0 {
				return
			}
		}
	}
}
