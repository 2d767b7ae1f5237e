package audit

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"bailiwick/internal/ident"
)

// Tip is the end of an account's chain as the database has it.
type Tip struct {
	Account ident.Account
	Seq     int64
	Hash    Digest
}

// Tips gives the ends of all chains.
type Tips interface {
	Tips(ctx context.Context) ([]Tip, error)
}

// Exporter appends the signed heads of all chains to a file, where whoever can
// write to the database does not reach them: copy the file elsewhere, often.
type Exporter struct {
	Path string // made with mode 0600
	Key  ed25519.PrivateKey
	Tips Tips
	Now  func() time.Time

	last map[ident.Account]Tip // nil: the file was not looked at yet
}

// ExportEvery is how often heads are exported.
const ExportEvery = time.Minute

// Run exports at once, then each minute, and a last time when ctx ends.
func (e *Exporter) Run(ctx context.Context) {
	tick := time.NewTicker(ExportEvery)
	defer tick.Stop()
	for {
		if err := e.Export(context.WithoutCancel(ctx)); err != nil {
			slog.Error("the heads of the audit trail could not be exported, the next minute tries again", "err", err)
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// Export appends the heads that changed since the last export, durably. A
// head that went back is told of, and exported like the others.
func (e *Exporter) Export(ctx context.Context) error {
	if e.last == nil {
		last, err := lastHeads(e.Path)
		if err != nil {
			return err
		}
		e.last = last
	}
	tips, err := e.Tips.Tips(ctx)
	if err != nil {
		return err
	}
	var text []byte
	for _, t := range tips {
		if e.last[t.Account] == t {
			continue
		}
		if before := e.last[t.Account]; before.Seq >= t.Seq {
			slog.Error("the audit trail is not what it was: run `bailiwick audit verify`", "account", t.Account, "line", t.Seq, "line before", before.Seq)
		}
		line, err := json.Marshal(Sign(e.Key, t.Account, t.Seq, t.Hash, e.Now()))
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	if len(text) == 0 {
		return nil
	}
	if err := appendDurably(e.Path, text); err != nil {
		return err
	}
	for _, t := range tips {
		e.last[t.Account] = t
	}
	return nil
}

// appendDurably adds to the file what is then on the disk. A line that a power
// failure cut is ended first, so that it spoils no other.
func appendDurably(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if size, err := file.Seek(0, io.SeekEnd); err == nil && size > 0 {
		end := make([]byte, 1)
		if _, err := file.ReadAt(end, size-1); err == nil && end[0] != '\n' {
			text = append([]byte{'\n'}, text...)
		}
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// tailMax is how much of the file's end is read to know what was exported last.
const tailMax = 1 << 20

func lastHeads(path string) (map[ident.Account]Tip, error) {
	last := map[ident.Account]Tip{}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return last, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(max(0, info.Size()-tailMax), io.SeekStart); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, tailMax)
	for lines.Scan() {
		var h Head
		if json.Unmarshal(lines.Bytes(), &h) == nil { // the first line may be cut
			last[h.Account] = h.tip()
		}
	}
	return last, lines.Err()
}

// tip is the head without its signature; a hash that is none is no line's.
func (h Head) tip() Tip {
	t := Tip{Account: h.Account, Seq: h.Seq}
	if hash, err := hex.DecodeString(h.Hash); err == nil {
		copy(t.Hash[:], hash)
	}
	return t
}
