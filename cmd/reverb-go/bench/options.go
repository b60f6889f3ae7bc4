package bench

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
)

// options are the flags.
type options struct {
	// Which servers.
	url, appID, key, secret string
	pid                     int
	metricsURL              string
	insecure                bool
	ownServer               bool
	compare                 []string
	rounds                  int

	// What to do.
	file string
	load plan.Scenario // fields that were given
	rate string

	// How the client works.
	workers, loops int
	sources        []string

	output output
}

func (o *options) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	o.addServerFlags(f)
	o.addLoadFlags(f)
	f.IntVar(&o.workers, "workers", 0, "Processes to connect from (as many as the connections need)")
	f.IntVar(&o.loops, "loops", 0, "Event loops that receive, in each process (one for two processors)")
	f.StringSliceVar(&o.sources, "source", nil, "Addresses to connect from (on loopback as many as the connections need)")
	o.output.addFlags(f)
}

func (o *options) addServerFlags(f *pflag.FlagSet) {
	f.StringVar(&o.url, "url", "", "The server, such as ws://127.0.0.1:8080")
	f.StringVar(&o.appID, "app-id", "", "Id of an app there (environment REVERB_APP_ID)")
	f.StringVar(&o.key, "key", "", "The app's key (environment REVERB_APP_KEY)")
	f.StringVar(&o.secret, "secret", "", "The app's secret (environment REVERB_APP_SECRET)")
	f.IntVar(&o.pid, "pid", 0, "Process id of the server, to see what it costs (on this machine found by the port)")
	f.StringVar(&o.metricsURL, "metrics-url", "", "The server's Prometheus page, to see what it costs elsewhere")
	f.StringArrayVar(&o.compare, "compare", nil, "NAME=URL of servers to test in turn: ws://key:secret@host:port/app-id?pid=123")
	f.IntVar(&o.rounds, "rounds", 0, "How often to test each server (1, or 3 to compare)")
	f.BoolVar(&o.insecure, "insecure", false, "Believe any certificate")
	f.BoolVar(&o.ownServer, "yes-i-own-this-server", false, "Test a server that is not on this machine")
}

func (o *options) addLoadFlags(f *pflag.FlagSet) {
	s := &o.load
	f.StringVar(&o.file, "file", "", "A YAML file with scenarios of your own")
	f.IntVar(&s.Connections, "connections", 0, "Connections to make (connect), or to drop (reconnect-storm)")
	f.IntVar(&s.Channels, "channels", 0, "Channels")
	f.IntVar(&s.Subscribers, "subscribers", 0, "Subscribers of each channel")
	f.StringVar(&s.Kind, "kind", "", "Kind of the channels: public, private or presence")
	f.StringVar(&o.rate, "rate", "", "Events, connections, or joins and leaves each second, or max: as fast as the server confirms")
	f.IntVar(&s.Payload, "payload", 0, "Bytes of an event's data")
	f.IntVar(&s.Publishers, "publishers", 0, "HTTP connections that publish")
	f.IntVar(&s.Batch, "batch", 0, "Events in a request")
	f.IntVar(&s.Window, "window", 0, "Events, or connections, under way at rate max")
	f.IntVar(&s.Senders, "senders", 0, "Subscribers of each channel that send client events (whisper)")
	f.IntVar(&s.Joiners, "joiners", 0, "Members of each channel that come and go (presence)")
	f.DurationVar(&s.Life, "life", 0, "Time from subscribing to leaving (churn)")
	f.IntVar(&s.Slow, "slow", 0, "Subscribers of each channel that stop reading (slow-consumers)")
	f.DurationVar(&s.Warmup, "warmup", 0, "Time before the measured time")
	f.DurationVar(&s.Duration, "duration", 0, "The measured time")
	f.DurationVar(&s.Drain, "drain", 0, "Time to wait for what is late, after the last of it")
}

// apply changes a scenario as the flags say.
func (o *options) apply(f *pflag.FlagSet, s *plan.Scenario) error {
	for _, field := range []struct {
		name string
		set  func()
	}{
		{"connections", func() { s.Connections = o.load.Connections }},
		{"channels", func() { s.Channels = o.load.Channels }},
		{"subscribers", func() { s.Subscribers = o.load.Subscribers }},
		{"kind", func() { s.Kind = o.load.Kind }},
		{"payload", func() { s.Payload = o.load.Payload }},
		{"publishers", func() { s.Publishers = o.load.Publishers }},
		{"batch", func() { s.Batch = o.load.Batch }},
		{"window", func() { s.Window = o.load.Window }},
		{"senders", func() { s.Senders = o.load.Senders }},
		{"joiners", func() { s.Joiners = o.load.Joiners }},
		{"life", func() { s.Life = o.load.Life }},
		{"slow", func() { s.Slow = o.load.Slow }},
		{"warmup", func() { s.Warmup = o.load.Warmup }},
		{"duration", func() { s.Duration = o.load.Duration }},
		{"drain", func() { s.Drain = o.load.Drain }},
	} {
		if f.Changed(field.name) {
			field.set()
		}
	}
	if f.Changed("rate") {
		rate, err := plan.ParseRate(o.rate)
		if err != nil {
			return err
		}
		s.Rate = rate
	}
	return nil
}

// scenarios returns what the arguments and the file ask for.
func (o *options) scenarios(f *pflag.FlagSet, args []string) ([]plan.Scenario, error) {
	var file plan.File
	if o.file != "" {
		var err error
		if file, err = plan.Load(o.file); err != nil {
			return nil, usageError(err, "docs/bench.md shows a scenario file")
		}
		if len(args) == 0 {
			return o.checked(f, file.Scenarios)
		}
	}
	if len(args) == 0 {
		return nil, usageError(fmt.Errorf("which scenario?"), `"reverb-go bench --help" lists them; "all" is a sensible set`)
	}
	var all []plan.Scenario
	for _, arg := range args {
		if arg == "all" {
			all = append(all, plan.All()...)
			continue
		}
		s, ok := file.Find(arg)
		if !ok {
			var err error
			if s, err = plan.Builtin(arg); err != nil {
				return nil, usageError(err, `"reverb-go bench --help" lists them; --file has your own`)
			}
		}
		all = append(all, s)
	}
	return o.checked(f, all)
}

// checked applies the flags to each scenario, and gives those with the same label a number.
func (o *options) checked(f *pflag.FlagSet, all []plan.Scenario) ([]plan.Scenario, error) {
	if err := o.needless(f, all); err != nil {
		return nil, err
	}
	seen := make(map[string]int)
	for i := range all {
		s := &all[i]
		if err := o.apply(f, s); err != nil {
			return nil, usageError(err, "")
		}
		if err := s.Check(); err != nil {
			return nil, usageError(err, "")
		}
		label := s.Label()
		if seen[label]++; seen[label] > 1 {
			s.Name = fmt.Sprintf("%s #%d", label, seen[label])
		}
	}
	return all, nil
}

// needless reports a flag that changes none of the scenarios: whoever gave it would read numbers of another
// test than they meant.
func (o *options) needless(f *pflag.FlagSet, all []plan.Scenario) (err error) {
	f.Visit(func(flag *pflag.Flag) {
		if err != nil || !plan.IsField(flag.Name) {
			return
		}
		if !slices.ContainsFunc(all, func(s plan.Scenario) bool { return plan.Counts(s.Scenario, flag.Name) }) {
			kind := all[0].Scenario
			err = usageError(fmt.Errorf("--%s does not count for %s", flag.Name, kind), kind+" has "+strings.Join(plan.Fields(kind), ", "))
		}
	})
	return err
}

// checkCounts reports a number of processes, loops or rounds that there cannot be; 0 is as many as suit.
func (o *options) checkCounts() error {
	for _, count := range []struct {
		name string
		n    int
	}{{"workers", o.workers}, {"loops", o.loops}, {"rounds", o.rounds}, {"pid", o.pid}} {
		if count.n < 0 {
			return usageError(fmt.Errorf("--%s cannot be %d", count.name, count.n), "leave it out for what suits")
		}
	}
	return nil
}

func (o *options) addresses() (all []netip.Addr, err error) {
	for _, text := range o.sources {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, usageError(fmt.Errorf("%q is no address to connect from", text), "--source takes addresses of this machine, such as 127.0.0.2,127.0.0.3")
		}
		all = append(all, addr)
	}
	return all, nil
}

// pauseBefore returns how long a server may recover before a test.
func pauseBefore(s plan.Scenario) time.Duration { return min(s.Duration, time.Second) }
