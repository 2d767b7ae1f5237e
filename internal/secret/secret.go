// Package secret makes and checks secrets: API keys and their digests,
// passwords and their hashes, session tokens, and the sealing of credentials at
// rest. Whatever it hands out prints as "[redacted]".
package secret

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"sync"
)

// Text is a secret in clear. It prints as "[redacted]" everywhere; Reveal is
// the one way to its value, called where it is shown once or sent on.
type Text struct{ value string }

// NewText wraps a secret in clear.
func NewText(s string) Text { return Text{s} }

// Reveal gives the secret itself.
func (t Text) Reveal() string { return t.value }

// Empty reports whether there is no secret.
func (t Text) Empty() bool { return t.value == "" }

const redacted = "[redacted]"

func (t Text) String() string               { return redacted }
func (t Text) GoString() string             { return redacted }
func (t Text) Format(f fmt.State, _ rune)   { fmt.Fprint(f, redacted) }
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (t Text) LogValue() slog.Value         { return slog.StringValue(redacted) }

// Digest is what is kept of a key's or session's secret: HMAC-SHA256 under a
// key derived from the master key.
type Digest [sha256.Size]byte

// Zero reports whether there is no digest.
func (d Digest) Zero() bool { return d == Digest{} }

// KeyPrefix begins every secret of a workspace's API key, as in the original.
const KeyPrefix = "sk-ws-"

// AdminPrefix begins every secret of a key of the management API. A double
// click selects all of it.
const AdminPrefix = "bw_admin_"

const (
	base62  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	bodyLen = 43 // 43 × log2(62) = 256 bits
	sumLen  = 6
	tailLen = bodyLen + 1 + sumLen // what follows the prefix
)

// NewKey draws the secret of an API key: "sk-ws-", 43 base-62 characters from
// the system's random source, "_", and 6 base-62 characters of CRC-32 (IEEE)
// over what stands before the underscore.
func NewKey() Text { return draw(KeyPrefix) }

// NewAdminKey draws the secret of an admin key, which differs from that of an
// API key in its prefix alone.
func NewAdminKey() Text { return draw(AdminPrefix) }

func draw(prefix string) Text {
	body := prefix + random62(bodyLen)
	return Text{body + "_" + checksum(body)}
}

// WellFormed reports whether s has the form of an API key and its checksum is
// right. What is not well-formed is refused without looking anything up.
func WellFormed(s string) bool { return drawn(KeyPrefix, s) }

// AdminWellFormed reports the same of an admin key.
func AdminWellFormed(s string) bool { return drawn(AdminPrefix, s) }

func drawn(prefix, s string) bool {
	sum := len(prefix) + tailLen - sumLen // where the checksum begins
	if len(s) != sum+sumLen || s[:len(prefix)] != prefix || s[sum-1] != '_' {
		return false
	}
	for i := len(prefix); i < sum-1; i++ {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
			return false
		}
	}
	return s[sum:] == checksum(s[:sum-1])
}

// Masked is how a key is shown after its first time: its beginning and its last four characters.
func Masked(hint string) string { return KeyPrefix + "…" + hint }

// AdminMasked is the same of an admin key.
func AdminMasked(hint string) string { return AdminPrefix + "…" + hint }

// Hint is the part of a key's secret that is kept in clear, to tell keys apart.
func Hint(t Text) string { return t.value[len(t.value)-4:] }

func checksum(s string) string {
	n := crc32.ChecksumIEEE([]byte(s))
	var out [sumLen]byte
	for i := sumLen - 1; i >= 0; i-- {
		out[i] = base62[n%62]
		n /= 62
	}
	return string(out[:])
}

// random62 draws n base-62 characters without bias.
func random62(n int) string {
	out := make([]byte, 0, n)
	var b [64]byte
	for len(out) < n {
		rand.Read(b[:])
		for _, c := range b {
			if c < 248 && len(out) < n { // 248 = 4 × 62
				out = append(out, base62[c%62])
			}
		}
	}
	return string(out)
}

// NewToken draws a session or set-up token: 32 random bytes in base64url.
func NewToken() Text {
	var b [32]byte
	rand.Read(b[:])
	return Text{base64.RawURLEncoding.EncodeToString(b[:])}
}

// NewPassword draws a password for somebody to be told: 20 base-62 characters
// in groups of five.
func NewPassword() Text {
	s := random62(20)
	return Text{s[:5] + "-" + s[5:10] + "-" + s[10:15] + "-" + s[15:]}
}

// TokenDigest is what is kept of a session token. The token has 256 random
// bits, so a plain hash does.
func TokenDigest(t string) Digest { return sha256.Sum256([]byte(t)) }

// Pepper digests the secrets of API keys.
type Pepper struct {
	key  []byte
	macs *sync.Pool // of what was keyed already, which costs more than the digest; nil: nothing is kept
}

// keyed is an HMAC and what goes in and out of it.
type keyed struct {
	mac interface {
		io.Writer
		Reset()
		Sum([]byte) []byte
	}
	text   []byte
	digest Digest
}

func pepper(key []byte) Pepper {
	return Pepper{key, &sync.Pool{New: func() any { return &keyed{mac: hmac.New(sha256.New, key)} }}}
}

// Digest is the value an API key's secret is kept and found under.
func (p Pepper) Digest(secret string) Digest {
	if p.macs == nil {
		p = pepper(p.key)
	}
	k := p.macs.Get().(*keyed)
	defer p.macs.Put(k)
	k.mac.Reset()
	k.text = append(k.text[:0], secret...)
	k.mac.Write(k.text)
	clear(k.text) // secrets are not left lying about
	k.mac.Sum(k.digest[:0])
	return k.digest
}

// Pepper derives the pepper of API keys from the master key.
func (m Master) Pepper() Pepper { return pepper(m.derive("api keys")) }

// AdminPepper derives the pepper of admin keys.
func (m Master) AdminPepper() Pepper { return pepper(m.derive("admin keys")) }

// Factors derives the pepper of recovery codes and of the challenges that
// passkeys sign.
func (m Master) Factors() Pepper { return pepper(m.derive("second factors")) }

// NewRecoveryCode draws a code to be written down: 80 bits as four groups of
// four of the letters and digits that are not taken for one another.
func NewRecoveryCode() Text {
	var b [10]byte
	rand.Read(b[:])
	s := recoveryLetters.EncodeToString(b[:])
	return Text{s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]}
}

var recoveryLetters = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// Signer derives the key that signs the heads of the audit trail.
func (m Master) Signer() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(m.derive("audit heads"))
}

func (m Master) derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, m.key, nil, "bailiwick "+purpose, 32)
	if err != nil {
		panic(err) // only for lengths no caller asks for
	}
	return key
}
