package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

const (
	exitFailure = 1
	exitConfig  = 2
)

// run executes a command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	// The Redis client logs to standard error by itself. What commands have to know of it is in their errors.
	redis.SetLogger(redisLog{slog.New(slog.DiscardHandler)})
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	return tell(stderr, err)
}

// tell says to people what went wrong and what to do about it.
func tell(w io.Writer, err error) int {
	code := exitFailure
	var problem *config.Problem
	if errors.As(err, &problem) {
		code = exitConfig
	} else {
		problem = problemOf(err)
	}
	fmt.Fprintln(w, "reverb-go:", problem.Sentence)
	if problem.Hint != "" {
		fmt.Fprintln(w, "hint:", problem.Hint)
	}
	return code
}

// exitCode ends the process with the code of the one that has served in its place.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("ended with code %d", int(e)) }

// problemOf makes a sentence and a hint of any error.
func problemOf(err error) *config.Problem {
	var problem *config.Problem
	var f *failure
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &f):
		return &f.Problem
	}
	return &config.Problem{Sentence: err.Error()}
}

// failure is what went wrong though the configuration could be used.
type failure struct{ config.Problem }

func (f *failure) Error() string { return f.Sentence }

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "reverb-go",
		Short:         "A server for Laravel Echo and every other client of the Pusher protocol",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          refuseArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if v, _ := cmd.Flags().GetBool("version"); v {
				return printVersion(cmd.OutOrStdout())
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolP("version", "V", false, "Print the version")
	addGlobalFlags(root)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &config.Problem{Sentence: err.Error(), Hint: fmt.Sprintf("%q lists the options", cmd.CommandPath()+" --help")}
	})
	root.AddCommand(
		newStartCommand(), newReloadCommand(), newRestartCommand(), newDrainCommand(), newAppsCommand(), newWebhooksCommand(), newNodesCommand(),
		newConfigCommand(), newVersionCommand(),
		newTriggerCommand(), newListenCommand(), newChannelsCommand(), newUsersCommand(), newConnectionsCommand(),
		newTerminateCommand(), newAuthCommand(), newDoctorCommand(), newSetupCommand(), bench.NewCommand(),
	)
	return root
}

// refuseArguments is for commands that take options only.
func refuseArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return &config.Problem{Sentence: fmt.Sprintf("%s takes no argument, and %q is one", cmd.Name(), args[0]), Hint: "options start with --"}
	}
	return &config.Problem{Sentence: fmt.Sprintf("there is no command %q", args[0]), Hint: `"reverb-go --help" lists the commands`}
}
