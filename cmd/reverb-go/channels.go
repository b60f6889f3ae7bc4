package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

func newChannelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "channels [CHANNEL]",
		Short: "Show the channels that have subscribers, or one channel",
		Args:  takeArguments(0, 1),
	}
	addTargetFlags(cmd)
	prefix := cmd.Flags().String("prefix", "", "Only channels whose name begins with this")
	info := cmd.Flags().String("info", "user_count,subscription_count", "What to show of each channel; there is also cache")
	asJSON := cmd.Flags().Bool("json", false, "Print the server's answer as it comes")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		parameters := url.Values{}
		if *info != "" {
			parameters.Set("info", *info)
		}
		path, show := "/channels", printChannels
		switch {
		case len(args) > 0 && *prefix != "":
			return &config.Problem{Sentence: "--prefix is for a list of channels, and one is named", Hint: "leave one of the two out"}
		case len(args) > 0:
			path, show = "/channels/"+url.PathEscape(args[0]), printChannel
		case *prefix != "":
			parameters.Set("filter_by_prefix", *prefix)
		}
		return query(cmd, http.MethodGet, path, parameters, *asJSON, show)
	}
	return cmd
}

func newUsersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users CHANNEL",
		Short: "Show who is in a presence channel",
		Args:  takeArguments(1, 1),
	}
	addTargetFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "Print the server's answer as it comes")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := query(cmd, http.MethodGet, "/channels/"+url.PathEscape(args[0])+"/users", nil, *asJSON, printUsers)
		return usersProblem(err, args[0])
	}
	return cmd
}

// usersProblem explains the answers that have no text.
func usersProblem(err error, channel string) error {
	var status *pusher.StatusError
	if !errors.As(err, &status) || strings.TrimSpace(string(status.Body)) != "{}" {
		return err
	}
	switch status.Status {
	case http.StatusBadRequest:
		return &failure{config.Problem{Sentence: fmt.Sprintf("%q is no presence channel, and others have no users", channel), Hint: "the names of presence channels begin with presence-"}}
	case http.StatusNotFound:
		return &failure{config.Problem{Sentence: fmt.Sprintf("nobody is subscribed to %q", channel), Hint: `"reverb-go channels" shows those that have subscribers`}}
	}
	return err
}

func newTerminateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "terminate USER",
		Short: "Close all connections of a user",
		Long: `Close all connections of a user: those that are signed in as this user, and those that are it in a presence channel.
Clients do not connect again by themselves.`,
		Args: takeArguments(1, 1),
	}
	addTargetFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return query(cmd, http.MethodPost, "/users/"+url.PathEscape(args[0])+"/terminate_connections", nil, true, nil)
	}
	return cmd
}

func newConnectionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "connections",
		Short: "Print how many connections the app has",
		Args:  refuseArguments,
	}
	addTargetFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "Print the server's answer as it comes")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return query(cmd, http.MethodGet, "/connections", nil, *asJSON, func(w io.Writer, body []byte) error {
			var answer struct{ Connections json.Number }
			if err := json.Unmarshal(body, &answer); err != nil {
				return err
			}
			return printBody(w, []byte(answer.Connections))
		})
	}
	return cmd
}

// query makes a request and shows its answer.
func query(cmd *cobra.Command, method, path string, parameters url.Values, asJSON bool, show func(io.Writer, []byte) error) error {
	s, err := loadTarget(cmd)
	if err != nil {
		return err
	}
	var body []byte
	if method == http.MethodPost {
		body = []byte("{}")
	}
	answer, err := ask(cmd.Context(), s, method, path, parameters, body)
	if err != nil {
		return err
	}
	if asJSON {
		show = printBody
	}
	if err := show(cmd.OutOrStdout(), answer); err != nil {
		return &failure{config.Problem{Sentence: printable(fmt.Sprintf("%s answers %.200q, which cannot be read", s.URL, answer)), Hint: "--json prints it"}}
	}
	return nil
}

// attributes are what is known of a channel, such as its user_count.
type attributes map[string]json.RawMessage

// printChannels prints a table with a column for each attribute that any of the channels has.
func printChannels(w io.Writer, body []byte) error {
	var answer struct{ Channels json.RawMessage }
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	all, err := readChannels(answer.Channels)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "No channel has a subscriber.")
		return err
	}
	names := make(map[string]bool)
	for _, a := range all {
		for name := range a {
			names[name] = true
		}
	}
	columns := slices.Sorted(maps.Keys(names))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(append([]string{"CHANNEL"}, headings(columns)...), "\t"))
	for _, channel := range slices.Sorted(maps.Keys(all)) {
		cells := []string{printable(channel)}
		for _, c := range columns {
			cells = append(cells, printable(string(all[channel][c])))
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

// readChannels takes PHP's empty list for no channels.
func readChannels(raw json.RawMessage) (map[string]attributes, error) {
	if string(raw) == "[]" {
		return nil, nil
	}
	var all map[string]attributes
	return all, json.Unmarshal(raw, &all)
}

func headings(columns []string) []string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = strings.ToUpper(strings.ReplaceAll(c, "_", " "))
	}
	return all
}

func printChannel(w io.Writer, body []byte) error {
	var a attributes
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		fmt.Fprintf(table, "%s\t%s\n", name, printable(string(a[name])))
	}
	return table.Flush()
}

func printUsers(w io.Writer, body []byte) error {
	var answer struct{ Users []struct{ ID any } }
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	for _, u := range answer.Users {
		if _, err := fmt.Fprintln(w, printable(fmt.Sprint(u.ID))); err != nil {
			return err
		}
	}
	return nil
}
