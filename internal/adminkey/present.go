package adminkey

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Presented is what a request shows to be let in.
type Presented struct {
	Secret  secret.Text
	Address string // where it comes from, without port
	Call    ident.Call
}

// Unknown is the one answer to every secret that opens nothing: made up, revoked
// or of a user who is gone.
func Unknown() error {
	return fault.New(fault.Unauthenticated, "This admin key is wrong or was revoked. Make another one in the console under Management API.")
}

// Present finds the key with that secret and who it acts for now: its owner,
// with the rights the owner has at this moment. What is not well-formed is
// refused before anything is looked up. The order: form, checksum, digest,
// expiry, owner, address.
func (s *Service) Present(ctx context.Context, p Presented) (Key, access.Actor, error) {
	text := p.Secret.Reveal()
	if !secret.AdminWellFormed(text) {
		return Key{}, access.Actor{}, malformed(text)
	}
	k, err := s.Store.AdminKeyByDigest(ctx, s.Pepper.Digest(text))
	if fault.Is(err, fault.Missing) {
		return Key{}, access.Actor{}, Unknown()
	}
	if err != nil {
		return Key{}, access.Actor{}, err
	}
	by, err := s.owner(ctx, k)
	if err != nil {
		return Key{}, access.Actor{}, err
	}
	if k.Networks != nil && !inside(p.Address, k.Networks) {
		return Key{}, access.Actor{}, fault.New(fault.Forbidden, "This admin key may not be used from %s.", p.Address)
	}
	by.Address, by.Call = p.Address, p.Call
	s.used(ctx, k)
	return k, by, nil
}

// malformed says of what kind a secret is that is none of ours.
func malformed(text string) error {
	if strings.HasPrefix(text, secret.KeyPrefix) || strings.HasPrefix(text, secret.TemporaryPrefix) {
		return fault.New(fault.Unauthenticated, "This is the API key of a workspace: it calls models and administers nothing. Present an admin key, which begins with %s.", secret.AdminPrefix)
	}
	return Unknown()
}

// owner gives who the key acts for. It dies with the owner's full access.
func (s *Service) owner(ctx context.Context, k Key) (access.Actor, error) {
	if k.State(s.Now()) == Expired {
		return access.Actor{}, fault.New(fault.Unauthenticated, "This admin key expired on %s. Make another one in the console under Management API.", k.ExpiresAt.UTC().Format("2 January 2006"))
	}
	by, err := s.Store.Actor(ctx, k.Owner)
	if fault.Is(err, fault.Missing) {
		return access.Actor{}, Unknown()
	}
	if err == nil && !by.Everywhere() {
		err = fault.New(fault.Unauthenticated, "The owner of this admin key is no longer a super administrator, so that the key does not work.")
	}
	return by, err
}

// used keeps that the key was used. That it could not be kept stops nobody.
func (s *Service) used(ctx context.Context, k Key) {
	now := s.Now()
	if now.Sub(k.LastUsedAt) < UseKnown {
		return
	}
	if err := s.Store.AdminKeyUsed(ctx, k.Account, k.ID, now); err != nil {
		slog.Error("the last use of an admin key could not be kept", "key", k.ID, "err", err)
	}
}

func inside(address string, networks []netip.Prefix) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, n := range networks {
		if n.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
