// Package bpe is the tokenizer of the built-in engine: byte-level byte-pair
// encoding of the GPT-2 family, so that its vocabulary goes into a GGUF file
// unchanged.
package bpe

import "strings"

// The special tokens come first; text never produces them.
const (
	EndOfText = 0
	Start     = 1 // of a message
	End       = 2 // of a message
	specials  = 3
)

var specialNames = [specials]string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"}

// symbolOf spells each byte as one printable character, as GPT-2 does: those
// that print stand for themselves, the others for U+0100 and on.
var symbolOf, byteOf = alphabet()

func alphabet() (symbols [256]string, bytes map[rune]byte) {
	bytes = make(map[rune]byte, 256)
	next := rune(0x100)
	for b := range 256 {
		r := rune(b)
		if !(b >= 0x21 && b <= 0x7e || b >= 0xa1 && b <= 0xac || b >= 0xae) {
			r = next
			next++
		}
		symbols[b], bytes[r] = string(r), byte(b)
	}
	return symbols, bytes
}

// spell gives the symbols of a text, one a byte.
func spell(s string) []string {
	out := make([]string, len(s))
	for i := range len(s) {
		out[i] = symbolOf[s[i]]
	}
	return out
}

// unspell gives the bytes that symbols stand for.
func unspell(symbols string) string {
	var b strings.Builder
	for _, r := range symbols {
		b.WriteByte(byteOf[r])
	}
	return b.String()
}
