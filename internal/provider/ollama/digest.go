package ollama

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path/filepath"
	"sync"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// stamp tells files apart that were read before.
type stamp struct {
	path  string
	size  int64
	mtime int64 // Unix nanoseconds
}

// digests remembers what files come to: a model is many gigabytes, and one that
// is applied again did not change.
type digests struct {
	mu    sync.Mutex
	known map[stamp]string
}

// of gives the digest of one file of an artifact, and the file to send.
func (d *digests) of(a provider.Artifact, name string) (string, *line.File, error) {
	f, err := a.Open(name)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", nil, err
	}
	file := &line.File{Type: "application/octet-stream", Size: info.Size(), Open: func() (io.ReadCloser, error) { return a.Open(name) }}
	at := stamp{filepath.Join(a.Folder, name), info.Size(), info.ModTime().UnixNano()}
	d.mu.Lock()
	digest := d.known[at]
	d.mu.Unlock()
	if digest != "" {
		return digest, file, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", nil, err
	}
	digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = map[stamp]string{}
	}
	d.known[at] = digest
	return digest, file, nil
}
