//go:build unix

package dataset

import (
	"os"
	"syscall"
)

// lock takes a lock that ends with the process, however it ends; false: it is
// another's.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
