// Package adminkey issues, finds and revokes the keys that programs present to
// the management API. An admin key acts as its owner, with the rights the owner
// has at that moment, and never with more.
package adminkey

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// UseKnown is how exactly the last use of an admin key is known.
const UseKnown = time.Minute

// Key is what we keep of an admin key: never its secret.
type Key struct {
	ID         ident.AdminKey
	Account    ident.Account
	Owner      ident.User
	OwnerName  string // such as "root@acme"
	Name       string // what it is for
	Digest     secret.Digest
	Hint       string // the secret's last four characters
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time      // zero: never; the last use was within UseKnown of it
	Networks   []netip.Prefix // nil: from everywhere

	// What is read with a key and not kept with it.
	OwnerRole     access.Role
	OwnerDisabled bool
}

// State is whether a key works, or why it does not.
type State string

// The states, in the order in which they hide each other.
const (
	Expired State = "expired"
	Dead    State = "dead" // the owner may not log on, or has no full access any more
	Active  State = "active"
)

// State says what the key is at a time.
func (k Key) State(at time.Time) State {
	switch {
	case !at.Before(k.ExpiresAt):
		return Expired
	case k.OwnerDisabled, k.OwnerRole != access.Root && k.OwnerRole != access.Super:
		return Dead
	}
	return Active
}

// The limits of admin keys.
const (
	NameMax  = 100 // characters
	KeysMost = 100 // of one account
	// UsualLife is what the form begins with.
	UsualLife = 90
)

// Lives are the lives a key can be given, in days. None lasts for ever.
var Lives = []int{7, 30, UsualLife, 180, 365}

// Terms are what somebody says of a new key.
type Terms struct {
	Name     string
	Days     int      // one of Lives
	Networks []string // addresses or ranges; none: from everywhere
}

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	// InsertAdminKey is Full if the account has that many already.
	InsertAdminKey(ctx context.Context, a ident.Account, k Key, most int, why audit.Event) error
	// AdminKeys gives all of an account, newest first.
	AdminKeys(ctx context.Context, a ident.Account) ([]Key, error)
	AdminKey(ctx context.Context, a ident.Account, id ident.AdminKey) (Key, error)
	AdminKeyByDigest(ctx context.Context, d secret.Digest) (Key, error)
	// AdminKeyUsed keeps when a key was used last, with a minute's precision.
	AdminKeyUsed(ctx context.Context, a ident.Account, id ident.AdminKey, at time.Time) error
	DeleteAdminKey(ctx context.Context, a ident.Account, id ident.AdminKey, why audit.Event) error
	// Actor gives who a user is now; missing when the user is gone or disabled.
	Actor(ctx context.Context, u ident.User) (access.Actor, error)
}

// Service is what root and super administrators can do with admin keys.
type Service struct {
	Store  Store
	Pepper secret.Pepper
	Now    func() time.Time
}

// Issue makes a key of the actor's own and returns its secret, once. It needs
// admin-keys:change; what is badly said is a fault on its field.
func (s *Service) Issue(ctx context.Context, by access.Actor, t Terms) (Key, secret.Text, error) {
	if err := by.Require(access.ChangeAdminKeys); err != nil {
		return Key{}, secret.Text{}, err
	}
	text, now := secret.NewAdminKey(), s.Now()
	k := Key{
		ID: ident.NewAdminKey(), Account: by.Account, Owner: by.User, OwnerName: by.FullName(), OwnerRole: by.Role,
		Digest: s.Pepper.Digest(text.Reveal()), Hint: secret.Hint(text), CreatedAt: now,
	}
	if err := s.settle(&k, t); err != nil {
		return Key{}, secret.Text{}, err
	}
	why := by.Event("admin-keys:issue", "", string(k.ID), fmt.Sprintf("created admin key %q", k.Name))
	why = why.With("expires", k.ExpiresAt.UTC().Format(time.RFC3339)).With("addresses", k.from())
	return k, text, s.Store.InsertAdminKey(ctx, by.Account, k, KeysMost, why)
}

// settle checks terms and writes them into a key.
func (s *Service) settle(k *Key, t Terms) (err error) {
	k.Name = strings.Join(strings.Fields(t.Name), " ")
	switch n := utf8.RuneCountInString(k.Name); {
	case n == 0:
		return fault.Field("name", "Say what the key is for, in 1–%d characters.", NameMax)
	case n > NameMax:
		return fault.Field("name", "A name has at most %d characters; this one has %d.", NameMax, n)
	case !utf8.ValidString(k.Name) || strings.ContainsRune(k.Name, 0):
		return fault.Field("name", "A name is ordinary text.")
	}
	for _, days := range Lives {
		if days == t.Days {
			k.ExpiresAt = k.CreatedAt.AddDate(0, 0, days)
		}
	}
	if k.ExpiresAt.IsZero() {
		return fault.Field("days", "Choose one of the lives offered.")
	}
	k.Networks, err = apikey.ParseNetworks(t.Networks)
	return err
}

// from says where a key may be used, in words for the audit trail.
func (k Key) from() string {
	if k.Networks == nil {
		return "all"
	}
	words := make([]string, len(k.Networks))
	for i, n := range k.Networks {
		words[i] = n.String()
	}
	return strings.Join(words, ", ")
}

// List gives all keys of the account, newest first. It needs admin-keys:read.
func (s *Service) List(ctx context.Context, by access.Actor) ([]Key, error) {
	if err := by.Require(access.ReadAdminKeys); err != nil {
		return nil, err
	}
	return s.Store.AdminKeys(ctx, by.Account)
}

// Find gives one key. It needs admin-keys:read.
func (s *Service) Find(ctx context.Context, by access.Actor, id ident.AdminKey) (Key, error) {
	if err := by.Require(access.ReadAdminKeys); err != nil {
		return Key{}, err
	}
	return s.Store.AdminKey(ctx, by.Account, id)
}

// Revoke ends a key for good, from its next request on. It needs
// admin-keys:change; only root revokes root's.
func (s *Service) Revoke(ctx context.Context, by access.Actor, id ident.AdminKey) error {
	if err := by.Require(access.ChangeAdminKeys); err != nil {
		return err
	}
	k, err := s.Store.AdminKey(ctx, by.Account, id)
	if err != nil {
		return err
	}
	if !MayRevoke(by, k) {
		return fault.New(fault.Forbidden, "Only the account owner (root) revokes root's admin keys.")
	}
	return s.Store.DeleteAdminKey(ctx, by.Account, id, by.Event("admin-keys:revoke", "", string(id), fmt.Sprintf("revoked admin key %q of %s", k.Name, k.OwnerName)))
}

// MayRevoke reports whether the actor may revoke that key of the own account.
func MayRevoke(by access.Actor, k Key) bool {
	return by.May(access.ChangeAdminKeys) && (by.Role == access.Root || k.OwnerRole != access.Root)
}
