package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/doctor"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

func newDoctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out why clients or Laravel cannot reach the server",
		Long: `Look at the configuration, the machine, Redis, and at the server as Laravel and browsers reach it: through the
host, port and scheme of REVERB_ and VITE_REVERB_, with whatever proxy is in between. Nothing is changed.

The exit code is 1 if something does not work.`,
		Args: refuseArguments,
	}
	addConfigFlags(cmd)
	f := cmd.Flags()
	said := f.String("url", "", "Where Laravel and browsers reach the server, in place of what the configuration says")
	insecure := f.Bool("insecure", false, "Believe any certificate")
	patience := f.Duration("patience", 0, "Keep a connection silent for so long, such as 70s, to see whether a proxy cuts it")
	asJSON := f.Bool("json", false, "Print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		if err := readStoredApps(cmd.Context(), cfg); err != nil {
			return err
		}
		p, err := newPatient(cfg, *said, *insecure)
		if err != nil {
			return err
		}
		p.Patience = *patience
		findings := doctor.Examine(cmd.Context(), p)
		if *asJSON {
			err = printJSON(cmd.OutOrStdout(), findings)
		} else {
			err = printDiagnosis(cmd.OutOrStdout(), findings)
		}
		if err != nil {
			return err
		}
		if doctor.HasErrors(findings) {
			return &failure{config.Problem{Sentence: "something does not work", Hint: "each error above says how to mend it"}}
		}
		return nil
	}
	return cmd
}

// newPatient puts together what is examined. said is where the server is reached, if that was said.
func newPatient(cfg *config.Config, said string, insecure bool) (doctor.Patient, error) {
	secure, err := newTLSConfig(cfg)
	if err != nil {
		return doctor.Patient{}, err
	}
	p := doctor.Patient{
		Config:    cfg,
		Warnings:  warnings(cfg, secure != nil || len(cfg.ACME.Domains) > 0, 0), // files are checked below
		OpenFiles: openFiles(),
		Now:       time.Now,
	}
	if runtime.GOOS == "linux" {
		p.Kernel = os.DirFS("/proc/sys")
	}
	if secure != nil {
		p.Certificate, _ = x509.ParseCertificate(secure.Certificates[0].Certificate[0]) // newTLSConfig could read it
	}
	if cfg.Scaling.Enabled || slices.ContainsFunc(cfg.Apps, pushesToRedis) {
		p.Redis = func() (redis.UniversalClient, error) { return newRedis(cfg.Scaling) }
	}
	return p, addServers(&p, cfg, said, insecure)
}

// maxExamined is how many apps are looked for. What is wrong is hardly ever wrong for one alone.
const maxExamined = 10

// addServers adds where the server is looked for.
func addServers(p *doctor.Patient, cfg *config.Config, said string, insecure bool) error {
	local, err := localURL(cfg)
	if err != nil {
		return err
	}
	var trust *tls.Config
	if insecure {
		trust = &tls.Config{InsecureSkipVerify: true}
	}
	for _, a := range cfg.Apps[:min(len(cfg.Apps), maxExamined)] {
		signer, err := auth.NewApp(a.App)
		if err != nil {
			return unusable(err)
		}
		if p.Local == nil {
			// Its certificate is for the name that others use.
			p.Local = &pusher.Server{URL: local, App: signer, TLS: &tls.Config{InsecureSkipVerify: true}}
		}
		backend, browser, err := addressesOf(cfg, a, said)
		if err != nil {
			return err
		}
		known := doctor.App{App: a}
		if backend != nil {
			known.Backend = &pusher.Server{URL: backend, App: signer, TLS: trust}
		}
		if browser != nil {
			known.Browser = &pusher.Server{URL: browser, App: signer, TLS: trust}
		}
		p.Apps = append(p.Apps, known)
	}
	return nil
}

// addressesOf returns where Laravel publishes and where browsers connect; nil if nobody says.
func addressesOf(cfg *config.Config, a config.App, said string) (backend, browser *url.URL, err error) {
	if said != "" || a.Host != "" {
		if backend, err = targetURL(cfg, a, said); err != nil {
			return nil, nil, err
		}
	}
	scheme, host, port := doctor.BrowserAddress(cfg.Dotenv)
	if said != "" || host == "" || len(cfg.Apps) > 1 {
		return backend, backend, nil
	}
	if scheme != "http" { // as Laravel's Echo has it
		scheme = "https"
	}
	return backend, &url.URL{Scheme: scheme, Host: hostPort(scheme, hostOf(host), port), Path: routePrefix(cfg.Path)}, nil
}

func printDiagnosis(w io.Writer, findings []doctor.Finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(w, "%-8s %-14s %s\n", f.Level, f.Check, printable(f.Sentence)); err != nil {
			return err
		}
		if f.Fix != "" {
			fmt.Fprintf(w, "%23s fix: %s\n", "", printable(f.Fix))
		}
	}
	return nil
}
