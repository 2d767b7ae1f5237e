package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"bailiwick/internal/adminkey"
	"bailiwick/internal/ident"
)

type claimRow struct {
	Key     ident.AdminKey `gorm:"column:admin_key_id"`
	Mark    []byte
	Account ident.Account `gorm:"column:account_id"`
	Body    []byte
	Status  int
	Answer  []byte // nil: still being carried out, which nobody else ever sees
	Expires stamp
}

func (claimRow) TableName() string { return "admin_claims" }

// claimPatience is how long PostgreSQL waits for another server that carries
// out the same request. Within one server, and on SQLite, callers wait before
// they come here.
const claimPatience = "3s"

// Once carries out a request that must not be carried out twice. Everything do
// changes through the store it is given, what it answers and the note that the
// claim is used up are kept together or not at all: whenever the process dies,
// a repetition either finds the answer or begins afresh. A claim that is used up
// gives the answer that was kept.
func (s *Store) Once(ctx context.Context, a ident.Account, c adminkey.Claim, do func(*Store) (adminkey.Answer, error)) (answer adminkey.Answer, replayed bool, err error) {
	err = s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if answer, replayed, err = claim(ctx, tx, a, c); err != nil || replayed {
			return err
		}
		if answer, err = do(s.within(tx)); err != nil {
			return err
		}
		if err := stillThere(ctx, tx, a, c.Key); err != nil {
			return err
		}
		_, err = exec(tx, "UPDATE admin_claims SET status = ?, answer = ? WHERE admin_key_id = ? AND mark = ?", answer.Status, answer.Sealed, c.Key, c.Mark[:])
		return err
	})
	if err != nil {
		return adminkey.Answer{}, false, explain(err, "idempotency key")
	}
	if !replayed {
		s.tellHooks(ctx)
	}
	return answer, replayed, nil
}

// within is the same store inside a transaction: what is read and changed
// through it is read and changed there. Methods that run transactions of their
// own become parts of it which can be undone alone.
func (s *Store) within(tx *gorm.DB) *Store {
	inner := tx.Session(&gorm.Session{})
	inner.DisableNestedTransaction = false
	return &Store{write: inner, read: inner, now: s.now}
}

// claim takes a claim, or gives the answer of one that is used up. What is over
// is forgotten on the way.
func claim(ctx context.Context, tx *gorm.DB, a ident.Account, c adminkey.Claim) (answer adminkey.Answer, replayed bool, err error) {
	if postgresql(tx) {
		if _, err := exec(tx, "SET LOCAL lock_timeout = '"+claimPatience+"'"); err != nil {
			return answer, false, err
		}
	}
	if _, err := exec(tx, "DELETE FROM admin_claims WHERE admin_key_id = ? AND mark = ? AND expires <= ?", c.Key, c.Mark[:], stampOf(c.At)); err != nil {
		return answer, false, claimTaken(err)
	}
	n, err := exec(tx, `INSERT INTO admin_claims (admin_key_id, mark, account_id, body, status, expires) VALUES (?, ?, ?, ?, 0, ?)
		ON CONFLICT (admin_key_id, mark) DO NOTHING`, c.Key, c.Mark[:], a, c.Body[:], stampOf(c.Until))
	if err != nil {
		return answer, false, claimTaken(err)
	}
	if postgresql(tx) {
		if _, err := exec(tx, "SET LOCAL lock_timeout TO DEFAULT"); err != nil {
			return answer, false, err
		}
	}
	if n == 1 {
		return answer, false, forgetClaims(tx, c)
	}
	row, err := of[claimRow](tx).Where("admin_key_id = ? AND mark = ? AND account_id = ?", c.Key, c.Mark[:], a).Take(ctx)
	if err != nil {
		return answer, false, err
	}
	if body, err := digestOf(row.Body); err != nil || body != c.Body {
		return answer, false, errors.Join(err, adminkey.OtherBody())
	}
	return adminkey.Answer{Status: row.Status, Sealed: row.Answer}, true, nil
}

// claimTaken is the refusal where another server holds the claim for long.
func claimTaken(err error) error {
	if locked(err) {
		return adminkey.Running()
	}
	return fmt.Errorf("claim: %w", err)
}

// stillThere refuses what an admin key began that was revoked meanwhile. It is
// asked behind the change, which holds the clock, so that no revocation comes
// between the question and the commit.
func stillThere(ctx context.Context, tx *gorm.DB, a ident.Account, k ident.AdminKey) error {
	ok, err := there[adminKeyRow](ctx, tx, "account_id = ? AND id = ?", a, k)
	if err == nil && !ok {
		err = adminkey.Unknown()
	}
	return err
}

// forgetMost bounds how much of what is over one request forgets.
const forgetMost = 100

func forgetClaims(tx *gorm.DB, c adminkey.Claim) error {
	_, err := exec(tx, `DELETE FROM admin_claims WHERE admin_key_id = ? AND mark IN
		(SELECT mark FROM admin_claims WHERE admin_key_id = ? AND expires <= ? LIMIT ?)`, c.Key, c.Key, stampOf(c.At), forgetMost)
	return err
}
