// Package apikey issues, finds and revokes the secrets that programs present
// at the gateway.
package apikey

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// DescriptionMax is how many characters a description may have.
const DescriptionMax = 200

// PerWorkspace is how many keys a workspace may hold.
const PerWorkspace = 50

// Key is what we keep of an issued secret: never the secret itself.
type Key struct {
	ID          ident.Key
	Account     ident.Account
	Workspace   ident.Workspace
	Description string
	Digest      secret.Digest
	Hint        string     // the secret's last four characters
	Owner       ident.User // who made it; the key works as long as they may be in the workspace; empty: gone for good
	OwnerName   string     // such as "alice@acme"; it stays when the owner is gone
	CreatedAt   time.Time
	LastUsedAt  time.Time      // zero: never; a minute's precision
	DisabledAt  time.Time      // zero: enabled
	ExpiresAt   time.Time      // zero: does not expire
	Models      []ident.Model  // nil: every model of the workspace
	Networks    []netip.Prefix // nil: from everywhere
	Version     int64
}

// Listed is a key as lists show it.
type Listed struct {
	Key
	WorkspaceName string
}

// Filter chooses keys for a list, newest first.
type Filter struct {
	Search string            // part of the description, or a key's id
	Only   []ident.Workspace // nil: all of the account
	After  string            // the cursor the previous page ended with
	Limit  int
}

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	// InsertKey counts against the workspace's limit in the same transaction.
	InsertKey(ctx context.Context, ws ident.Workspace, k Key, limit int, why audit.Event) error
	Key(ctx context.Context, ws ident.Workspace, id ident.Key) (Key, error)
	Keys(ctx context.Context, a ident.Account, f Filter) (page []Listed, next string, err error)
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
// keys:issue there; a bad description is a fault on field "description".
func (s *Service) Issue(ctx context.Context, by access.Actor, ws ident.Workspace, description string) (Key, secret.Text, error) {
	if err := by.RequireIn(ws, access.IssueKeys); err != nil {
		return Key{}, secret.Text{}, err
	}
	description, err := cleanDescription(description)
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	text := secret.NewKey()
	k := Key{
		ID: ident.NewKey(), Account: by.Account, Workspace: ws, Description: description,
		Digest: s.Pepper.Digest(text.Reveal()), Hint: secret.Hint(text),
		Owner: by.User, OwnerName: by.FullName(), CreatedAt: s.Now(), Version: 1,
	}
	err = s.Store.InsertKey(ctx, ws, k, PerWorkspace, by.Event(access.IssueKeys, ws, string(k.ID), "created an API key"+named(description)))
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	return k, text, nil
}

// List gives one page of a workspace's keys. It needs keys:read there.
func (s *Service) List(ctx context.Context, by access.Actor, ws ident.Workspace, f Filter) ([]Listed, string, error) {
	if err := by.RequireIn(ws, access.ReadKeys); err != nil {
		return nil, "", err
	}
	f.Only = []ident.Workspace{ws}
	return s.Store.Keys(ctx, by.Account, f)
}

// ListAll gives one page of the keys of every workspace whose keys the actor may read.
func (s *Service) ListAll(ctx context.Context, by access.Actor, f Filter) ([]Listed, string, error) {
	if err := by.Require(access.Enter); err != nil {
		return nil, "", err
	}
	f.Only = nil
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
	return s.Store.SetKeyDisabled(ctx, ws, id, s.Now(), by.Event("keys:disable", ws, string(id), "disabled an API key"))
}

// Enable lets a disabled key work again. It needs keys:change.
func (s *Service) Enable(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Key) error {
	if err := by.RequireIn(ws, access.ChangeKeys); err != nil {
		return err
	}
	return s.Store.SetKeyDisabled(ctx, ws, id, time.Time{}, by.Event("keys:enable", ws, string(id), "enabled an API key"))
}

// Delete ends a key for good. It needs keys:change.
func (s *Service) Delete(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Key) error {
	if err := by.RequireIn(ws, access.ChangeKeys); err != nil {
		return err
	}
	return s.Store.DeleteKey(ctx, ws, id, by.Event("keys:delete", ws, string(id), "deleted an API key"))
}

func cleanDescription(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	if n := utf8.RuneCountInString(s); n > DescriptionMax {
		return "", fault.Field("description", "A description has at most %d characters; this one has %d.", DescriptionMax, n)
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", fault.Field("description", "A description is ordinary text.")
	}
	return s, nil
}

func named(description string) string {
	if description == "" {
		return ""
	}
	return fmt.Sprintf(" %q", description)
}
