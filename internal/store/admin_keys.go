package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

type adminKeyRow struct {
	ID       ident.AdminKey
	Account  ident.Account `gorm:"column:account_id"`
	Owner    ident.User    `gorm:"column:owner_id"`
	Name     string
	Digest   []byte
	Hint     string
	Networks *string // nil: from everywhere
	Created  stamp
	Expires  stamp
	LastUsed stamp
}

func (adminKeyRow) TableName() string { return "admin_keys" }

// listedAdminKeyRow is an admin key with what its owner is.
type listedAdminKeyRow struct {
	Row           adminKeyRow `gorm:"embedded"`
	OwnerName     string
	OwnerRole     access.Role
	OwnerDisabled bool
}

func (r listedAdminKeyRow) key() (adminkey.Key, error) {
	networks, err := splitNetworks(r.Row.Networks)
	if err != nil {
		return adminkey.Key{}, err
	}
	digest, err := digestOf(r.Row.Digest)
	return adminkey.Key{
		ID: r.Row.ID, Account: r.Row.Account, Owner: r.Row.Owner, OwnerName: r.OwnerName, Name: r.Row.Name, Digest: digest, Hint: r.Row.Hint,
		Networks: networks, CreatedAt: r.Row.Created.time(), ExpiresAt: r.Row.Expires.time(), LastUsedAt: r.Row.LastUsed.time(),
		OwnerRole: r.OwnerRole, OwnerDisabled: r.OwnerDisabled,
	}, err
}

const adminKeySelect = `SELECT k.*, u.log_on || '@' || a.alias AS owner_name, u.role AS owner_role, u.disabled <> 0 AS owner_disabled
	FROM admin_keys k
	JOIN users u ON u.id = k.owner_id
	JOIN accounts a ON a.id = k.account_id`

// InsertAdminKey implements adminkey.Store. The owner must be of the account.
func (s *Store) InsertAdminKey(ctx context.Context, a ident.Account, k adminkey.Key, most int, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		ours, err := there[userRow](ctx, tx, "account_id = ? AND id = ?", a, k.Owner)
		if err != nil {
			return err
		}
		if !ours {
			return fault.NoSuch("user")
		}
		n, err := of[adminKeyRow](tx).Where("account_id = ?", a).Count(ctx)
		if err != nil {
			return err
		}
		if n >= int64(most) {
			return fault.New(fault.Full, "An account has at most %d admin keys. Revoke one that is no longer used.", most)
		}
		return of[adminKeyRow](tx).Create(ctx, &adminKeyRow{
			ID: k.ID, Account: a, Owner: k.Owner, Name: k.Name, Digest: k.Digest[:], Hint: k.Hint, Networks: joinedNetworks(k.Networks),
			Created: stampOf(k.CreatedAt), Expires: stampOf(k.ExpiresAt),
		})
	})
	return explain(err, "admin key")
}

// AdminKeys implements adminkey.Store.
func (s *Store) AdminKeys(ctx context.Context, a ident.Account) ([]adminkey.Key, error) {
	rows, err := of[listedAdminKeyRow](s.read).Raw(adminKeySelect+" WHERE k.account_id = ? ORDER BY k.created DESC, k.id DESC", a).Find(ctx)
	if err != nil {
		return nil, explain(err, "admin key")
	}
	all := make([]adminkey.Key, len(rows))
	for i, r := range rows {
		if all[i], err = r.key(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// AdminKey implements adminkey.Store.
func (s *Store) AdminKey(ctx context.Context, a ident.Account, id ident.AdminKey) (adminkey.Key, error) {
	return s.oneAdminKey(ctx, "k.account_id = ? AND k.id = ?", a, id)
}

// AdminKeyByDigest implements adminkey.Store.
func (s *Store) AdminKeyByDigest(ctx context.Context, d secret.Digest) (adminkey.Key, error) {
	return s.oneAdminKey(ctx, "k.digest = ?", d[:])
}

func (s *Store) oneAdminKey(ctx context.Context, where string, args ...any) (adminkey.Key, error) {
	row, err := of[listedAdminKeyRow](s.read).Raw(adminKeySelect+" WHERE "+where, args...).Take(ctx)
	if err != nil {
		return adminkey.Key{}, explain(err, "admin key")
	}
	return row.key()
}

// AdminKeyUsed implements adminkey.Store. Several servers write once a minute
// between them.
func (s *Store) AdminKeyUsed(ctx context.Context, a ident.Account, id ident.AdminKey, at time.Time) error {
	_, err := exec(s.write.WithContext(ctx), "UPDATE admin_keys SET last_used = ? WHERE account_id = ? AND id = ? AND last_used <= ?",
		stampOf(at), a, id, stampOf(at.Add(-adminkey.UseKnown)))
	return explain(err, "admin key")
}

// DeleteAdminKey implements adminkey.Store. What its requests were answered goes with it.
func (s *Store) DeleteAdminKey(ctx context.Context, a ident.Account, id ident.AdminKey, why audit.Event) error {
	err := s.change(ctx, why, nil, func(tx *gorm.DB) error {
		n, err := exec(tx, "DELETE FROM admin_keys WHERE account_id = ? AND id = ?", a, id)
		if err == nil && n == 0 {
			err = gorm.ErrRecordNotFound
		}
		if err != nil {
			return err
		}
		_, err = exec(tx, "DELETE FROM admin_claims WHERE account_id = ? AND admin_key_id = ?", a, id)
		return err
	})
	return explain(err, "admin key")
}
