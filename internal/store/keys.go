package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

type keyRow struct {
	ID          ident.Key
	Number      int64           // when it was created, or the next microsecond that was free
	Account     ident.Account   `gorm:"column:account_id"`
	Workspace   ident.Workspace `gorm:"column:workspace_id"`
	Owner       *ident.User     `gorm:"column:owner_id"` // nil: gone, and the key dead for good
	OwnerName   string
	Description string
	Folded      string // the description as it is searched
	Digest      []byte
	Hint        string
	Previous    []byte // the digest before the last reset; nil: none
	// PreviousUntil is when that one ends.
	PreviousUntil stamp
	Created       stamp
	LastUsed      stamp
	Disabled      stamp
	Expires       stamp
	Models        *string // nil: every model of the workspace
	Networks      *string // nil: from everywhere
	Version       int64
	EditedAt      stamp
	EditedBy      string
}

func (keyRow) TableName() string { return "keys" }

func keyRowOf(k apikey.Key) keyRow {
	return keyRow{
		ID: k.ID, Account: k.Account, Workspace: k.Workspace, Owner: &k.Owner, OwnerName: k.OwnerName,
		Description: k.Description, Folded: fold(k.Description), Digest: k.Digest[:], Hint: k.Hint,
		Previous: digestColumn(k.Previous), PreviousUntil: stampOf(k.PreviousUntil),
		Created: stampOf(k.CreatedAt), LastUsed: stampOf(k.LastUsedAt), Disabled: stampOf(k.DisabledAt), Expires: stampOf(k.ExpiresAt),
		Models: joined(k.Models), Networks: joinedNetworks(k.Networks), Version: k.Version,
		EditedAt: stampOf(k.EditedAt), EditedBy: k.EditedBy,
	}
}

// digestColumn keeps a digest that may be absent.
func digestColumn(d secret.Digest) []byte {
	if d.Zero() {
		return nil
	}
	return d[:]
}

// digestOf reads a digest; none is the zero one.
func digestOf(column []byte) (secret.Digest, error) {
	if n := len(column); n != 0 && n != len(secret.Digest{}) {
		return secret.Digest{}, fmt.Errorf("digest of %d bytes", n)
	}
	if column == nil {
		return secret.Digest{}, nil
	}
	return secret.Digest(column), nil
}

func (r keyRow) key() (apikey.Key, error) {
	networks, err := splitNetworks(r.Networks)
	digest, err1 := digestOf(r.Digest)
	previous, err2 := digestOf(r.Previous)
	if err = errors.Join(err, err1, err2); err != nil {
		return apikey.Key{}, fmt.Errorf("key %s: %w", r.ID, err)
	}
	var owner ident.User
	if r.Owner != nil {
		owner = *r.Owner
	}
	return apikey.Key{
		ID: r.ID, Account: r.Account, Workspace: r.Workspace, Owner: owner, OwnerName: r.OwnerName,
		Description: r.Description, Digest: digest, Hint: r.Hint, Previous: previous, PreviousUntil: r.PreviousUntil.time(),
		CreatedAt: r.Created.time(), LastUsedAt: r.LastUsed.time(), DisabledAt: r.Disabled.time(), ExpiresAt: r.Expires.time(),
		Models: split[ident.Model](r.Models), Networks: networks, Version: r.Version,
		EditedAt: r.EditedAt.time(), EditedBy: r.EditedBy,
	}, nil
}

// listedKeyRow is a key with the name a list shows.
type listedKeyRow struct {
	Row           keyRow `gorm:"embedded"`
	OwnerLeft     bool
	OwnerDisabled bool
	WorkspaceName string
}

func (r listedKeyRow) listed() (apikey.Listed, error) {
	k, err := r.Row.key()
	k.OwnerLeft, k.OwnerDisabled = r.OwnerLeft, r.OwnerDisabled
	return apikey.Listed{Key: k, WorkspaceName: r.WorkspaceName}, err
}

// ownerBelongs says of the owner u of a key k what the policy asks of them
// beside that they may log on.
const ownerBelongs = `(u.role IN ('root', 'super')
	OR EXISTS (SELECT 1 FROM members m WHERE m.workspace_id = k.workspace_id AND m.user_id = k.owner_id))`

// setStranded notes which keys have no owner who belongs to their workspace and
// may log on: the policy refuses them. Whatever changes that calls strand.
const setStranded = `UPDATE keys AS k SET stranded = CASE WHEN EXISTS (
	SELECT 1 FROM users u WHERE u.id = k.owner_id AND u.disabled = 0 AND ` + ownerBelongs + `) THEN 0 ELSE 1 END`

// strand looks at the keys of a user anew.
func strand(tx *gorm.DB, a ident.Account, u ident.User) error {
	_, err := exec(tx, setStranded+" WHERE k.account_id = ? AND k.owner_id = ?", a, u)
	return err
}

const keySelect = `SELECT k.*, u.id IS NULL OR NOT ` + ownerBelongs + ` AS owner_left,
		u.id IS NOT NULL AND u.disabled <> 0 AS owner_disabled, w.name AS workspace_name
	FROM keys k
	LEFT JOIN users u ON u.id = k.owner_id
	JOIN workspaces w ON w.id = k.workspace_id`

// KeyLimit implements apikey.Store.
func (s *Store) KeyLimit(ctx context.Context, a ident.Account) (int, error) {
	row, err := of[accountRow](s.read).Where("id = ?", a).Take(ctx)
	return row.KeyLimit, explain(err, "account")
}

// InsertKey implements apikey.Store. The key is kept in ws, which must be of
// the key's account, as its owner must; otherwise they are missing.
func (s *Store) InsertKey(ctx context.Context, ws ident.Workspace, k apikey.Key, limit int, why audit.Event) error {
	err := s.change(ctx, why, aKey.of(k.Account, string(k.ID)), func(tx *gorm.DB) error {
		home, err := workspaceOf(ctx, tx, k.Account, ws)
		if err != nil {
			return explain(err, "workspace")
		}
		if k.OwnerName, err = fullName(ctx, tx, k.Account, k.Owner); err != nil {
			return explain(err, "user")
		}
		n, err := exec(tx, "UPDATE workspaces SET key_count = key_count + 1 WHERE account_id = ? AND id = ? AND key_count < ?", k.Account, ws, limit)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Full, "This workspace may hold %d API keys and holds %d. "+
				"Delete one that is no longer used, or have the limit raised in the account's Settings.", limit, home.KeyCount)
		}
		k.Workspace = ws
		row := keyRowOf(k)
		if err := createKey(tx, &row); err != nil {
			return err
		}
		return strand(tx, k.Account, k.Owner)
	})
	return explain(err, "API key")
}

// fullName is how a user logs on.
func fullName(ctx context.Context, tx *gorm.DB, a ident.Account, u ident.User) (string, error) {
	return of[string](tx).Raw(`SELECT u.log_on || '@' || a.alias FROM users u JOIN accounts a ON a.id = u.account_id
		WHERE u.account_id = ? AND u.id = ?`, a, u).Take(ctx)
}

// Key implements apikey.Store.
func (s *Store) Key(ctx context.Context, ws ident.Workspace, id ident.Key) (apikey.Key, error) {
	row, err := of[listedKeyRow](s.read).Raw(keySelect+" WHERE k.workspace_id = ? AND k.id = ?", ws, id).Take(ctx)
	if err != nil {
		return apikey.Key{}, explain(err, "API key")
	}
	found, err := row.listed()
	return found.Key, err
}

// UpdateKey implements apikey.Store.
func (s *Store) UpdateKey(ctx context.Context, ws ident.Workspace, k apikey.Key, why audit.Event) error {
	return s.editKey(ctx, ws, k, why, func(tx *gorm.DB, before keyRow) (int64, error) {
		r := keyRowOf(k)
		if err := reshelve(tx, ws, before.Number, before.Folded, r.Folded); err != nil {
			return 0, err
		}
		return exec(tx, `UPDATE keys SET description = ?, folded = ?, models = ?, networks = ?, expires = ?, edited_at = ?, edited_by = ?, version = version + 1
			WHERE workspace_id = ? AND id = ? AND version = ?`, r.Description, r.Folded, r.Models, r.Networks, r.Expires, stampOf(s.now()), why.ActorName, ws, k.ID, k.Version)
	})
}

// ResetKey implements apikey.Store.
func (s *Store) ResetKey(ctx context.Context, ws ident.Workspace, k apikey.Key, old secret.Digest, why audit.Event) error {
	return s.editKey(ctx, ws, k, why, func(tx *gorm.DB, _ keyRow) (int64, error) {
		r := keyRowOf(k)
		return exec(tx, `UPDATE keys SET digest = ?, hint = ?, previous = ?, previous_until = ?, edited_at = ?, edited_by = ?, version = version + 1
			WHERE workspace_id = ? AND id = ? AND version = ? AND digest = ?`, r.Digest, r.Hint, r.Previous, r.PreviousUntil, stampOf(s.now()), why.ActorName, ws, k.ID, k.Version, old[:])
	})
}

// editKey changes a key that is there; one that was changed meanwhile is a conflict.
func (s *Store) editKey(ctx context.Context, ws ident.Workspace, k apikey.Key, why audit.Event, do func(tx *gorm.DB, before keyRow) (int64, error)) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		row, err := keyIn(ctx, tx, ws, k.ID)
		if err != nil {
			return deed{}, err
		}
		n, err := do(tx, row)
		if err == nil && n == 0 {
			err = stale("API key")
		}
		return deed{why, aKey.of(row.Account, string(k.ID))}, err
	})
	return explain(err, "API key")
}

// SetKeyDisabled implements apikey.Store. A key that is as it shall be stays as
// it is, and no event is kept.
func (s *Store) SetKeyDisabled(ctx context.Context, ws ident.Workspace, id ident.Key, at time.Time, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		row, err := keyIn(ctx, tx, ws, id)
		if err == nil && (row.Disabled == 0) == at.IsZero() {
			err = errUnchanged
		}
		if err != nil {
			return deed{}, err
		}
		_, err = exec(tx, "UPDATE keys SET disabled = ?, edited_at = ?, edited_by = ?, version = version + 1 WHERE workspace_id = ? AND id = ?",
			stampOf(at), stampOf(s.now()), why.ActorName, ws, id)
		return deed{why, aKey.of(row.Account, string(id))}, err
	})
	return explain(err, "API key")
}

// DeleteKey implements apikey.Store.
func (s *Store) DeleteKey(ctx context.Context, ws ident.Workspace, id ident.Key, why audit.Event) error {
	err := s.changeAs(ctx, func(tx *gorm.DB) (deed, error) {
		row, err := keyIn(ctx, tx, ws, id)
		if err != nil {
			return deed{}, err
		}
		if _, err := exec(tx, "DELETE FROM keys WHERE workspace_id = ? AND id = ?", ws, id); err != nil {
			return deed{}, err
		}
		if err := unshelve(tx, ws, row.Number, row.Folded); err != nil {
			return deed{}, err
		}
		_, err = exec(tx, "UPDATE workspaces SET key_count = key_count - 1 WHERE id = ?", ws)
		return deed{why, aKey.of(row.Account, string(id))}, err
	})
	return explain(err, "API key")
}

func keyIn(ctx context.Context, tx *gorm.DB, ws ident.Workspace, id ident.Key) (keyRow, error) {
	return of[keyRow](tx).Where("workspace_id = ? AND id = ?", ws, id).Take(ctx)
}
