// Package telemetry is what operators see of a running program: metrics, traces
// and health, on a listener of their own.
package telemetry

import (
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"bailiwick/internal/gateway"
)

// mostSeries bounds the memory that metrics take: calls beyond that many
// combinations of labels are counted under apikey_id "other" and model "other".
const mostSeries = 4096

// Metrics counts calls under the names of Model Studio's monitoring, times in
// milliseconds, and under the conventions of Prometheus. It implements
// gateway.Observer; calls do not wait for each other.
type Metrics struct {
	Now     func() time.Time
	series  sync.Map // labels → *series
	n       atomic.Int64
	unknown atomic.Int64 // calls whose key is unknown
	seconds *buckets
	own     *buckets
}

// labels are those of Model Studio's monitoring.
type labels struct {
	account, workspace, model, key, protocol, sub, status, code string
}

// series is what is counted under one combination of labels.
type series struct {
	calls                            atomic.Int64
	input, output, cached, reasoning atomic.Int64
	whole, first, token              span
}

// NewMetrics makes an empty set.
func NewMetrics(now func() time.Time) *Metrics {
	return &Metrics{
		Now: now,
		seconds: newBuckets("bailiwick_call_duration_seconds", "Time of calls until their last byte.",
			.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300),
		own: newBuckets("bailiwick_gateway_duration_seconds", "The gateway's own share of the time of calls, until their first byte.",
			.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, 1),
	}
}

// Observe implements gateway.Observer.
func (m *Metrics) Observe(s gateway.Seen) {
	m.seconds.add(s.Duration.Seconds())
	if s.Own > 0 {
		m.own.add(s.Own.Seconds())
	}
	if s.Account == "" {
		m.unknown.Add(1)
		return
	}
	at := m.at(labelsOf(s))
	at.calls.Add(1)
	at.input.Add(int64(s.Input))
	at.output.Add(int64(s.Output))
	at.cached.Add(int64(s.Cached))
	at.reasoning.Add(int64(s.Reasoning))
	now := m.Now().Unix()
	at.whole.add(now, s.Duration)
	if s.FirstByte > 0 {
		at.first.add(now, s.FirstByte)
		if s.Output > 1 && s.Stream {
			at.token.add(now, (s.Duration-s.FirstByte)/time.Duration(s.Output-1))
		}
	}
}

func labelsOf(s gateway.Seen) labels {
	l := labels{
		account: string(s.Account), workspace: string(s.Workspace), model: "unknown", key: string(s.Key),
		protocol: "HTTP", sub: "DEFAULT", status: strconv.Itoa(s.Status), code: s.Code,
	}
	if s.Known { // a caller may name anything
		l.model = string(s.Model)
	}
	if l.key == "" {
		l.key = "-1" // the console's own, as in the original
	}
	if s.Stream {
		l.protocol = "SSE"
	}
	return l
}

func (m *Metrics) at(l labels) *series {
	if s, ok := m.series.Load(l); ok {
		return s.(*series)
	}
	if m.n.Load() >= mostSeries {
		l.key, l.model = "other", "other"
	}
	s, there := m.series.LoadOrStore(l, &series{})
	if !there {
		m.n.Add(1)
	}
	return s.(*series)
}

// span counts times in buckets that grow by half, for the last minute or two.
type span struct {
	total   atomic.Int64 // nanoseconds, since the beginning
	n       atomic.Int64
	minutes [2]minute
}

type minute struct {
	at      atomic.Int64
	buckets [steps]atomic.Uint32
}

// The buckets begin at a tenth of a millisecond and end at about five minutes.
const (
	steps = 37
	least = 100 * time.Microsecond
	grow  = 1.5
)

func (s *span) add(now int64, d time.Duration) {
	s.total.Add(int64(d))
	s.n.Add(1)
	at := now / 60
	m := &s.minutes[at%2]
	if old := m.at.Load(); old != at && m.at.CompareAndSwap(old, at) {
		for i := range m.buckets {
			m.buckets[i].Store(0)
		}
	}
	m.buckets[step(d)].Add(1)
}

func step(d time.Duration) int {
	if d <= least {
		return 0
	}
	return min(int(math.Log(float64(d)/float64(least))/math.Log(grow))+1, steps-1)
}

// quantile gives the time that a share of the calls of this minute and the last
// did not pass, in milliseconds; false: there were none.
func (s *span) quantile(now int64, q float64) (float64, bool) {
	var counts [steps]int64
	var all int64
	for i := range s.minutes {
		m := &s.minutes[i]
		if now/60-m.at.Load() > 1 {
			continue
		}
		for j := range m.buckets {
			n := int64(m.buckets[j].Load())
			counts[j] += n
			all += n
		}
	}
	if all == 0 {
		return 0, false
	}
	rank := int64(math.Ceil(q * float64(all)))
	for j, n := range counts {
		if rank -= n; rank <= 0 {
			return float64(least) / 1e6 * math.Pow(grow, float64(j)), true
		}
	}
	return 0, false
}
