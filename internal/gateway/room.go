package gateway

import "sync"

// room is memory that bodies and answers are read into, one call after the
// other: they are most of what a call would leave to the collector.
type room struct {
	text []byte
	size int // which of rooms it belongs to; beyond them: to nobody
}

// rooms are for texts of up to 2 KiB, 8 KiB, 32 KiB, 128 KiB, 512 KiB and 2 MiB.
// What is longer is rare, and too much to keep.
var rooms [6]sync.Pool

const smallest = 2 << 10

// borrow gives room for a text and one byte more, in which its end is seen.
func borrow(bytes int) *room {
	size, have := 0, smallest
	for size < len(rooms) && have <= bytes {
		size, have = size+1, 4*have
	}
	if size == len(rooms) {
		return &room{make([]byte, bytes+1), size}
	}
	if r, ok := rooms[size].Get().(*room); ok {
		return r
	}
	return &room{make([]byte, have), size}
}

// give gives room back. Nobody may look at what was in it any more.
func (r *room) give() {
	if r != nil && r.size < len(rooms) {
		rooms[r.size].Put(r)
	}
}
