package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestASmallHeapHasRoomBetweenTwoCollectionsAndALargeOneItsUsualShare(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(usualPercent))
	runtime.GC()
	const room = 64 << 20
	p := new(pace)
	p.keep(room)
	if got := percent(); got < 2*usualPercent {
		t.Errorf("beside a small heap %d %% of it may be allocated", got)
	}
	large := make([]byte, 2*room)
	for i := 0; i < 100 && percent() != usualPercent; i++ {
		runtime.GC()
		time.Sleep(10 * time.Millisecond) // the finalizer sets it
	}
	if got := percent(); got != usualPercent {
		t.Errorf("beside a large heap %d %% of it may be allocated", got)
	}
	runtime.KeepAlive(large)
}

// percent is the collector's pace as it is set.
func percent() int {
	was := debug.SetGCPercent(usualPercent)
	debug.SetGCPercent(was)
	return was
}
