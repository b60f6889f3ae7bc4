package bench

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/report"
)

const showLong = `Show reports that bench wrote with --json, as one if there are several.

Tests that are in several of them count as rounds of one.`

func newShowCommand() *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "show REPORT.json…",
		Short: "Print saved reports again, or as a page or a table",
		Long:  showLong,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(errors.New("which report?"), "reverb-go bench show report.json --html report.html")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := join(args)
			if err != nil {
				return usageError(err, "bench writes reports with --json")
			}
			return out.write(cmd, all)
		},
	}
	out.addFlags(cmd.Flags())
	return cmd
}

func join(paths []string) (all *report.Report, err error) {
	for _, path := range paths {
		r, err := report.Read(path)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = r
		} else {
			all.Join(r)
		}
	}
	return all, nil
}
