package ident

import (
	"crypto/sha256"
	"encoding/hex"
)

// Bytes is the call's id as 16 bytes. What is no UUID gets bytes of its own
// that stand for it and cannot be turned back.
func (c Call) Bytes() [16]byte {
	var b [16]byte
	if len(c) == 36 && decodeCall(&b, string(c)) {
		return b
	}
	sum := sha256.Sum256([]byte(c))
	copy(b[:], sum[:])
	return b
}

// groups are where the five parts of a UUID begin and end.
var groups = [5][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, 36}}

func decodeCall(to *[16]byte, s string) bool {
	at := 0
	for i, g := range groups {
		n, err := hex.Decode(to[at:], []byte(s[g[0]:g[1]]))
		if at += n; err != nil || i > 0 && s[g[0]-1] != '-' {
			return false
		}
	}
	return true
}

// CallOf turns 16 bytes into the id they stand for.
func CallOf(b [16]byte) Call {
	var text [36]byte
	at := 0
	for i, g := range groups {
		if i > 0 {
			text[g[0]-1] = '-'
		}
		n := (g[1] - g[0]) / 2
		hex.Encode(text[g[0]:g[1]], b[at:at+n])
		at += n
	}
	return Call(text[:])
}
