package domain

import "time"

// The queues, each worked by its own workers.
const (
	QueueBroadcasts    = "broadcasts"
	QueueNotifications = "notifications"
	QueueDefault       = "default"
)

// Queues has all queues, in the order in which the command line names them.
var Queues = []string{QueueBroadcasts, QueueNotifications, QueueDefault}

// JobKind says what a job does.
type JobKind string

// The kinds of jobs.
const (
	BroadcastMessage      JobKind = "BroadcastMessage"
	BroadcastRead         JobKind = "BroadcastRead"
	BroadcastSummary      JobKind = "BroadcastSummary"
	BroadcastNotification JobKind = "BroadcastNotification"
	NotifyOffline         JobKind = "NotifyOffline"
)

// Queue returns the queue that jobs of this kind wait in.
func (k JobKind) Queue() string {
	if k == NotifyOffline {
		return QueueNotifications
	}
	return QueueBroadcasts
}

// Job is something to be told to others. It has ids only: what they stand for is read when the job runs,
// with the rights of then.
type Job struct {
	ID             string  `json:"id"` // a uuid
	Kind           JobKind `json:"kind"`
	ConversationID int64   `json:"conversation_id,omitempty"`
	MessageID      int64   `json:"message_id,omitempty"`
	UserID         int64   `json:"user_id,omitempty"`         // whom it is about or for
	NotificationID string  `json:"notification_id,omitempty"` // a uuid
	Event          string  `json:"event,omitempty"`
	SocketID       string  `json:"socket_id,omitempty"` // the connection that need not be told

	// Attempt counts the times that a worker died over the job.
	Attempt   int       `json:"-"`
	CreatedAt time.Time `json:"-"`
}

// FailedJob is a job that was tried in vain.
type FailedJob struct {
	Job
	Error     string
	StartedAt time.Time
	FailedAt  time.Time
}

// Snapshot is a row of the dashboard's history.
type Snapshot struct {
	Queue            string
	At               time.Time
	Size             int
	Processed        int64
	Failed           int64
	ThroughputPerMin float64
	RuntimeMSAvg     float64
	WaitMS           float64
}
