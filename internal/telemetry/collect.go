package telemetry

import (
	"fmt"
	"strings"
)

// measure is one thing that is measured of calls, with its four figures.
type measure struct {
	name, what string
	of         func(*series) *span
}

var measures = []measure{
	{"model_call_duration", "Time of calls until their last byte", func(s *series) *span { return &s.whole }},
	{"model_first_token_duration", "Time of calls until their first byte", func(s *series) *span { return &s.first }},
	{"model_generation_duration_per_token", "Time of streams after their first byte, per token", func(s *series) *span { return &s.token }},
}

// each goes through the series.
func (m *Metrics) each(do func(l labels, s *series)) {
	m.series.Range(func(key, value any) bool {
		do(key.(labels), value.(*series))
		return true
	})
}

// write writes everything that is counted of calls.
func (m *Metrics) write(p *page) {
	m.seconds.write(p)
	m.own.write(p)
	p.family("bailiwick_calls_with_unknown_key_total", "Calls refused because their key is not known.", counter)
	p.line("", "", float64(m.unknown.Load()))
	p.family("model_call_count", "Calls.", counter)
	m.each(func(l labels, s *series) { p.line("", l.text(""), float64(s.calls.Load())) })
	p.family("model_usage", "What calls consumed, by usage_type.", counter)
	m.each(func(l labels, s *series) {
		for _, u := range []struct {
			kind string
			n    int64
		}{
			{"input_token", s.input.Load()}, {"output_token", s.output.Load()}, {"total_token", s.input.Load() + s.output.Load()},
			{"input_token_cache", s.cached.Load()}, {"thinking_token", s.reasoning.Load()},
		} {
			if u.n > 0 {
				p.line("", l.text(u.kind), float64(u.n))
			}
		}
	})
	for _, is := range measures {
		m.writeMeasure(p, is)
	}
}

func (m *Metrics) writeMeasure(p *page, is measure) {
	now := m.Now().Unix()
	for _, f := range []struct {
		suffix, help string
		kind         kind
		value        func(s *span) (float64, bool)
	}{
		{"", "the mean since the program began.", gauge, func(s *span) (float64, bool) {
			return float64(s.total.Load()) / 1e6 / float64(s.n.Load()), true
		}},
		{"_total", "their sum.", counter, func(s *span) (float64, bool) { return float64(s.total.Load()) / 1e6, true }},
		{"_p50", "the median of the last minute or two.", gauge, func(s *span) (float64, bool) { return s.quantile(now, 0.5) }},
		{"_p99", "the 99th percentile of the last minute or two.", gauge, func(s *span) (float64, bool) { return s.quantile(now, 0.99) }},
	} {
		p.family(is.name+f.suffix, is.what+", in milliseconds: "+f.help, f.kind)
		m.each(func(l labels, s *series) {
			if of := is.of(s); of.n.Load() > 0 {
				if v, ok := f.value(of); ok {
					p.line("", l.text(""), v)
				}
			}
		})
	}
}

// text is the labels as Prometheus reads them, with that of model_usage between.
func (l labels) text(usage string) string {
	if usage != "" {
		usage = `usage_type="` + usage + `",`
	}
	return fmt.Sprintf(`apikey_id="%s",error_code="%s",model="%s",protocol="%s",status_code="%s",sub_protocol="%s",%suser_id="%s",workspace_id="%s"`,
		plain(l.key), plain(l.code), plain(l.model), plain(l.protocol), plain(l.status), plain(l.sub), usage, plain(l.account), plain(l.workspace))
}

// plain is the value of a label without what would end it.
func plain(s string) string { return escape.Replace(strings.ToValidUTF8(s, "\uFFFD")) }

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
