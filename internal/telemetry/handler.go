package telemetry

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	process "github.com/VictoriaMetrics/metrics"
)

// Check is one condition of being ready.
type Check struct {
	Name string
	// Ask gives what is wrong in a few words, without secrets; nil: nothing is.
	Ask func(context.Context) error
	// Served means that calls are answered all the same: what is wrong is told, and
	// takes no server out of the rotation.
	Served bool
}

// Handler serves /metrics, /healthz, /readyz and /debug/pprof. It asks for no
// credential: it belongs on a listener that only operators reach.
func Handler(metrics *Metrics, ready []Check, more ...Figure) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) { answerMetrics(w, r, metrics, more) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { state(w, http.StatusOK, "ok", nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answerReady(w, r, ready) })
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// reading lets four read metrics at once.
var reading = make(chan struct{}, 4)

func answerMetrics(w http.ResponseWriter, r *http.Request, metrics *Metrics, more []Figure) {
	select {
	case reading <- struct{}{}:
		defer func() { <-reading }()
	default:
		http.Error(w, "four are reading already", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Vary", "Accept-Encoding")
	var out io.Writer = w
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		defer packed.Close()
		out = packed
	}
	p := &page{Writer: bufio.NewWriter(out)}
	defer p.Flush()
	metrics.write(p)
	for _, f := range more {
		f.write(p)
	}
	process.WriteProcessMetrics(p)
}

// asking is how long a check may take.
const asking = 2 * time.Second

func answerReady(w http.ResponseWriter, r *http.Request, ready []Check) {
	ctx, cancel := context.WithTimeout(r.Context(), asking)
	defer cancel()
	status, word, checks := http.StatusOK, "ok", map[string]string{}
	for _, c := range ready {
		err := c.Ask(ctx)
		switch checks[c.Name] = "ok"; {
		case err == nil:
			continue
		case !c.Served:
			status, word = http.StatusServiceUnavailable, "not ready"
		case status == http.StatusOK:
			word = "degraded"
		}
		checks[c.Name] = err.Error()
	}
	state(w, status, word, checks)
}

func state(w http.ResponseWriter, status int, word string, checks map[string]string) {
	said := map[string]any{"status": word}
	if checks != nil {
		said["checks"] = checks
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(said)
}
