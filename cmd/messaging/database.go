package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/messaging/demo"
	"github.com/reverb-go/reverb-go/cmd/messaging/jobs"
	"github.com/reverb-go/reverb-go/cmd/messaging/settings"
)

func newMigrateCommand() *cobra.Command {
	return command("migrate", "Bring the tables up to date", func(cmd *cobra.Command, s settings.Settings) error {
		a := &app{settings: s}
		defer a.close()
		if err := a.openStore(cmd.Context()); err != nil {
			return err
		}
		n, err := a.store.Migrate(cmd.Context())
		if err == nil {
			fmt.Fprintf(cmd.OutOrStdout(), "Migrations run: %d.\n", n)
		}
		return err
	})
}

func newSeedCommand() *cobra.Command {
	cmd := command("seed", "Add people who have talked to each other", seed)
	cmd.Flags().Int("users", 0, "How many users there are to be, with the demo accounts")
	cmd.Flags().Int("messages", 0, "How many messages they have sent within the last month")
	cmd.Flags().String("password", "", "Password of all of them (made up, unless the database is the embedded one)")
	return cmd
}

func seed(cmd *cobra.Command, s settings.Settings) error {
	users, _ := cmd.Flags().GetInt("users")
	messages, _ := cmd.Flags().GetInt("messages")
	password, _ := cmd.Flags().GetString("password")
	if password == "" {
		password = strings.ToLower(rand.Text()[:16])
		if s.Database.IsEmbedded {
			password = demo.Password
		}
	}
	ctx, stop := untilStopped()
	defer stop()
	a := &app{settings: s}
	defer a.close()
	if err := a.openStore(ctx); err != nil {
		return err
	}
	if _, err := a.store.Migrate(ctx); err != nil {
		return err
	}
	seeder := &demo.Seeder{Store: a.store, Password: password, Now: time.Now(), Progress: progress(cmd.ErrOrStderr())}
	err := seeder.Seed(ctx)
	if err == nil && (users > 0 || messages > 0) {
		err = seeder.Crowd(ctx, users, messages)
	}
	if err == nil {
		fmt.Fprintf(cmd.OutOrStdout(), "Accounts that are new, like %s, have the password %q.\n", strings.Join(demo.Accounts, ", "), password)
	}
	return err
}

// progress shows how far the messages are, on one line.
func progress(w io.Writer) func(done, of int) {
	shown := -1
	return func(done, of int) {
		percent := done * 100 / of
		if percent == shown {
			return
		}
		shown = percent
		fmt.Fprintf(w, "\r%s%s %3d %%", strings.Repeat("█", percent/4), strings.Repeat("░", 25-percent/4), percent)
		if done == of {
			fmt.Fprintln(w)
		}
	}
}

func newSnapshotCommand() *cobra.Command {
	return command("snapshot", "Write down how the queues are doing, as workers do every five minutes", func(cmd *cobra.Command, s settings.Settings) error {
		if err := needsRedis(s, "a snapshot"); err != nil {
			return err
		}
		return withApp(cmd, s, func(ctx context.Context, a *app) error {
			return a.horizon(jobs.NewQueue(a.redis, a.log), nil).Snapshot(ctx, time.Now().Truncate(time.Second))
		})
	})
}
