package main

import (
	"context"
	"errors"
	"os"
	"testing"
)

func TestShutdown(t *testing.T) {
	// slow is a server whose connections take for ever to close.
	slow := func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}
	broken := errors.New("broken")
	tests := []struct {
		name    string
		stop    func(context.Context) error
		hurry   bool
		signals int
		want    error
	}{
		{"closed", func(context.Context) error { return nil }, false, 0, nil},
		{"not closed", func(context.Context) error { return broken }, false, 0, broken},
		{"a second signal", slow, false, 1, errSecondSignal},
		{"in a hurry", slow, true, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signals := make(chan os.Signal, 1)
			for range tt.signals {
				signals <- os.Interrupt
			}
			if got := shutdown(tt.stop, tt.hurry, signals); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
