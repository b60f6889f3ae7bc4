package main

import (
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
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
		load := func() (*config.Config, error) { return loadConfig(cmd) }
		cfg, err := load()
		if err != nil {
			return err
		}
		return start(cfg, load, newConsole(cmd))
	}
	return cmd
}

// start serves until a signal asks it to end, or until serving fails. load reads the configuration again.
func start(cfg *config.Config, load func() (*config.Config, error), out *console) error {
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
	if cfg.ProxyProtocol {
		e.proxies = cfg.TrustedProxies
	}
	ln, err := e.listen()
	if err != nil {
		return err
	}
	defer ln.Close()
	n, err := newNode(cfg, apps, ln, load, out)
	if err != nil {
		return err
	}
	defer n.close()

	out.info(e.banner())
	if apps.throwAway {
		out.print(apps.introduction(e, cfg.Setting("servers.reverb.host")))
	}
	logStart(out.log, cfg, apps.Apps, e)
	for _, w := range warnings(cfg, tlsConfig != nil, openFiles()) {
		out.log.Warn(w.Sentence, "hint", w.Hint)
	}
	return n.serve(ln, signals)
}
