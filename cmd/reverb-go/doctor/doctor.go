package doctor

import (
	"context"
	"crypto/x509"
	"io/fs"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/config"
	"github.com/reverb-go/reverb-go/cmd/reverb-go/pusher"
)

// A Level says how bad something is.
type Level string

const (
	OK      Level = "ok"
	Warning Level = "warning" // works, but not as well or not for everybody
	Error   Level = "error"   // keeps clients or backends from working
)

// A Finding is one thing that was looked at.
type Finding struct {
	Check    string `json:"check"` // which part of the examination
	Level    Level  `json:"level"`
	Sentence string `json:"sentence"`
	Fix      string `json:"fix,omitempty"`
}

// A Patient is what is examined.
type Patient struct {
	Config   *config.Config
	Warnings []config.Problem // what start warns of

	OpenFiles   uint64            // how many may be open; 0 is unknown
	Kernel      fs.FS             // /proc/sys; nil is not there
	Certificate *x509.Certificate // the server's own; nil without one

	Redis func() (redis.UniversalClient, error) // nil if nothing needs it

	Local *pusher.Server // where the configuration says that the server listens; nil without an app
	Apps  []App
	// Patience is how long a connection is kept silent, to see whether something cuts it; 0 is not at all.
	Patience time.Duration

	Now func() time.Time
}

// An App is one app at the addresses where it is looked for.
type App struct {
	config.App
	Backend *pusher.Server // where Laravel publishes; nil if nobody says
	Browser *pusher.Server // where browsers connect
}

// report collects findings of one check.
type report struct {
	check string
	list  []Finding
}

func (r *report) ok(sentence string)           { r.add(OK, sentence, "") }
func (r *report) warn(sentence, fix string)    { r.add(Warning, sentence, fix) }
func (r *report) problem(sentence, fix string) { r.add(Error, sentence, fix) }

func (r *report) add(level Level, sentence, fix string) {
	r.list = append(r.list, Finding{r.check, level, sentence, fix})
}

// HasErrors reports whether one of the findings is an error.
func HasErrors(list []Finding) bool {
	for _, f := range list {
		if f.Level == Error {
			return true
		}
	}
	return false
}

// Examine makes all checks, and ends early when ctx does.
func Examine(ctx context.Context, p Patient) []Finding {
	var all []Finding
	for _, check := range []struct {
		name string
		do   func(context.Context, *report, Patient)
	}{
		{"configuration", checkConfiguration},
		{"env", checkEnv},
		{"files", checkFiles},
		{"kernel", checkKernel},
		{"redis", checkRedis},
		{"certificate", checkCertificate},
		{"server", checkServer},
		{"backend", checkBackends},
		{"browser", checkBrowsers},
		{"idle", checkIdle},
	} {
		r := report{check: check.name}
		check.do(ctx, &r, p)
		all = append(all, r.list...)
	}
	return all
}

func checkConfiguration(_ context.Context, r *report, p Patient) {
	for _, w := range p.Warnings {
		r.warn(w.Sentence, w.Hint)
	}
	if len(p.Config.Apps) == 0 {
		r.warn("no app is configured, so start runs a throw-away app on loopback only", "set REVERB_APP_ID, REVERB_APP_KEY and REVERB_APP_SECRET")
		return
	}
	if len(p.Warnings) == 0 {
		r.ok("nothing is unusual about it")
	}
}
