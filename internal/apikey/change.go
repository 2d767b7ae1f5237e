package apikey

import (
	"context"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// OverlapMax is how long an old secret may go on beside a new one.
const OverlapMax = 7 * 24 * time.Hour

// Edit changes a key's terms. It needs keys:change; a version that is not the
// present one is a conflict. The expiry of an expired key may stay as it is.
func (s *Service) Edit(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Key, t Terms, version int64) error {
	if err := by.RequireIn(ws, access.ChangeKeys); err != nil {
		return err
	}
	before, err := s.Store.Key(ctx, ws, id)
	if err != nil {
		return err
	}
	k, stays := before, t.ExpiresAt.Equal(before.ExpiresAt)
	if stays {
		t.ExpiresAt = time.Time{}
	}
	if err := s.settle(&k, t); err != nil {
		return err
	}
	if stays {
		k.ExpiresAt = before.ExpiresAt
	}
	k.Version = version
	why := by.Event("keys:edit", ws, string(id), "changed an API key"+named(k.Description))
	why.ObjectName = k.Description
	why = changed(why, before, k)
	return s.Store.UpdateKey(ctx, ws, k, why)
}

// Reset gives a key a new secret and returns it, once. The old secret goes on
// for the overlap, at most seven days; zero ends it at once, and with it the
// temporary keys that were made with it. It needs keys:change; a version that
// is not the present one is a conflict.
func (s *Service) Reset(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Key, overlap time.Duration, version int64) (Key, secret.Text, error) {
	if err := by.RequireIn(ws, access.ChangeKeys); err != nil {
		return Key{}, secret.Text{}, err
	}
	if overlap < 0 || overlap > OverlapMax {
		return Key{}, secret.Text{}, fault.Field("overlap", "The old secret may go on for at most seven days.")
	}
	k, err := s.Store.Key(ctx, ws, id)
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	text, old := secret.NewKey(), k.Digest
	k.Digest, k.Hint, k.Version = s.Pepper.Digest(text.Reveal()), secret.Hint(text), version
	k.Previous, k.PreviousUntil = secret.Digest{}, time.Time{}
	why := by.Event("keys:reset", ws, string(id), "gave an API key"+named(k.Description)+" a new secret")
	if overlap > 0 {
		k.Previous, k.PreviousUntil = old, s.Now().Add(overlap)
		why = why.With("old secret works until", instant(k.PreviousUntil))
	}
	if err := s.Store.ResetKey(ctx, ws, k, old, why); err != nil {
		return Key{}, secret.Text{}, err
	}
	return k, text, nil
}
