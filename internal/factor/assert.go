package factor

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// What a challenge is made for; one made for something else is not accepted.
type purpose string

const (
	forAdding  purpose = "add"
	forLogOn   purpose = "log on"
	forConfirm purpose = "confirm"
)

// A challenge is its moment, noise, and our mark over both. So pages can hold
// one although nothing was written, and whoever only looks at a page changes
// nothing. That each counts once is kept with the passkey: see Passkey.Challenge.
const (
	challengeLife = 15 * time.Minute
	noiseLen      = 16
	markLen       = 32
)

func (s *Service) challenge(what purpose, u ident.User, host string) []byte {
	raw := binary.BigEndian.AppendUint64(nil, uint64(s.Now().UnixMicro()))
	noise := make([]byte, noiseLen)
	rand.Read(noise)
	raw = append(raw, noise...)
	return append(raw, s.mark(raw, what, u, host)...)
}

func (s *Service) mark(raw []byte, what purpose, u ident.User, host string) []byte {
	d := s.Pepper.Digest(strings.Join([]string{"challenge", string(what), string(u), host, string(raw)}, "\n"))
	return d[:]
}

// issued gives when a challenge was made, if it is ours, for this, and young.
func (s *Service) issued(text string, what purpose, u ident.User, host string) (micros int64, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	const head = 8 + noiseLen
	if err != nil || len(raw) != head+markLen || !hmac.Equal(raw[head:], s.mark(raw[:head], what, u, host)) {
		return 0, fault.Field("passkey", "This was asked by another page. Try again.")
	}
	micros = int64(binary.BigEndian.Uint64(raw))
	if age := s.Now().Sub(time.UnixMicro(micros)); age > challengeLife || age < 0 {
		return 0, fault.Field("passkey", "This page was open for more than %s minutes. Try again.", strconv.Itoa(int(challengeLife.Minutes())))
	}
	return micros, nil
}

// notAccepted is the one answer to a passkey that does not fit, whatever the reason.
func notAccepted(err error) error {
	return fault.Field("passkey", "This passkey is not accepted. Use another one, or log on with your password.").Because(err)
}

// assert makes sure that a passkey of the user answered; without a user it
// finds whose it is. Failures count for the user and the address.
func (s *Service) assert(ctx context.Context, u *account.User, site Site, what purpose, response []byte, address string, refused func() audit.Event) error {
	key := string(u.ID)
	if key == "" {
		key = "passkey from " + address
	}
	if err := s.Throttle.Try(key, address); err != nil {
		return err
	}
	err := s.check(ctx, u, site, what, response)
	if fault.Is(err, fault.Invalid) && u.ID != "" {
		s.Trail.Record(refused())
	}
	if err == nil {
		s.Throttle.Succeeded(key, address)
	}
	return err
}

func (s *Service) check(ctx context.Context, u *account.User, site Site, what purpose, response []byte) error {
	party, err := site.party()
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return notAccepted(err)
	}
	text := parsed.Response.CollectedClientData.Challenge
	made, err := s.issued(text, what, u.ID, party.Config.RPID)
	if err != nil {
		return err
	}
	if u.ID == "" {
		if *u, err = s.Store.Half(ctx, ident.User(parsed.Response.UserHandle)); fault.Is(err, fault.Missing) {
			return notAccepted(err)
		} else if err != nil {
			return err
		}
	}
	set, err := s.Store.Factors(ctx, u.Account, u.ID)
	if err != nil {
		return err
	}
	p, err := verify(party, u.ID, set.Passkeys, text, parsed)
	if err != nil {
		return notAccepted(err)
	}
	p.Challenge, p.UsedAt = made, s.Now()
	if err := s.Store.TakePasskey(ctx, u.Account, u.ID, p); fault.Is(err, fault.Missing) {
		return notAccepted(err)
	} else if err != nil {
		return err
	}
	return nil
}

// verify checks the answer against the user's passkeys and gives the one that
// answered, with its new counter.
func verify(party *webauthn.WebAuthn, u ident.User, keys []Passkey, challenge string, parsed *protocol.ParsedCredentialAssertionData) (Passkey, error) {
	h, err := holderOf(u, keys)
	if err != nil {
		return Passkey{}, err
	}
	c, err := party.ValidateLogin(h, webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: party.Config.RPID, UserID: []byte(u), UserVerification: protocol.VerificationRequired,
	}, parsed)
	if err != nil {
		return Passkey{}, err
	}
	if c.Authenticator.CloneWarning {
		return Passkey{}, errors.New("its counter went back: there may be a copy of it")
	}
	for _, p := range keys {
		if bytes.Equal(p.Credential, c.ID) {
			p.Record, err = json.Marshal(c)
			return p, err
		}
	}
	return Passkey{}, errors.New("it is none of the user's")
}
