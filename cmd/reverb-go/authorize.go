package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/auth/explain"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func newAuthCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "auth SOCKET_ID CHANNEL [CHANNEL_DATA]",
		Short: "Sign for a channel or a user, and say why a signature is refused",
		Long: `Show what an auth endpoint signs to let a connection into a channel, and its answer; with --user, to sign a user in.

With --check, say why the auth of another backend differs. Nobody can read from a signature what it was made of, so
this tries what backends get wrong, and what the --or- options name.`,
		Example: `  reverb-go auth 915103662.465664145 private-orders
  reverb-go auth 915103662.465664145 presence-room '{"user_id":"7"}' --check=app-key:58df8b0c…
  reverb-go auth --user 915103662.465664145 '{"id":"7"}'`,
		Args: takeArguments(2, 3),
	}
	addFileFlags(cmd)
	var a authorization
	f := cmd.Flags()
	app := f.String("app", "", "The id or key of the app, if there are several")
	user := f.Bool("user", false, "Sign a user in: the arguments are SOCKET_ID and USER_DATA")
	f.StringVar(&a.proof, "check", "", "The auth to compare with")
	f.BoolVar(&a.asJSON, "json", false, "Print JSON")
	f.StringArrayVar(&a.known.Sockets, "or-socket-id", nil, "A socket id that may have been signed in place of SOCKET_ID")
	f.StringArrayVar(&a.known.Channels, "or-channel", nil, "A channel that may have been signed in place of CHANNEL")
	f.StringArrayVar(&a.known.Data, "or-data", nil, "Data that may have been signed in place of CHANNEL_DATA or USER_DATA")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if a.claim, err = readClaim(args, *user); err != nil {
			return err
		}
		if err := a.readApps(cmd, *app); err != nil {
			return err
		}
		a.isCheck = cmd.Flags().Changed("check")
		return a.run(cmd.OutOrStdout())
	}
	return cmd
}

func readClaim(args []string, user bool) (explain.Claim, error) {
	c := explain.Claim{SocketID: args[0]}
	switch {
	case user && len(args) > 2:
		return c, &config.Problem{Sentence: "too many arguments for auth --user", Hint: "they are SOCKET_ID and USER_DATA; what has spaces in it needs quotes"}
	case user:
		c.Data = args[1]
	case args[1] == "":
		return c, &config.Problem{Sentence: "the channel has no name", Hint: "without a channel, --user signs a user in"}
	default:
		c.Channel = args[1]
		if len(args) > 2 {
			c.Data = args[2]
		}
	}
	return c, nil
}

// authorization is one run of auth.
type authorization struct {
	claim   explain.Claim
	isCheck bool
	proof   string // to check
	asJSON  bool
	app     *auth.App
	known   explain.Known
}

// readApps finds the app that signs, and those it may be taken for.
func (a *authorization) readApps(cmd *cobra.Command, name string) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	if err := readStoredApps(cmd.Context(), cfg); err != nil {
		return err
	}
	chosen, err := chooseApp(cfg, name)
	if err != nil {
		return err
	}
	for _, c := range cfg.Apps {
		app, err := auth.NewApp(c.App)
		switch {
		case err != nil:
			return unusable(err)
		case app.ID == chosen.ID:
			a.app = app
		default:
			a.known.Apps = append(a.known.Apps, app)
		}
	}
	return nil
}

// authorizationResult is what --json prints.
type authorizationResult struct {
	StringToSign string            `json:"string_to_sign"`
	Auth         string            `json:"auth"`
	Remarks      []explain.Finding `json:"remarks,omitempty"`
	Check        *explain.Verdict  `json:"check,omitempty"`
}

func (a *authorization) run(w io.Writer) error {
	var r authorizationResult
	r.StringToSign, r.Auth = explain.Sign(a.app, a.claim)
	r.Remarks = explain.Remarks(a.claim)
	if a.isCheck {
		v := explain.Check(a.app, a.claim, a.proof, a.known)
		r.Check = &v
	}
	if err := a.print(w, r); err != nil {
		return err
	}
	if a.isCheck && !r.Check.Accepted {
		return &failure{config.Problem{Sentence: "the auth given would be refused", Hint: "what is printed above says why"}}
	}
	return nil
}

func (a *authorization) print(w io.Writer, r authorizationResult) error {
	if a.asJSON {
		return printJSON(w, r)
	}
	fmt.Fprintf(w, "string to sign  %s\n", printable(r.StringToSign))
	fmt.Fprintf(w, "signed with     the secret of app %q, by HMAC-SHA256 in lower-case hex\n", a.app.ID)
	fmt.Fprintf(w, "auth            %s\n", r.Auth)
	printFindings(w, "note: ", r.Remarks)
	switch {
	case r.Check == nil:
	case r.Check.Accepted:
		fmt.Fprintln(w, "\nThe auth given is accepted.")
		printFindings(w, "note: ", r.Check.Findings)
	default:
		fmt.Fprintln(w, "\nThe auth given is refused:")
		printFindings(w, "- ", r.Check.Findings)
	}
	return nil
}

func printFindings(w io.Writer, mark string, list []explain.Finding) {
	for _, f := range list {
		fmt.Fprintf(w, "%s%s\n", mark, printable(f.Sentence))
		if f.Hint != "" {
			fmt.Fprintf(w, "%*shint: %s\n", len(mark), "", printable(f.Hint))
		}
	}
}
