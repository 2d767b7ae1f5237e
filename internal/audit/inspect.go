package audit

import (
	"fmt"
	"iter"
)

// Chain is an account's chain as the database has it: what its own head says,
// and its lines.
type Chain struct {
	Tip
	Lines iter.Seq2[Line, error]
}

// Report is what was found in one chain.
type Report struct {
	Lines    int64
	Findings []Finding
}

// Inspect verifies a chain against itself, its own head and the exported ones.
// One account's heads are enough: those of others are never alike.
func Inspect(c Chain, heads []Head) (r Report, err error) {
	var last Line
	r.Findings, err = Verify(func(yield func(Line, error) bool) {
		for l, err := range c.Lines {
			if err == nil {
				r.Lines, last = r.Lines+1, l
			}
			if !yield(l, err) {
				return
			}
		}
	}, heads)
	if err != nil || len(r.Findings) >= maxFindings {
		return r, err
	}
	switch {
	case c.Seq > last.Seq:
		r.Findings = append(r.Findings, Finding{c.Seq, fmt.Sprintf("lines %d to %d were deleted from the end: the chain counts %d", last.Seq+1, c.Seq, c.Seq)})
	case c.Seq < last.Seq || c.Hash != last.Hash:
		r.Findings = append(r.Findings, Finding{last.Seq, fmt.Sprintf("line %d is not the one the chain ends with (%d): it was added or replaced", last.Seq, c.Seq)})
	}
	return r, nil
}
