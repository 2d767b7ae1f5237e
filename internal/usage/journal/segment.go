package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// segment is one file of a journal. Writers reserve their place in it with one
// addition and write there by themselves, at the same time as others.
type segment struct {
	path  string
	file  *os.File
	nonce uint64
	size  int64

	reserved atomic.Int64 // where the next frame goes; beyond size: the file is closed to writers
	sealed   atomic.Int64 // where the frames end once it is closed; 0: not known yet
	synced   atomic.Int64 // of reserved, when it was last brought to the disk

	mu     sync.Mutex
	failed map[int64]int64 // place and size of frames that could not be written

	// the reader's
	open  int   // calls begun here whose end was not read
	read  int64 // how far it is
	dealt int64 // how far it was when it last committed
	done  bool  // it is through
}

// newSegment makes a file of the full size at once, so that writing in it does
// not need room on the disk, and keeps it locked as long as the process lives.
func newSegment(folder, owner string, number int, size int64) (*segment, error) {
	s := &segment{path: filepath.Join(folder, fmt.Sprintf("%s-%06d%s", owner, number, suffix)), size: size, read: firstFrame, dealt: firstFrame}
	var nonce [8]byte
	rand.Read(nonce[:])
	s.nonce = binary.LittleEndian.Uint64(nonce[:])
	s.reserved.Store(firstFrame)
	made := s.path + ".new"
	f, err := os.OpenFile(made, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s.file = f
	err = lock(f)
	if err == nil {
		err = allocate(f, size)
	}
	if err == nil {
		_, err = f.WriteAt(header(s.nonce), 0)
	}
	if err == nil {
		err = os.Rename(made, s.path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(made))
	}
	return s, nil
}

// take reserves room for a frame. Only one writer is told that it was the first
// to find the file full; then the end of the frames is known.
func (s *segment) take(size int64) (at int64, ok bool) {
	end := s.reserved.Add(size)
	if at = end - size; end <= s.size {
		return at, true
	}
	if at <= s.size {
		s.sealed.Store(at)
	}
	return 0, false
}

// shut closes the file to further writers.
func (s *segment) shut() { s.take(s.size + 1) }

func (s *segment) fail(at, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = map[int64]int64{}
	}
	s.failed[at] = size
}

func (s *segment) failedAt(at int64) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, ok := s.failed[at]
	return size, ok
}

// sync brings what was written to the disk.
func (s *segment) sync() error {
	have := s.reserved.Load()
	if s.synced.Load() == have {
		return nil
	}
	err := s.file.Sync()
	if err == nil {
		s.synced.Store(have)
	}
	return err
}

// drop deletes the file.
func (s *segment) drop() error { return errors.Join(os.Remove(s.path), s.file.Close()) }
