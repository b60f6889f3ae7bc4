package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func newRestartCommand() *cobra.Command {
	return newOrderCommand("restart", "Start the program that is on disk now in place of the running one, without disconnecting clients")
}

func newDrainCommand() *cobra.Command {
	return newOrderCommand("drain", "Have the running server close its connections, spread over the time of --drain, and end")
}

// newOrderCommand returns a command that gives the running server the order of its name, and prints the sentence
// that comes back.
func newOrderCommand(name, short string) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short, Args: refuseArguments}
	addConfigFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		var sentence string
		if err := give(cmd.Context(), cfg, name, &sentence); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), sentence)
		return nil
	}
	return cmd
}

const pauseUnit = time.Millisecond

// restarting is restart for whoever may ask at the same time as others.
func (n *node) restarting(context.Context) (any, error) {
	if !n.lifeMu.TryLock() {
		return nil, &failure{config.Problem{Sentence: "the server is restarting or ending already"}}
	}
	defer n.lifeMu.Unlock()
	if n.heir != nil {
		return nil, n.hasMoved()
	}
	n.reloadMu.Lock() // the configuration stays as it is meanwhile
	defer n.reloadMu.Unlock()
	notify(reloadingState())
	h, moved, err := n.restart()
	if err != nil {
		notify(readyState)
		p := *problemOf(err)
		p.Sentence = "not restarted, and the process goes on as it was: " + p.Sentence
		return nil, &failure{p}
	}
	n.heir = h
	n.control.leave() // before anybody knows: the next order is for the other process
	n.moved <- struct{}{}
	sentence := fmt.Sprintf("Process %d has taken over %d connections; clients waited for %s.", h.pid(), moved.Connections, moved.Pause.Round(pauseUnit))
	n.out.info(sentence)
	return sentence, nil
}

// hasMoved says where the server is.
func (n *node) hasMoved() error {
	return &failure{config.Problem{Sentence: fmt.Sprintf("the server has become process %d", n.heir.pid())}}
}

// restartBySignal has nobody to tell what went wrong but the log.
func (n *node) restartBySignal(why string) {
	n.out.log.Info("restarting", "why", why)
	if _, err := n.restarting(context.Background()); err != nil {
		p := problemOf(err)
		n.out.log.Error(p.Sentence, "hint", p.Hint)
	}
}

// draining has the server end as after SIGTERM.
func (n *node) draining(ctx context.Context) (any, error) {
	n.reloadMu.Lock()
	defer n.reloadMu.Unlock()
	if n.heir != nil {
		return n.passOn(ctx, "drain")
	}
	n.server.BeginDrain()
	select {
	case n.drain <- struct{}{}:
	default: // it was told before
	}
	return fmt.Sprintf("Closing %d connections over at most %s.", n.server.Connections(), n.cfg.Drain), nil
}
