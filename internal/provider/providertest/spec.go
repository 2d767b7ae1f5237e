package providertest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

// Data is a set of examples.
func Data(lines []byte) provider.Data {
	sum := sha256.Sum256(lines)
	return provider.Data{
		SHA256: hex.EncodeToString(sum[:]), Size: int64(len(lines)), Examples: bytes.Count(lines, []byte("\n")),
		Open: func() (io.ReadSeekCloser, error) { return reader{bytes.NewReader(lines)}, nil },
	}
}

// Examples are n dialogues, one a line.
func Examples(n int) []byte {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for i := range n {
		lines.Encode(map[string]any{"messages": []map[string]string{
			{"role": "user", "content": fmt.Sprintf("What is number %d?", i)}, {"role": "assistant", "content": fmt.Sprintf("It is number %d.", i)},
		}})
	}
	return b.Bytes()
}

// Spec is a training of a base model by dialogues, with a folder of its own.
func Spec(t *testing.T, base string, how provider.Adapter) provider.TrainSpec {
	t.Helper()
	folder, err := os.OpenRoot(t.TempDir())
	must(t, err)
	t.Cleanup(func() { folder.Close() })
	return provider.TrainSpec{
		Job: ident.NewTraining(time.Now()), Workspace: ident.NewWorkspace(), Base: base, Name: base + "-x-ft", Method: provider.SFT, Adapter: how,
		Train: Data(Examples(24)), Valid: Data(Examples(12)), Hyper: provider.Hyper{Epochs: 2, BatchSize: 8, Seed: 1}, Folder: folder,
	}
}
