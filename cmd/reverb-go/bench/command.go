package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/crew"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

const long = `Load-test a server that speaks the Pusher protocol, and see what it costs.

Scenarios: %s; "all" runs a sensible set of them.

  reverb-go bench fanout --url ws://127.0.0.1:8080 --app-id 1 --key k --secret s
  reverb-go bench fanout --channels 100 --subscribers 100 --rate max --url …
  reverb-go bench all --compare ours=ws://k:s@127.0.0.1:8080/1 --compare theirs=ws://k:s@127.0.0.1:6001/1 --html report.html
  reverb-go bench --file scenarios.yaml --json new.json && reverb-go bench diff old.json new.json

The exit code is 1 if a message was lost, came twice or out of order, or anything else went wrong.`

// NewCommand returns the command "bench".
func NewCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:       "bench SCENARIO…",
		Short:     "Load-test a server that speaks the Pusher protocol",
		Long:      fmt.Sprintf(long, strings.Join(plan.Names, ", ")),
		ValidArgs: append([]string{"all"}, plan.Names...),
		Args:      cobra.ArbitraryArgs,
	}
	o.addFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return o.run(ctx, cmd, args)
	}
	cmd.AddCommand(newDiffCommand(), newShowCommand(), newWorkerCommand())
	return cmd
}

const workerName = "worker"

// newWorkerCommand returns the command that conduct starts more processes with. It obeys orders on standard
// input.
func newWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    workerName,
		Short:  "Take part in a test that another process leads",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Control-C is for the process that leads: it ends this one by ending its orders.
			signal.Ignore(os.Interrupt)
			// What went wrong is in the answers, and that process tells it.
			_ = crew.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
			return nil
		},
	}
}

// workerCommand returns the command line of a worker.
func workerCommand() []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{self, "bench", workerName}
}

// usageError is what somebody can put right on the command line.
func usageError(err error, hint string) error {
	return &config.Problem{Sentence: err.Error(), Hint: hint}
}

// quiet reports whether nothing is to be printed but what was asked for.
func quiet(cmd *cobra.Command) bool {
	for _, name := range []string{"quiet", "silent"} {
		if f := cmd.Flag(name); f != nil && f.Value.String() == "true" {
			return true
		}
	}
	return false
}

// interrupted turns the end of a context into words.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}
