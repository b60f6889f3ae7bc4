package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// serve accepts connections until a signal or an order asks it to end, and then closes them, or until another
// process has taken them over.
func (n *node) serve(list []net.Listener, signals <-chan os.Signal) error {
	failed := make(chan error, len(list))
	for _, ln := range list {
		go func() { failed <- n.server.Serve(ln) }() // ends with the listener, which start closes
	}
	for {
		select {
		case err := <-failed:
			if n.isEnding() {
				continue
			}
			return &failure{config.Problem{Sentence: fmt.Sprintf("serving has ended by itself: %v", err)}}
		case <-n.moved:
			return n.leave(signals)
		case <-n.drain:
			return n.end(false, signals)
		case s := <-signals:
			if !n.handleSignal(s) {
				return n.end(s == os.Interrupt && isTerminal(os.Stdin), signals)
			}
		}
	}
}

// isEnding reports whether listening ends because somebody wants it to.
func (n *node) isEnding() bool { return n.server.IsDraining() }

// handleSignal reports false for a signal that ends the server.
func (n *node) handleSignal(s os.Signal) bool {
	switch {
	case isReload(s):
		n.reloadBySignal()
	case isRestart(s):
		go n.restartBySignal("signal") // moved is told, if it is done
	default:
		return false
	}
	return true
}

// end closes all connections. If the process is just handing them over, it is the other one that ends.
func (n *node) end(hurry bool, signals <-chan os.Signal) error {
	n.lifeMu.Lock()
	defer n.lifeMu.Unlock()
	if n.heir != nil {
		forward(n.heir, os.Interrupt)
		return n.leave(signals)
	}
	notify(stoppingState)
	n.out.info("Gracefully terminating connections.")
	return shutdown(n.server.Shutdown, hurry, signals)
}

// leave ends this process's part of a server that goes on in another one, to which signals go meanwhile.
func (n *node) leave(signals <-chan os.Signal) error {
	left := make(chan struct{})
	go func() {
		n.server.Leave()
		close(left)
	}()
	if n.parent.stays { // what comes meanwhile is for whoever serves by then, whom standBy knows
		<-left
		return nil
	}
	for {
		select {
		case <-left:
			return nil
		case s := <-signals:
			forward(n.heir, s)
		}
	}
}

// reloadBySignal has nobody to tell what went wrong but the log.
func (n *node) reloadBySignal() {
	if _, err := n.reloading(context.Background()); err != nil {
		p := problemOf(err)
		n.out.log.Error("the configuration stays as it was: "+p.Sentence, "hint", p.Hint)
	}
}

var errSecondSignal = errors.New("ended at once, because of a second signal")

// shutdown waits for stop. In a hurry, which is when somebody pressed Ctrl-C and waits for it, stop closes
// all connections at once. Another signal ends the wait.
func shutdown(stop func(context.Context) error, hurry bool, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if hurry {
		cancel()
	}
	done := make(chan error, 1)
	go func() { done <- stop(ctx) }()
	for {
		select {
		case err := <-done:
			return err
		case s := <-signals:
			if !isReload(s) && !isRestart(s) {
				return errSecondSignal
			}
		}
	}
}
