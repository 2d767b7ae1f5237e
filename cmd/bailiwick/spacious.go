package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

const (
	usualPercent = 100 // of what lives, which is allocated between two collections
	leastRoom    = 14 << 20
)

// spacious lets at least leastRoom be allocated between two collections of garbage,
// for as long as the process runs. A small heap would be looked through every few
// hundred calls, which costs a tenth of what they cost; of a large one the usual
// share is more than that anyway.
var spacious = sync.OnceFunc(func() { new(pace).keep(leastRoom) })

// pace is how often garbage is collected.
type pace struct {
	percent int
	live    [1]metrics.Sample
}

// keep sets the pace, and again after every collection: what is let go of here is
// found by each.
func (p *pace) keep(room uint64) {
	p.live[0].Name = "/gc/heap/live:bytes"
	metrics.Read(p.live[:])
	wanted := max(usualPercent, int(room*100/max(p.live[0].Value.Uint64(), 1<<20)))
	if wanted < p.percent*4/5 || wanted > p.percent*5/4 { // to set it stops the world for a moment
		debug.SetGCPercent(wanted)
		p.percent = wanted
	}
	runtime.SetFinalizer(new([32]byte), func(*[32]byte) { p.keep(room) })
}
