// Package apikey issues, finds and revokes the secrets that programs present
// at the gateway.
package apikey

import (
	"context"
	"net/netip"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Key is what we keep of an issued secret: never the secret itself.
type Key struct {
	ID          ident.Key
	Account     ident.Account
	Workspace   ident.Workspace
	Description string
	Digest      secret.Digest
	Hint        string // the secret's last four characters
	// Previous is the digest of the secret before the last reset, which works on
	// until PreviousUntil; zero: none does.
	Previous      secret.Digest
	PreviousUntil time.Time
	Owner         ident.User // who made it; the key works as long as they may be in the workspace; empty: gone for good
	OwnerName     string     // such as "alice@acme"; it stays when the owner is gone
	CreatedAt     time.Time
	LastUsedAt    time.Time      // zero: never; the last use was within UseKnown of it
	DisabledAt    time.Time      // zero: enabled
	ExpiresAt     time.Time      // zero: does not expire
	Models        []ident.Model  // nil: every model of the workspace
	Networks      []netip.Prefix // nil: from everywhere
	Version       int64
	EditedAt      time.Time // as the store keeps it; zero: never since it was made
	EditedBy      string    // such as "alice@acme"

	// What is read with a key and not kept with it.
	OwnerLeft     bool // gone for good, or no longer in the workspace
	OwnerDisabled bool // may not log on
}

// UseKnown is how exactly the last use of a key is known: to keep it changes three
// places of the database, which would be the most that a call costs.
const UseKnown = 5 * time.Minute

// State is whether a key works, or why it does not.
type State string

// The states, in the order in which they hide each other; it is the order of
// the policy's checks.
const (
	Disabled      State = "disabled"
	Expired       State = "expired"
	OwnerLeft     State = "owner-left"
	OwnerDisabled State = "owner-disabled"
	Enabled       State = "enabled"
)

// State says what the key is at a time.
func (k Key) State(at time.Time) State {
	switch {
	case !k.DisabledAt.IsZero():
		return Disabled
	case !k.ExpiresAt.IsZero() && !at.Before(k.ExpiresAt):
		return Expired
	case k.OwnerLeft:
		return OwnerLeft
	case k.OwnerDisabled:
		return OwnerDisabled
	}
	return Enabled
}

// Listed is a key as lists show it.
type Listed struct {
	Key
	WorkspaceName string
}

// Order is what a list is sorted by.
type Order string

// The orders. Each begins with what is new, or due: the newest keys, those used
// last, those that expire first. Reversed turns it round.
const (
	ByCreation Order = "" // usual
	ByUse      Order = "used"
	ByExpiry   Order = "expires"
)

// Filter chooses keys for a list.
type Filter struct {
	Search   string            // part of the description or of a key's id, or the last four characters of its secret
	State    State             // empty: all; OwnerLeft finds those of disabled owners too
	At       time.Time         // when the state is asked for; the service fills it in
	Only     []ident.Workspace // nil: all of the account
	Order    Order
	Reversed bool
	After    string // the cursor the previous page ended with
	Limit    int
}

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	// KeyLimit is how many keys a workspace of the account may hold.
	KeyLimit(ctx context.Context, a ident.Account) (int, error)
	// InsertKey counts against the limit in the same transaction.
	InsertKey(ctx context.Context, ws ident.Workspace, k Key, limit int, why audit.Event) error
	Key(ctx context.Context, ws ident.Workspace, id ident.Key) (Key, error)
	Keys(ctx context.Context, a ident.Account, f Filter) (page []Listed, next string, err error)
	// UpdateKey changes description, scope and expiry; a conflict unless
	// k.Version is the present one.
	UpdateKey(ctx context.Context, ws ident.Workspace, k Key, why audit.Event) error
	// ResetKey changes the secret's digests and hint; a conflict unless k.Version
	// is the present one and the key's digest is still the old one.
	ResetKey(ctx context.Context, ws ident.Workspace, k Key, old secret.Digest, why audit.Event) error
	// SetKeyDisabled disables at that time, or enables when it is zero.
	SetKeyDisabled(ctx context.Context, ws ident.Workspace, id ident.Key, at time.Time, why audit.Event) error
	DeleteKey(ctx context.Context, ws ident.Workspace, id ident.Key, why audit.Event) error
}

// Service is what people can do with keys.
type Service struct {
	Store  Store
	Pepper secret.Pepper
	Now    func() time.Time
}

// Issue makes a key in a workspace and returns its secret, once. It needs
// keys:issue there; terms that cannot be are a fault on their field.
func (s *Service) Issue(ctx context.Context, by access.Actor, ws ident.Workspace, t Terms) (Key, secret.Text, error) {
	if err := by.RequireIn(ws, access.IssueKeys); err != nil {
		return Key{}, secret.Text{}, err
	}
	text := secret.NewKey()
	k := Key{
		ID: ident.NewKey(), Account: by.Account, Workspace: ws,
		Digest: s.Pepper.Digest(text.Reveal()), Hint: secret.Hint(text),
		Owner: by.User, OwnerName: by.FullName(), CreatedAt: s.Now(), Version: 1,
	}
	if err := s.settle(&k, t); err != nil {
		return Key{}, secret.Text{}, err
	}
	limit, err := s.Store.KeyLimit(ctx, by.Account)
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	why := by.Event(access.IssueKeys, ws, string(k.ID), "created an API key"+named(k.Description))
	if err := s.Store.InsertKey(ctx, ws, k, limit, made(why, k)); err != nil {
		return Key{}, secret.Text{}, err
	}
	return k, text, nil
}

// List gives one page of a workspace's keys. It needs keys:read there.
func (s *Service) List(ctx context.Context, by access.Actor, ws ident.Workspace, f Filter) ([]Listed, string, error) {
	if err := by.RequireIn(ws, access.ReadKeys); err != nil {
		return nil, "", err
	}
	f.Only, f.At = []ident.Workspace{ws}, s.Now()
	return s.Store.Keys(ctx, by.Account, f)
}

// ListAll gives one page of the keys of every workspace whose keys the actor may read.
func (s *Service) ListAll(ctx context.Context, by access.Actor, f Filter) ([]Listed, string, error) {
	if err := by.Require(access.Enter); err != nil {
		return nil, "", err
	}
	f.Only, f.At = nil, s.Now()
	if !by.Everywhere() {
		f.Only = []ident.Workspace{}
		for ws := range by.In {
			if by.MayIn(ws, access.ReadKeys) {
				f.Only = append(f.Only, ws)
			}
		}
	}
	return s.Store.Keys(ctx, by.Account, f)
}

// Find gives one key. It needs keys:read in its workspace.
func (s *Service) Find(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Key) (Key, error) {
	if err := by.RequireIn(ws, access.ReadKeys); err != nil {
		return Key{}, err
	}
	return s.Store.Key(ctx, ws, id)
}

// Disable stops a key until it is enabled again. It needs keys:change.
func (s *Service) Disable(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Key) error {
	if err := by.RequireIn(ws, access.ChangeKeys); err != nil {
		return err
	}
	return s.Store.SetKeyDisabled(ctx, ws, id, s.Now(), by.Event("keys:disable", ws, string(id), "disabled an API key").Changed("works", "true", "false"))
}

// Enable lets a disabled key work again. It needs keys:change.
func (s *Service) Enable(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Key) error {
	if err := by.RequireIn(ws, access.ChangeKeys); err != nil {
		return err
	}
	return s.Store.SetKeyDisabled(ctx, ws, id, time.Time{}, by.Event("keys:enable", ws, string(id), "enabled an API key").Changed("works", "false", "true"))
}

// Delete ends a key for good. It needs keys:change.
func (s *Service) Delete(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Key) error {
	if err := by.RequireIn(ws, access.ChangeKeys); err != nil {
		return err
	}
	k, err := s.Store.Key(ctx, ws, id)
	if err != nil {
		return err
	}
	why := by.Event("keys:delete", ws, string(id), "deleted an API key"+named(k.Description)).About("key", k.Description)
	return s.Store.DeleteKey(ctx, ws, id, why.With("owner", k.OwnerName).With("ends with", k.Hint))
}
