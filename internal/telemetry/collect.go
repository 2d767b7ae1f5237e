package telemetry

import "github.com/prometheus/client_golang/prometheus"

// measure is one thing that is measured of calls, with its four figures.
type measure struct {
	mean, total, p50, p99 *prometheus.Desc
	of                    func(*series) *span
}

func newMeasure(name, what string, of func(*series) *span) measure {
	desc := func(suffix, help string) *prometheus.Desc {
		return prometheus.NewDesc(name+suffix, what+", in milliseconds: "+help, labelNames, nil)
	}
	return measure{
		desc("", "the mean since the program began."), desc("_total", "their sum."),
		desc("_p50", "the median of the last minute or two."), desc("_p99", "the 99th percentile of the last minute or two."), of,
	}
}

var (
	callCount = prometheus.NewDesc("model_call_count", "Calls.", labelNames, nil)
	usageSum  = prometheus.NewDesc("model_usage", "What calls consumed, by usage_type.", append(append([]string{}, labelNames...), "usage_type"), nil)
	unknown   = prometheus.NewDesc("bailiwick_calls_with_unknown_key_total", "Calls refused because their key is not known.", nil, nil)

	measures = []measure{
		newMeasure("model_call_duration", "Time of calls until their last byte", func(s *series) *span { return &s.whole }),
		newMeasure("model_first_token_duration", "Time of calls until their first byte", func(s *series) *span { return &s.first }),
		newMeasure("model_generation_duration_per_token", "Time of streams after their first byte, per token", func(s *series) *span { return &s.token }),
	}
)

// Describe implements prometheus.Collector: what is collected depends on the calls.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	m.seconds.Describe(out)
	m.own.Describe(out)
	out <- unknown
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.seconds.Collect(out)
	m.own.Collect(out)
	out <- prometheus.MustNewConstMetric(unknown, prometheus.CounterValue, float64(m.unknown.Load()))
	now := m.Now().Unix()
	m.series.Range(func(key, value any) bool {
		l, s := key.(labels).values(), value.(*series)
		count := func(d *prometheus.Desc, n int64, more ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append(l[:len(l):len(l)], more...)...)
		}
		count(callCount, s.calls.Load())
		for _, u := range []struct {
			kind string
			n    int64
		}{
			{"input_token", s.input.Load()}, {"output_token", s.output.Load()}, {"total_token", s.input.Load() + s.output.Load()},
			{"input_token_cache", s.cached.Load()}, {"thinking_token", s.reasoning.Load()},
		} {
			if u.n > 0 {
				count(usageSum, u.n, u.kind)
			}
		}
		for _, is := range measures {
			is.collect(out, l, is.of(s), now)
		}
		return true
	})
}

func (is measure) collect(out chan<- prometheus.Metric, l []string, s *span, now int64) {
	n, total := s.n.Load(), float64(s.total.Load())/1e6
	if n == 0 {
		return
	}
	out <- prometheus.MustNewConstMetric(is.total, prometheus.CounterValue, total, l...)
	out <- prometheus.MustNewConstMetric(is.mean, prometheus.GaugeValue, total/float64(n), l...)
	for _, p := range []struct {
		d *prometheus.Desc
		q float64
	}{{is.p50, 0.5}, {is.p99, 0.99}} {
		if v, ok := s.quantile(now, p.q); ok {
			out <- prometheus.MustNewConstMetric(p.d, prometheus.GaugeValue, v, l...)
		}
	}
}
