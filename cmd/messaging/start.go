package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/demo"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/http"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
	"github.com/reverb-go/reverb-go/cmd/messaging/settings"
	"github.com/reverb-go/reverb-go/cmd/messaging/web"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

// stopTimeout is for what is going on when the process is asked to end.
const stopTimeout = 10 * time.Second

func newStartCommand() *cobra.Command {
	cmd := command("start", "Serve HTTP and work the queues in one process", func(cmd *cobra.Command, s settings.Settings) error {
		return withApp(cmd, s, func(ctx context.Context, a *app) error { return a.start(ctx, cmd, true) })
	})
	cmd.Flags().Bool("with-reverb", false, "Run the websocket server in this process as well")
	addListenFlags(cmd)
	return cmd
}

func newServeCommand() *cobra.Command {
	cmd := command("serve", "Serve HTTP only", func(cmd *cobra.Command, s settings.Settings) error {
		if !s.Sync {
			if err := needsRedis(s, "serving without workers"); err != nil {
				return err
			}
		}
		return withApp(cmd, s, func(ctx context.Context, a *app) error { return a.start(ctx, cmd, s.Sync) })
	})
	addListenFlags(cmd)
	return cmd
}

func addListenFlags(cmd *cobra.Command) {
	cmd.Flags().String("host", "127.0.0.1", "Address to listen on")
	cmd.Flags().Int("port", 8000, "Port to listen on")
}

func newWorkCommand() *cobra.Command {
	cmd := command("work", "Work the queues only", func(cmd *cobra.Command, s settings.Settings) error {
		if s.Sync {
			return &config.Problem{Sentence: "there are no queues to work, since QUEUE_CONNECTION is sync", Hint: "set QUEUE_CONNECTION=redis"}
		}
		if err := needsRedis(s, "working the queues alone"); err != nil {
			return err
		}
		return withApp(cmd, s, func(ctx context.Context, a *app) error { return a.workUntil(ctx, cmd) })
	})
	cmd.Flags().StringSlice("queue", domain.Queues, "Queues to work, each with workers of its own")
	cmd.Flags().Int("tries", 1, "How often a job is tried")
	return cmd
}

// untilStopped is over when the process is asked to end.
func untilStopped() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// withApp opens the app, and closes it when do is done. The context ends when the process is asked to.
func withApp(cmd *cobra.Command, s settings.Settings, do func(context.Context, *app) error) error {
	ctx, stop := untilStopped()
	defer stop()
	a, err := open(ctx, s, newLog(cmd.ErrOrStderr(), s.LogLevel))
	defer a.close()
	if err != nil {
		return err
	}
	return do(ctx, a)
}

// workUntil works queues until the process is asked to end.
func (a *app) workUntil(ctx context.Context, cmd *cobra.Command) error {
	names, _ := cmd.Flags().GetStringSlice("queue")
	tries, _ := cmd.Flags().GetInt("tries")
	if err := a.ready(ctx); err != nil {
		return err
	}
	app, err := a.websocketApp(false)
	if err != nil {
		return err
	}
	if err := a.work(a.openQueues(a.publisher(app)), names, tries); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Working the queues %s.\n", strings.Join(names, ", "))
	<-ctx.Done()
	return nil
}

// start serves until the process is asked to end.
func (a *app) start(ctx context.Context, cmd *cobra.Command, working bool) error {
	host, _ := cmd.Flags().GetString("host")
	port, _ := cmd.Flags().GetInt("port")
	withReverb, _ := cmd.Flags().GetBool("with-reverb")
	if err := a.prepare(ctx); err != nil {
		return err
	}
	ln, err := listen(host, port, "--port")
	if err != nil {
		return err
	}
	defer ln.Close()
	app, err := a.websocketApp(withReverb)
	if err != nil {
		return err
	}
	if withReverb {
		if err := a.startReverb(app, host); err != nil {
			return err
		}
	}
	srv, err := a.server(app, working)
	if err != nil {
		return err
	}
	a.introduce(cmd.OutOrStdout(), ln)
	return serve(ctx, srv, ln)
}

// prepare sees to it that there are tables, and somebody to sign in as where the database is only there for that.
func (a *app) prepare(ctx context.Context) error {
	if !a.settings.Database.IsEmbedded {
		return a.ready(ctx)
	}
	if _, err := a.store.Migrate(ctx); err != nil {
		return err
	}
	empty, err := a.store.IsEmpty(ctx)
	if err != nil || !empty {
		return err
	}
	return (&demo.Seeder{Store: a.store, Password: demo.Password, Now: time.Now()}).Seed(ctx)
}

// server joins the HTTP side with the rest, and begins to work if asked to.
func (a *app) server(app *auth.App, working bool) (*http.Server, error) {
	publisher := a.publisher(app)
	q := a.openQueues(publisher)
	if working {
		if err := a.work(q, domain.Queues, 1); err != nil {
			return nil, err
		}
	}
	cfg := http.Config{
		Store: a.store, Live: a.live, Publisher: publisher, Queue: q.dispatcher,
		Gatekeeper: &realtime.Gatekeeper{App: app, Rooms: a.store},
		Checks:     map[string]http.Check{"database": a.store.Ping, "redis": a.live.Ping, "websocket": publisher.Ping},
		Key:        a.settings.Key, Secure: strings.HasPrefix(a.settings.URL, "https://"), Lifetime: a.settings.Lifetime,
		Public: a.public(app), Registry: a.registry, Log: a.log, Now: time.Now, Page: page(),
	}
	if q.horizon != nil {
		cfg.Dashboard = q.horizon
		cfg.Checks["workers"] = q.check
	}
	return http.New(cfg), nil
}

// page is nil, and not an interface of nothing, if it was not built.
func page() fs.FS {
	if files, ok := web.Files(); ok {
		return files
	}
	return nil
}

// public is what the page is told.
func (a *app) public(app *auth.App) api.Config {
	b := a.settings.Reverb.Browser
	c := api.Config{
		Realtime: a.settings.Realtime && a.settings.Broadcast == "reverb",
		Key:      app.Key, Host: b.Host, Port: b.Port, Scheme: b.Scheme, Path: b.Path,
		PollIntervalMS: int(a.settings.PollInterval.Milliseconds()),
	}
	if a.settings.Database.IsEmbedded {
		c.DemoAccounts = &api.DemoAccounts{Usernames: demo.Accounts, Password: demo.Password}
	}
	return c
}

// introduce says where to go, and as whom.
func (a *app) introduce(w io.Writer, ln net.Listener) {
	url := a.settings.URL
	if url == "" {
		url = "http://" + ln.Addr().String()
	}
	fmt.Fprintf(w, "\n  Messaging is at %s\n", url)
	if a.settings.Database.IsEmbedded {
		fmt.Fprintf(w, "  Sign in as %s with the password %q, each in a browser of its own.\n", strings.Join(demo.Accounts, ", "), demo.Password)
		fmt.Fprintf(w, "  The queues are at %s/horizon, for %s.\n", url, demo.Accounts[len(demo.Accounts)-1])
	}
	if page() == nil {
		fmt.Fprintln(w, `  The page is not built in: "make messaging" does that. The API works without it.`)
	}
	fmt.Fprintln(w)
}

// serve answers requests until ctx ends.
func serve(ctx context.Context, srv *http.Server, ln net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }() // ends with the shutdown
	select {
	case err := <-failed:
		return fmt.Errorf("serving has ended by itself: %w", err)
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return srv.Shutdown(late)
}
