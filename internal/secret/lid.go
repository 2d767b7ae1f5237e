package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// Lid closes what only somebody can open who shows the same secret again: its
// key comes from that secret, which is kept nowhere. Neither the database nor
// the master key is enough.
type Lid struct {
	key  []byte
	aead cipher.AEAD
}

// NewLid makes the lid of a holder's secret, which must be unguessable, for one
// purpose.
func NewLid(holder Text, purpose string) Lid {
	key, err := hkdf.Key(sha256.New, []byte(holder.value), nil, "bailiwick lid "+purpose, 64)
	if err != nil {
		panic(err) // only for lengths no caller asks for
	}
	block, err := aes.NewCipher(key[32:])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return Lid{key[:32], aead}
}

// Mark is a value to find and compare texts by that tells nothing of them, not
// even to somebody who guesses.
func (l Lid) Mark(texts ...[]byte) (d Digest) {
	mac := hmac.New(sha256.New, l.key)
	for _, t := range texts {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(t)))) // so that no two lists of texts are alike
		mac.Write(t)
	}
	mac.Sum(d[:0])
	return d
}

// Close seals a text and binds it to what it belongs to.
func (l Lid) Close(text, about []byte) []byte {
	nonce := make([]byte, l.aead.NonceSize())
	rand.Read(nonce)
	return l.aead.Seal(nonce, nonce, text, about)
}

// Open gives back what Close sealed for the same thing.
func (l Lid) Open(sealed, about []byte) ([]byte, error) {
	n := l.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("what is sealed is too short")
	}
	return l.aead.Open(nil, sealed[:n], sealed[n:], about)
}
