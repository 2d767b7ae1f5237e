package audit_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
)

// public and key sign heads and make sure of them.
var public, key, _ = ed25519.GenerateKey(rand.Reader) // it never fails

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func chain(n int) []audit.Line {
	var lines []audit.Line
	var prev audit.Digest
	for i := range n {
		l := audit.Link(prev, int64(i+1), 0, audit.Event{ID: ident.NewEvent(), At: noon, Account: "acc-1", Action: "keys:issue", Summary: "made a key"})
		lines, prev = append(lines, l), l.Hash
	}
	return lines
}

func of(lines []audit.Line) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func verify(t *testing.T, lines []audit.Line, heads ...audit.Head) []audit.Finding {
	t.Helper()
	tip := audit.Tip{Account: "acc-1", Seq: 20}
	if n := len(lines); n > 0 {
		tip.Seq, tip.Hash = lines[n-1].Seq, lines[n-1].Hash
	}
	r, err := audit.Inspect(audit.Chain{Tip: tip, Lines: of(lines)}, heads, public)
	if err != nil {
		t.Fatal(err)
	}
	return r.Findings
}

func TestAWholeChainIsFoundWhole(t *testing.T) {
	lines := chain(20)
	head := audit.Sign(key, "acc-1", 20, lines[19].Hash, noon)
	if !head.Genuine(public) {
		t.Error("the head is not genuine")
	}
	if found := verify(t, lines, head); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}

func TestEveryRowEditedDeletedOrReorderedIsNamed(t *testing.T) {
	for i := range 20 {
		edited := chain(20)
		edited[i].Summary = "made nothing"
		named(t, verify(t, edited), int64(i+1), "edited")

		lines := chain(20)
		head := audit.Sign(key, "acc-1", 20, lines[19].Hash, noon)
		word := "deleted"
		named(t, verify(t, slices.Delete(slices.Clone(lines), i, i+1), head), int64(i+1), word)

		if i < 19 {
			moved := chain(20)
			moved[i].Event, moved[i+1].Event = moved[i+1].Event, moved[i].Event
			named(t, verify(t, moved), int64(i+1), "edited")
			swapped := chain(20)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			if len(verify(t, swapped)) == 0 {
				t.Errorf("lines %d and %d were swapped unseen", i+1, i+2)
			}
		}
	}
}

func TestAChainRewrittenFromTheMiddleDiffersFromTheExportedHead(t *testing.T) {
	lines := chain(20)
	head := audit.Sign(key, "acc-1", 15, lines[14].Hash, noon)
	forged := slices.Clone(lines[:9])
	prev := lines[8].Hash
	for i := 9; i < 20; i++ {
		l := audit.Link(prev, int64(i+1), 0, audit.Event{ID: ident.NewEvent(), At: noon, Account: "acc-1", Action: "keys:issue"})
		forged, prev = append(forged, l), l.Hash
	}
	named(t, verify(t, forged, head), 15, "replaced")
	head.Seq = 14
	if head.Genuine(public) {
		t.Error("a head that was changed is genuine")
	}
}

func named(t *testing.T, found []audit.Finding, seq int64, word string) {
	t.Helper()
	for _, f := range found {
		if f.Seq == seq && strings.Contains(f.What, word) {
			return
		}
	}
	t.Errorf("line %d is not named as %q: %v", seq, word, found)
}
