package factor

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"image"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// One-time codes as every authenticator app makes them: RFC 6238 with SHA-1, six
// digits and steps of 30 seconds. A code of the step before or after is accepted
// too, for clocks that differ.
const (
	digits     = 6
	stepLength = 30 * time.Second
	seedLen    = 20
	// offerLife is how long somebody may take from the picture to the first code.
	offerLife = time.Hour
)

var seedLetters = base32.StdEncoding.WithPadding(base32.NoPadding)

// Offer is an app to be added. The server keeps nothing of it until its first
// code was given.
type Offer struct {
	Seed   secret.Text // to be typed into an app: base 32
	URI    secret.Text // to be scanned: otpauth://…
	Sealed string      // to be brought back with the first code
}

// OfferApp draws a seed for the actor. It needs self:change.
func (s *Service) OfferApp(by access.Actor) (Offer, error) {
	if err := by.Require(access.Self); err != nil {
		return Offer{}, err
	}
	seed := make([]byte, seedLen)
	rand.Read(seed)
	text := seedLetters.EncodeToString(seed)
	sealed, err := s.Sealer.Seal(secret.NewText(strconv.FormatInt(s.Now().Unix(), 10)+" "+text), offerPlace(by))
	return offer(by, text, base64.RawURLEncoding.EncodeToString(sealed)), err
}

// Offered is the offer again that was brought back. It needs self:change.
func (s *Service) Offered(by access.Actor, sealed string) (Offer, error) {
	if err := by.Require(access.Self); err != nil {
		return Offer{}, err
	}
	text, err := s.reopen(by, sealed)
	return offer(by, text, sealed), err
}

func (s *Service) reopen(by access.Actor, sealed string) (string, error) {
	over := fault.Field("offer", "This picture is too old. Scan the new one.")
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return "", over.Because(err)
	}
	plain, err := s.Sealer.Open(raw, offerPlace(by))
	if err != nil {
		return "", over.Because(err)
	}
	made, text, _ := strings.Cut(plain.Reveal(), " ")
	seconds, err := strconv.ParseInt(made, 10, 64)
	if err != nil || s.Now().Sub(time.Unix(seconds, 0)) > offerLife {
		return "", over
	}
	return text, nil
}

func offer(by access.Actor, seed, sealed string) Offer {
	label := "Bailiwick:" + by.FullName()
	uri := fmt.Sprintf("otpauth://totp/%s?secret=%s&issuer=Bailiwick&algorithm=SHA1&digits=%d&period=%d", label, seed, digits, int(stepLength.Seconds()))
	return Offer{Seed: secret.NewText(seed), URI: secret.NewText(uri), Sealed: sealed}
}

// Picture is the offer as a QR code of that many pixels.
func (o Offer) Picture(size int) (image.Image, error) {
	key, err := otp.NewKeyFromURL(o.URI.Reveal())
	if err != nil {
		return nil, fmt.Errorf("one-time codes: %w", err)
	}
	return key.Image(size, size)
}

func offerPlace(by access.Actor) string {
	return "factor offer|" + string(by.Account) + "|" + string(by.User)
}
func appPlace(a ident.Account, u ident.User) string {
	return "factor|" + string(a) + "|" + string(u)
}

// AddApp keeps the app of an offer once it has shown a right code, in place of
// any earlier one. To somebody without a factor it returns recovery codes, once.
// It needs self:change; a wrong code is a fault on field "code", and an offer
// that is over one on field "offer".
func (s *Service) AddApp(ctx context.Context, by access.Actor, sealed, code string) ([]secret.Text, error) {
	if err := by.Require(access.Self); err != nil {
		return nil, err
	}
	seed, err := s.reopen(by, sealed)
	if err != nil {
		return nil, err
	}
	step, right := s.step(seed, code, 0)
	if !right {
		return nil, fault.Field("code", "This is not the code that the app shows now. Check the clock of the device.")
	}
	kept, err := s.Sealer.Seal(secret.NewText(seed), appPlace(by.Account, by.User))
	if err != nil {
		return nil, err
	}
	codes, digests := s.first(by)
	app := App{Seed: kept, Step: step, CreatedAt: s.Now()}
	return codes, s.Store.PutApp(ctx, by.Account, by.User, app, digests, by.Event("factors:add-app", "", string(by.User), "added an authenticator app"))
}

// RemoveApp takes the actor's app away. It needs self:change.
func (s *Service) RemoveApp(ctx context.Context, by access.Actor) error {
	if err := by.Require(access.Self); err != nil {
		return err
	}
	return s.Store.DropApp(ctx, by.Account, by.User, by.Event("factors:remove-app", "", string(by.User), "removed the authenticator app"))
}

// step finds the step in whose time a code is right: this one, the one before
// or the one after, and later than the last.
func (s *Service) step(seed, code string, last int64) (int64, bool) {
	now, found := s.Now().Unix()/int64(stepLength.Seconds()), int64(-1)
	for step := now - 1; step <= now+1; step++ {
		want, err := hotp.GenerateCode(seed, uint64(step))
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(bare(code))) == 1 && step > last {
			found = step
		}
	}
	return found, found >= 0
}

// bare is a code without what people write between its groups.
func bare(code string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))
}
