package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// A file is a header, a mark and then frames, each at a multiple of grid:
//
//	 0  magic (8), nonce (8), CRC32C of both (4)
//	64  mark: position up to which ends are dealt with (8), CRC32C (4)
//	128 frames: length of the payload (4), CRC32C (4), sequence (8), kind (1),
//	    nothing (3), id (16), payload
//
// The sequence of a frame is its place on the grid, and its checksum begins
// with the file's nonce: so a frame counts only where it was written, and
// nothing that callers can write looks like one. Numbers are little-endian.
const (
	grid       = 64
	markAt     = grid
	firstFrame = 2 * grid
	headSize   = 36
	magic      = "bwusage1"
	// MaxPayload bounds the payload of one entry, in bytes.
	MaxPayload = 4 << 10
)

// Kind says whether an entry begins a call or ends it.
type Kind byte

// The kinds.
const (
	Begin Kind = 1
	End   Kind = 2
)

// ID names the call an entry is about.
type ID [16]byte

// Entry is one line of the journal.
type Entry struct {
	Kind    Kind
	ID      ID
	Payload []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frameSize is how much of the file an entry takes.
func frameSize(payload int) int64 { return (headSize + int64(payload) + grid - 1) / grid * grid }

// seal fills in the head of a frame; the payload is behind it already.
func seal(frame []byte, nonce uint64, at int64, kind Kind, id ID) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-headSize))
	binary.LittleEndian.PutUint64(frame[8:], uint64(at/grid))
	frame[16], frame[17], frame[18], frame[19] = byte(kind), 0, 0, 0
	copy(frame[20:], id[:])
	binary.LittleEndian.PutUint32(frame[4:], sum(frame, nonce))
}

// sum is the checksum of a frame, its own place left out.
func sum(frame []byte, nonce uint64) uint32 {
	var n [12]byte
	binary.LittleEndian.PutUint64(n[:], nonce)
	copy(n[8:], frame[:4])
	return crc32.Update(crc32.Update(0, castagnoli, n[:]), castagnoli, frame[8:])
}

// frameAt reads the frame that begins a text which lies at the position of the
// file. There is none unless every bit is as it was written.
func frameAt(text []byte, nonce uint64, at int64) (e Entry, size int64, ok bool) {
	if len(text) < headSize {
		return e, 0, false
	}
	length := int64(binary.LittleEndian.Uint32(text))
	if length > MaxPayload || headSize+length > int64(len(text)) || binary.LittleEndian.Uint64(text[8:]) != uint64(at/grid) {
		return e, 0, false
	}
	frame := text[:headSize+length]
	if binary.LittleEndian.Uint32(frame[4:]) != sum(frame, nonce) {
		return e, 0, false
	}
	e.Kind, e.Payload = Kind(frame[16]), frame[headSize:]
	copy(e.ID[:], frame[20:])
	return e, frameSize(int(length)), e.Kind == Begin || e.Kind == End
}

// header makes the beginning of a file.
func header(nonce uint64) []byte {
	h := make([]byte, firstFrame)
	copy(h, magic)
	binary.LittleEndian.PutUint64(h[8:], nonce)
	binary.LittleEndian.PutUint32(h[16:], crc32.Checksum(h[:16], castagnoli))
	copy(h[markAt:], mark(firstFrame))
	return h
}

func mark(position int64) []byte {
	var m [12]byte
	binary.LittleEndian.PutUint64(m[:], uint64(position))
	binary.LittleEndian.PutUint32(m[8:], crc32.Checksum(m[:8], castagnoli))
	return m[:]
}

// Scan gives the entries of a whole file in order, and whether each lies before
// the mark: then its call was dealt with. What was torn is passed over and never
// guessed; a file without a header has nothing.
func Scan(file []byte, each func(e Entry, dealt bool)) {
	if len(file) < firstFrame || string(file[:8]) != magic || binary.LittleEndian.Uint32(file[16:]) != crc32.Checksum(file[:16], castagnoli) {
		return
	}
	nonce := binary.LittleEndian.Uint64(file[8:])
	marked := int64(firstFrame)
	if m := file[markAt:]; binary.LittleEndian.Uint32(m[8:]) == crc32.Checksum(m[:8], castagnoli) {
		marked = int64(binary.LittleEndian.Uint64(m))
	}
	for at := int64(firstFrame); at < int64(len(file)); {
		e, size, ok := frameAt(file[at:], nonce, at)
		if !ok {
			at += grid
			continue
		}
		each(e, at < marked)
		at += size
	}
}
