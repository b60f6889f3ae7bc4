package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/metrics"
)

// metricsServer serves /metrics on an address of its own.
type metricsServer struct {
	*metrics.Metrics
	cluster  metrics.Cluster
	bridge   metrics.Bridge
	webhooks metrics.Webhooks
	numbers  *metrics.Continued // all of them
	http     *http.Server       // nil when it is off
	done     chan struct{}      // closed when http has ended
}

// startMetrics binds the address and serves in the background; "" is off.
func (n *node) startMetrics() (*metricsServer, error) {
	address, log := n.cfg.MetricsAddr, n.out.log
	registry := prometheus.NewRegistry()
	m := &metricsServer{
		numbers: metrics.NewContinued(registry),
		Metrics: metrics.New(registry), cluster: metrics.NewCluster(registry),
		bridge: metrics.NewBridge(registry), webhooks: metrics.NewWebhooks(registry),
	}
	if address == "" {
		return m, nil
	}
	ln, err := n.listen("metrics", address, func() (net.Listener, error) { return net.Listen("tcp", address) })
	if err != nil {
		reason, _ := listenProblem(err)
		return nil, &failure{config.Problem{
			Sentence: fmt.Sprintf("Failed to listen on %q for metrics: %s", "tcp://"+address, reason),
			Hint:     "--metrics-addr and REVERB_GO_METRICS_ADDR take a free address like 127.0.0.1:9090",
		}}
	}
	n.hand("metrics", address, ln)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.numbers, promhttp.HandlerOpts{}))
	m.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	m.done = make(chan struct{})
	go m.serve(ln, log)
	log.Info("metrics", "url", "http://"+ln.Addr().String()+"/metrics")
	return m, nil
}

func (m *metricsServer) serve(ln net.Listener, log *slog.Logger) {
	defer close(m.done)
	if err := m.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		log.Error("metrics are served no more", "err", err)
	}
}

// export returns the counters, for a process that goes on with them.
func (m *metricsServer) export() []byte { return m.numbers.Export() }

func (m *metricsServer) continueFrom(counters []byte) error { return m.numbers.Add(counters) }

func (m *metricsServer) close() {
	if m.http != nil {
		m.http.Close()
		<-m.done
	}
}
