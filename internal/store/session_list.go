package store

import (
	"context"
	"encoding/hex"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// UserSessions implements account.SessionStore.
func (s *Store) UserSessions(ctx context.Context, a ident.Account, u ident.User) ([]account.Session, error) {
	rows, err := of[sessionRow](s.read).Raw(`SELECT s.* FROM sessions s JOIN users u ON u.id = s.user_id AND u.generation = s.generation
		WHERE u.account_id = ? AND s.user_id = ? AND s.expires > ? ORDER BY s.seen DESC, s.digest`, a, u, stampOf(s.now())).Find(ctx)
	list := make([]account.Session, len(rows))
	for i, r := range rows {
		list[i] = account.Session{ID: hex.EncodeToString(r.Digest), Created: r.Created.time(), Seen: r.Seen.time(), Address: r.Address, Agent: r.Agent}
	}
	return list, explain(err, "session")
}

// ofUser are the sessions of one user of an account.
const ofUser = "user_id = ? AND user_id IN (SELECT id FROM users WHERE account_id = ?)"

// EndSession implements account.SessionStore.
func (s *Store) EndSession(ctx context.Context, a ident.Account, u ident.User, id string, why audit.Event) error {
	digest, err := hex.DecodeString(id)
	if err != nil {
		return explain(gorm.ErrRecordNotFound, "session")
	}
	err = s.change(ctx, why, nil, func(tx *gorm.DB) error {
		return found(exec(tx, "DELETE FROM sessions WHERE "+ofUser+" AND digest = ?", u, a, digest))
	})
	return explain(err, "session")
}

// EndOtherSessions implements account.SessionStore.
func (s *Store) EndOtherSessions(ctx context.Context, a ident.Account, u ident.User, keep string, why audit.Event) error {
	digest, err := hex.DecodeString(keep)
	if err != nil {
		return explain(gorm.ErrRecordNotFound, "session")
	}
	err = s.change(ctx, why, nil, func(tx *gorm.DB) error {
		if _, err := exec(tx, "DELETE FROM sessions WHERE "+ofUser+" AND digest <> ?", u, a, digest); err != nil {
			return err
		}
		_, err := exec(tx, "DELETE FROM sessions WHERE pending_id = ? AND pending_id IN (SELECT id FROM users WHERE account_id = ?)", u, a)
		return err
	})
	return explain(err, "session")
}

// RemindAfter implements account.SessionStore.
func (s *Store) RemindAfter(ctx context.Context, a ident.Account, u ident.User) (time.Time, error) {
	row, err := of[userRow](s.read).Where("account_id = ? AND id = ?", a, u).Take(ctx)
	return row.RemindAfter.time(), explain(err, "user")
}

// PutOffReminder implements account.SessionStore.
func (s *Store) PutOffReminder(ctx context.Context, a ident.Account, u ident.User, until time.Time, why audit.Event) error {
	return s.noting(ctx, why, func(tx *gorm.DB) error {
		return explain(found(exec(tx, "UPDATE users SET remind_after = ? WHERE account_id = ? AND id = ?", stampOf(until), a, u)), "user")
	})
}
