package telemetry

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is one condition of being ready.
type Check struct {
	Name string
	// Ask gives what is wrong in a few words, without secrets; nil: nothing is.
	Ask func(context.Context) error
}

// Handler serves /metrics, /healthz, /readyz and /debug/pprof. It asks for no
// credential: it belongs on a listener that only operators reach.
func Handler(metrics *Metrics, ready []Check, more ...prometheus.Collector) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(more...)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 30 * time.Second}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { state(w, http.StatusOK, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answerReady(w, r, ready) })
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// asking is how long a check may take.
const asking = 2 * time.Second

func answerReady(w http.ResponseWriter, r *http.Request, ready []Check) {
	ctx, cancel := context.WithTimeout(r.Context(), asking)
	defer cancel()
	status, checks := http.StatusOK, map[string]string{}
	for _, c := range ready {
		checks[c.Name] = "ok"
		if err := c.Ask(ctx); err != nil {
			status, checks[c.Name] = http.StatusServiceUnavailable, err.Error()
		}
	}
	state(w, status, checks)
}

func state(w http.ResponseWriter, status int, checks map[string]string) {
	said := map[string]any{"status": "ok"}
	if status != http.StatusOK {
		said["status"] = "not ready"
	}
	if checks != nil {
		said["checks"] = checks
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(said)
}
