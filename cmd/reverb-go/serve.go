package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// serve accepts connections until a signal asks it to end, and then closes them.
func (n *node) serve(ln net.Listener, signals <-chan os.Signal) error {
	failed := make(chan error, 1)
	go func() { failed <- n.server.Serve(ln) }() // ends with the listener, which start closes
	for {
		select {
		case err := <-failed:
			return &failure{config.Problem{Sentence: fmt.Sprintf("serving has ended by itself: %v", err)}}
		case s := <-signals:
			if isReload(s) {
				n.reloadBySignal()
				continue
			}
			n.out.info("Gracefully terminating connections.")
			return shutdown(n.server.Shutdown, s == os.Interrupt && isTerminal(os.Stdin), signals)
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
			if !isReload(s) {
				return errSecondSignal
			}
		}
	}
}
