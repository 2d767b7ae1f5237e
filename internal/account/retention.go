package account

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// RetentionStore is what Retention needs of storage.
type RetentionStore interface {
	Accounts(ctx context.Context) ([]Account, error)
	// ExpireTrail deletes a lot of an account's oldest lines from before a time,
	// behind an anchor, and says how many; zero: none are left.
	ExpireTrail(ctx context.Context, a ident.Account, before time.Time, sign func(seq int64, hash audit.Digest) audit.Anchor, why func(from, to int64) audit.Event) (int64, error)
}

// Retention deletes what is older than an account keeps its trail. What is left
// can be verified as before: it follows the signed anchor of the last line that
// went.
type Retention struct {
	Store RetentionStore
	Key   ed25519.PrivateKey
	Now   func() time.Time
}

// expireEvery is how often the old is looked for.
const expireEvery = 6 * time.Hour

// Run deletes at once and then every six hours, until ctx ends.
func (r *Retention) Run(ctx context.Context) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		if err := r.Expire(ctx); err != nil && ctx.Err() == nil {
			slog.Error("old lines of the audit trail could not be deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Expire deletes what is too old now, in every account.
func (r *Retention) Expire(ctx context.Context) error {
	all, err := r.Store.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Settings.AuditDays == 0 {
			continue
		}
		before := r.Now().AddDate(0, 0, -a.Settings.AuditDays)
		for n := int64(1); n > 0; {
			if n, err = r.Store.ExpireTrail(ctx, a.ID, before, r.anchor(a.ID), r.told(a)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Retention) anchor(a ident.Account) func(int64, audit.Digest) audit.Anchor {
	return func(seq int64, hash audit.Digest) audit.Anchor { return audit.SignAnchor(r.Key, a, seq, hash, r.Now()) }
}

func (r *Retention) told(a Account) func(from, to int64) audit.Event {
	return func(from, to int64) audit.Event {
		return audit.Event{
			ID: ident.NewEvent(), Account: a.ID, ActorName: "bailiwick", Action: "audit:expire", Object: string(a.ID),
			Summary: fmt.Sprintf("deleted lines %d to %d of the audit trail, which were older than %d days", from, to, a.Settings.AuditDays),
		}
	}
}
