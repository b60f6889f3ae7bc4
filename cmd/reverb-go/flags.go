package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// addGlobalFlags adds the options that every artisan command has, so that a unit file or script keeps working
// when only its first words are replaced.
func addGlobalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.BoolP("quiet", "q", false, "Print nothing but what ends the process")
	f.Bool("silent", false, "The same as --quiet")
	f.String("env", "", "The environment whose .env file is read, before APP_ENV")
	f.BoolP("no-interaction", "n", false, "No effect: nothing is ever asked")
	f.Bool("ansi", false, "No effect: the output has no colours")
	f.Bool("no-ansi", false, "No effect: the output has no colours")
	f.CountP("verbose", "v", "No effect: see --debug")
}

// addConfigFlags adds the options that say how to serve.
func addConfigFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("host", "", "The IP address the server should bind to")
	f.String("port", "", "The port the server should listen on")
	f.StringArray("listen", nil, "Another address to listen on, such as 127.0.0.1:8081 or unix:/run/reverb-go.sock; may be repeated")
	f.String("path", "", "The path the server should prefix to all routes")
	f.String("hostname", "", "The hostname the server is accessible from")
	f.StringArray("acme-domain", nil, "A domain to get a certificate for; may be repeated")
	f.String("acme-email", "", "Where the authority sends warnings")
	f.String("acme-directory", "", "The authority, if it is not Let's Encrypt")
	f.String("metrics-addr", "", "The address to serve Prometheus metrics on, such as 127.0.0.1:9090")
	f.String("drain", "", "The time over which connections are closed at the end, such as 10s")
	f.String("control", "", "The unix socket that commands like reload speak to, or off")
	addFileFlags(cmd)
}

// addFileFlags adds the options that say where the configuration and the table of apps are.
func addFileFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("config", "", "A YAML file with the keys of config/reverb.php")
	f.String("laravel", "", "The folder of the Laravel app, if it is not the working folder")
	f.String("apps-dsn", "", "The database of apps, such as mysql://user:password@host/database")
}

// reverbFlags are the options that Reverb has too. To it "" and "0" are as good as nothing.
var reverbFlags = []string{"host", "port", "path", "hostname"}

// configFlags are all that say how to serve.
var configFlags = append(slices.Clone(reverbFlags), "listen", "acme-domain", "acme-email", "acme-directory", "metrics-addr", "drain", "control")

// loadConfig resolves the configuration for a command with addConfigFlags or addFileFlags.
func loadConfig(cmd *cobra.Command) (*config.Config, error) {
	given := make(map[string]string)
	for _, name := range append(slices.Clone(configFlags), "apps-dsn") {
		value := flag(cmd, name)
		isFalsy := slices.Contains(reverbFlags, name) && (value == "" || value == "0")
		if cmd.Flags().Changed(name) && !isFalsy {
			given[name] = value
		}
	}
	return config.Load(config.Sources{
		Flags:   given,
		Environ: os.Environ(),
		File:    flag(cmd, "config"),
		Laravel: flag(cmd, "laravel"),
		Env:     flag(cmd, "env"),
	})
}

// flag returns the text of an option; of one that was repeated, all with commas.
func flag(cmd *cobra.Command, name string) string {
	if f := cmd.Flag(name); f != nil {
		if list, ok := f.Value.(interface{ GetSlice() []string }); ok {
			return strings.Join(list.GetSlice(), ",")
		}
		return f.Value.String()
	}
	return "" // another command's
}

func isSet(cmd *cobra.Command, name string) bool { return flag(cmd, name) == "true" }
