package main

import (
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/scaling"
	"github.com/reverb-go/reverb-go/server"
)

func newStartCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start the server",
		Args:  refuseArguments,
	}
	addConfigFlags(cmd)
	cmd.Flags().Bool("debug", false, "Indicates whether debug messages should be displayed in the terminal")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		return start(cfg, newConsole(cmd))
	}
	return cmd
}

// start serves until a signal asks it to end, or until serving fails.
func start(cfg *config.Config, out *console) error {
	// Before anybody can know that there is a server, so that no signal has its usual effect.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, handledSignals...)
	defer signal.Stop(signals)
	outliveOutput()

	apps, err := newApps(cfg)
	if err != nil {
		return err
	}
	tlsConfig, err := newTLSConfig(cfg)
	if err != nil {
		return err
	}
	e := endpoint{host: apps.host(cfg.Host), port: cfg.Port, path: cfg.Path, hostname: cfg.Hostname, tls: tlsConfig}
	ln, err := e.listen()
	if err != nil {
		return err
	}
	defer ln.Close()
	numbers, err := startMetrics(cfg.MetricsAddr, out.log)
	if err != nil {
		return err
	}
	defer numbers.close()
	srv, err := server.New(serverConfig(cfg, apps, numbers, out), scaling.NewLocal())
	if err != nil {
		return err
	}

	out.info(e.banner())
	if apps.throwAway {
		out.print(apps.introduction(e, cfg.Setting("servers.reverb.host")))
	}
	logStart(out.log, cfg, apps.Apps, e)
	for _, w := range warnings(cfg, tlsConfig != nil, openFiles()) {
		out.log.Warn(w.Sentence, "hint", w.Hint)
	}
	return serve(srv, ln, signals, out)
}

func serverConfig(cfg *config.Config, apps apps, numbers *metricsServer, out *console) server.Config {
	return server.Config{
		Apps:             apps.Apps,
		Path:             cfg.Path,
		MaxRequestSize:   cfg.MaxRequestSize,
		MaxQueued:        cfg.MaxQueued,
		HandshakeTimeout: cfg.HandshakeTimeout,
		Drain:            cfg.Drain,
		Loops:            cfg.Loops,
		WelcomePage:      apps.welcomePage(cfg.Path),
		Logger:           out.log,
		Debug:            out.tracer,
		Metrics:          numbers.metrics,
	}
}
