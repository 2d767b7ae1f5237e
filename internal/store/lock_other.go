//go:build !unix

package store

import (
	"errors"
	"os"
)

// lockFile takes a lock. Where files have no locks that end with the process,
// a file that is there is the lock; one left by a crash has to be deleted.
func lockFile(path string) (unlocker, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return leftover{f}, nil
}

type leftover struct{ *os.File }

func (l leftover) Close() error { return errors.Join(l.File.Close(), os.Remove(l.Name())) }
