package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/auth/sqlapps"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func newAppsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the apps, without their secrets",
		Args:  refuseArguments,
	}
	addFileFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "Print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return withApps(cmd, func(ctx context.Context, _ *config.Config, store *sqlapps.Store) error {
			all, err := store.List(ctx)
			if err != nil {
				return err
			}
			if *asJSON {
				return printAppsJSON(cmd.OutOrStdout(), all)
			}
			return printApps(cmd.OutOrStdout(), all, time.Now())
		})
	}
	return cmd
}

// printApps prints a table with what is special about each app.
func printApps(w io.Writer, all []*sqlapps.Record, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKEY\tENABLED\tCREATED\tSETTINGS")
	for _, r := range all {
		enabled := "yes"
		if r.IsDisabled {
			enabled = "no"
		}
		created := ""
		if !r.CreatedAt.IsZero() {
			created = r.CreatedAt.UTC().Format(time.DateOnly)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", printable(r.ID), printable(r.Key), enabled, created, printable(special(r, now)))
	}
	return table.Flush()
}

// special is what is not as it is by default.
func special(r *sqlapps.Record, now time.Time) string {
	var parts []string
	if r.PreviousSecret != "" && (r.PreviousSecretExpiresAt.IsZero() || now.Before(r.PreviousSecretExpiresAt)) {
		parts = append(parts, "previous_secret")
	}
	usual := sqlapps.NewRecord().Settings()
	for i, s := range r.Settings() {
		if text := s.Value.String(); text != usual[i].Value.String() {
			parts = append(parts, s.Column+"="+text)
		}
	}
	return strings.Join(parts, " ")
}

func printAppsJSON(w io.Writer, all []*sqlapps.Record) error {
	rows := make([]map[string]any, len(all))
	for i, r := range all {
		row := map[string]any{
			"id": r.ID, "key": r.Key, "enabled": !r.IsDisabled,
			"previous_secret_expires_at": instant(r.PreviousSecretExpiresAt),
			"created_at":                 instant(r.CreatedAt),
			"updated_at":                 instant(r.UpdatedAt),
			"has_previous_secret":        r.PreviousSecret != "",
			"allowed_origins":            r.AllowedOrigins,
		}
		for _, s := range r.Settings() {
			if row[s.Column] == nil {
				row[s.Column] = plain(s.Value)
			}
		}
		rows[i] = row
	}
	return printJSON(w, rows)
}

// instant is null in JSON when there is none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// plain returns a setting as JSON has it: time spans are in seconds, as in the table.
func plain(v sqlapps.Value) any {
	text := v.String()
	switch v.Type() {
	case "number":
		n, _ := strconv.Atoi(text) // it was one
		return n
	case "seconds":
		d, _ := time.ParseDuration(text)
		return int(d / time.Second)
	case "bool":
		return text == "true"
	}
	return text
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
