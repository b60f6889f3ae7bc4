package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

func newListenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "listen CHANNEL…",
		Short: "Print the events of channels as they come",
		Long: `Print the events of channels as they come, a line for each: the time, the channel, the event and its data.

Private and presence channels are signed for with the app's secret. Without --user-id and --sign-in, listening to
a presence channel makes nobody a member of it. A lost connection is made again, as pusher-js does.`,
		Args: takeArguments(1, -1),
	}
	addTargetFlags(cmd)
	var l listening
	f := cmd.Flags()
	f.BoolVar(&l.asJSON, "json", false, "Print the messages as they come")
	f.IntVar(&l.count, "count", 0, "End after this many events")
	userID := f.String("user-id", "", "Join presence channels as this user")
	userInfo := f.String("user-info", "", "What others see of the user, as JSON")
	signIn := f.String("sign-in", "", "Sign in as a user: its id, or JSON such as {\"id\":\"7\",\"user_info\":{}}")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		l.out, l.notes = cmd.OutOrStdout(), cmd.ErrOrStderr()
		if isSet(cmd, "quiet") || isSet(cmd, "silent") {
			l.notes = io.Discard
		}
		member, err := memberData(*userID, *userInfo)
		if err != nil {
			return err
		}
		user, err := userData(*signIn)
		if err != nil {
			return err
		}
		return l.run(cmd, args, member, user)
	}
	return cmd
}

// memberData is the channel_data of a presence channel; "" is none.
func memberData(id, info string) (string, error) {
	switch {
	case id == "" && info == "":
		return "", nil
	case id == "":
		return "", &config.Problem{Sentence: "--user-info is given, but not who the user is", Hint: "set --user-id"}
	case info != "" && !json.Valid([]byte(info)):
		return "", &config.Problem{Sentence: "--user-info is no JSON", Hint: `write it as '{"name":"Ann"}'`}
	}
	data := map[string]any{"user_id": id}
	if info != "" {
		data["user_info"] = json.RawMessage(info)
	}
	text, err := json.Marshal(data)
	return string(text), err
}

// userData is the user_data to sign in with; "" is none.
func userData(user string) (string, error) {
	if user == "" || user[0] != '{' {
		if user != "" {
			text, err := json.Marshal(map[string]string{"id": user})
			return string(text), err
		}
		return "", nil
	}
	if !json.Valid([]byte(user)) {
		return "", &config.Problem{Sentence: "--sign-in begins like JSON and is none", Hint: `write it as 7 or '{"id":"7"}'`}
	}
	return user, nil
}

// listening is one run of listen.
type listening struct {
	asJSON bool
	count  int // how many events to wait for; 0 is no end
	out    io.Writer
	notes  io.Writer
	heard  int
}

// errEnough ends what has a count.
var errEnough = errors.New("enough")

func (l *listening) run(cmd *cobra.Command, names []string, member, user string) error {
	s, err := loadTarget(cmd)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f := pusher.Follower{
		UserData:  user,
		Connected: func(id string) { l.note("connected to %s as %s", s.URL, id) },
		Lost: func(err error, wait time.Duration) {
			l.note("connection lost: %s; trying again in %s", pusher.Reason(err), wait)
		},
		Event: l.event,
	}
	for _, name := range names {
		sub := pusher.Subscription{Channel: name}
		if channels.KindOf(name).Has(channels.Presence) {
			sub.ChannelData = member
		}
		f.Subscriptions = append(f.Subscriptions, sub)
	}
	return l.follow(ctx, s, f)
}

func (l *listening) follow(ctx context.Context, s *pusher.Server, f pusher.Follower) error {
	err := s.Follow(ctx, f)
	var f2 *failure
	switch {
	case errors.Is(err, errEnough):
		return nil
	case err == nil, errors.As(err, &f2):
		return err
	}
	return targetProblem(s, err)
}

func (l *listening) note(format string, a ...any) {
	fmt.Fprintln(l.notes, printable(fmt.Sprintf(format, a...)))
}

// event prints one, or notes what is only about the connection.
func (l *listening) event(e pusher.Event) error {
	switch e.Name {
	case "pusher:error", "pusher:signin_success":
		l.note("%s %s", e.Name, e.Text())
		return nil
	case "pusher:subscription_error":
		return &failure{config.Problem{
			Sentence: printable(fmt.Sprintf("%s cannot be subscribed to: %s", e.Channel, e.Text())),
			Hint:     "is the secret that of the server?",
		}}
	case "pusher_internal:subscription_succeeded":
		l.note("subscribed to %s %s", e.Channel, e.Text())
		return nil
	}
	if err := l.print(e); err != nil {
		return err
	}
	if l.heard++; l.heard == l.count {
		return errEnough
	}
	return nil
}

func (l *listening) print(e pusher.Event) error {
	if l.asJSON {
		var line bytes.Buffer
		if err := json.Compact(&line, e.Raw); err != nil {
			return err
		}
		return printBody(l.out, line.Bytes())
	}
	from := ""
	if e.UserID != "" {
		from = " from " + e.UserID
	}
	channel := e.Channel
	if channel == "" {
		channel = "-" // what is for the connection, such as watchlist events
	}
	line := fmt.Sprintf("%s %s %s%s %s", time.Now().Format("15:04:05.000"), channel, e.Name, from, e.Text())
	return printBody(l.out, []byte(printable(line)))
}
