// Package journal keeps what must not be forgotten until it is in the database:
// that a call was begun, and how it ended. An entry is with the operating
// system before Append returns, so it survives the death of the process; the
// disk has it at most Sync later, so a power cut takes no more than that.
//
// A process has files of its own, one after the other. Writing takes no lock:
// each writer reserves its place and writes there. One reader follows.
package journal

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"bailiwick/internal/ident"
)

const suffix = ".usage"

// Config says where a journal is and how large it may grow. Zero fields have
// defaults.
type Config struct {
	Folder  string
	Segment int64         // bytes of one file; 8 MiB
	Most    int64         // bytes of all files together; 256 MiB, room for some 600,000 calls
	Sync    time.Duration // how long what is written may wait for the disk; 50 ms
}

// ErrFull refuses the beginning of a call: the journal has grown to its bound,
// or the disk gives no room.
var ErrFull = errors.New("the usage journal is full")

// Journal is the files of this process.
type Journal struct {
	Config
	owner   string
	current atomic.Pointer[segment]
	spare   atomic.Pointer[segment] // the next one, made ahead of need
	dirty   atomic.Bool
	live    atomic.Int64  // how many files there are
	cramped bool          // the next file could not be made; it was said
	wake    chan struct{} // something was written
	ahead   chan struct{} // the next file will be needed
	quit    chan struct{}
	ended   sync.WaitGroup

	mu     sync.Mutex
	files  []*segment // in order; the last is the current one
	number int
	open   map[ID]*segment // calls that were begun and not ended; the reader's
	text   []byte          // what it reads into
}

// New begins a journal.
func New(c Config) (*Journal, error) {
	if c.Segment == 0 {
		c.Segment = 8 << 20
	}
	if c.Most == 0 {
		c.Most = 256 << 20
	}
	if c.Sync == 0 {
		c.Sync = 50 * time.Millisecond
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, err
	}
	j := &Journal{
		Config: c, owner: string(ident.NewCall())[:13],
		wake: make(chan struct{}, 1), ahead: make(chan struct{}, 1), quit: make(chan struct{}), open: map[ID]*segment{},
	}
	first, err := newSegment(c.Folder, j.owner, 0, c.Segment)
	if err != nil {
		return nil, err
	}
	j.files = []*segment{first}
	j.live.Store(1)
	j.current.Store(first)
	j.ended.Go(j.tend)
	j.ended.Go(j.lead)
	return j, nil
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// Append writes an entry; payload appends its content to what it is given. A
// beginning is refused with ErrFull when there would soon be no room for ends.
func (j *Journal) Append(kind Kind, id ID, payload func(dst []byte) []byte) error {
	held := buffers.Get().(*[]byte)
	defer buffers.Put(held)
	var head [headSize]byte
	frame := payload(append((*held)[:0], head[:]...))
	*held = frame[:0]
	if len(frame) > headSize+MaxPayload {
		return errors.New("an entry is too long for the usage journal")
	}
	size := frameSize(len(frame) - headSize)
	for {
		s := j.current.Load()
		if kind == Begin && j.Full() {
			return ErrFull
		}
		at, ok := s.take(size)
		if !ok {
			if err := j.rotate(s); err != nil {
				return err
			}
			continue
		}
		seal(frame, s.nonce, at, kind, id)
		if _, err := s.file.WriteAt(frame, at); err != nil {
			s.fail(at, size)
			s.shut()
			return errors.Join(err, j.rotate(s))
		}
		if early := s.size / 8; at < early && at+size >= early {
			tell(j.ahead)
		}
		j.stir()
		return nil
	}
}

// tell leaves word for a goroutine that may be busy; once is enough.
func tell(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// Full reports whether beginnings are refused. What is left of the last file is
// for the ends of the calls that were begun.
func (j *Journal) Full() bool {
	s := j.current.Load()
	full := j.live.Load()*j.Segment > j.Most || s.reserved.Load() > s.size/8*7 && j.spare.Load() == nil
	if full {
		j.stir() // perhaps there is room again
	}
	return full
}

// rotate puts the next file in the place of a full one.
func (j *Journal) rotate(full *segment) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.current.Load() != full {
		return nil
	}
	next := j.spare.Swap(nil)
	if next == nil {
		var err error
		if next, err = j.make(); err != nil {
			return err
		}
	}
	j.files = append(j.files, next)
	j.live.Store(int64(len(j.files)))
	j.current.Store(next)
	return nil
}

func (j *Journal) make() (*segment, error) {
	j.number++
	return newSegment(j.Folder, j.owner, j.number, j.Segment)
}

// stir lets the journal be tended, if it does not wait for that already.
func (j *Journal) stir() {
	if !j.dirty.Load() && !j.dirty.Swap(true) {
		tell(j.wake)
	}
}

// lead makes the next file as soon as an eighth of one is used: calls would be
// refused if it came too late, and a slow disk may keep tend for a second.
func (j *Journal) lead() {
	for {
		select {
		case <-j.quit:
			return
		case <-j.ahead:
			j.prepare()
		}
	}
}

// tend brings what was written to the disk, and makes the next file where that
// failed before. It sleeps while nothing is written.
func (j *Journal) tend() {
	for {
		select {
		case <-j.quit:
			return
		case <-j.wake:
		}
		j.prepare()
		select {
		case <-j.quit:
			return
		case <-time.After(j.Sync):
		}
		j.dirty.Store(false)
		if err := j.sync(); err != nil {
			slog.Error("the usage journal could not be brought to the disk", "err", err)
		}
	}
}

// prepare makes the next file once an eighth of this one is used, within the bound.
func (j *Journal) prepare() {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.current.Load()
	if s.reserved.Load() < s.size/8 || j.spare.Load() != nil || int64(len(j.files)+1)*j.Segment > j.Most {
		return
	}
	next, err := j.make()
	if err == nil {
		j.spare.Store(next)
	} else if !j.cramped {
		slog.Error("the usage journal cannot grow", "err", err)
	}
	j.cramped = err != nil
}

func (j *Journal) sync() error {
	j.mu.Lock()
	files := append([]*segment(nil), j.files...)
	j.mu.Unlock()
	var errs []error
	for _, s := range files {
		fresh := s.synced.Load() == 0
		errs = append(errs, ignoreClosed(s.sync()))
		if fresh {
			errs = append(errs, syncFolder(j.Folder))
		}
	}
	return errors.Join(errs...)
}

// ignoreClosed: a file that was deleted meanwhile needs no disk.
func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Size is how many bytes the files of this journal have on the disk.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return int64(len(j.files)) * j.Segment
}

// Close ends the journal. Files that have nothing left to be dealt with are
// deleted; others wait for the next start. Nothing may be appended after it.
func (j *Journal) Close() error {
	close(j.quit)
	j.ended.Wait()
	errs := []error{j.sync()}
	if s := j.spare.Swap(nil); s != nil {
		errs = append(errs, s.drop())
	}
	for _, s := range j.files {
		if s.open == 0 && s.dealt == s.read && (s.done || s.read == s.reserved.Load()) {
			errs = append(errs, s.drop())
		} else {
			errs = append(errs, s.file.Close())
		}
	}
	return errors.Join(errs...)
}

// files of a folder that belong to journals, by name.
func filesOf(folder string) ([]string, error) {
	return filepath.Glob(filepath.Join(folder, "*"+suffix))
}
