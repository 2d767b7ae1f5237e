package wire

import (
	"bytes"
	"errors"
	"io"
)

// What an event stream is refused with.
var (
	// ErrTooLong means that an event or the whole stream is over its bound.
	ErrTooLong = errors.New("wire: the event stream is over its bound")
	// ErrCutShort means that the stream ended within an event.
	ErrCutShort = errors.New("wire: the event stream ended within an event")
)

// Events reads a stream of server-sent events, one event at a time, as the
// bytes it came in.
type Events struct {
	from       io.Reader
	buf        []byte
	start, end int // what is read and not yet handed out
	scanned    int // how far it was searched
	line       int // where the line begins that is being searched
	event, all int // bounds in bytes: of one event, of what may still come
	err        error
}

const firstBuffer = 8 << 10

// NewEvents reads events of at most event bytes each, all bytes together.
func NewEvents(from io.Reader, event, all int) *Events {
	return &Events{from: from, buf: make([]byte, min(firstBuffer, event)), event: event, all: all}
}

// Next gives the next event with the blank line that ends it; it is valid until
// the next call. At the end of the stream it gives io.EOF, together with the
// event if only the blank line is missing.
func (e *Events) Next() ([]byte, error) {
	for {
		if ev := e.cut(); ev != nil {
			return ev, nil
		}
		if e.err != nil {
			return e.last()
		}
		e.fill()
	}
}

// Ready reports whether a whole event is there without reading on.
func (e *Events) Ready() bool {
	rest := e.buf[e.start:e.end]
	return bytes.Contains(rest, []byte("\n\n")) || bytes.Contains(rest, []byte("\n\r\n"))
}

// cut hands out the first whole event of the buffer; nil when there is none.
func (e *Events) cut() []byte {
	for {
		i := bytes.IndexByte(e.buf[e.scanned:e.end], '\n')
		if i < 0 {
			e.scanned = e.end
			return nil
		}
		at := e.scanned + i
		blank := at == e.line || at == e.line+1 && e.buf[e.line] == '\r'
		e.scanned, e.line = at+1, at+1
		if blank {
			ev := e.buf[e.start : at+1]
			e.start = at + 1
			return ev
		}
	}
}

// last gives what is left when nothing more comes.
func (e *Events) last() ([]byte, error) {
	rest := e.buf[e.start:e.end]
	e.start = e.end
	line := bytes.TrimRight(rest, "\r\n")
	switch {
	case bytes.Equal(line, []byte("data: [DONE]")), bytes.Equal(line, []byte("data:[DONE]")):
		return rest, io.EOF // all was said, however the connection ended
	case e.err != io.EOF:
		return nil, e.err
	case len(rest) == 0:
		return nil, io.EOF
	case rest[len(rest)-1] == '\n':
		return rest, io.EOF
	}
	return nil, ErrCutShort
}

func (e *Events) fill() {
	if e.start > 0 {
		n := copy(e.buf, e.buf[e.start:e.end])
		e.scanned, e.line, e.end, e.start = e.scanned-e.start, e.line-e.start, n, 0
	}
	if e.end == len(e.buf) {
		if len(e.buf) >= e.event {
			e.err = ErrTooLong
			return
		}
		bigger := make([]byte, min(2*len(e.buf), e.event))
		copy(bigger, e.buf[:e.end])
		e.buf = bigger
	}
	n, err := e.from.Read(e.buf[e.end:])
	e.end += n
	if e.all -= n; e.all < 0 {
		err = ErrTooLong
	}
	e.err = err
}

// Data gives the data of an event, its lines joined as the standard says; empty
// for comments. An event with a bare carriage return is malformed: readers
// differ in what they take it for.
func Data(event []byte) ([]byte, error) {
	if bytes.IndexByte(event, '\r') >= 0 {
		event = bytes.ReplaceAll(event, []byte("\r\n"), []byte("\n"))
		if bytes.IndexByte(event, '\r') >= 0 {
			return nil, ErrMalformed
		}
	}
	var data []byte
	lines := 0
	for len(event) > 0 {
		line, rest, _ := bytes.Cut(event, []byte("\n"))
		event = rest
		value, is := field(line)
		switch {
		case !is:
		case lines == 0:
			data, lines = value, 1
		default:
			data = append(append(data[:len(data):len(data)], '\n'), value...)
		}
	}
	return data, nil
}

// field gives the value of a data line.
func field(line []byte) (value []byte, is bool) {
	value, is = bytes.CutPrefix(line, []byte("data"))
	if !is || len(value) > 0 && value[0] != ':' {
		return nil, false
	}
	value = bytes.TrimPrefix(value, []byte(":"))
	return bytes.TrimPrefix(value, []byte(" ")), true
}
