package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print every setting with its value and where it comes from",
		Args:  refuseArguments,
	}
	addConfigFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "Print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		print := printSettings
		if *asJSON {
			print = printSettingsJSON
		}
		if err := print(cmd.OutOrStdout(), cfg.Settings); err != nil {
			return err
		}
		for _, w := range cfg.Warnings {
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\nhint: %s\n", w.Sentence, w.Hint)
		}
		if len(cfg.Apps) == 0 && cfg.AppTable.Provider == config.AppsFromConfig {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: no app is configured, so start would run a throw-away app on %s\n", throwAwayHost)
		}
		return nil
	}
	return cmd
}

func printSettings(w io.Writer, settings []config.Setting) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range settings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, settingText(s.Value), s.Source)
	}
	return table.Flush()
}

// settingText is a value in one line, which a script can tell from an empty one.
func settingText(v any) string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return `""`
		}
		return printable(v)
	case []string:
		return printable("[" + strings.Join(v, ", ") + "]")
	}
	return fmt.Sprint(v)
}

func printSettingsJSON(w io.Writer, settings []config.Setting) error {
	type row struct {
		Name   string `json:"name"`
		Value  any    `json:"value"`
		Source string `json:"source"`
	}
	rows := make([]row, len(settings))
	for i, s := range settings {
		rows[i] = row{s.Name, s.Value, s.Source}
	}
	return printJSON(w, rows)
}
