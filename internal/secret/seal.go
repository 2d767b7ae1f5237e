package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// Sealer encrypts credentials at rest: each under a data key of its own, which
// the master key wraps. The place a secret belongs to is bound in, so that a
// sealed value copied to another row does not open.
//
// What is kept is an envelope as Tink makes it: the length of the wrapped data
// key, in four bytes; the data key by XChaCha20-Poly1305; the secret, bound to its
// place, by AES-256-GCM. Each begins with its nonce.
type Sealer struct{ wrap cipher.AEAD }

const (
	// keyHead stands before the 32 bytes of a data key: so Tink writes an AES-GCM
	// key, as a protocol buffer of one field.
	keyHead    = "\x1a\x20"
	keyLen     = 32
	wrappedLen = chacha20poly1305.NonceSizeX + len(keyHead) + keyLen + chacha20poly1305.Overhead
)

// Sealer derives the sealer of credentials from the master key.
func (m Master) Sealer() (Sealer, error) {
	wrap, err := chacha20poly1305.NewX(m.derive("sealing"))
	if err != nil {
		return Sealer{}, fmt.Errorf("sealer: %w", err)
	}
	return Sealer{wrap}, nil
}

// Seal encrypts a secret for one place, such as "provider|acc-…|prv-…".
func (s Sealer) Seal(t Text, place string) ([]byte, error) {
	key := make([]byte, keyLen)
	rand.Read(key)
	under, err := gcm(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(nonce)
	sealed := binary.BigEndian.AppendUint32(nil, uint32(wrappedLen))
	sealed = s.wrap.Seal(append(sealed, nonce...), nonce, append([]byte(keyHead), key...), nil)
	return under.Seal(sealed, nil, []byte(t.value), []byte(place)), nil
}

// Open decrypts what Seal made for the same place.
func (s Sealer) Open(sealed []byte, place string) (Text, error) {
	if len(sealed) < 4+wrappedLen || binary.BigEndian.Uint32(sealed) != uint32(wrappedLen) {
		return Text{}, errors.New("open: it was not sealed here")
	}
	wrapped, rest := sealed[4:4+wrappedLen], sealed[4+wrappedLen:]
	key, err := s.wrap.Open(nil, wrapped[:chacha20poly1305.NonceSizeX], wrapped[chacha20poly1305.NonceSizeX:], nil)
	if err != nil {
		return Text{}, fmt.Errorf("open: its data key: %w", err)
	}
	if string(key[:len(keyHead)]) != keyHead {
		return Text{}, errors.New("open: its data key is of another kind")
	}
	under, err := gcm(key[len(keyHead):])
	if err != nil {
		return Text{}, fmt.Errorf("open: %w", err)
	}
	plain, err := under.Open(nil, nil, rest, []byte(place))
	if err != nil {
		return Text{}, fmt.Errorf("open: %w", err)
	}
	return Text{string(plain)}, nil
}

// gcm is AES-256-GCM that chooses its nonces and writes them first.
func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
