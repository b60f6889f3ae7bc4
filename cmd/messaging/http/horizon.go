package http

import (
	"context"
	"embed"
	"path"
	"slices"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
)

// The dashboard's page, which needs no build.
//
//go:embed horizon
var horizonFiles embed.FS

const horizonPolicy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func horizonTable() []*route {
	list := []*route{
		{method: "GET", path: "/horizon", handle: horizonFile("index.html")},
		{method: "GET", path: "/horizon/api/stats", handle: queued((*request).horizonStats)},
		{method: "GET", path: "/horizon/api/snapshots", handle: (*request).horizonSnapshots},
		{method: "GET", path: "/horizon/api/jobs/recent", handle: queued((*request).horizonRecent)},
		{method: "GET", path: "/horizon/api/jobs/failed", handle: queued((*request).horizonFailed)},
		{method: "POST", path: "/horizon/api/jobs/failed/{queue}/{id}/retry", handle: queued((*request).horizonRetry)},
		{method: "DELETE", path: "/horizon/api/jobs/failed/{queue}/{id}", handle: queued((*request).horizonForget)},
	}
	for _, name := range []string{"horizon.js", "chart.js", "horizon.css"} {
		list = append(list, &route{method: "GET", path: "/horizon/" + name, handle: horizonFile(name)})
	}
	for _, r := range list {
		r.access = admins
	}
	return list
}

// queued is for what cannot be known when jobs are run where they are dispatched.
func queued(handle func(*request) error) func(*request) error {
	return func(r *request) error {
		if r.server.Dashboard == nil {
			return errNoQueues
		}
		return handle(r)
	}
}

func horizonFile(name string) func(*request) error {
	content, err := horizonFiles.ReadFile(path.Join("horizon", name))
	if err != nil {
		panic(err) // it is embedded
	}
	return func(r *request) error {
		r.http.SetContentType(contentType(name))
		r.http.Response.Header.Set("Content-Security-Policy", horizonPolicy)
		r.http.Response.Header.Set("Cache-Control", "no-cache, private")
		r.http.SetBody(content)
		return nil
	}
}

func (r *request) horizonStats() error {
	stats, err := r.server.Dashboard.Stats(r.ctx)
	if err != nil {
		return away(err)
	}
	return r.answer(fasthttp.StatusOK, stats)
}

const maxHours = 7 * 24

func (r *request) horizonSnapshots() error {
	hours, err := r.number("hours", 24, 1, maxHours)
	if err != nil {
		return err
	}
	rows, err := r.server.Store.SnapshotsSince(r.ctx, r.now.Add(-time.Duration(hours)*time.Hour))
	if err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, api.HorizonSnapshots{Snapshots: api.NewSnapshots(rows)})
}

func (r *request) horizonRecent() error { return r.horizonJobs(r.server.Dashboard.Recent) }

func (r *request) horizonFailed() error { return r.horizonJobs(r.server.Dashboard.Failed) }

// horizonJobs answers with a page of jobs.
func (r *request) horizonJobs(list func(ctx context.Context, queue string, limit, offset int) ([]api.HorizonJob, bool, error)) error {
	page, offset, err := r.page()
	if err != nil {
		return err
	}
	queue := string(r.http.QueryArgs().Peek("queue"))
	if queue != "" && !slices.Contains(domain.Queues, queue) {
		return invalid("queue", "The selected %s is invalid.")
	}
	jobs, more, err := list(r.ctx, queue, pageSize, offset)
	if err != nil {
		return away(err)
	}
	return r.answer(fasthttp.StatusOK, api.HorizonJobs{Jobs: jobs, Page: page, HasMore: more && page < maxPage})
}

func (r *request) horizonRetry() error { return r.horizonDo(r.server.Dashboard.Retry) }

func (r *request) horizonForget() error { return r.horizonDo(r.server.Dashboard.Forget) }

func (r *request) horizonDo(do func(ctx context.Context, id string) error) error {
	if !slices.Contains(domain.Queues, r.args["queue"]) {
		return domain.ErrNotFound
	}
	if err := do(r.ctx, r.args["id"]); err != nil {
		return err
	}
	return r.nothing()
}
