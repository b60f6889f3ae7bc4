package main

import (
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/server/webhook"
)

func newWebhooksCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhooks",
		Short: "Look after webhooks",
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRetryCommand())
	return cmd
}

func newRetryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retry",
		Short: "Send again what could not be delivered",
		Args:  refuseArguments,
	}
	addConfigFlags(cmd)
	url := cmd.Flags().String("url", "", "Send all to this endpoint of the app, in place of the ones it was for")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		if cfg.DeadLetters == "" {
			return &config.Problem{Sentence: "there is no file of what could not be delivered", Hint: "REVERB_GO_DEAD_LETTERS names it"}
		}
		return retryWebhooks(cmd, cfg, *url)
	}
	return cmd
}

func retryWebhooks(cmd *cobra.Command, cfg *config.Config, url string) error {
	apps, err := newApps(cfg, nil)
	if err != nil {
		return err
	}
	var client redis.UniversalClient
	defer func() {
		if client != nil {
			client.Close()
		}
	}()
	out := cmd.OutOrStdout()
	result, err := webhook.Retry(cmd.Context(), cfg.DeadLetters, webhook.RetryOptions{
		Options: webhook.Options{Redis: func(string) (webhook.Redis, error) {
			var err error
			if client == nil {
				client, err = newRedis(cfg.Scaling)
			}
			return webhook.Redis{Client: client, Prefix: cfg.RedisPrefix}, err
		}},
		Config: hooksOf(cfg),
		App:    apps.ByID,
		URL:    url,
		Progress: func(to string, events int, err error) {
			if err != nil {
				fmt.Fprintf(out, "%d kept for %s: %v\n", events, to, err)
				return
			}
			fmt.Fprintf(out, "%d sent to %s\n", events, to)
		},
	})
	fmt.Fprintf(out, "%d events sent, %d kept\n", result.Sent, result.Kept)
	if err == nil && result.Kept > 0 {
		return &failure{config.Problem{Sentence: "some events could not be sent", Hint: "they are still in " + cfg.DeadLetters}}
	}
	return err
}
