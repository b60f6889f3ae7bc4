package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/auth"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func newReloadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have the running server read its apps, limits, webhooks and certificate again",
		Args:  refuseArguments,
	}
	addConfigFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		var changes []string
		if err := give(cmd.Context(), cfg, "reload", &changes); err != nil {
			return err
		}
		if len(changes) == 0 {
			changes = []string{"nothing has changed"}
		}
		fmt.Fprintln(cmd.OutOrStdout(), strings.Join(changes, "\n"))
		return nil
	}
	return cmd
}

// reloading is reload for whoever may ask at the same time as others.
func (n *node) reloading(ctx context.Context) (any, error) {
	n.reloadMu.Lock()
	defer n.reloadMu.Unlock()
	if n.heir != nil {
		return n.passOn(ctx, "reload")
	}
	return n.reload()
}

// reload reads the configuration again and puts its apps, limits and webhooks into effect. No connection is
// closed but those of apps that are gone or disabled. Faulty configuration changes nothing.
func (n *node) reload() ([]string, error) {
	cfg, err := n.load()
	if err != nil {
		return nil, err
	}
	next := n.apps
	if len(cfg.Apps) > 0 || !n.apps.throwAway { // a throw-away app stays the one it is
		if next, err = newApps(cfg, nil); err != nil {
			return nil, err
		}
	}
	if next.throwAway && !n.apps.throwAway {
		return nil, &config.Problem{Sentence: "no app is configured any more, so the apps stay as they are", Hint: "a throw-away app runs only when start finds none"}
	}
	isNew, err := n.certificates.refresh(true)
	if err != nil {
		return nil, err
	}
	if err := n.hooks.Reload(hooksOf(cfg)); err != nil {
		return nil, unusable(err)
	}
	changes := appChanges(n.apps.Apps, next.Apps)
	if isNew {
		changes = append(changes, "there is another certificate, good until "+n.certificates.until().Format(time.DateTime))
	}
	changes = append(changes, settingChanges(n.cfg.Settings, cfg.Settings)...)
	n.cfg, n.apps = cfg, next
	n.source.now.Store(next.Apps)
	n.table.reload()
	n.server.RefreshApps()
	for _, c := range changes {
		n.out.log.Info("configuration read again: " + c)
	}
	return changes, nil
}

// appChanges says in sentences what is different between two sets of apps.
func appChanges(was, is *auth.Apps) (changes []string) {
	for _, a := range was.All() {
		if b, _ := is.ByID(a.ID); b == nil {
			changes = append(changes, fmt.Sprintf("app %s is gone; its connections are closed", a.ID))
		}
	}
	for _, b := range is.All() {
		a, _ := was.ByID(b.ID)
		switch {
		case a == nil:
			changes = append(changes, fmt.Sprintf("app %s is new", b.ID))
		case b.IsDisabled && !a.IsDisabled:
			changes = append(changes, fmt.Sprintf("app %s is disabled; its connections are closed", b.ID))
		case !reflect.DeepEqual(a, b):
			changes = append(changes, fmt.Sprintf("app %s has changed", b.ID))
		}
	}
	return changes
}

// settingChanges names the settings of the server that have changed, which takes a restart.
func settingChanges(was, is []config.Setting) (changes []string) {
	values := make(map[string]any, len(was))
	for _, s := range was {
		values[s.Name] = s.Value
	}
	for _, s := range is {
		if strings.HasPrefix(s.Name, "servers.") && !reflect.DeepEqual(values[s.Name], s.Value) {
			changes = append(changes, s.Name+" has changed and will apply after a restart")
		}
	}
	return changes
}
