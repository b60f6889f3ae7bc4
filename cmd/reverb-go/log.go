package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// logStart says what the server listens on, whom it serves and what it allows.
func logStart(log *slog.Logger, cfg *config.Config, apps *auth.Apps, places []*place) {
	for _, p := range places {
		log.Info("listening", "url", p.url())
	}
	for _, a := range apps.All() {
		log.Info("serving", "app", a, "limits", appLimits(a))
	}
	log.Info("limits",
		"open_files", openFiles(),
		"max_request_size", cfg.MaxRequestSize,
		"max_queued", cfg.MaxQueued,
		"handshake_timeout", cfg.HandshakeTimeout.String(),
		"drain", cfg.Drain.String(),
	)
	if cfg.Inspector {
		log.Info("inspector", "url", places[0].url()+"/inspector", "needs_token", cfg.AdminToken != "")
	}
	if cfg.Scaling.Enabled {
		log.Info("scaling", "redis", redisAddress(cfg.Scaling), "prefix", cfg.Scaling.Prefix, "lease", cfg.Scaling.Lease.String())
	}
}

// redisAddress is where Redis is, without its credentials.
func redisAddress(c config.Scaling) string {
	o, err := redisOptions(c)
	if err != nil {
		return ""
	}
	return strings.Join(o.Addrs, ",")
}

// appLimits leaves out what is not limited.
func appLimits(a *auth.App) slog.Value {
	var limits []slog.Attr
	if a.MaxMessageSize > 0 {
		limits = append(limits, slog.Int("message_size", a.MaxMessageSize))
	}
	if a.MaxConnections >= 0 {
		limits = append(limits, slog.Int("connections", a.MaxConnections))
	}
	if a.RateLimit.Enabled {
		limits = append(limits, slog.Int("messages", a.RateLimit.MaxAttempts), slog.String("in", a.RateLimit.Decay.String()))
	}
	return slog.GroupValue(append(limits, slog.Any("origins", a.AllowedOrigins))...)
}

// redisLog receives what the Redis client has to say, which is about single connections.
type redisLog struct{ log *slog.Logger }

func (r redisLog) Printf(_ context.Context, format string, args ...any) {
	r.log.Debug("redis", "message", fmt.Sprintf(format, args...))
}
