package journal

import (
	"errors"
	"fmt"
	"os"
)

// window is how much of a file is read at once.
const window = 256 << 10

// Read gives entries that were not read before, in the order of their files, to
// each, until it has given most ends. It stops at an entry that is still being
// written. The payload lives as long as each runs. One reader reads at a time.
func (j *Journal) Read(most int, each func(Entry)) (ends int, err error) {
	for _, s := range j.present() {
		for ends < most && !s.done {
			n, more, err := j.readFrom(s, most-ends, each)
			ends += n
			if err != nil || !more {
				return ends, err
			}
		}
	}
	return ends, nil
}

func (j *Journal) present() []*segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]*segment(nil), j.files...)
}

// readFrom reads one window of a file; more says that reading on makes sense.
func (j *Journal) readFrom(s *segment, most int, each func(Entry)) (ends int, more bool, err error) {
	until := min(s.reserved.Load(), s.size)
	if sealed := s.sealed.Load(); sealed != 0 {
		until = sealed
		if s.read >= until {
			s.done = true
			return 0, true, nil
		}
	}
	if s.read >= until {
		return 0, false, nil
	}
	if j.text == nil {
		j.text = make([]byte, window)
	}
	text := j.text[:min(window, until-s.read)]
	if n, err := s.file.ReadAt(text, s.read); err != nil {
		return 0, false, fmt.Errorf("usage journal: read %d bytes at %d: %w", n, s.read, err)
	}
	begin := s.read
	for s.read < until && ends < most {
		e, size, ok := frameAt(text[s.read-begin:], s.nonce, s.read)
		if !ok {
			lost, failed := s.failedAt(s.read)
			if !failed {
				return ends, s.read > begin && len(text) == window, nil // being written, or beyond the window
			}
			s.read += lost
			continue
		}
		s.read += size
		j.follow(s, e)
		if e.Kind == End {
			ends++
		}
		each(e)
		if s.read-begin >= int64(len(text)) {
			break
		}
	}
	return ends, true, nil
}

// follow notes which calls are open, and where they were begun.
func (j *Journal) follow(s *segment, e Entry) {
	if e.Kind == Begin {
		s.open++
		j.open[e.ID] = s
		return
	}
	j.Forget(e.ID)
}

// Forget takes a call for ended whose end could not be written.
func (j *Journal) Forget(id ID) {
	if begun, ok := j.open[id]; ok {
		begun.open--
		delete(j.open, id)
	}
}

// Commit says that every end read so far is dealt with. Files of which nothing
// is left are deleted, in the others the mark advances.
func (j *Journal) Commit() error {
	var errs []error
	j.mu.Lock()
	defer j.mu.Unlock()
	kept := j.files[:0]
	for _, s := range j.files {
		if s.done && s.open == 0 && s != j.current.Load() {
			errs = append(errs, s.drop())
			continue
		}
		kept = append(kept, s)
		if s.dealt != s.read {
			s.dealt = s.read
			_, err := s.file.WriteAt(mark(s.read), markAt)
			errs = append(errs, err)
		}
	}
	j.files = kept
	j.live.Store(int64(len(kept)))
	return errors.Join(errs...)
}

// Orphan is what a process that is no more left behind.
type Orphan struct {
	files []*os.File
	Ends  []Entry // that were perhaps not dealt with, in order
	Open  []Entry // beginnings without an end
}

// Orphans takes over every file in a folder whose process is no more. Files in
// use by others are left to them.
func Orphans(folder string) (*Orphan, error) {
	paths, err := filesOf(folder)
	if err != nil {
		return nil, err
	}
	o := &Orphan{}
	ended, begun := map[ID]bool{}, map[ID]Entry{}
	var order []ID
	for _, path := range paths {
		text, err := o.take(path)
		if err != nil {
			return nil, errors.Join(err, o.release())
		}
		Scan(text, func(e Entry, dealt bool) {
			if e.Kind == Begin {
				begun[e.ID], order = e, append(order, e.ID)
				return
			}
			if ended[e.ID] = true; !dealt {
				o.Ends = append(o.Ends, e)
			}
		})
	}
	for _, id := range order {
		if !ended[id] {
			o.Open = append(o.Open, begun[id])
		}
	}
	return o, nil
}

// take reads a file whose owner is gone; nothing when it is not.
func (o *Orphan) take(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if lock(f) != nil {
		return nil, f.Close()
	}
	o.files = append(o.files, f)
	return os.ReadFile(path)
}

// Empty reports whether nothing was left behind.
func (o *Orphan) Empty() bool { return len(o.files) == 0 }

// Remove deletes the files: everything in them was dealt with.
func (o *Orphan) Remove() error {
	var errs []error
	for _, f := range o.files {
		errs = append(errs, os.Remove(f.Name()))
	}
	return errors.Join(append(errs, o.release())...)
}

func (o *Orphan) release() error {
	var errs []error
	for _, f := range o.files {
		errs = append(errs, f.Close())
	}
	o.files = nil
	return errors.Join(errs...)
}
