//go:build !unix

package journal

import "os"

// lock does nothing where files have no locks that end with the process: there
// one server alone may use a data folder.
func lock(*os.File) error { return nil }
