package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"bailiwick/internal/ident"
)

// Digest is the hash of a line, which covers the hash of the line before it.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Form is which fields of a line its hash covers, and how.
type Form int

// The forms. Lines keep the form they were written in.
const (
	FirstForm Form = 1
	ThisForm  Form = 2
)

// Line is an event in its place in the chain of its account.
type Line struct {
	Event
	Seq  int64 // 1, 2, 3 … within the account, without gaps
	Tick int64 // the number of the change that it explains; zero: it changed nothing
	Form Form
	Prev Digest
	Hash Digest
}

// first is what the hash of a line in the first form covers, field by field in
// this order.
type first struct {
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

// whole is what the hash of a line covers in this form: everything.
type whole struct {
	Form       Form              `json:"form"`
	Seq        int64             `json:"seq"`
	Tick       int64             `json:"tick"`
	ID         ident.Event       `json:"id"`
	At         string            `json:"at"`
	Account    ident.Account     `json:"account"`
	Workspace  ident.Workspace   `json:"workspace"`
	Actor      ident.User        `json:"actor"`
	ActorKind  Kind              `json:"actor_kind"`
	ActorName  string            `json:"actor_name"`
	Address    string            `json:"address"`
	Call       ident.Call        `json:"call"`
	Action     string            `json:"action"`
	Object     string            `json:"object"`
	ObjectKind string            `json:"object_kind"`
	ObjectName string            `json:"object_name"`
	Result     Result            `json:"result"`
	Summary    string            `json:"summary"`
	Changes    []Change          `json:"changes"`
	Detail     map[string]string `json:"detail"`
}

// Link gives an event its place after the line with the hash prev.
func Link(prev Digest, seq, tick int64, e Event) Line {
	l := Line{Event: e, Seq: seq, Tick: tick, Form: ThisForm, Prev: prev}
	l.Hash = l.digest()
	return l
}

// LinkFirst is Link as it was in the first form.
func LinkFirst(prev Digest, seq int64, e Event) Line {
	l := Line{Event: e, Seq: seq, Form: FirstForm, Prev: prev}
	l.Hash = l.digest()
	return l
}

// digest is what a line's hash has to be.
func (l Line) digest() (d Digest) {
	at := l.At.UTC().Format(time.RFC3339Nano)
	if l.Detail == nil {
		l.Detail = map[string]string{}
	}
	if l.Changes == nil {
		l.Changes = []Change{}
	}
	var covered any = whole{
		l.Form, l.Seq, l.Tick, l.ID, at, l.Account, l.Workspace, l.Actor, l.ActorKind, l.ActorName, l.Address, l.Call,
		l.Action, l.Object, l.ObjectKind, l.ObjectName, l.Result, l.Summary, l.Changes, l.Detail,
	}
	if l.Form == FirstForm {
		covered = first{l.Seq, l.ID, at, l.Account, l.Workspace, l.Actor, l.ActorName, l.Address, l.Call, l.Action, l.Object, l.Summary, l.Detail}
	}
	text, err := json.Marshal(covered)
	if err != nil {
		panic(err) // strings, numbers and a map of strings always marshal
	}
	h := sha256.New()
	h.Write(l.Prev[:])
	h.Write(text)
	h.Sum(d[:0])
	return d
}

// edited reports whether a line is not what it was when it was written. What
// the first form does not cover has to be empty there; its tick is not covered.
func (l Line) edited() bool {
	if l.Form == FirstForm && (l.ActorKind != "" || l.ObjectKind != "" || l.ObjectName != "" || len(l.Changes) > 0 || l.Result != FirstResult(l.Action)) {
		return true
	}
	return l.digest() != l.Hash
}

// FirstResult is the result of an event that was written in the first form.
func FirstResult(action string) Result {
	if strings.HasSuffix(action, "refused") {
		return Refused
	}
	return Done
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

// What is signed begins with what it is for, so that neither can be handed over
// for the other.
const (
	forHead   = "bailiwick audit head"
	forAnchor = "bailiwick audit anchor"
)

func (h Head) text(what string) []byte {
	return fmt.Appendf(nil, "%s\n%s\n%d\n%s\n%s\n", what, h.Account, h.Seq, h.Hash, h.At.UTC().Format(time.RFC3339))
}

// Sign makes the head of a chain.
func Sign(key ed25519.PrivateKey, account ident.Account, seq int64, hash Digest, at time.Time) Head {
	return sign(forHead, key, account, seq, hash, at)
}

func sign(what string, key ed25519.PrivateKey, account ident.Account, seq int64, hash Digest, at time.Time) Head {
	h := Head{Account: account, Seq: seq, Hash: hash.String(), At: at.UTC().Truncate(time.Second)}
	h.Signature = ed25519.Sign(key, h.text(what))
	return h
}

// Genuine reports whether the head was signed with the key.
func (h Head) Genuine(key ed25519.PublicKey) bool {
	return ed25519.Verify(key, h.text(forHead), h.Signature)
}

// Anchor is the last line that was deleted because it was older than the
// account keeps its trail, signed like a head: what is left follows it.
type Anchor struct{ Head }

// SignAnchor makes the anchor of a chain.
func SignAnchor(key ed25519.PrivateKey, account ident.Account, seq int64, hash Digest, at time.Time) Anchor {
	return Anchor{sign(forAnchor, key, account, seq, hash, at)}
}

// Genuine reports whether the anchor was signed with the key.
func (a Anchor) Genuine(key ed25519.PublicKey) bool {
	return ed25519.Verify(key, a.text(forAnchor), a.Signature)
}
