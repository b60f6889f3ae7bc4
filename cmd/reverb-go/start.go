package main

import (
	"net"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
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
		in, err := inherit()
		if err != nil {
			return err
		}
		load := func() (*config.Config, error) { return loadConfig(cmd) }
		n := &node{load: load, out: newConsole(cmd), in: in, parent: findParent()}
		err = start(n)
		in.fail(err)
		return err
	}
	return cmd
}

// start serves until a signal asks it to end, or until serving fails.
func start(n *node) (err error) {
	// Before anybody can know that there is a server, so that no signal has its usual effect.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, handledSignals...)
	defer signal.Stop(signals)
	outliveOutput()

	if n.cfg, err = n.load(); err != nil {
		return err
	}
	n.parent = n.parent.decide(n.cfg.RestartParent)
	defer n.close()
	ln, err := n.open()
	if err != nil {
		return err
	}
	defer ln.Close()
	notify(readyState)
	if err := n.serve(ln, signals); err != nil || n.heir == nil || !n.parent.stays {
		return err
	}
	n.close()
	return n.standBy(signals)
}

// open listens, and opens all that serving needs.
func (n *node) open() (net.Listener, error) {
	n.reloadMu.Lock() // orders can come before all is open
	defer n.reloadMu.Unlock()
	var err error
	if n.apps, err = newApps(n.cfg, n.in.left()); err != nil {
		return nil, err
	}
	tlsConfig, err := newTLSConfig(n.cfg)
	if err != nil {
		return nil, err
	}
	e := endpoint{host: n.apps.host(n.cfg.Host), port: n.cfg.Port, path: n.cfg.Path, hostname: n.cfg.Hostname, tls: tlsConfig}
	if n.cfg.ProxyProtocol {
		e.proxies = n.cfg.TrustedProxies
	}
	gate, err := n.openGate(e)
	if err != nil {
		return nil, err
	}
	if err := n.openAll(gate); err != nil {
		gate.Close()
		return nil, err
	}
	n.in.close()
	n.introduce(e)
	return e.wrap(gate), nil
}

func (n *node) openGate(e endpoint) (*server.Gate, error) {
	ln, err := n.listen("clients", e.address(), e.listen)
	if err != nil {
		return nil, err
	}
	gate, err := server.NewGate(ln)
	if err != nil {
		return nil, err
	}
	n.hand("clients", e.address(), gate)
	return gate, nil
}

// introduce says what the server is, to people and to the log.
func (n *node) introduce(e endpoint) {
	if n.in == nil {
		n.out.info(e.banner())
		if n.apps.throwAway {
			n.out.print(n.apps.introduction(e, n.cfg.Setting("servers.reverb.host")))
		}
	}
	logStart(n.out.log, n.cfg, n.apps.Apps, e)
	for _, w := range warnings(n.cfg, e.tls != nil, openFiles()) {
		n.out.log.Warn(w.Sentence, "hint", w.Hint)
	}
}
