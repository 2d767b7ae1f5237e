package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

var _ factor.Store = (*Store)(nil)

type appRow struct {
	User    ident.User    `gorm:"column:user_id"`
	Account ident.Account `gorm:"column:account_id"`
	Seed    []byte
	Step    int64
	Created stamp
}

func (appRow) TableName() string { return "authenticators" }

type passkeyRow struct {
	ID         ident.Passkey
	Account    ident.Account `gorm:"column:account_id"`
	User       ident.User    `gorm:"column:user_id"`
	Name       string
	Credential []byte
	Record     string
	Created    stamp
	Used       stamp // zero: never
	Challenge  int64
}

func (passkeyRow) TableName() string { return "passkeys" }

func (r passkeyRow) passkey() factor.Passkey {
	return factor.Passkey{
		ID: r.ID, Name: r.Name, Credential: r.Credential, Record: []byte(r.Record), CreatedAt: r.Created.time(), UsedAt: r.Used.time(), Challenge: r.Challenge,
	}
}

type codeRow struct {
	User    ident.User    `gorm:"column:user_id"`
	Account ident.Account `gorm:"column:account_id"`
	Digest  []byte
}

func (codeRow) TableName() string { return "recovery_codes" }

// Factors implements factor.Store.
func (s *Store) Factors(ctx context.Context, a ident.Account, u ident.User) (set factor.Set, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		apps, err := of[appRow](tx).Where("account_id = ? AND user_id = ?", a, u).Find(ctx)
		if err != nil {
			return err
		}
		for _, r := range apps {
			set.App = factor.App{Seed: r.Seed, Step: r.Step, CreatedAt: r.Created.time()}
		}
		keys, err := of[passkeyRow](tx).Where("account_id = ? AND user_id = ?", a, u).Order("created, id").Find(ctx)
		if err != nil {
			return err
		}
		for _, r := range keys {
			set.Passkeys = append(set.Passkeys, r.passkey())
		}
		codes, err := of[codeRow](tx).Where("account_id = ? AND user_id = ?", a, u).Count(ctx)
		set.Codes = int(codes)
		return err
	})
	return set, explain(err, "user")
}

// PutApp implements factor.Store.
func (s *Store) PutApp(ctx context.Context, a ident.Account, u ident.User, app factor.App, codes []secret.Digest, why audit.Event) error {
	return s.refactor(ctx, a, u, why, func(tx *gorm.DB) error {
		if _, err := exec(tx, "DELETE FROM authenticators WHERE account_id = ? AND user_id = ?", a, u); err != nil {
			return err
		}
		row := appRow{User: u, Account: a, Seed: app.Seed, Step: app.Step, Created: stampOf(app.CreatedAt)}
		if err := of[appRow](tx).Create(ctx, &row); err != nil {
			return err
		}
		return putCodes(ctx, tx, a, u, codes)
	})
}

// DropApp implements factor.Store.
func (s *Store) DropApp(ctx context.Context, a ident.Account, u ident.User, why audit.Event) error {
	return s.refactor(ctx, a, u, why, func(tx *gorm.DB) error {
		return found(exec(tx, "DELETE FROM authenticators WHERE account_id = ? AND user_id = ?", a, u))
	})
}

// InsertPasskey implements factor.Store.
func (s *Store) InsertPasskey(ctx context.Context, a ident.Account, u ident.User, p factor.Passkey, most int, codes []secret.Digest, why audit.Event) error {
	return s.refactor(ctx, a, u, why, func(tx *gorm.DB) error {
		n, err := of[passkeyRow](tx).Where("account_id = ? AND user_id = ?", a, u).Count(ctx)
		if err != nil {
			return err
		}
		if n >= int64(most) {
			return fault.New(fault.Full, "You have %d passkeys, which is the most. Remove one first.", n)
		}
		row := passkeyRow{
			ID: p.ID, Account: a, User: u, Name: p.Name, Credential: p.Credential, Record: string(p.Record), Created: stampOf(p.CreatedAt), Challenge: p.Challenge,
		}
		if err := of[passkeyRow](tx).Create(ctx, &row); err != nil {
			return explain(err, "passkey", "passkey")
		}
		return putCodes(ctx, tx, a, u, codes)
	})
}

// DropPasskey implements factor.Store.
func (s *Store) DropPasskey(ctx context.Context, a ident.Account, u ident.User, id ident.Passkey, why audit.Event) error {
	return s.refactor(ctx, a, u, why, func(tx *gorm.DB) error {
		return found(exec(tx, "DELETE FROM passkeys WHERE account_id = ? AND user_id = ? AND id = ?", a, u, id))
	})
}

// DropFactors implements factor.Store.
func (s *Store) DropFactors(ctx context.Context, a ident.Account, u ident.User, why audit.Event) error {
	return s.refactor(ctx, a, u, why, func(tx *gorm.DB) error { return dropFactors(tx, a, u) })
}

func dropFactors(tx *gorm.DB, a ident.Account, u ident.User) error {
	for _, statement := range []string{
		"DELETE FROM authenticators WHERE account_id = ? AND user_id = ?",
		"DELETE FROM passkeys WHERE account_id = ? AND user_id = ?",
		"DELETE FROM recovery_codes WHERE account_id = ? AND user_id = ?",
	} {
		if _, err := exec(tx, statement, a, u); err != nil {
			return err
		}
	}
	return nil
}

// hasFactor is what the column of that name has to say.
const hasFactor = "EXISTS (SELECT 1 FROM authenticators f WHERE f.user_id = users.id) OR EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = users.id)"

// refactor changes what factors a user has, and ends every session. Without a
// factor recovery codes stand for nothing, so they go with the last one.
func (s *Store) refactor(ctx context.Context, a ident.Account, u ident.User, why audit.Event, do func(tx *gorm.DB) error) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		if err := found(exec(tx, "UPDATE users SET generation = generation + 1 WHERE account_id = ? AND id = ?", a, u)); err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		if _, err := exec(tx, "UPDATE users SET has_factor = ("+hasFactor+") WHERE account_id = ? AND id = ?", a, u); err != nil {
			return err
		}
		if _, err := exec(tx, `DELETE FROM recovery_codes WHERE account_id = ? AND user_id = ?
			AND NOT EXISTS (SELECT 1 FROM users WHERE users.id = recovery_codes.user_id AND users.has_factor = ?)`, a, u, true); err != nil {
			return err
		}
		return endSessions(tx, u)
	})
	return explain(err, "second factor")
}

// found makes an error of a change that found nothing to change.
func found(n int64, err error) error {
	if err == nil && n == 0 {
		err = gorm.ErrRecordNotFound
	}
	return err
}

// ReplaceCodes implements factor.Store.
func (s *Store) ReplaceCodes(ctx context.Context, a ident.Account, u ident.User, codes []secret.Digest, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		ready, err := there[userRow](ctx, tx, "account_id = ? AND id = ? AND has_factor = ?", a, u, true)
		if err == nil && !ready {
			err = gorm.ErrRecordNotFound
		}
		if err != nil {
			return err
		}
		return putCodes(ctx, tx, a, u, codes)
	})
	return explain(err, "second factor")
}

func putCodes(ctx context.Context, tx *gorm.DB, a ident.Account, u ident.User, codes []secret.Digest) error {
	if len(codes) == 0 {
		return nil
	}
	if _, err := exec(tx, "DELETE FROM recovery_codes WHERE account_id = ? AND user_id = ?", a, u); err != nil {
		return err
	}
	for _, c := range codes {
		row := codeRow{User: u, Account: a, Digest: c[:]}
		if err := of[codeRow](tx).Create(ctx, &row); err != nil {
			return err
		}
	}
	return nil
}

// TakeStep implements factor.Store.
func (s *Store) TakeStep(ctx context.Context, a ident.Account, u ident.User, step int64) error {
	return explain(found(exec(s.write.WithContext(ctx), "UPDATE authenticators SET step = ? WHERE account_id = ? AND user_id = ? AND step < ?", step, a, u, step)), "code")
}

// TakeCode implements factor.Store.
func (s *Store) TakeCode(ctx context.Context, a ident.Account, u ident.User, code secret.Digest, why audit.Event) error {
	err := s.noting(ctx, why, func(tx *gorm.DB) error {
		return explain(found(exec(tx, "DELETE FROM recovery_codes WHERE account_id = ? AND user_id = ? AND digest = ?", a, u, code[:])), "code")
	})
	return err
}

// TakePasskey implements factor.Store.
func (s *Store) TakePasskey(ctx context.Context, a ident.Account, u ident.User, p factor.Passkey) error {
	return explain(found(exec(s.write.WithContext(ctx),
		"UPDATE passkeys SET record = ?, used = ?, challenge = ? WHERE account_id = ? AND user_id = ? AND id = ? AND challenge < ?",
		string(p.Record), stampOf(p.UsedAt), p.Challenge, a, u, p.ID, p.Challenge)), "passkey")
}

// Half implements factor.Store.
func (s *Store) Half(ctx context.Context, id ident.User) (u account.User, err error) {
	err = s.view(ctx, func(tx *gorm.DB) error {
		row, err := of[userRow](tx).Where("id = ? AND disabled = 0", id).Take(ctx)
		if err != nil {
			return err
		}
		owner, err := of[accountRow](tx).Where("id = ?", row.Account).Take(ctx)
		u = row.user()
		u.Alias = owner.Alias
		return err
	})
	return u, explain(err, "user")
}
