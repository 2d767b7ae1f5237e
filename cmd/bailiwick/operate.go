package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"bailiwick/internal/gateway"
	"bailiwick/internal/telemetry"
)

// usualMetrics is where metrics are served unless told otherwise, if nobody
// else is there.
const usualMetrics = "127.0.0.1:9464"

// operation is what operators see: metrics, health, profiles and traces.
type operation struct {
	metrics  *telemetry.Metrics
	traces   *telemetry.Traces // nil: not configured
	listener net.Listener      // nil: off
	server   *http.Server
}

// observers tells several of every call.
type observers []gateway.Observer

// Observe implements gateway.Observer.
func (all observers) Observe(s gateway.Seen) {
	for _, o := range all {
		o.Observe(s)
	}
}

// operate prepares what operators see, and begins to listen.
func (p *Program) operate(ctx context.Context, listen string) (err error) {
	p.operation.metrics = telemetry.NewMetrics(time.Now)
	if endpoint := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint != "" {
		if p.operation.traces, err = telemetry.NewTraces(telemetry.TraceConfig{
			Endpoint: endpoint, Headers: os.Getenv("OTEL_EXPORTER_OTLP_HEADERS"), Service: os.Getenv("OTEL_SERVICE_NAME"), Version: version(),
		}); err != nil {
			return err
		}
	}
	switch listen {
	case "off":
		return nil
	case "":
		if p.operation.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", usualMetrics); err != nil {
			slog.Warn("no metrics: somebody else listens there; choose another address with --metrics-listen", "address", usualMetrics)
			return nil
		}
	default:
		if p.operation.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", listen); err != nil {
			return fmt.Errorf("--metrics-listen: %w", err)
		}
	}
	p.fence.Never(p.operation.listener.Addr())
	more := []telemetry.Figure{{Name: "bailiwick_policy_version", Help: "Version of the policy that decides.",
		Value: func() float64 { return float64(p.keeper.Now().Version()) }}}
	more = append(more, p.bookMetrics()...)
	if p.operation.traces != nil {
		more = append(more, p.operation.traces.Dropped())
	}
	p.operation.server = &http.Server{
		Handler:           telemetry.Handler(p.operation.metrics, p.ready(), more...),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 90 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	return nil
}

// observer is who is told of every call.
func (o operation) observer() gateway.Observer {
	if o.traces == nil {
		return o.metrics
	}
	return observers{o.metrics, o.traces}
}

// ready are the conditions of serving. A gateway whose database is gone serves
// known keys for as long as it may, and is ready until then: when the database
// is everybody's, a server taken out of the rotation for it would leave none.
func (p *Program) ready() []telemetry.Check {
	return []telemetry.Check{
		{Name: "running", Ask: func(context.Context) error {
			if p.stopping.Load() {
				return errors.New("it is stopping")
			}
			return nil
		}},
		{Name: "database", Served: true, Ask: func(ctx context.Context) error {
			if p.store.Ping(ctx) != nil {
				return errors.New("it does not answer")
			}
			return nil
		}},
		{Name: "policy", Served: true, Ask: func(context.Context) error {
			if age := p.keeper.Age(time.Now()); age > time.Minute {
				return fmt.Errorf("it was last brought up to date %s ago", age.Round(time.Second))
			}
			return nil
		}},
		{Name: "known keys", Ask: func(context.Context) error {
			if p.gateway.Stale(time.Now()) {
				return errors.New("what is known of them is too old: every call is refused")
			}
			return nil
		}},
		p.booking(),
	}
}

// run serves operators until it is closed.
func (o operation) run() {
	if o.server == nil {
		return
	}
	if err := o.server.Serve(o.listener); !errors.Is(err, http.ErrServerClosed) {
		slog.Error("metrics are served no longer", "err", err)
	}
}

// close stops serving operators and sends the traces that are left.
func (o operation) close() {
	if o.server != nil {
		o.server.Close()
	} else if o.listener != nil {
		o.listener.Close()
	}
	if o.traces != nil {
		o.traces.Close()
	}
}
