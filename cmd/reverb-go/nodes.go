package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/scaling"
)

func newNodesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "Show the servers that share a Redis",
		Args:  refuseArguments,
	}
	addConfigFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "Print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd)
		if err != nil {
			return err
		}
		nodes, err := readNodes(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(nodes)
		}
		return printNodes(cmd.OutOrStdout(), nodes)
	}
	return cmd
}

// queryTime is how long a command waits for Redis.
const queryTime = 5 * time.Second

func readNodes(ctx context.Context, cfg *config.Config) ([]scaling.NodeInfo, error) {
	client, err := newRedis(cfg.Scaling)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	nodes, err := scaling.Nodes(ctx, client, cfg.Scaling.Prefix)
	if err != nil {
		return nil, &failure{config.Problem{Sentence: fmt.Sprintf("Redis cannot be asked for the nodes: %v", err), Hint: "REDIS_URL, or REDIS_HOST and REDIS_PORT, say where it is"}}
	}
	return nodes, nil
}

func printNodes(w io.Writer, nodes []scaling.NodeInfo) error {
	if len(nodes) == 0 {
		_, err := fmt.Fprintln(w, "No node is there. A server joins when REVERB_SCALING_ENABLED is true.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tHOST\tADDRESS\tVERSION\tUP\tCONNECTIONS\tWAITING\tLEASE\tBRIDGE")
	for _, n := range nodes {
		bridge := n.Bridge
		if bridge == "" {
			bridge = "off"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", n.ID, n.Name, n.Address, n.Version,
			time.Since(n.Started).Round(time.Second), n.Total(), n.Waiting, n.Lease.Round(100*time.Millisecond), bridge)
	}
	return table.Flush()
}
