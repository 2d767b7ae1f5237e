package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"bailiwick/internal/ident"
)

// Exported are the heads of a file, and what of it cannot be read.
type Exported struct {
	Heads map[ident.Account][]Head
	Wrong []string
}

// ReadHeads reads what was exported. Signatures are looked at by Inspect, as far
// as it relies on them.
func ReadHeads(from io.Reader) (e Exported, err error) {
	e.Heads = map[ident.Account][]Head{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, tailMax)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		var h Head
		if err := json.Unmarshal(text, &h); err != nil {
			e.Wrong = append(e.Wrong, fmt.Sprintf("line %d of the exported heads cannot be read: %v", n, err))
			continue
		}
		e.Heads[h.Account] = append(e.Heads[h.Account], h)
	}
	return e, lines.Err()
}

// newestMax is how much of the file's end holds heads enough for a check while
// the program runs: the newest one covers every line before it.
const newestMax = 4 << 20

// newestHeads reads the end of the file; a file that is not there holds none.
func newestHeads(path string) (Exported, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Exported{}, nil
	}
	if err != nil {
		return Exported{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Exported{}, err
	}
	from := bufio.NewReader(file)
	if beyond := info.Size() - newestMax; beyond > 0 {
		if _, err := file.Seek(beyond, io.SeekStart); err != nil {
			return Exported{}, err
		}
		if _, err := from.ReadString('\n'); err != nil { // the first line is cut
			return Exported{}, err
		}
	}
	return ReadHeads(from)
}
