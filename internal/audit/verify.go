package audit

import (
	"crypto/ed25519"
	"fmt"
	"iter"
	"time"
)

// Finding is one thing that is wrong with a chain.
type Finding struct {
	Seq  int64
	What string
}

// maxFindings bounds a report: after so many the rest adds nothing.
const maxFindings = 100

// Chain is an account's chain as the database has it: its own head, what was
// deleted from its beginning because it was too old, and its lines.
type Chain struct {
	Tip
	Anchors []Anchor // by their line
	Lines   iter.Seq2[Line, error]
}

// Report is what was found in one chain.
type Report struct {
	Lines    int64 // that were read
	From, To int64 // the first and the last of them; zero: none
	// Proven is the newest exported head that a line agrees with: whoever wrote
	// to the table since cannot have changed this line or one before it. Zero:
	// none, and then the lines only agree with each other.
	Proven   Head
	Findings []Finding
}

// Whole reports whether nothing is wrong.
func (r Report) Whole() bool { return len(r.Findings) == 0 }

func (r *Report) find(seq int64, what string, args ...any) {
	r.Findings = append(r.Findings, Finding{seq, fmt.Sprintf(what, args...)})
}

// Inspect walks a chain and names every row that was edited, deleted, inserted
// or reordered. It is compared with itself, with its own head, with what was
// exported of the same account, and with the signatures of its anchors.
func Inspect(c Chain, heads []Head, key ed25519.PublicKey) (r Report, err error) {
	last := r.anchor(c.Anchors, key)
	at := map[int64][]Head{}
	newest := int64(0)
	for _, h := range heads {
		at[h.Seq] = append(at[h.Seq], h)
		newest = max(newest, h.Seq)
	}
	r.agree(last, at[last.Seq])
	for l, err := range c.Lines {
		if err != nil {
			return r, err
		}
		r.compare(last, l)
		r.agree(l, at[l.Seq])
		if r.From == 0 {
			r.From = l.Seq
		}
		r.Lines, r.To, last = r.Lines+1, l.Seq, l
		if len(r.Findings) >= maxFindings {
			return r, nil
		}
	}
	r.end(c.Tip, last, newest)
	return r, nil
}

// anchor gives the line that the first one has to follow.
func (r *Report) anchor(anchors []Anchor, key ed25519.PublicKey) (before Line) {
	for _, a := range anchors {
		if !a.Genuine(key) {
			r.find(a.Seq, "the record that lines up to %d were deleted for their age was not signed with this master key, or was edited", a.Seq)
			continue
		}
		if a.Seq > before.Seq {
			before.Seq, before.Hash = a.Seq, a.tip().Hash
		}
	}
	return before
}

// agree compares a line with the heads that were exported when it was the last.
func (r *Report) agree(l Line, heads []Head) {
	for _, h := range heads {
		if h.Hash != l.Hash.String() {
			r.find(l.Seq, "line %d is not the one whose head was exported at %s: it or one before it was replaced", l.Seq, h.At.Format(time.RFC3339))
		} else if h.Seq > r.Proven.Seq || r.Proven.Seq == 0 {
			r.Proven = h
		}
	}
}

// compare says what is wrong between two lines that follow one another.
func (r *Report) compare(last, l Line) {
	switch {
	case l.Seq == last.Seq+1:
	case l.Seq == last.Seq+2:
		r.find(last.Seq+1, "line %d was deleted", last.Seq+1)
	case l.Seq > last.Seq:
		r.find(last.Seq+1, "lines %d to %d were deleted", last.Seq+1, l.Seq-1)
	default:
		r.find(l.Seq, "line %d (%s) is there twice, out of order or inserted", l.Seq, l.ID)
	}
	if l.edited() {
		r.find(l.Seq, "line %d (%s) was edited or inserted", l.Seq, l.ID)
	}
	if l.Seq == last.Seq+1 && l.Prev != last.Hash {
		r.find(l.Seq, "line %d (%s) does not follow line %d: one of the two was replaced or moved", l.Seq, l.ID, last.Seq)
	}
}

// end compares the last line with the chain's own head and the newest exported one.
func (r *Report) end(tip Tip, last Line, newest int64) {
	switch most := max(newest, tip.Seq); {
	case most > last.Seq:
		r.find(most, "lines %d to %d were deleted from the end", last.Seq+1, most)
	case tip.Seq < last.Seq || tip.Hash != last.Hash:
		r.find(last.Seq, "line %d is not the one that the chain ends with (%d): it was inserted or replaced", last.Seq, tip.Seq)
	}
}
