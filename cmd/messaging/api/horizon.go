package api

import "time"

// Horizon answers GET /horizon/api/stats. All of /horizon is for admins; others get 403.
type Horizon struct {
	Status  string          `json:"status"` // "running", "paused" or "inactive"
	Queues  []HorizonQueue  `json:"queues"`
	Workers []HorizonWorker `json:"workers"`
	// JobsPerMinute and so on are of all queues together, since the last snapshot.
	JobsPerMinute float64 `json:"jobs_per_minute"`
	Processed     int64   `json:"processed"`
	Failed        int64   `json:"failed"`
	// Waiting is the number of rows that are not yet broadcast, queued or not.
	Waiting int64 `json:"waiting"`
}

// HorizonQueue is the state of one queue.
type HorizonQueue struct {
	Queue            string  `json:"queue"`
	Size             int     `json:"size"` // waiting and being worked on
	Pending          int     `json:"pending"`
	Active           int     `json:"active"`
	Failed           int     `json:"failed"`     // kept for retry or forget
	LatencyMS        int64   `json:"latency_ms"` // age of the oldest pending job
	ThroughputPerMin float64 `json:"throughput_per_min"`
	RuntimeMSAvg     float64 `json:"runtime_ms_avg"`
	WaitMSAvg        float64 `json:"wait_ms_avg"`
	Workers          int     `json:"workers"` // jobs that can be worked on at once
	Paused           bool    `json:"paused"`
}

// HorizonWorker is a supervisor: a process that works a queue.
type HorizonWorker struct {
	ID          string    `json:"id"`
	Host        string    `json:"host"`
	PID         int       `json:"pid"`
	Queues      []string  `json:"queues"`
	Concurrency int       `json:"concurrency"`
	Active      int       `json:"active"`
	Status      string    `json:"status"`
	StartedAt   time.Time `json:"started_at"`
}

// HorizonJobs answers GET /horizon/api/jobs/recent and GET /horizon/api/jobs/failed?queue=&page=.
type HorizonJobs struct {
	Jobs    []HorizonJob `json:"jobs"`
	Page    int          `json:"page"`
	HasMore bool         `json:"has_more"`
}

// HorizonJob is a job that has run. POST /horizon/api/jobs/failed/{queue}/{id}/retry runs a failed one again,
// DELETE /horizon/api/jobs/failed/{queue}/{id} forgets it; both are answered with 204.
type HorizonJob struct {
	ID        string    `json:"id"`
	Queue     string    `json:"queue"`
	Type      string    `json:"type"`
	Payload   string    `json:"payload"` // ids only, never a message's text
	Status    string    `json:"status"`  // "completed" or "failed"
	Error     string    `json:"error,omitempty"`
	At        time.Time `json:"at"` // when it ended
	RuntimeMS float64   `json:"runtime_ms"`
	WaitMS    float64   `json:"wait_ms"`
}

// HorizonSnapshots answers GET /horizon/api/snapshots?hours=24 (at most 168).
type HorizonSnapshots struct {
	Snapshots []HorizonSnapshot `json:"snapshots"` // ascending by time, every five minutes and queue one
}

// HorizonSnapshot is a row of queue_snapshots.
type HorizonSnapshot struct {
	Queue            string    `json:"queue"`
	At               time.Time `json:"at"`
	Size             int       `json:"size"`
	Processed        int64     `json:"processed"`
	Failed           int64     `json:"failed"`
	ThroughputPerMin float64   `json:"throughput_per_min"`
	RuntimeMSAvg     float64   `json:"runtime_ms_avg"`
	WaitMS           float64   `json:"wait_ms"`
}

// Health answers GET /up: 200, or 503 if the database is away.
type Health struct {
	Status string                 `json:"status"` // "ok", "degraded" or "down"
	Checks map[string]HealthCheck `json:"checks"` // "database", "redis", "websocket", "workers"
}

// HealthCheck is one part of the app.
type HealthCheck struct {
	OK      bool    `json:"ok"`
	Error   string  `json:"error,omitempty"`
	Latency float64 `json:"latency_ms"`
}
