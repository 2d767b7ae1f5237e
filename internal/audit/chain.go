package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"bailiwick/internal/ident"
)

// Digest is the hash of a line, which covers the hash of the line before it.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Line is an event in its place in the chain of its account.
type Line struct {
	Event
	Seq  int64 // 1, 2, 3 … within the account, without gaps
	Prev Digest
	Hash Digest
}

// canonical is what a line's hash covers, field by field in this order.
type canonical struct {
	Seq       int64             `json:"seq"`
	ID        ident.Event       `json:"id"`
	At        string            `json:"at"`
	Account   ident.Account     `json:"account"`
	Workspace ident.Workspace   `json:"workspace"`
	Actor     ident.User        `json:"actor"`
	ActorName string            `json:"actor_name"`
	Address   string            `json:"address"`
	Call      ident.Call        `json:"call"`
	Action    string            `json:"action"`
	Object    string            `json:"object"`
	Summary   string            `json:"summary"`
	Detail    map[string]string `json:"detail"`
}

// Link gives an event its place after the line with the hash prev.
func Link(prev Digest, seq int64, e Event) Line {
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	text, err := json.Marshal(canonical{
		seq, e.ID, e.At.UTC().Format(time.RFC3339Nano), e.Account, e.Workspace, e.Actor, e.ActorName,
		e.Address, e.Call, e.Action, e.Object, e.Summary, e.Detail,
	})
	if err != nil {
		panic(err) // strings and a map of strings always marshal
	}
	h := sha256.New()
	h.Write(prev[:])
	h.Write(text)
	l := Line{Event: e, Seq: seq, Prev: prev}
	h.Sum(l.Hash[:0])
	return l
}

// Head is the end of an account's chain at some time, signed, so that nobody
// who can rewrite the table can rewrite what was before it.
type Head struct {
	Account   ident.Account `json:"account"`
	Seq       int64         `json:"seq"`
	Hash      string        `json:"hash"`
	At        time.Time     `json:"at"`
	Signature []byte        `json:"signature"`
}

func (h Head) text() []byte {
	return fmt.Appendf(nil, "bailiwick audit head\n%s\n%d\n%s\n%s\n", h.Account, h.Seq, h.Hash, h.At.UTC().Format(time.RFC3339))
}

// Sign makes the head of a chain.
func Sign(key ed25519.PrivateKey, account ident.Account, seq int64, hash Digest, at time.Time) Head {
	h := Head{Account: account, Seq: seq, Hash: hash.String(), At: at.UTC().Truncate(time.Second)}
	h.Signature = ed25519.Sign(key, h.text())
	return h
}

// Genuine reports whether the head was signed with the key.
func (h Head) Genuine(key ed25519.PublicKey) bool { return ed25519.Verify(key, h.text(), h.Signature) }

// Finding is one thing that is wrong with a chain.
type Finding struct {
	Seq  int64
	What string
}

// maxFindings bounds a report: after so many the rest adds nothing.
const maxFindings = 100

// Verify walks an account's lines, in the order of their numbers, and names
// every row that was edited, deleted or reordered; heads are what was exported
// of the same account. An empty result means that the trail is whole.
func Verify(lines iter.Seq2[Line, error], heads []Head) ([]Finding, error) {
	at := map[int64][]Head{}
	for _, h := range heads {
		at[h.Seq] = append(at[h.Seq], h)
	}
	var found []Finding
	var last Line
	for l, err := range lines {
		if err != nil {
			return found, err
		}
		found = append(found, compare(last, l)...)
		for _, h := range at[l.Seq] {
			if h.Hash != l.Hash.String() {
				found = append(found, Finding{l.Seq, fmt.Sprintf("line %d is not the one whose head was exported at %s: it or one before it was replaced", l.Seq, h.At.Format(time.RFC3339))})
			}
		}
		if last = l; len(found) >= maxFindings {
			return found, nil
		}
	}
	for _, h := range heads {
		if h.Seq > last.Seq {
			found = append(found, Finding{h.Seq, fmt.Sprintf("lines %d to %d were deleted from the end: the head exported at %s covers them", last.Seq+1, h.Seq, h.At.Format(time.RFC3339))})
			break
		}
	}
	return found, nil
}

// compare says what is wrong between two lines that follow one another.
func compare(last, l Line) (found []Finding) {
	switch {
	case l.Seq == last.Seq+1:
	case l.Seq == last.Seq+2:
		found = append(found, Finding{last.Seq + 1, fmt.Sprintf("line %d was deleted", last.Seq+1)})
	case l.Seq > last.Seq:
		found = append(found, Finding{last.Seq + 1, fmt.Sprintf("lines %d to %d were deleted", last.Seq+1, l.Seq-1)})
	default:
		found = append(found, Finding{l.Seq, fmt.Sprintf("line %d is there twice or out of order", l.Seq)})
	}
	if Link(l.Prev, l.Seq, l.Event).Hash != l.Hash {
		found = append(found, Finding{l.Seq, fmt.Sprintf("line %d (%s) was edited", l.Seq, l.ID)})
	}
	if l.Seq == last.Seq+1 && l.Prev != last.Hash {
		found = append(found, Finding{l.Seq, fmt.Sprintf("line %d (%s) does not follow line %d: one of the two was replaced or moved", l.Seq, l.ID, last.Seq)})
	}
	return found
}
