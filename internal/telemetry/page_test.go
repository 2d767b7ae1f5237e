package telemetry_test

import (
	"compress/gzip"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"bailiwick/internal/telemetry"
)

// scrape reads metrics with Prometheus's own parser, packed as it asks for them.
func scrape(t *testing.T, m *telemetry.Metrics, more ...telemetry.Figure) map[string]*dto.MetricFamily {
	t.Helper()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	telemetry.Handler(m, nil, more...).ServeHTTP(w, r)
	body, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func TestPrometheusReadsEveryMetric(t *testing.T) {
	m := telemetry.NewMetrics(func() time.Time { return at })
	m.Observe(seen())
	odd := seen()
	odd.Code, odd.Own = "a \"quote\",\na line\\ and \xff", 2*time.Second
	m.Observe(odd)
	families := scrape(t, m, telemetry.Figure{Name: "one", Help: "A figure.", Value: func() float64 { return 1.5 }}, telemetry.Figure{Name: "more_total", Help: "Another.", Counter: true, Value: func() float64 { return 1e9 }})
	kinds := map[string]dto.MetricType{
		"model_call_count": dto.MetricType_COUNTER, "model_usage": dto.MetricType_COUNTER, "model_call_duration": dto.MetricType_GAUGE,
		"model_call_duration_total": dto.MetricType_COUNTER, "model_first_token_duration_p99": dto.MetricType_GAUGE,
		"bailiwick_call_duration_seconds": dto.MetricType_HISTOGRAM, "one": dto.MetricType_GAUGE, "more_total": dto.MetricType_COUNTER,
	}
	for name, kind := range kinds {
		if f := families[name]; f == nil || f.GetType() != kind || f.GetHelp() == "" {
			t.Errorf("%s: %v", name, f)
		}
	}
	codes := map[string]bool{}
	for _, one := range families["model_call_count"].GetMetric() {
		for _, l := range one.GetLabel() {
			if l.GetName() == "error_code" {
				codes[l.GetValue()] = true
			}
		}
	}
	if !codes[""] || !codes[strings.ToValidUTF8(odd.Code, "\uFFFD")] {
		t.Errorf("the codes are %v", codes)
	}
	own := families["bailiwick_gateway_duration_seconds"].GetMetric()[0].GetHistogram()
	if own.GetSampleCount() != 2 || own.GetSampleSum() != 2.0002 {
		t.Errorf("two calls of 0.2 ms and 2 s: %v", own)
	}
	for _, b := range own.GetBucket() {
		want := uint64(1)
		if b.GetUpperBound() < 0.0002 {
			want = 0
		} else if b.GetUpperBound() > 2 {
			want = 2
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("up to %g s: %d calls, not %d", b.GetUpperBound(), b.GetCumulativeCount(), want)
		}
	}
	if families["go_goroutines"] == nil || families["process_resident_memory_bytes"] == nil {
		t.Error("nothing of the process")
	}
}
