package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"bailiwick/internal/ident"
)

// TemporaryPrefix begins every temporary key, as in the original.
const TemporaryPrefix = "st-"

const macLen = 16

// Temporary makes a temporary key that stands for an API key until a time. It
// is kept nowhere: whoever holds the pepper can tell a genuine one.
func (p Pepper) Temporary(k ident.Key, until time.Time) Text {
	body := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	body = append(body, k...)
	return Text{TemporaryPrefix + base64.RawURLEncoding.EncodeToString(append(body, p.sign(body)...))}
}

// OpenTemporary tells which API key a temporary key stands for, and until when;
// ok is false for anything that was not made here.
func (p Pepper) OpenTemporary(s string) (k ident.Key, until time.Time, ok bool) {
	text, found := strings.CutPrefix(s, TemporaryPrefix)
	if !found || len(text) > 128 {
		return "", time.Time{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) <= 8+macLen {
		return "", time.Time{}, false
	}
	body, mac := raw[:len(raw)-macLen], raw[len(raw)-macLen:]
	if !hmac.Equal(mac, p.sign(body)) {
		return "", time.Time{}, false
	}
	return ident.Key(body[8:]), time.Unix(int64(binary.BigEndian.Uint64(body)), 0).UTC(), true
}

// sign is kept apart from Digest by its first byte, which no API key has.
func (p Pepper) sign(body []byte) []byte {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte{0})
	mac.Write(body)
	return mac.Sum(nil)[:macLen]
}
