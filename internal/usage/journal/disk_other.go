//go:build !linux

package journal

import "os"

// allocate gives a file its size with room on the disk for all of it.
func allocate(f *os.File, size int64) error { return fill(f, size) }
