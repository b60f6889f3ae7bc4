package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/auth/sqlapps"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func newAppsAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Add an app, and print its credentials once",
		Args:  refuseArguments,
	}
	addFileFlags(cmd)
	r := sqlapps.NewRecord()
	f := cmd.Flags()
	f.StringVar(&r.ID, "id", "", "The id of the app; made up if it is left out")
	f.StringVar(&r.Key, "key", "", "The key, which browsers know; made up if it is left out")
	f.StringVar(&r.Secret, "secret", "", "The secret; made up if it is left out")
	for _, s := range r.Settings() {
		flag := f.VarPF(s.Value, strings.ReplaceAll(s.Column, "_", "-"), "", s.Help)
		if s.Value.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
	asJSON := f.Bool("json", false, "Print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return withApps(cmd, func(ctx context.Context, cfg *config.Config, store *sqlapps.Store) error {
			c := complete(r)
			if err := store.Migrate(ctx); err != nil {
				return err
			}
			if err := store.Add(ctx, r); err != nil {
				return err
			}
			if cfg.AppTable.Provider != config.AppsFromSQL {
				fmt.Fprintln(cmd.ErrOrStderr(), "note: servers take their apps from here only with REVERB_GO_APPS_PROVIDER=sql")
			}
			return c.print(cmd.OutOrStdout(), *asJSON, fmt.Sprintf("App %s is added.", printable(r.ID)))
		})
	}
	return cmd
}

// complete makes up the credentials that are missing.
func complete(r *sqlapps.Record) credentials {
	made := throwAwayApp()
	for _, c := range []struct{ p, made *string }{{&r.ID, &made.ID}, {&r.Key, &made.Key}} {
		if *c.p == "" {
			*c.p = *c.made
		}
	}
	c := credentials{ID: r.ID, Key: r.Key}
	if r.Secret == "" {
		r.Secret = made.Secret
		c.Secret = made.Secret
	}
	return c
}

// credentials are what whoever uses an app has to know.
type credentials struct {
	ID     string     `json:"id"`
	Key    string     `json:"key,omitempty"`
	Secret string     `json:"secret,omitempty"` // only if it was made up: others know it
	Until  *time.Time `json:"previous_secret_expires_at,omitempty"`
}

func (c credentials) print(w io.Writer, asJSON bool, sentence string) error {
	if asJSON {
		return printJSON(w, c)
	}
	if c.Secret != "" {
		sentence += " Its secret is shown this once:"
	}
	fmt.Fprintln(w, sentence)
	fmt.Fprintf(w, "\n    REVERB_APP_ID=%s\n", printable(c.ID))
	if c.Key != "" {
		fmt.Fprintf(w, "    REVERB_APP_KEY=%s\n", printable(c.Key))
	}
	if c.Secret != "" {
		fmt.Fprintf(w, "    REVERB_APP_SECRET=%s\n", c.Secret)
	}
	_, err := fmt.Fprintln(w)
	return err
}

func newAppsRotateKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate-key ID",
		Short: "Give an app a new secret, and print it once",
		Long: `Give an app a new secret, and print it once.

The app's key stays as it is, since browsers have it. The secret of before is accepted during the grace
period, so that whoever signs with it can be told. If that was the reason to change it, use --grace=0.`,
		Args: oneApp,
	}
	addFileFlags(cmd)
	secret := cmd.Flags().String("secret", "", "The new secret; made up if it is left out")
	grace := cmd.Flags().Duration("grace", 24*time.Hour, "For how long the secret of before is accepted")
	asJSON := cmd.Flags().Bool("json", false, "Print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *grace < 0 || *grace%time.Second != 0 {
			return &config.Problem{Sentence: fmt.Sprintf("--grace is %s, and must be whole seconds", *grace), Hint: "write 24h, or 0 for none"}
		}
		return withApps(cmd, func(ctx context.Context, _ *config.Config, store *sqlapps.Store) error {
			c := credentials{ID: args[0]}
			if *secret == "" {
				c.Secret = throwAwayApp().Secret
				*secret = c.Secret
			}
			if err := store.RotateKey(ctx, c.ID, *secret, *grace); err != nil {
				return err
			}
			sentence := fmt.Sprintf("App %s has a new secret, and that of before is not accepted any more.", printable(c.ID))
			if *grace > 0 {
				until := time.Now().Add(*grace).UTC().Truncate(time.Second)
				c.Until = &until
				sentence = fmt.Sprintf("App %s has a new secret, and that of before is accepted until %s.", printable(c.ID), until.Format(time.DateTime+" MST"))
			}
			return c.print(cmd.OutOrStdout(), *asJSON, sentence)
		})
	}
	return cmd
}
