package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// TemporaryPrefix begins every temporary key, as in the original.
const TemporaryPrefix = "st-"

const (
	macLen       = 16
	temporaryLen = 8 + len(Digest{}) + macLen
)

// Temporary makes a temporary key that stands, until a time, for the API key
// with that digest; it ends with that digest too, when the key is given a new
// secret. It is kept nowhere: whoever holds the pepper can tell a genuine one.
func (p Pepper) Temporary(d Digest, until time.Time) Text {
	body := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	body = append(body, d[:]...)
	return Text{TemporaryPrefix + base64.RawURLEncoding.EncodeToString(append(body, p.sign(body)...))}
}

// OpenTemporary tells which API key's digest a temporary key stands for, and
// until when; ok is false for anything that was not made here.
func (p Pepper) OpenTemporary(s string) (d Digest, until time.Time, ok bool) {
	text, found := strings.CutPrefix(s, TemporaryPrefix)
	if !found || len(text) != base64.RawURLEncoding.EncodedLen(temporaryLen) {
		return Digest{}, time.Time{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != temporaryLen { // line ends are skipped when decoding
		return Digest{}, time.Time{}, false
	}
	body, mac := raw[:temporaryLen-macLen], raw[temporaryLen-macLen:]
	if !hmac.Equal(mac, p.sign(body)) {
		return Digest{}, time.Time{}, false
	}
	return Digest(body[8:]), time.Unix(int64(binary.BigEndian.Uint64(body)), 0).UTC(), true
}

// sign is kept apart from Digest by its first byte, which no API key has.
func (p Pepper) sign(body []byte) []byte {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte{0})
	mac.Write(body)
	return mac.Sum(nil)[:macLen]
}
