package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// target is a line of the table of what is aimed at: a must, and what we are
// after; less is better unless more is said.
type target struct {
	name        string
	measure     string
	than        string // ratio to that one's figure; empty: the figure itself
	must, after float64
	more        bool
}

var targets = []target{
	{"answers/s at 32 connections, × bare", "whole, 32 connections: answers/s", "bare", 1.0, 1.3, true},
	{"answers/s at 256 connections, × bare", "whole, 256 connections: answers/s", "bare", 1.0, 1.25, true},
	{"CPU per request at 32, × bare", "whole, 32 connections: CPU µs", "bare", 1.0, 0.8, false},
	{"CPU per request, 64 KiB, model first, × bare", "64 KiB prompt, model first: CPU µs", "bare", 1.15, 1.0, false},
	{"CPU per request, 64 KiB, model last, × bare", "64 KiB prompt, model last: CPU µs", "bare", 1.15, 1.0, false},
	{"p99 at 500 calls/s, × bare", "500 calls/s: p99 µs", "bare", 1.3, 1.1, false},
	{"CPU per event of a stream, × bare", "stream of 64 events, 16 connections: CPU µs", "bare", 1.10, 1.05, false},
	{"answers/s of streams, × bare", "stream of 64 events, 16 connections: answers/s", "bare", 0.95, 1.0, true},
	{"refusing an unknown key, CPU × bare's request", unknownKey + ": CPU µs", "bare", 0.25, 0.15, false},
	{"idle, MiB", "idle MiB", "", 32, 24, false},
	{"peak at 256 connections, MiB", "whole, 256 connections: peak MiB", "", 85, 65, false},
	{"peak at prompts of 64 KiB, MiB", "64 KiB prompt, model last: peak MiB", "", 85, 65, false},
	{"cold start to the first answered call, ms", "cold start: ms", "", 60, 25, false},
}

// print shows every figure as the median of the rounds, and the targets.
func (b *besides) print() {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%-52s %12s %12s %12s %12s %12s %12s %10s\n", "median of the rounds", "direct", "bare", "gateway", "10 of each", "1,000", "100,000", "× bare")
	names := slices.Clone(b.names)
	for _, n := range growths {
		names = append(names, strconv.Itoa(n))
	}
	for _, measure := range slices.Sorted(maps.Keys(b.found)) {
		fmt.Fprintf(&out, "%-52s", measure)
		for _, name := range names {
			if list := b.found[measure][name]; list == nil {
				fmt.Fprintf(&out, " %12s", "")
			} else {
				fmt.Fprintf(&out, " %12.1f", median(list))
			}
		}
		if len(b.found[measure]["bare"]) > 0 {
			fmt.Fprintf(&out, " %10.2f", b.ratio(measure, "gateway", "bare"))
		}
		out.WriteString("\n")
	}
	fmt.Fprintf(&out, "\n%-52s %10s %8s %8s\n", "target", "found", "must", "after")
	for _, t := range targets {
		found := median(b.found[t.measure]["gateway"])
		if t.than != "" {
			found = b.ratio(t.measure, "gateway", t.than)
		}
		b.line(&out, t, found)
	}
	b.line(&out, target{name: "added median at 500 calls/s, × what bare adds", must: 1.15, after: 1.0}, b.added("500 calls/s: median µs"))
	b.line(&out, target{name: "first byte of a slow stream, ms over bare", must: 0.15, after: 0.05},
		median(b.found["first byte of a slow stream: ms"]["gateway"])-median(b.found["first byte of a slow stream: ms"]["bare"]))
	many := strconv.Itoa(manyThings)
	for _, callers := range atWork {
		few := strconv.Itoa(callers.n)
		b.line(&out, target{name: few + " to 100,000, " + callers.name + ": answers/s", must: 0.95, after: 1.0, more: true}, b.ratio(callers.name+", 32 connections: answers/s", many, few))
		b.line(&out, target{name: few + " to 100,000, " + callers.name + ": p99", must: 1.15, after: 1.0}, b.ratio(callers.name+", 500 calls/s: p99 µs", many, few))
		b.line(&out, target{name: few + " to 100,000, " + callers.name + ": CPU", must: 1.05, after: 1.0}, b.ratio(callers.name+", 32 connections: CPU µs", many, few))
	}
	b.line(&out, target{name: "one change among 100,000 until it counts, ms", must: 5, after: 2}, median(b.found["one change until it counts: ms"][many]))
	if info, err := os.Stat(b.world.binary); err == nil {
		b.line(&out, target{name: "binary, MB", must: 35, after: 25}, float64(info.Size())/1e6)
	}
	b.t.Log(out.String())
}

// added is what the gateway adds to the model server's time, over what bare adds.
func (b *besides) added(measure string) float64 {
	var list []float64
	for i, v := range b.found[measure]["gateway"] {
		list = append(list, (v-b.found[measure]["direct"][i])/(b.found[measure]["bare"][i]-b.found[measure]["direct"][i]))
	}
	return median(list)
}

func (b *besides) line(out *strings.Builder, t target, found float64) {
	reached := "missed"
	switch {
	case t.more && found >= t.after, !t.more && found <= t.after:
		reached = "reached what we are after"
	case t.more && found >= t.must, !t.more && found <= t.must:
		reached = "reached"
	}
	fmt.Fprintf(out, "%-52s %10.2f %8.2f %8.2f  %s\n", t.name, found, t.must, t.after, reached)
}
