package telemetry

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"bailiwick/internal/gateway"
)

// Traces sends a span for every call to an OpenTelemetry collector, by OTLP over
// HTTP in JSON. It implements gateway.Observer. What the collector does not take
// in time is dropped and counted: no call waits for it. (The SDK's exporter
// would do the same and brings gRPC, four megabytes of it.)
type Traces struct {
	endpoint string
	header   http.Header
	service  string
	version  string
	client   *http.Client
	queue    chan gateway.Seen
	done     chan struct{}
	dropped  atomic.Int64
}

// TraceConfig says where traces go, in the words of OpenTelemetry's environment.
type TraceConfig struct {
	Endpoint string // OTEL_EXPORTER_OTLP_ENDPOINT, such as http://127.0.0.1:4318
	Headers  string // OTEL_EXPORTER_OTLP_HEADERS: name=value, with commas between
	Service  string // OTEL_SERVICE_NAME; empty: bailiwick
	Version  string // of this program
}

// Of the queue and what leaves it at once.
const (
	spansQueued = 4096
	spansAtOnce = 512
	spansEvery  = time.Second
)

// NewTraces begins to send. Close must be called.
func NewTraces(c TraceConfig) (*Traces, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT %q: write http://host:4318 or https://host", c.Endpoint)
	}
	t := &Traces{
		endpoint: strings.TrimRight(u.String(), "/") + "/v1/traces", header: http.Header{"Content-Type": {"application/json"}},
		service: c.Service, version: c.Version, client: &http.Client{Timeout: 10 * time.Second},
		queue: make(chan gateway.Seen, spansQueued), done: make(chan struct{}),
	}
	if t.service == "" {
		t.service = "bailiwick"
	}
	for pair := range strings.SplitSeq(c.Headers, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if text, err := url.PathUnescape(strings.TrimSpace(value)); ok && err == nil {
			t.header.Set(strings.TrimSpace(name), text)
		}
	}
	go t.run()
	return t, nil
}

// Observe implements gateway.Observer.
func (t *Traces) Observe(s gateway.Seen) {
	select {
	case t.queue <- s:
	default:
		t.dropped.Add(1)
	}
}

// Close sends what is left. Nothing may be observed after it.
func (t *Traces) Close() {
	close(t.queue)
	<-t.done
}

// Dropped counts the spans that no collector got.
func (t *Traces) Dropped() Figure {
	return Figure{Name: "bailiwick_spans_dropped_total", Help: "Spans that no collector got.", Counter: true,
		Value: func() float64 { return float64(t.dropped.Load()) }}
}

func (t *Traces) run() {
	defer close(t.done)
	tick := time.NewTicker(spansEvery)
	defer tick.Stop()
	var held []otlpSpan
	for {
		select {
		case s, open := <-t.queue:
			if !open {
				t.send(held)
				return
			}
			if held = append(held, spanOf(s)); len(held) < spansAtOnce {
				continue
			}
		case <-tick.C:
		}
		t.send(held)
		held = held[:0]
	}
}

func (t *Traces) send(spans []otlpSpan) {
	if len(spans) == 0 {
		return
	}
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{
		"resource":   map[string]any{"attributes": []attribute{text("service.name", t.service), text("service.version", t.version)}},
		"scopeSpans": []any{map[string]any{"scope": map[string]any{"name": "bailiwick/gateway"}, "spans": spans}},
	}}})
	if err == nil {
		err = t.post(body)
	}
	if err != nil {
		t.dropped.Add(int64(len(spans)))
		slog.Warn("spans were not taken", "spans", len(spans), "err", err)
	}
}

func (t *Traces) post(body []byte) error {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, t.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = t.header.Clone()
	resp, err := t.client.Do(r)
	if err != nil {
		var failed *url.Error // its text names the address, whose query may be secret
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode > 299 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// otlpSpan is a span of OTLP's JSON.
type otlpSpan struct {
	Trace      string         `json:"traceId"`
	ID         string         `json:"spanId"`
	Parent     string         `json:"parentSpanId,omitempty"`
	Name       string         `json:"name"`
	Kind       int            `json:"kind"` // 2: server
	Start      string         `json:"startTimeUnixNano"`
	End        string         `json:"endTimeUnixNano"`
	Attributes []attribute    `json:"attributes"`
	Status     map[string]any `json:"status,omitempty"`
}

type attribute struct {
	Key   string         `json:"key"`
	Value map[string]any `json:"value"`
}

func text(key, value string) attribute {
	return attribute{key, map[string]any{"stringValue": value}}
}

func count(key string, n int) attribute {
	return attribute{key, map[string]any{"intValue": fmt.Sprint(n)}}
}

// spanOf is a call as a span, by OpenTelemetry's conventions for generative AI.
// It never holds prompts, answers or secrets.
func spanOf(s gateway.Seen) otlpSpan {
	trace, parent := parents(s.Trace)
	name, model := s.Operation, "unknown"
	if name == "" {
		name = "unknown"
	}
	operation := name
	if s.Known {
		model = string(s.Model)
		name += " " + model
	}
	out := otlpSpan{
		Trace: trace, ID: random(8), Parent: parent, Name: name, Kind: 2,
		Start: fmt.Sprint(s.At.UnixNano()), End: fmt.Sprint(s.At.Add(s.Duration).UnixNano()),
		Attributes: []attribute{
			text("gen_ai.operation.name", operation), text("gen_ai.request.model", model), text("gen_ai.provider.name", string(s.Provider)),
			text("bailiwick.request_id", string(s.Call)), text("bailiwick.workspace", string(s.Workspace)), text("bailiwick.key", string(s.Key)),
			text("bailiwick.dialect", s.Dialect), count("http.response.status_code", s.Status),
		},
	}
	if s.Input+s.Output > 0 {
		out.Attributes = append(out.Attributes, count("gen_ai.usage.input_tokens", s.Input), count("gen_ai.usage.output_tokens", s.Output))
	}
	if s.Code != "" {
		out.Attributes = append(out.Attributes, text("error.type", s.Code))
		out.Status = map[string]any{"code": 2}
	}
	return out
}

// parents reads a traceparent; a trace begins here where there is none.
func parents(header string) (trace, parent string) {
	part := strings.Split(header, "-")
	if len(part) >= 4 && len(part[1]) == 32 && len(part[2]) == 16 && hexed(part[1]) && hexed(part[2]) {
		return part[1], part[2]
	}
	return random(16), ""
}

// hexed reports whether an id is lower-case hexadecimal and not all zeros.
func hexed(id string) bool {
	_, err := hex.DecodeString(id)
	return err == nil && strings.ToLower(id) == id && strings.Trim(id, "0") != ""
}

func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}
