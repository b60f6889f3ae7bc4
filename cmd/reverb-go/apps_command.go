package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/auth/sqlapps"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func newAppsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apps",
		Short: "List and change the apps of a database",
		Long: `List and change the apps of a database, in the table reverb_apps.

The database is that of --apps-dsn or REVERB_GO_APPS_DSN, otherwise Laravel's. A server takes its
apps from there if REVERB_GO_APPS_PROVIDER is sql, and sees changes within REVERB_GO_APPS_TTL.`,
		Args: refuseArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAppsListCommand(), newAppsAddCommand(), newAppsRotateKeyCommand(),
		newAppsEnableCommand(true), newAppsEnableCommand(false), newAppsMigrateCommand())
	return cmd
}

// appsTimeout is how long a command waits for the database.
const appsTimeout = 30 * time.Second

// withApps opens the table for a command, and closes it.
func withApps(cmd *cobra.Command, do func(context.Context, *config.Config, *sqlapps.Store) error) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	store, err := openStore(cfg)
	if err != nil {
		return err
	}
	defer store.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, appsTimeout)
	defer cancel()
	return explainApps(do(ctx, cfg, store))
}

// explainApps makes a sentence and a hint of what package sqlapps says.
func explainApps(err error) error {
	var problem *config.Problem
	if err == nil || errors.As(err, &problem) {
		return err
	}
	sentence, hint, hasHint := strings.Cut(err.Error(), "; hint: ")
	switch {
	case errors.Is(err, sqlapps.ErrNotFound), errors.Is(err, sqlapps.ErrExists):
		hint = `"reverb-go apps list" shows the apps`
	case !hasHint:
		sentence = "the apps database refuses: " + sentence
		hint = `is it the right one? "reverb-go config" shows where each part of its address comes from`
	}
	return &failure{config.Problem{Sentence: sentence, Hint: hint}}
}

// oneApp is for commands that take the id of an app.
func oneApp(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && args[0] != "" {
		return nil
	}
	return &config.Problem{
		Sentence: fmt.Sprintf("%s takes one argument, the id of an app, and got %d", cmd.Name(), len(args)),
		Hint:     `"reverb-go apps list" shows the ids`,
	}
}

func newAppsMigrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Create the table of apps, if it is not there",
		Args:  refuseArguments,
	}
	addFileFlags(cmd)
	printOnly := cmd.Flags().Bool("print", false, "Print the SQL and change nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return withApps(cmd, func(ctx context.Context, _ *config.Config, store *sqlapps.Store) error {
			if *printOnly {
				fmt.Fprint(cmd.OutOrStdout(), store.Schema())
				return nil
			}
			if err := store.Migrate(ctx); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "The table reverb_apps is there.")
			return nil
		})
	}
	return cmd
}

func newAppsEnableCommand(enable bool) *cobra.Command {
	word, short, done := "disable", "Have an app served no more; its connections are closed", "disabled"
	if enable {
		word, short, done = "enable", "Have a disabled app served again", "enabled"
	}
	cmd := &cobra.Command{Use: word + " ID", Short: short, Args: oneApp}
	addFileFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withApps(cmd, func(ctx context.Context, cfg *config.Config, store *sqlapps.Store) error {
			if err := store.SetEnabled(ctx, args[0], enable); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "App %s is %s. Servers see it within %s.\n", printable(args[0]), done, cfg.AppTable.TTL)
			return nil
		})
	}
	return cmd
}
