package dataset

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"

	"bailiwick/internal/provider"
)

// Split divides examples into those to learn from and those to measure by: a
// share of them, from 0 to 1, and at most so many (0: as many as the share).
// The same file, share and seed give the same parts, whatever the machine.
// What is left over for neither is nothing: every example is in one part, in the
// order of the file; with fewer than two of them the second part is empty.
func Split(d provider.Data, held float64, most int, seed int64) (learn, measure provider.Data, err error) {
	lines, err := linesOf(d)
	if err != nil {
		return d, provider.Data{}, err
	}
	n := int(float64(len(lines))*held + 0.5)
	if most > 0 {
		n = min(n, most)
	}
	if n = min(n, len(lines)-1); n <= 0 {
		return d, provider.Data{}, nil
	}
	chosen := make([]bool, len(lines))
	for _, i := range rand.New(rand.NewPCG(uint64(seed), uint64(len(lines)))).Perm(len(lines))[:n] {
		chosen[i] = true
	}
	var a, b []span
	for i, l := range lines {
		if chosen[i] {
			b = extended(b, l)
		} else {
			a = extended(a, l)
		}
	}
	if learn, err = part(d, a, len(lines)-n); err != nil {
		return d, provider.Data{}, err
	}
	measure, err = part(d, b, n)
	return learn, measure, err
}

// span is a piece of a file.
type span struct{ from, to int64 }

// extended adds a piece, together with the one before where they touch.
func extended(list []span, s span) []span {
	if last := len(list) - 1; last >= 0 && list[last].to == s.from {
		list[last].to = s.to
		return list
	}
	return append(list, s)
}

// linesOf finds where each example lies, with its end of line.
func linesOf(d provider.Data) (lines []span, err error) {
	f, err := d.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 64<<10)
	at, start, blank := int64(0), int64(0), true
	for {
		piece, err := in.ReadSlice('\n')
		at += int64(len(piece))
		blank = blank && len(bytes.TrimSpace(piece)) == 0
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if !blank {
			lines = append(lines, span{start, at})
		}
		start, blank = at, true
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// part is data made of some pieces of a file.
func part(d provider.Data, spans []span, examples int) (provider.Data, error) {
	p := provider.Data{Examples: examples}
	for _, s := range spans {
		p.Size += s.to - s.from
	}
	p.Open = func() (io.ReadSeekCloser, error) {
		f, err := d.Open()
		if err != nil {
			return nil, err
		}
		return &pieces{file: f, spans: spans, size: p.Size}, nil
	}
	f, err := p.Open()
	if err != nil {
		return p, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return p, err
	}
	p.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return p, nil
}

// pieces reads some pieces of a file one after the other, as if they were one.
type pieces struct {
	file  io.ReadSeekCloser
	spans []span
	size  int64
	at    int64 // in the whole
	index int   // of the piece that is read
	done  int64 // bytes before that piece
	ready bool  // the file stands where the next byte is
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	for p.index < len(p.spans) && p.at-p.done >= p.spans[p.index].to-p.spans[p.index].from {
		p.done += p.spans[p.index].to - p.spans[p.index].from
		p.index++
		p.ready = false
	}
	if p.index == len(p.spans) {
		return 0, io.EOF
	}
	s := p.spans[p.index]
	from := s.from + p.at - p.done
	if !p.ready {
		if _, err := p.file.Seek(from, io.SeekStart); err != nil {
			return 0, err
		}
		p.ready = true
	}
	n, err := p.file.Read(b[:min(int64(len(b)), s.to-from)])
	p.at += int64(n)
	if errors.Is(err, io.EOF) && p.at < p.size {
		if n > 0 {
			return n, nil
		}
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// Seek implements io.Seeker.
func (p *pieces) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	p.at, p.index, p.done, p.ready = offset, 0, 0, false
	return offset, nil
}

// Close implements io.Closer.
func (p *pieces) Close() error { return p.file.Close() }
