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
		in, err := inherit()
		if err != nil {
			return err
		}
		load := func() (*config.Config, error) { return loadConfig(cmd) }
		n := &node{load: load, out: newConsole(cmd), in: in, passed: passedSockets(), parent: findParent()}
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
	places, err := n.open()
	if err != nil {
		return err
	}
	defer closePlaces(places)
	notify(readyState)
	if err := n.serve(listeners(places), signals); err != nil || n.heir == nil || !n.parent.stays {
		return err
	}
	n.close()
	return n.standBy(signals)
}

// open listens, and opens all that serving needs.
func (n *node) open() (places []*place, err error) {
	n.reloadMu.Lock() // orders can come before all is open
	defer n.reloadMu.Unlock()
	if n.apps, err = newApps(n.cfg, n.in.left()); err != nil {
		return nil, err
	}
	if places, err = n.places(); err != nil {
		return nil, err
	}
	if err := n.openPlaces(places); err != nil {
		return nil, err
	}
	if err = n.openAll(places[0].gate); err == nil {
		err = n.startACME()
	}
	if err != nil {
		closePlaces(places)
		return nil, err
	}
	n.in.close()
	n.introduce(places)
	return places, nil
}

// introduce says what the server is, to people and to the log.
func (n *node) introduce(places []*place) {
	e := places[0].endpoint
	if n.in == nil {
		n.out.info(e.banner())
		if n.apps.throwAway {
			n.out.print(n.apps.introduction(e, n.cfg.Setting("servers.reverb.host")))
		}
	}
	logStart(n.out.log, n.cfg, n.apps.Apps, places)
	for _, w := range warnings(n.cfg, e.tls != nil, openFiles()) {
		n.out.log.Warn(w.Sentence, "hint", w.Hint)
	}
}
