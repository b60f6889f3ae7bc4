package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/setup"
)

func newSetupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "setup " + strings.Join(setup.Kinds, "|"),
		Short: "Print a configuration for what starts the server or stands before it",
		Long: `Print a configuration for what starts the server or stands before it, fitted to the server's own: to its
ports, paths, limits and times. Options that say how to serve become those of the command that is started.`,
		Args:      takeArguments(1, 1),
		ValidArgs: setup.Kinds,
	}
	addConfigFlags(cmd)
	f := cmd.Flags()
	user := f.String("user", "www-data", "Who the server runs as")
	certificate := f.String("certificate", "", "The certificate for nginx")
	key := f.String("key", "", "The private key of the certificate")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		site, err := newSite(cmd, cfg)
		if err != nil {
			return err
		}
		site.User, site.CertificateFile, site.KeyFile = *user, *certificate, *key
		if len(cfg.Apps) == 0 {
			fmt.Fprintln(cmd.ErrOrStderr(), "note: no app is configured here, so the names and ports for browsers are only examples")
		}
		return setup.Write(cmd.OutOrStdout(), args[0], site)
	}
	return cmd
}

// newSite says what the files of setup have to know.
func newSite(cmd *cobra.Command, cfg *config.Config) (setup.Site, error) {
	s := setup.Site{Config: cfg}
	var err error
	if s.Secure, err = isSecure(cfg); err != nil {
		return s, err
	}
	if s.Program, err = os.Executable(); err != nil {
		return s, fmt.Errorf("find this program: %w", err)
	}
	if s.Dir, err = filepath.Abs(flag(cmd, "laravel")); err != nil {
		return s, fmt.Errorf("find the working folder: %w", err)
	}
	for _, name := range append(slices.Clone(configFlags), "config", "env") {
		if !cmd.Flag(name).Changed {
			continue
		}
		value := flag(cmd, name)
		if name == "config" {
			if s.File, err = filepath.Abs(value); err != nil {
				return s, fmt.Errorf("find %s: %w", value, err)
			}
			value = s.File
		}
		s.Arguments = append(s.Arguments, "--"+name+"="+value)
	}
	return s, nil
}
