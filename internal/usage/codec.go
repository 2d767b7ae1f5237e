package usage

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"bailiwick/internal/ident"
)

// format is the first byte of an encoded record.
const format = 1

// longest bounds the texts of an encoded record, so that it fits the journal.
const longest = 256

var sources = []Source{Nothing, FromProvider, Counted, Estimated}

// appendTo encodes a record for the journal. The id of the call is not in it:
// the journal has that apart.
func (r *Record) appendTo(dst []byte) []byte {
	dst = append(dst, format)
	for _, s := range [...]string{string(r.Account), string(r.Workspace), string(r.Key), string(r.Member), string(r.Model), r.Dialect, string(r.Provider), r.Currency, r.Code} {
		s = s[:min(len(s), longest)]
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	stream := int64(0)
	if r.Stream {
		stream = 1
	}
	for _, n := range [...]int64{
		r.At.UnixMicro(), int64(r.Input), int64(r.Output), int64(r.Cached), int64(r.Reasoning), int64(max(0, slices.Index(sources, r.Source))),
		r.Cost, r.PriceVersion, int64(r.Status), stream, int64(r.Duration), int64(r.FirstByte),
	} {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

var errMalformed = errors.New("an entry of the usage journal is no record")

// texts keeps one copy of each text that records have in common.
type texts map[string]string

// mostTexts bounds them; with more they are forgotten and begun anew.
const mostTexts = 10_000

func (t texts) of(b []byte) string {
	if s, ok := t[string(b)]; ok {
		return s
	}
	if len(t) >= mostTexts {
		clear(t)
	}
	s := string(b)
	t[s] = s
	return s
}

// decode reads what appendTo wrote of a call.
func decode(call ident.Call, text []byte, known texts) (Record, error) {
	if len(text) == 0 || text[0] != format {
		return Record{}, errMalformed
	}
	text = text[1:]
	var words [9]string
	for i := range words {
		n, size := binary.Uvarint(text)
		if size <= 0 || n > longest || uint64(len(text)-size) < n {
			return Record{}, errMalformed
		}
		words[i], text = known.of(text[size:size+int(n)]), text[size+int(n):]
	}
	var numbers [12]int64
	for i := range numbers {
		n, size := binary.Varint(text)
		if size <= 0 {
			return Record{}, errMalformed
		}
		numbers[i], text = n, text[size:]
	}
	if len(text) > 0 || numbers[5] < 0 || numbers[5] >= int64(len(sources)) {
		return Record{}, errMalformed
	}
	return Record{
		Call: call, At: time.UnixMicro(numbers[0]).UTC(), Account: ident.Account(words[0]), Workspace: ident.Workspace(words[1]), Key: ident.Key(words[2]),
		Member: ident.User(words[3]), Model: ident.Model(words[4]), Dialect: words[5], Provider: ident.Provider(words[6]),
		Input: int(numbers[1]), Output: int(numbers[2]), Cached: int(numbers[3]), Reasoning: int(numbers[4]), Source: sources[numbers[5]],
		Cost: numbers[6], Currency: words[7], PriceVersion: numbers[7], Status: int(numbers[8]), Code: words[8], Stream: numbers[9] != 0,
		Duration: time.Duration(numbers[10]), FirstByte: time.Duration(numbers[11]),
	}, nil
}
