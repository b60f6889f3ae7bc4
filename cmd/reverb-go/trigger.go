package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
)

func newTriggerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trigger CHANNEL EVENT [DATA|-]",
		Short: "Publish an event, as a backend does",
		Long: `Publish an event, as a backend does, and print the server's answer.

DATA is JSON, or else text; without it the data is {}. With - it is read from standard input.`,
		Example: `  reverb-go trigger orders OrderShipped '{"id":1}'
  reverb-go trigger orders OrderShipped --channel=private-admin --info=subscription_count`,
		Args: takeArguments(2, 3),
	}
	addTargetFlags(cmd)
	more := cmd.Flags().StringArray("channel", nil, "One more channel; may be given several times")
	socketID := cmd.Flags().String("socket-id", "", "The connection that is not to hear it")
	info := cmd.Flags().String("info", "", "What to answer of each channel: user_count, subscription_count")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		data, err := eventData(cmd, args)
		if err != nil {
			return err
		}
		return trigger(cmd, publication{
			Name:     args[1],
			Channels: append([]string{args[0]}, *more...),
			Data:     data,
			SocketID: *socketID,
			Info:     *info,
		})
	}
	return cmd
}

// publication is the body of POST /events.
type publication struct {
	Name     string   `json:"name"`
	Channels []string `json:"channels"`
	Data     string   `json:"data"`
	SocketID string   `json:"socket_id,omitempty"`
	Info     string   `json:"info,omitempty"`
}

func trigger(cmd *cobra.Command, p publication) error {
	s, err := loadTarget(cmd)
	if err != nil {
		return err
	}
	for _, name := range p.Channels {
		if channels.KindOf(name).Has(channels.Encrypted) {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: %s is encrypted, and clients drop what is not; the master key is known to the backend alone\n", printable(name))
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	answer, err := ask(cmd.Context(), s, http.MethodPost, "/events", nil, body)
	if err != nil {
		return err
	}
	return printBody(cmd.OutOrStdout(), answer)
}

// eventData is the text that becomes the event's data. Clients read it as JSON if it is, and otherwise take it as
// it is.
func eventData(cmd *cobra.Command, args []string) (string, error) {
	if len(args) < 3 {
		return "{}", nil
	}
	data := args[2]
	if data == "-" {
		text, err := io.ReadAll(cmd.InOrStdin())
		if err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
		data = strings.TrimSuffix(string(text), "\n")
	}
	if !utf8.ValidString(data) {
		return "", &config.Problem{Sentence: "the data is no text in UTF-8", Hint: "encode bytes, for instance with base64"}
	}
	return data, nil
}

// printBody prints an answer as it came.
func printBody(w io.Writer, body []byte) error {
	_, err := fmt.Fprintf(w, "%s\n", body)
	return err
}

// takeArguments is for commands that take between least and most arguments; most is -1 for any number.
func takeArguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		what := "too few arguments"
		if len(args) >= least {
			what = "too many arguments"
		}
		return &config.Problem{
			Sentence: fmt.Sprintf("%s for %s", what, cmd.Name()),
			Hint:     fmt.Sprintf("it is used as %q; what has spaces in it needs quotes", cmd.UseLine()),
		}
	}
}
