package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/usage/journal"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func id(n int) (id journal.ID) {
	copy(id[:], fmt.Sprintf("%016d", n))
	return id
}

// put waits until there is room.
func put(t testing.TB, j *journal.Journal, kind journal.Kind, n int) {
	t.Helper()
	err := j.Append(kind, id(n), payload(n))
	for errors.Is(err, journal.ErrFull) {
		time.Sleep(time.Millisecond)
		err = j.Append(kind, id(n), payload(n))
	}
	must(t, err)
}

// payload is of a length and content that the number gives.
func payload(n int) func([]byte) []byte {
	return func(dst []byte) []byte { return append(dst, strings.Repeat(fmt.Sprint(n, " "), 1+n%40)...) }
}

func start(t testing.TB, c journal.Config) *journal.Journal {
	t.Helper()
	if c.Folder == "" {
		c.Folder = t.TempDir()
	}
	c.Sync = 2 * time.Millisecond
	j, err := journal.New(c)
	must(t, err)
	return j
}

func files(t testing.TB, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	must(t, err)
	return found
}

func TestEveryEntryOfManyWritersIsReadOnceAndFilesGo(t *testing.T) {
	c := journal.Config{Folder: t.TempDir(), Segment: 64 << 10, Most: 64 << 20}
	j := start(t, c)
	const writers, each = 8, 1500
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				n := w*each + i
				put(t, j, journal.Begin, n)
				put(t, j, journal.End, n)
			}
		})
	}
	seen := map[journal.ID]int{}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for over := false; ; {
		n, err := j.Read(100, func(e journal.Entry) {
			number, _ := strconv.Atoi(string(e.ID[:]))
			if !bytes.Equal(e.Payload, payload(number)(nil)) {
				t.Errorf("entry %d holds %q", number, e.Payload)
			}
			seen[e.ID] += int(e.Kind)
		})
		must(t, err)
		must(t, j.Commit())
		if n == 0 && over {
			break
		}
		select {
		case <-done:
			over = true
		default:
		}
	}
	for n := range writers * each {
		if seen[id(n)] != int(journal.Begin+journal.End) {
			t.Fatalf("call %d: %d", n, seen[id(n)])
		}
	}
	if left := files(t, c.Folder); len(left) > 2 {
		t.Errorf("files of which nothing is left are there: %q", left)
	}
	must(t, j.Close())
	if left := files(t, c.Folder); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestWhatIsNotDealtWithWaitsForTheNextStart(t *testing.T) {
	c := journal.Config{Folder: t.TempDir(), Segment: 16 << 10}
	j := start(t, c)
	for n := range 100 {
		put(t, j, journal.Begin, n)
		if n%10 != 0 {
			put(t, j, journal.End, n)
		}
	}
	ends, err := j.Read(40, func(journal.Entry) {})
	must(t, err)
	must(t, j.Commit())
	if o, err := journal.Orphans(c.Folder); err != nil || !o.Empty() {
		t.Fatalf("files in use were taken over: %v", err)
	}
	must(t, j.Close())
	o, err := journal.Orphans(c.Folder)
	must(t, err)
	if ends != 40 || len(o.Ends) != 50 || len(o.Open) != 10 || o.Open[3].ID != id(30) || !bytes.Equal(o.Open[3].Payload, payload(30)(nil)) {
		t.Fatalf("%d ends were read; %d are left, and %d open", ends, len(o.Ends), len(o.Open))
	}
	must(t, o.Remove())
	if left := files(t, c.Folder); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestAFileStaysAsLongAsACallBegunInItIsOpen(t *testing.T) {
	c := journal.Config{Folder: t.TempDir(), Segment: 4 << 10}
	j := start(t, c)
	put(t, j, journal.Begin, 0)
	for n := 1; n < 100; n++ {
		put(t, j, journal.End, n)
	}
	read := func() {
		_, err := j.Read(1000, func(journal.Entry) {})
		must(t, err)
		must(t, j.Commit())
	}
	read()
	if left := files(t, c.Folder); !strings.Contains(strings.Join(left, " "), "-000000.usage") || len(left) > 3 {
		t.Fatalf("%q", left)
	}
	put(t, j, journal.End, 0)
	read()
	if left := files(t, c.Folder); strings.Contains(strings.Join(left, " "), "-000000.usage") {
		t.Fatalf("%q", left)
	}
	must(t, j.Close())
}

func TestAFullJournalRefusesBeginningsAndTakesTheEndsOfThoseItTook(t *testing.T) {
	c := journal.Config{Folder: t.TempDir(), Segment: 8 << 10, Most: 32 << 10}
	j := start(t, c)
	begun := 0
	for full := 0; full < 50; {
		err := j.Append(journal.Begin, id(begun), payload(begun))
		if errors.Is(err, journal.ErrFull) {
			full++
			time.Sleep(time.Millisecond)
			continue
		}
		must(t, err)
		begun++
	}
	if begun < 10 || j.Size() > c.Most || !j.Full() {
		t.Fatalf("%d calls were begun in %d bytes", begun, j.Size())
	}
	for n := range begun {
		put(t, j, journal.End, n)
	}
	if j.Append(journal.Begin, id(-1), payload(1)) == nil {
		t.Error("another call was begun")
	}
	ends := 0
	for {
		n, err := j.Read(7, func(journal.Entry) {})
		must(t, err)
		must(t, j.Commit())
		if ends += n; n == 0 {
			break
		}
	}
	if ends != begun || j.Full() {
		t.Errorf("%d ends of %d; full %v", ends, begun, j.Full())
	}
	put(t, j, journal.Begin, 5000)
	must(t, j.Close())
}

// Cutting a file anywhere, or spoiling any byte, never makes an entry up and
// takes no entry but the ones it touches.
func TestTornEntriesAreCutAndNeverGuessed(t *testing.T) {
	c := journal.Config{Folder: t.TempDir(), Segment: 16 << 10}
	j := start(t, c)
	for n := range 40 {
		put(t, j, journal.End, n)
	}
	text, err := os.ReadFile(files(t, c.Folder)[0])
	must(t, err)
	must(t, j.Close())
	found := func(text []byte) (n int) {
		journal.Scan(text, func(e journal.Entry, _ bool) {
			number, _ := strconv.Atoi(string(e.ID[:]))
			if number < 0 || number >= 40 || !bytes.Equal(e.Payload, payload(number)(nil)) {
				t.Fatalf("made up: %d %q", number, e.Payload)
			}
			n++
		})
		return n
	}
	if n := found(text); n != 40 {
		t.Fatalf("%d of 40", n)
	}
	for cut := range len(text) {
		found(text[:cut])
	}
	for range 2000 {
		spoilt := bytes.Clone(text)
		at := 128 + rand.IntN(len(text)-128)
		spoilt[at] ^= byte(1 + rand.IntN(255))
		if n := found(spoilt); n < 39 {
			t.Fatalf("one byte at %d took %d entries", at, 40-n)
		}
	}
}

func FuzzScan(f *testing.F) {
	j := start(f, journal.Config{Folder: f.TempDir(), Segment: 4 << 10})
	for n := range 9 {
		put(f, j, journal.Kind(1+n%2), n)
	}
	text, err := os.ReadFile(files(f, j.Folder)[0])
	must(f, err)
	must(f, j.Close())
	f.Add(text)
	f.Add(text[:1000])
	f.Add([]byte("bwusage1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		last := -1
		journal.Scan(text, func(e journal.Entry, _ bool) {
			at := bytes.Index(text, e.Payload)
			if len(e.Payload) > journal.MaxPayload || e.Kind != journal.Begin && e.Kind != journal.End || at < 0 {
				t.Fatalf("%+v", e)
			}
			last++
		})
		if last > len(text)/64 {
			t.Fatal("more entries than room")
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	j := start(b, journal.Config{Folder: b.TempDir(), Most: 1 << 40})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for n := 1; n > 0; {
				n, _ = j.Read(500, func(journal.Entry) {})
			}
			j.Commit()
			time.Sleep(20 * time.Millisecond)
		}
	})
	text := bytes.Repeat([]byte("x"), 180)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if err := j.Append(journal.End, id(i), func(dst []byte) []byte { return append(dst, text...) }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.StopTimer()
	close(stop)
	wg.Wait()
	j.Close()
}
