package dataset

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"unicode/utf8"

	"bailiwick/internal/provider"
)

// Limits bound a file and what is in it.
type Limits struct {
	File        int64 // bytes
	Line        int   // bytes, without its end
	MinExamples int
	MaxExamples int
	Messages    int // of one example
	Depth       int // of nested objects and lists
}

// Usual are the limits where nobody said otherwise.
var Usual = Limits{File: 300 << 20, Line: 1 << 20, MinExamples: 10, MaxExamples: 100_000, Messages: 64, Depth: 8}

// Check reads a training file as it comes and finds what is wrong with it. It
// holds one line at most, of no more than Limits.Line bytes, and a few bytes for
// each example: a file with a line of a gigabyte takes no more memory than another.
type Check struct {
	limits Limits
	method provider.Method // empty: what the first example looks like
	report Report

	line   []byte // the line that is being read
	start  int64  // where it begins
	offset int64  // of what comes next
	over   bool   // the line is too long: the rest of it is passed over
	given  bool   // the encoding is none we read: nothing more is looked at

	seed    maphash.Seed
	seen    map[uint64]int32 // examples by their bytes: the line of the first
	systems map[uint64]bool  // different system prompts, up to a bound
	systemN int              // examples with one
}

// NewCheck begins to read a file of a method; empty: it is what its first
// example looks like.
func NewCheck(m provider.Method, l Limits) *Check {
	return &Check{
		limits: l, method: m, report: Report{Method: m, Counts: map[Code]int{}, Items: []Item{}},
		seed: maphash.MakeSeed(), seen: map[uint64]int32{}, systems: map[uint64]bool{},
	}
}

// Write implements io.Writer and never fails.
func (c *Check) Write(p []byte) (int, error) {
	n := len(p)
	if c.offset == 0 && len(c.line) == 0 && !c.over {
		c.start = 0
	}
	for len(p) > 0 && !c.given {
		part, rest, ended := bytes.Cut(p, []byte{'\n'})
		c.take(part)
		c.offset += int64(len(part))
		if ended {
			c.offset++
			c.endLine()
		}
		p = rest
	}
	return n, nil
}

// take adds to the line what still fits.
func (c *Check) take(part []byte) {
	if c.over {
		return
	}
	if len(c.line)+len(part) > c.limits.Line+1 { // one more for the \r that may end it
		c.over = true
		c.line = c.line[:0]
		c.error(LineTooLong, c.start, "", "End the line after each example: a training file has one JSON object a line.",
			"The line is longer than %s.", bytesWord(int64(c.limits.Line)))
		return
	}
	c.line = append(c.line, part...)
}

// endLine looks at a line that is whole.
func (c *Check) endLine() {
	if !c.over && !c.given {
		c.look(bytes.TrimSuffix(c.line, []byte{'\r'}))
	}
	c.report.Lines++
	c.line, c.over, c.start = c.line[:0], false, c.offset
	if cap(c.line) > 64<<10 && cap(c.line) > 2*c.limits.Line {
		c.line = nil
	}
}

// Done gives the report when everything was written. The digest is the caller's.
func (c *Check) Done() Report {
	if c.offset > c.start || c.over {
		c.endLine()
	}
	if n := c.report.Examples; n < c.limits.MinExamples && !c.given {
		c.whole(TooFewExamples, "The file has %s; a training needs at least %d.", counted(n, "example"), c.limits.MinExamples)
	}
	if n := len(c.systems); n > 1 && n*2 > c.systemN && c.systemN >= 20 {
		c.report.add(Item{Code: UnequalSystems, Warning: true,
			Message: fmt.Sprintf("%d of %d examples begin with a system prompt of their own.", n, c.systemN),
			Hint:    "A model learns a role best when every example begins alike, and calls begin so too."})
	}
	c.report.Method = c.method
	if c.report.Method == "" {
		c.report.Method = provider.SFT
	}
	c.report.Valid = c.report.Errors == 0
	return c.report
}

// Broken reports whether an error was found already.
func (c *Check) Broken() bool { return c.report.Errors > 0 }

// TooLarge notes that the file is larger than it may be. What follows is not read.
func (c *Check) TooLarge() {
	c.report.add(Item{Line: c.report.Lines + 1, Offset: c.offset, Code: FileTooLarge,
		Message: fmt.Sprintf("The file is larger than %s; what follows was not read.", bytesWord(c.limits.File)),
		Hint:    "Leave out what teaches little, or train on it in parts. The account's Settings say how large a file may be."})
}

// look finds what is wrong with one line.
func (c *Check) look(line []byte) {
	if c.report.Lines == 0 && c.firstBytes(line) {
		return
	}
	if len(bytes.TrimSpace(line)) == 0 {
		c.report.Blank++
		return
	}
	if at := bytes.IndexByte(line, 0); at >= 0 {
		c.error(NulByte, c.start+int64(at), "", "Save the file as UTF-8 text.", "There is a NUL byte in the line.")
		return
	}
	if at := badUTF8(line); at >= 0 {
		c.error(NotUTF8, c.start+int64(at), "", "Save the file as UTF-8; it may be Latin-1 or another older encoding.", "Byte %d of the line is not UTF-8.", at+1)
		return
	}
	c.report.Examples++
	if n := c.report.Examples; n > c.limits.MaxExamples {
		if n == c.limits.MaxExamples+1 {
			c.error(TooManyExamples, c.start, "", "Split the file.", "The file has more than %d examples.", c.limits.MaxExamples)
		}
		return
	}
	c.suspect(line)
	c.parse(line)
}

// firstBytes reports whether a file begins in an encoding that is not read.
func (c *Check) firstBytes(line []byte) bool {
	switch {
	case bytes.HasPrefix(line, []byte{0xEF, 0xBB, 0xBF}):
		c.error(ByteOrderMark, 0, "", "Save it as UTF-8 without BOM.", "The file begins with a byte order mark.")
		return true
	case bytes.HasPrefix(line, []byte{0xFF, 0xFE}), bytes.HasPrefix(line, []byte{0xFE, 0xFF}),
		len(line) >= 4 && (line[0] == 0 && line[2] == 0 || line[1] == 0 && line[3] == 0):
		c.error(UTF16, 0, "", "Save it as UTF-8 without BOM.", "The file is UTF-16.")
		c.given = true
		return true
	}
	return false
}

// badUTF8 finds the first byte that is not UTF-8; -1: none.
func badUTF8(line []byte) int {
	if utf8.Valid(line) {
		return -1
	}
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// error notes what is wrong with the line that is being read.
func (c *Check) error(code Code, at int64, path, hint, format string, args ...any) {
	c.report.add(Item{Line: c.report.Lines + 1, Offset: at, Path: path, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// warn notes what is odd about the line that is being read.
func (c *Check) warn(code Code, path, hint, format string, args ...any) {
	c.report.add(Item{Line: c.report.Lines + 1, Offset: c.start, Path: path, Code: code, Warning: true, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *Check) whole(code Code, format string, args ...any) {
	c.report.add(Item{Code: code, Message: fmt.Sprintf(format, args...)})
}

// bytesWord says a size as people do: "300 MB" for 300 × 2^20 bytes.
func bytesWord(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// near says a size in the unit that people think of, to a tenth.
func near(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
