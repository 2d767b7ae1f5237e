package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/telemetry"
	"bailiwick/internal/usage"
)

var at = time.Date(2026, 11, 28, 10, 0, 30, 0, time.UTC)

func seen() gateway.Seen {
	return gateway.Seen{Known: true, Operation: "embeddings", Own: 200 * time.Microsecond, Record: usage.Record{
		Call: "req-1", At: at, Account: "acc-1", Workspace: "llm-1", Key: "key-1", Model: "qwen-turbo", Provider: "prv-1", Dialect: "openai",
		Input: 7, Output: 5, Cached: 2, Reasoning: 1, Status: 200, Stream: true, Duration: 500 * time.Millisecond, FirstByte: 100 * time.Millisecond,
	}}
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func TestMetricsHaveThePlatformsNamesBesideGos(t *testing.T) {
	m := telemetry.NewMetrics(func() time.Time { return at })
	m.Observe(seen())
	m.Observe(seen())
	failed := seen()
	failed.Status, failed.Code, failed.Input, failed.Output, failed.Cached, failed.Reasoning, failed.Stream, failed.FirstByte, failed.Key = 403, "Model.AccessDenied", 0, 0, 0, 0, false, 0, ""
	m.Observe(failed)
	made := failed
	made.Known, made.Model = false, "a name that the caller made up"
	m.Observe(made)
	m.Observe(gateway.Seen{Record: usage.Record{Status: 401, Code: "invalid_api_key"}})
	_, text := get(t, telemetry.Handler(m, nil), "/metrics")
	same := `apikey_id="key-1",error_code="",model="qwen-turbo",protocol="SSE",status_code="200",sub_protocol="DEFAULT",user_id="acc-1",`
	used := func(kind string) string {
		return `model_usage{` + strings.Replace(same, `user_id`, `usage_type="`+kind+`",user_id`, 1) + `workspace_id="llm-1"} `
	}
	for _, want := range []string{
		`model_call_count{` + same + `workspace_id="llm-1"} 2`,
		used("input_token") + "14",
		used("total_token") + "24",
		used("thinking_token") + "2",
		`model_call_duration{` + same + `workspace_id="llm-1"} 500`,
		`model_call_duration_total{` + same + `workspace_id="llm-1"} 1000`,
		`model_call_duration_p50{` + same, `model_call_duration_p99{` + same,
		`model_first_token_duration{` + same + `workspace_id="llm-1"} 100`,
		`model_generation_duration_per_token{` + same + `workspace_id="llm-1"} 100`,
		`model_call_count{apikey_id="-1",error_code="Model.AccessDenied",model="qwen-turbo",protocol="HTTP",status_code="403"`,
		`model_call_count{apikey_id="-1",error_code="Model.AccessDenied",model="unknown",`,
		"bailiwick_calls_with_unknown_key_total 1", "bailiwick_call_duration_seconds_count 5", "bailiwick_gateway_duration_seconds_count 4",
		"go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(text, "made up") {
		t.Error("a caller made a label")
	}
}

func TestQuantilesAreThoseOfTheLastMinutes(t *testing.T) {
	now := at
	m := telemetry.NewMetrics(func() time.Time { return now })
	observe := func(d time.Duration, times int) {
		s := seen()
		s.Duration, s.Stream, s.FirstByte = d, false, 0
		for range times {
			m.Observe(s)
		}
	}
	p99 := func() string {
		_, text := get(t, telemetry.Handler(m, nil), "/metrics")
		for line := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(line, "model_call_duration_p99") {
				return line[strings.LastIndexByte(line, ' ')+1:]
			}
		}
		return ""
	}
	observe(10*time.Second, 100)
	if got := p99(); !strings.HasPrefix(got, "1") || len(got) < 5 {
		t.Errorf("p99 of ten seconds: %s", got)
	}
	now = now.Add(2 * time.Minute)
	observe(time.Millisecond, 100)
	if got := p99(); !strings.HasPrefix(got, "1.") {
		t.Errorf("p99 two minutes later: %s", got)
	}
	now = now.Add(time.Hour)
	if got := p99(); got != "" {
		t.Errorf("p99 an hour later: %s", got)
	}
}

func TestTheSeriesAreBounded(t *testing.T) {
	m := telemetry.NewMetrics(time.Now)
	for i := range 6000 {
		s := seen()
		s.Key = ident.Key("key-" + strings.Repeat("x", i%7) + time.Duration(i).String())
		m.Observe(s)
	}
	_, text := get(t, telemetry.Handler(m, nil), "/metrics")
	if n := strings.Count(text, "\nmodel_call_count{"); n > 4100 || !strings.Contains(text, `model_call_count{apikey_id="other"`) {
		t.Errorf("%d series", n)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	wrong := error(nil)
	h := telemetry.Handler(telemetry.NewMetrics(time.Now), []telemetry.Check{{Name: "database", Ask: func(context.Context) error { return wrong }}})
	if status, text := get(t, h, "/readyz"); status != 200 || !strings.Contains(text, `"database":"ok"`) {
		t.Error(status, text)
	}
	wrong = errors.New("it does not answer")
	if status, text := get(t, h, "/readyz"); status != 503 || !strings.Contains(text, "it does not answer") {
		t.Error(status, text)
	}
	served := telemetry.Handler(telemetry.NewMetrics(time.Now), []telemetry.Check{{Name: "database", Served: true, Ask: func(context.Context) error { return wrong }}})
	if status, text := get(t, served, "/readyz"); status != 200 || !strings.Contains(text, `"status":"degraded"`) || !strings.Contains(text, "it does not answer") {
		t.Error(status, text)
	}
	if status, _ := get(t, h, "/healthz"); status != 200 {
		t.Error("alive, and yet", status)
	}
	if status, _ := get(t, h, "/debug/pprof/heap"); status != 200 {
		t.Error("no profile:", status)
	}
}

// collector keeps the spans it is sent.
type collector struct {
	mu     sync.Mutex
	bodies []string
	header http.Header
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies, c.header = append(c.bodies, r.URL.Path+string(body)), r.Header
}

func TestCallsBecomeSpansOfTheGenAIConventions(t *testing.T) {
	c := &collector{}
	server := httptest.NewServer(c)
	defer server.Close()
	traces, err := telemetry.NewTraces(telemetry.TraceConfig{Endpoint: server.URL, Headers: "X-Team=models%20one", Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	s := seen()
	s.Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	traces.Observe(s)
	s.Trace, s.Status, s.Code = "nonsense", 403, "Model.AccessDenied"
	traces.Observe(s)
	traces.Close()
	if len(c.bodies) != 1 || c.header.Get("X-Team") != "models one" {
		t.Fatal(len(c.bodies), c.header)
	}
	body, ok := strings.CutPrefix(c.bodies[0], "/v1/traces")
	var sent map[string]any
	if !ok || json.Unmarshal([]byte(body), &sent) != nil {
		t.Fatal(c.bodies[0])
	}
	for _, want := range []string{
		`"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"`, `"parentSpanId":"00f067aa0ba902b7"`, `"name":"embeddings qwen-turbo"`, `{"key":"gen_ai.operation.name","value":{"stringValue":"embeddings"}}`,
		`{"key":"gen_ai.usage.input_tokens","value":{"intValue":"7"}}`, `{"key":"gen_ai.request.model","value":{"stringValue":"qwen-turbo"}}`,
		`{"key":"error.type","value":{"stringValue":"Model.AccessDenied"}}`, `{"key":"service.name","value":{"stringValue":"bailiwick"}}`, `"status":{"code":2}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("missing %s in %s", want, body)
		}
	}
}

func TestACollectorThatIsGoneStopsNoCall(t *testing.T) {
	traces, err := telemetry.NewTraces(telemetry.TraceConfig{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for range 20000 {
		traces.Observe(seen())
	}
	traces.Close()
	m := telemetry.NewMetrics(time.Now)
	if _, text := get(t, telemetry.Handler(m, nil, traces.Dropped()), "/metrics"); !strings.Contains(text, "bailiwick_spans_dropped_total 20000") {
		t.Error("not every dropped span is counted")
	}
	for _, wrong := range []string{"collector", "ftp://x", "http://"} {
		if _, err := telemetry.NewTraces(telemetry.TraceConfig{Endpoint: wrong}); err == nil || !strings.Contains(err.Error(), "http://host:4318") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
