package telemetry

import (
	"bufio"
	"math"
	"slices"
	"strconv"
	"sync/atomic"
)

// Figure is a number of the whole program.
type Figure struct {
	Name, Help string
	Counter    bool // it only grows
	Value      func() float64
}

func (f Figure) write(p *page) {
	kind := gauge
	if f.Counter {
		kind = counter
	}
	p.family(f.Name, f.Help, kind)
	p.line("", "", f.Value())
}

type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// page is what Prometheus reads, in its text format 0.0.4.
type page struct {
	*bufio.Writer
	name string // of the family that is written
}

// family begins the lines of one name.
func (p *page) family(name, help string, k kind) {
	p.name = name
	p.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + string(k) + "\n")
}

// line writes a value under the family's name and a suffix.
func (p *page) line(suffix, labels string, v float64) {
	p.WriteString(p.name + suffix)
	if labels != "" {
		p.WriteString("{" + labels + "}")
	}
	p.WriteString(" " + number(v) + "\n")
}

func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// buckets count values by bounds that they do not pass.
type buckets struct {
	name, help string
	bounds     []float64 // ascending; what passes all is counted, too
	counts     []atomic.Uint64
	sum        atomic.Uint64 // the bits of a float64
}

func newBuckets(name, help string, bounds ...float64) *buckets {
	return &buckets{name: name, help: help, bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

func (b *buckets) add(v float64) {
	i, _ := slices.BinarySearch(b.bounds, v)
	b.counts[i].Add(1)
	for {
		old := b.sum.Load()
		if b.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

func (b *buckets) write(p *page) {
	p.family(b.name, b.help, histogram)
	all := uint64(0)
	for i := range b.counts {
		all += b.counts[i].Load()
		bound := math.Inf(1)
		if i < len(b.bounds) {
			bound = b.bounds[i]
		}
		p.line("_bucket", `le="`+number(bound)+`"`, float64(all))
	}
	p.line("_sum", "", math.Float64frombits(b.sum.Load()))
	p.line("_count", "", float64(all))
}
