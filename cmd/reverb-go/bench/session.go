package bench

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/conduct"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/plan"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/report"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/bench/internal/target"
)

// run does all tests and writes what was found.
func (o *options) run(ctx context.Context, cmd *cobra.Command, args []string) error {
	scenarios, err := o.scenarios(cmd.Flags(), args)
	if err != nil {
		return err
	}
	if err := cmp.Or(o.checkCounts(), o.output.check()); err != nil {
		return err
	}
	servers, err := o.servers(ctx)
	if err != nil {
		return err
	}
	sources, err := o.addresses()
	if err != nil {
		return err
	}
	s := session{
		scenarios: scenarios,
		servers:   servers,
		rounds:    o.roundsFor(servers),
		config:    conduct.Config{Workers: o.workers, Loops: o.loops, Sources: sources, Command: workerCommand()},
		screen:    newScreen(cmd),
	}
	s.report = report.New(s.rounds, time.Now())
	endless := s.run(ctx)
	if len(s.report.Runs) == 0 {
		return interrupted(ctx, endless)
	}
	if err := o.output.write(cmd, s.report); err != nil {
		return err
	}
	if endless != nil {
		return interrupted(ctx, endless)
	}
	if failed := s.report.Failed(); failed > 0 {
		return fmt.Errorf("%d of %d runs failed", failed, len(s.report.Runs))
	}
	return nil
}

func (o *options) roundsFor(servers []target.Target) int {
	switch {
	case o.rounds > 0:
		return o.rounds
	case len(servers) > 1:
		return 3
	}
	return 1
}

// session is a row of tests.
type session struct {
	scenarios []plan.Scenario
	servers   []target.Target
	rounds    int
	config    conduct.Config
	screen    *screen
	report    *report.Report
}

// run tests the servers in turn, A B A B, so that what changes on the machine meanwhile changes for all. A test
// that could not be done is a failure in the report; an error ends everything.
func (s *session) run(ctx context.Context) error {
	first := true
	for _, scenario := range s.scenarios {
		for round := 1; round <= s.rounds; round++ {
			for _, server := range s.servers {
				if !first {
					wait(ctx, pauseBefore(scenario))
				}
				first = false
				if err := s.test(ctx, scenario, server, round); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *session) test(ctx context.Context, scenario plan.Scenario, server target.Target, round int) error {
	cfg := s.config
	cfg.Target, cfg.Scenario = server, scenario
	cfg.Watch = s.screen.begin(s.title(scenario, server, round))
	o, err := conduct.Run(ctx, cfg)
	if ctx.Err() != nil {
		s.screen.end("")
		return ctx.Err()
	}
	var r report.Run
	if err != nil {
		r = report.NewFailure(scenario, server, round, err)
	} else {
		r = report.NewRun(scenario, server, round, o)
	}
	s.report.Runs = append(s.report.Runs, r)
	s.screen.end(r.Line())
	return nil
}

func (s *session) title(scenario plan.Scenario, server target.Target, round int) string {
	title := scenario.Label()
	if len(s.servers) > 1 {
		title += " · " + server.Name
	}
	if s.rounds > 1 {
		title += fmt.Sprintf(" · %d/%d", round, s.rounds)
	}
	return title
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
