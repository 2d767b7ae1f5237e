package secret

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Sealer encrypts credentials at rest: each under a data key of its own, which
// the master key wraps. The place a secret belongs to is bound in, so that a
// sealed value copied to another row does not open.
type Sealer struct{ envelope tink.AEAD }

// Sealer derives the sealer of credentials from the master key.
func (m Master) Sealer() (Sealer, error) {
	wrap, err := subtle.NewXChaCha20Poly1305(m.derive("sealing"))
	if err != nil {
		return Sealer{}, fmt.Errorf("sealer: %w", err)
	}
	return Sealer{aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), wrap)}, nil
}

// Seal encrypts a secret for one place, such as "provider|acc-…|prv-…".
func (s Sealer) Seal(t Text, place string) ([]byte, error) {
	sealed, err := s.envelope.Encrypt([]byte(t.value), []byte(place))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same place.
func (s Sealer) Open(sealed []byte, place string) (Text, error) {
	plain, err := s.envelope.Decrypt(sealed, []byte(place))
	if err != nil {
		return Text{}, fmt.Errorf("open: %w", err)
	}
	return Text{string(plain)}, nil
}
