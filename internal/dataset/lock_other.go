//go:build !unix

package dataset

import (
	"os"
	"time"
)

// lock reports whether nobody writes a file. Where files have no locks that end
// with the process, one that nobody wrote to for an hour is nobody's.
func lock(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && (info.Size() == 0 && time.Since(info.ModTime()) < time.Second || time.Since(info.ModTime()) > time.Hour)
}
