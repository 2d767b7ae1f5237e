package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Master is the key everything else is derived from: the pepper of API keys
// and the key that seals credentials. Without it a stolen database holds no
// usable secret.
type Master struct{ key []byte }

const masterLen = 32

// LoadMaster reads the master key from a file of mode 0600, making file and key
// at the first start. A wrong mode, a short key or a sample value is an error:
// the program must not start with it.
func LoadMaster(path string) (Master, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeMaster(path)
	}
	if err != nil {
		return Master{}, fmt.Errorf("master key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Master{}, fmt.Errorf("master key %s has mode %04o and could be read by others: run chmod 600 on it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Master{}, fmt.Errorf("master key: %w", err)
	}
	m, err := ParseMaster(string(text))
	if err != nil {
		return Master{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// ParseMaster reads a master key written as base64 of 32 bytes, such as
// "openssl rand -base64 32" prints.
func ParseMaster(text string) (Master, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != masterLen {
		return Master{}, errors.New("the master key must be 32 random bytes in base64, such as `openssl rand -base64 32` prints")
	}
	distinct := map[byte]bool{}
	for _, b := range key {
		distinct[b] = true
	}
	if len(distinct) < 16 || bytes.Contains(bytes.ToLower(key), []byte("change")) || bytes.Contains(bytes.ToLower(key), []byte("secret")) {
		return Master{}, errors.New("the master key is a weak or sample value: make one with `openssl rand -base64 32`")
	}
	return Master{key}, nil
}

func makeMaster(path string) (Master, error) {
	key := make([]byte, masterLen)
	rand.Read(key)
	if err := WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n")); err != nil {
		return Master{}, fmt.Errorf("master key: %w", err)
	}
	return Master{key}, nil
}

// WriteFile writes a secret to a new file of mode 0600, durably: it is whole or
// it is not there. An existing file is an error.
func WriteFile(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(text); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), path)
}
