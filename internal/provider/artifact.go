package provider

import (
	"os"
)

// Open opens one file of an artifact for reading. What leaves its folder, also by
// a link, is an error.
func (a Artifact) Open(name string) (*os.File, error) {
	root, err := os.OpenRoot(a.Folder)
	if err != nil {
		return nil, err
	}
	defer root.Close() // the file stays open
	return root.Open(name)
}
