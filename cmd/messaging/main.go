package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/messaging/settings"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run executes a command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "messaging:", err)
	var problem *config.Problem
	if errors.As(err, &problem) && problem.Hint != "" {
		fmt.Fprintln(stderr, "hint:", problem.Hint)
	}
	return 1
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "messaging", Short: "A messaging app on reverb-go, or any other server of the Pusher protocol",
		SilenceErrors: true, SilenceUsage: true, Args: cobra.NoArgs,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().String("env-file", "", "Read settings from this file instead of .env")
	root.AddCommand(newStartCommand(), newServeCommand(), newWorkCommand(), newMigrateCommand(), newSeedCommand(), newSnapshotCommand())
	return root
}

// command is a command that takes no arguments and begins with the settings.
func command(use, short string, do func(*cobra.Command, settings.Settings) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		file, err := cmd.Flags().GetString("env-file")
		if err != nil {
			return err
		}
		s, err := settings.Load(os.Environ(), file)
		if err != nil {
			return err
		}
		return do(cmd, s)
	}}
}
