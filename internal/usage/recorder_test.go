package usage_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
	"bailiwick/internal/usage/journal"
)

// ledger is a database that can be gone, and refuses to book a call twice.
type ledger struct {
	mu     sync.Mutex
	rows   map[ident.Call]usage.Record
	gone   bool
	writes int
}

func newLedger() *ledger { return &ledger{rows: map[ident.Call]usage.Record{}} }

func (l *ledger) InsertUsage(_ context.Context, records []usage.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return errors.New("the database is gone")
	}
	l.writes++
	for _, r := range records {
		if _, there := l.rows[r.Call]; !there {
			l.rows[r.Call] = r
		}
	}
	return nil
}

func (l *ledger) written() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writes
}

func (l *ledger) leave(gone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = gone
}

func (l *ledger) all() map[ident.Call]usage.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[ident.Call]usage.Record{}
	for id, r := range l.rows {
		all[id] = r
	}
	return all
}

// holds waits until so many calls are booked.
func (l *ledger) holds(t *testing.T, n int) map[ident.Call]usage.Record {
	t.Helper()
	for range 500 {
		if all := l.all(); len(all) >= n {
			if len(all) > n {
				t.Fatalf("%d calls are booked, of %d", len(all), n)
			}
			return all
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("only %d calls are booked, of %d", len(l.all()), n)
	return nil
}

func open(t *testing.T, l *ledger, c journal.Config) *usage.Recorder {
	t.Helper()
	r, err := usage.NewRecorder(l, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// call makes the record of one call as it begins and as it ends.
func call() (begin, end usage.Record) {
	begin = usage.Record{
		Call: ident.NewCall(), At: time.Now().UTC().Truncate(time.Microsecond), Account: ident.NewAccount(), Workspace: ident.NewWorkspace(), Key: ident.NewKey(),
		Member: ident.NewUser(), Model: "qwen-turbo", Dialect: "openai", Provider: ident.NewProvider(), Input: 9, Output: 256, Source: usage.Estimated,
		Status: 500, Code: usage.Interrupted, Cost: 7, Currency: "CNY", PriceVersion: 2, Stream: true,
	}
	end = begin
	end.Input, end.Output, end.Cached, end.Reasoning, end.Source, end.Status, end.Code = 12, 34, 5, 6, usage.FromProvider, 200, ""
	end.Duration, end.FirstByte = time.Second+time.Nanosecond, time.Millisecond
	return begin, end
}

func begin(t *testing.T, r *usage.Recorder, rec *usage.Record) {
	t.Helper()
	err := r.Begin(rec)
	for errors.Is(err, usage.ErrFull) {
		time.Sleep(time.Millisecond)
		err = r.Begin(rec)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestACallIsBookedAsItEnded(t *testing.T) {
	l := newLedger()
	r := open(t, l, journal.Config{Folder: t.TempDir()})
	b, e := call()
	begin(t, r, &b)
	r.End(&e)
	if got := l.holds(t, 1)[e.Call]; !reflect.DeepEqual(got, e) {
		t.Errorf("booked %+v\n  ended %+v", got, e)
	}
	r.Close()
}

func TestAnchor_ShutdownDrains_ManyCallsGoIntoFewTransactionsAndCloseWritesTheRest(t *testing.T) {
	l, folder := newLedger(), t.TempDir()
	r := open(t, l, journal.Config{Folder: folder})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				b, e := call()
				begin(t, r, &b)
				r.End(&e)
			}
		})
	}
	wg.Wait()
	r.Close()
	if n := len(l.all()); n != 4000 || l.written() > 40 {
		t.Errorf("%d calls in %d transactions", n, l.written())
	}
	if left, _ := filepath.Glob(folder + "/*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// What a killed process leaves is a copy of its files at that moment.
func TestCallsWhoseEndNobodySawAreBookedAsEstimatedOnce(t *testing.T) {
	l, folder := newLedger(), t.TempDir()
	l.leave(true)
	r := open(t, l, journal.Config{Folder: folder})
	want := map[ident.Call]usage.Record{}
	for i := range 1000 {
		b, e := call()
		begin(t, r, &b)
		if want[b.Call] = b; i%3 > 0 {
			r.End(&e)
			want[e.Call] = e
		}
	}
	dead := t.TempDir()
	paths, _ := filepath.Glob(folder + "/*.usage")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dead, filepath.Base(path)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	after := newLedger()
	for range 2 { // the second start finds nothing to do
		next := open(t, after, journal.Config{Folder: dead})
		after.holds(t, 1000)
		next.Close()
	}
	if got := after.all(); !reflect.DeepEqual(got, want) {
		t.Errorf("%d calls are booked, and not all as they were", len(got))
	}
	if left, _ := filepath.Glob(dead + "/*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	l.leave(false)
	r.Close()
}

// P8: the database may be gone for long. Calls are served as long as the
// journal has room, then refused before they are sent; nothing is lost.
func TestAnchor_FailedCommitRequeuesBounded_TheDatabaseMayBeGoneAndNothingIsLost(t *testing.T) {
	l := newLedger()
	l.leave(true)
	r := open(t, l, journal.Config{Folder: t.TempDir(), Segment: 32 << 10, Most: 128 << 10, Sync: time.Millisecond})
	want := map[ident.Call]usage.Record{}
	full := 0
	for full < 20 {
		b, e := call()
		if err := r.Begin(&b); errors.Is(err, usage.ErrFull) {
			time.Sleep(2 * time.Millisecond)
			full++
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		r.End(&e)
		want[e.Call] = e
	}
	refused := usage.Record{Call: ident.NewCall(), Account: "acc", Status: 403, Code: "Model.AccessDenied"}
	r.End(&refused) // consumed nothing, so it takes no room
	if h := r.Health(); !h.Full || h.Waiting != int64(len(want)) || h.Journal > 200<<10 || h.Error == "" {
		for range 100 {
			if h = r.Health(); h.Error != "" {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if !h.Full || h.Waiting != int64(len(want)) || h.Error == "" {
			t.Errorf("health %+v of %d calls", h, len(want))
		}
	}
	l.leave(false)
	got := l.holds(t, len(want))
	if !reflect.DeepEqual(got, want) {
		t.Error("not every call is booked as it ended")
	}
	for range 200 {
		if h := r.Health(); !h.Full && h.Waiting == 0 && h.Error == "" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if h := r.Health(); h.Full || h.Waiting != 0 || h.Error != "" {
		t.Errorf("afterwards %+v", h)
	}
	b, e := call()
	begin(t, r, &b)
	r.End(&e)
	l.holds(t, len(want)+1)
	r.Close()
}

func TestWhatTheDatabaseDoesNotTakeAtTheEndWaitsForTheNextStart(t *testing.T) {
	l, folder := newLedger(), t.TempDir()
	l.leave(true)
	r := open(t, l, journal.Config{Folder: folder})
	for range 700 {
		b, e := call()
		begin(t, r, &b)
		r.End(&e)
	}
	time.Sleep(700 * time.Millisecond) // one batch is held by the writer
	r.Close()
	l.leave(false)
	next := open(t, l, journal.Config{Folder: folder})
	for _, rec := range l.holds(t, 700) {
		if rec.Source != usage.FromProvider {
			t.Fatalf("%+v", rec)
		}
	}
	next.Close()
}

// Several at once: whether the writer looks again before it ends is chance.
func TestWhatCameAfterAWriteThatFailedIsWrittenWithItAtTheEnd(t *testing.T) {
	for range 24 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			l.leave(true)
			r := open(t, l, journal.Config{Folder: t.TempDir()})
			for range 2 {
				for range 5 {
					b, e := call()
					begin(t, r, &b)
					r.End(&e)
				}
				time.Sleep(700 * time.Millisecond) // the first are held by the writer
			}
			l.leave(false)
			r.Close()
			if n := len(l.all()); n != 10 {
				t.Errorf("%d of 10 calls are in the books", n)
			}
		})
	}
}

func TestAnIdleRecorderSleeps(t *testing.T) {
	l := newLedger()
	r := open(t, l, journal.Config{Folder: t.TempDir()})
	for range 3 {
		b, e := call()
		begin(t, r, &b)
		r.End(&e)
		time.Sleep(600 * time.Millisecond)
	}
	writes := l.written()
	time.Sleep(time.Second)
	if l.written() != writes || len(l.all()) != 3 {
		t.Errorf("%d writes, then %d, of %d calls", writes, l.written(), len(l.all()))
	}
	r.Close()
}
