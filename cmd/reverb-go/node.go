package main

import (
	"context"
	"math"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/acme"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/scaling/bridge"
	"github.com/reverb-go/reverb-go/server"
	"github.com/reverb-go/reverb-go/server/webhook"
)

// A node is a server with all that it works with.
type node struct {
	cfg          *config.Config
	load         func() (*config.Config, error) // reads the configuration again
	out          *console
	apps         apps
	source       appSwitch // the configured apps
	table        *appTable // those of a database, in place of them; nil without one
	numbers      *metricsServer
	memory       *memoryWatch
	redis        redis.UniversalClient // nil if nothing needs it
	broker       server.Broker
	hooks        *webhook.Dispatcher
	server       *server.Server
	control      *controlServer
	certificates *certificates // of files; nil without
	acme         *acme.Manager // nil, if it gets no certificates

	listeners []socket       // all that this process listens on
	passed    []passedSocket // that systemd has opened
	in        *inheritance   // from the process whose place this one takes; nil for none
	parent    parent         // the process that is watched from outside
	lifeMu    sync.Mutex     // held while the process is restarted, or ends
	heir      *heir          // the process that has taken the place of this one; nil until then
	moved     chan struct{}  // told of heir
	drain     chan struct{}  // told to end

	lastSignal atomic.Pointer[string] // of "php artisan reverb:restart"; nil while it is not known

	reloadMu sync.Mutex // held while the configuration is read again, and by orders that look at it
	closers  []func()   // what close does, in reverse
}

// openAll opens what serving needs. In any case the node has to be closed.
func (n *node) openAll(ln net.Listener) error {
	n.source.now.Store(n.apps.Apps)
	n.moved, n.drain = make(chan struct{}, 1), make(chan struct{}, 1)
	for _, open := range []func() error{
		n.openMetrics,
		n.openTable,
		n.openRedis,
		func() error { return n.openBroker(ln) },
		n.openHooks,
		n.openServer,
		n.openControl,
		n.openSignal,
	} {
		if err := open(); err != nil {
			return err
		}
	}
	return nil
}

// onClose adds something for close to do before all that was opened earlier.
func (n *node) onClose(do func()) { n.closers = append(n.closers, do) }

func (n *node) close() {
	for len(n.closers) > 0 {
		last := len(n.closers) - 1
		n.closers[last]()
		n.closers = n.closers[:last]
	}
}

func (n *node) openMetrics() (err error) {
	n.numbers, err = n.startMetrics()
	if err == nil {
		n.onClose(n.numbers.close)
	}
	return err
}

func (n *node) openTable() (err error) {
	n.table, err = openAppTable(n.cfg, n.numbers.AppQueriesFailed, n.out.log)
	if err == nil {
		n.onClose(n.table.close)
	}
	return err
}

// openRedis makes a client if there is something for it to do. It does not connect yet.
func (n *node) openRedis() error {
	redis.SetLogger(redisLog{n.out.log})
	if !n.cfg.Scaling.Enabled && !slices.ContainsFunc(n.cfg.Apps, pushesToRedis) {
		return nil
	}
	return n.connectRedis()
}

func (n *node) connectRedis() (err error) {
	n.redis, err = newRedis(n.cfg.Scaling)
	if err == nil {
		n.onClose(func() { n.redis.Close() })
	}
	return err
}

func (n *node) openBroker(ln net.Listener) error {
	if !n.cfg.Scaling.Enabled {
		n.broker = scaling.NewLocal()
		return nil
	}
	mode, err := bridge.ParseMode(n.cfg.Scaling.Bridge)
	if err != nil {
		return unusable(err)
	}
	about := scaling.About{Address: ln.Addr().String(), Version: version, PID: os.Getpid(), Started: time.Now()}
	about.Name, _ = os.Hostname()
	var broker *bridge.Broker
	inner := scaling.NewRedis(n.redis, scaling.Options{
		Prefix:  n.cfg.Scaling.Prefix,
		Lease:   n.cfg.Scaling.Lease,
		Sharded: n.cfg.Scaling.Cluster != "",
		Logger:  n.out.log,
		Linger:  returnTime,
		About: func() scaling.About {
			about := about
			about.Bridge = broker.Why()
			return about
		},
		Counters: scaling.Counters(n.numbers.cluster),
	})
	broker, err = bridge.New(inner, n.redis, bridge.Options{
		Apps: n.table.sourceOr(&n.source), Mode: mode, Channel: n.cfg.Scaling.Channel, Logger: n.out.log,
		Counters: bridge.Counters(n.numbers.bridge),
	})
	n.broker = broker
	return err
}

// returnTime is what the last clients that are sent away have to come back to another node before this one leaves
// the cluster.
const returnTime = 2 * time.Second

// leaveTime is how long leaving the cluster may take. Then the lease ends by itself.
const leaveTime = 2*time.Second + returnTime

// hooksTime is for how long the webhooks that wait are sent at the end. A process whose place another one has taken
// has none any more.
const hooksTime = 2 * time.Second

func (n *node) openHooks() (err error) {
	n.hooks, err = webhook.New(hooksOf(n.cfg), webhook.Options{
		Redis:       n.hooksRedis,
		DeadLetters: n.cfg.DeadLetters,
		Counters:    webhook.Counters(n.numbers.webhooks),
		Logger:      n.out.log,
	})
	if err != nil {
		return unusable(err)
	}
	n.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hooksTime)
		defer cancel()
		n.hooks.Close(ctx)
	})
	return nil
}

// hooksRedis is the Redis for jobs and streams.
func (n *node) hooksRedis(string) (webhook.Redis, error) {
	if n.redis == nil {
		if err := n.connectRedis(); err != nil {
			return webhook.Redis{}, err
		}
	}
	return webhook.Redis{Client: n.redis, Prefix: n.cfg.RedisPrefix}, nil
}

func (n *node) openServer() (err error) {
	n.memory = watchMemory(n.cfg.MemoryLimit, n.out.log)
	n.onClose(n.memory.close)
	tidier := newTidier()
	tidier.start()
	n.onClose(tidier.close)
	if n.in != nil {
		n.server, err = n.adopt()
	} else {
		n.server, err = server.New(n.serverConfig(), n.broker)
	}
	if err != nil {
		return err
	}
	n.table.keepFresh(n.server.RefreshApps)
	if broker, ok := n.broker.(*bridge.Broker); ok {
		n.onClose(func() {
			if n.heir != nil {
				return // it goes on for this node
			}
			ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
			defer cancel()
			if err := broker.Stop(ctx); err != nil {
				n.out.log.Warn("left without telling the cluster, which finds out when the lease ends", "err", err)
			}
		})
	}
	return nil
}

func (n *node) serverConfig() server.Config {
	return server.Config{
		Apps:             n.table.sourceOr(&n.source),
		Hooks:            n.hooks,
		Path:             n.cfg.Path,
		MaxRequestSize:   n.cfg.MaxRequestSize,
		MaxQueued:        n.cfg.MaxQueued,
		MaxNodeQueued:    n.cfg.MaxNodeQueued,
		MaxConnections:   n.cfg.MaxConnections,
		MaxHandshakes:    n.cfg.MaxHandshakes,
		TrustedProxies:   n.cfg.TrustedProxies,
		TrustUnix:        n.cfg.TrustUnix,
		IsOverloaded:     n.memory.isOver,
		MaxFiles:         int(min(openFiles(), math.MaxInt32)),
		HandshakeTimeout: n.cfg.HandshakeTimeout,
		IdempotencyTTL:   n.cfg.IdempotencyTTL,
		Drain:            n.cfg.Drain,
		Loops:            n.cfg.Loops,
		Inspector:        n.newInspector(),
		NoIOUring:        n.cfg.IOUring == "off",
		WelcomePage:      n.apps.welcomePage(n.cfg.Path),
		Logger:           n.out.log,
		Debug:            n.out.tracer,
		Metrics:          n.numbers.Metrics,
	}
}

func (n *node) openControl() (err error) {
	n.control, err = n.startControl(map[string]order{"reload": n.reloading, "restart": n.restarting, "drain": n.draining})
	if n.control != nil {
		n.onClose(func() { n.control.close(n.heir != nil) })
	}
	return err
}
