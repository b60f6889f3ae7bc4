package bench

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/report"
)

const diffLong = `Compare two reports that bench wrote with --json.

The exit code is 0 if the new one is as good as the old one, 1 if anything is worse, is missing, or failed that
did not fail before, and 2 if they cannot be compared. Of tests with several --rounds a metric is worse only if
all of the new rounds are.`

func newDiffCommand() *cobra.Command {
	var (
		tol report.Tolerance
		all bool
	)
	cmd := &cobra.Command{
		Use:   "diff OLD.json NEW.json",
		Short: "Compare two reports, with an exit code for CI",
		Long:  diffLong,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(fmt.Errorf("diff takes two reports, not %d", len(args)), "reverb-go bench diff old.json new.json")
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.Float64Var(&tol.Cost, "tolerance", 0.1, "How much worse costs and rates may be: 0.1 is 10 %")
	f.Float64Var(&tol.Latency, "latency-tolerance", 0.5, "How much worse latencies and times may be")
	f.Float64Var(&tol.Floor, "latency-floor", 1, "Milliseconds of latency that are no change, whatever their share")
	f.BoolVar(&all, "all", false, "Print what is the same, too")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return diff(cmd, args[0], args[1], tol, all) }
	return cmd
}

func diff(cmd *cobra.Command, before, after string, tol report.Tolerance, all bool) error {
	const hint = "bench writes reports with --json"
	old, err := report.Read(before)
	if err != nil {
		return usageError(err, hint)
	}
	now, err := report.Read(after)
	if err != nil {
		return usageError(err, hint)
	}
	d, err := report.Diff(old, now, tol)
	if err != nil {
		return usageError(err, "diff needs the same scenarios in both")
	}
	if err := d.WriteText(cmd.OutOrStdout(), all); err != nil {
		return fmt.Errorf("print the difference: %w", err)
	}
	if d.Worse() {
		return errors.New("the new report is worse than the old one")
	}
	return nil
}
