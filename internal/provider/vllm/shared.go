package vllm

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Shared are the folders of this host that model servers see too, and where they
// have them.
type Shared []Folder

// Folder is one of them.
type Folder struct{ Here, There string } // both absolute

// ParseShared reads folders as the operator writes them: HERE=THERE, or HERE where
// both are the same.
func ParseShared(list []string) (Shared, error) {
	var s Shared
	for _, text := range list {
		here, there, both := strings.Cut(text, "=")
		if !both {
			there = here
		}
		if !filepath.IsAbs(here) || !path.IsAbs(there) {
			return nil, fmt.Errorf("--shared-folder takes absolute folders, HERE=THERE or HERE; %q is none of these", text)
		}
		s = append(s, Folder{filepath.Clean(here), path.Clean(there)})
	}
	return s, nil
}

// there says where a server has a folder of ours; false: it does not see it. The
// innermost of the shared folders counts.
func (s Shared) there(here string) (string, bool) {
	found, best := "", -1
	for _, f := range s {
		rest, err := filepath.Rel(f.Here, filepath.Clean(here))
		if err == nil && filepath.IsLocal(rest) && len(f.Here) > best {
			found, best = path.Join(f.There, filepath.ToSlash(rest)), len(f.Here)
		}
	}
	return found, best >= 0
}
