package audit

import (
	"crypto/ed25519"
	"fmt"
	"iter"
	"slices"
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
	w := walk{Report: &r, key: key, at: map[int64][]Head{}}
	for _, h := range heads {
		w.at[h.Seq] = append(w.at[h.Seq], h)
	}
	last := w.anchor(c.Anchors)
	w.agree(last)
	for l, err := range c.Lines {
		if err != nil {
			return r, err
		}
		w.compare(last, l)
		w.agree(l)
		if r.From == 0 {
			r.From = l.Seq
		}
		r.Lines, r.To, last = r.Lines+1, l.Seq, l
		if len(r.Findings) >= maxFindings {
			return r, nil
		}
	}
	w.end(c.Tip, last, heads)
	w.prove()
	return r, nil
}

// walk is an inspection under way.
type walk struct {
	*Report
	key    ed25519.PublicKey
	at     map[int64][]Head // what was exported, by line
	agreed []Head           // those that a line agrees with, by line
}

// anchor gives the line that the first one has to follow.
func (r *walk) anchor(anchors []Anchor) (before Line) {
	for _, a := range anchors {
		if !a.Genuine(r.key) {
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
func (r *walk) agree(l Line) {
	for _, h := range r.at[l.Seq] {
		if h.Hash == l.Hash.String() {
			r.agreed = append(r.agreed, h)
		} else if r.genuine(h) {
			r.find(l.Seq, "line %d is not the one whose head was exported at %s: it or one before it was replaced", l.Seq, h.At.Format(time.RFC3339))
		}
	}
}

// genuine tells of a head that is not.
func (r *walk) genuine(h Head) bool {
	if h.Genuine(r.key) {
		return true
	}
	r.find(h.Seq, "the exported head of line %d of %s was not signed with this master key, or was edited", h.Seq, h.At.Format(time.RFC3339))
	return false
}

// prove finds the newest genuine head that a line agrees with.
func (r *walk) prove() {
	for _, h := range slices.Backward(r.agreed) {
		if r.genuine(h) {
			r.Proven = h
			return
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

// end compares the last line with the chain's own head and the exported ones.
func (r *walk) end(tip Tip, last Line, heads []Head) {
	most := tip.Seq
	for _, h := range heads {
		if h.Seq > max(last.Seq, most) && r.genuine(h) {
			most = h.Seq
		}
	}
	switch {
	case most > last.Seq:
		r.find(most, "lines %d to %d were deleted from the end", last.Seq+1, most)
	case tip.Seq < last.Seq || tip.Hash != last.Hash:
		r.find(last.Seq, "line %d is not the one that the chain ends with (%d): it was inserted or replaced", last.Seq, tip.Seq)
	}
}
