package domain

import (
	"context"
	"time"
)

// Store keeps everything that must not be lost. Its methods may be called from any goroutine; those that
// return jobs have already written them down.
type Store interface {
	Users
	Sessions
	Conversations
	Messages
	Notifications
	Outbox
	Snapshots

	Ping(ctx context.Context) error
}

// Users finds accounts.
type Users interface {
	User(ctx context.Context, id int64) (User, error)
	UserByUsername(ctx context.Context, username string) (User, error)
	// SearchUsers returns other users whose name or username begins with prefix, whatever its case.
	SearchUsers(ctx context.Context, self int64, prefix string, limit int) ([]User, error)
}

// Sessions keeps who is signed in.
type Sessions interface {
	CreateSession(ctx context.Context, s Session) error
	// Session finds a session that is alive by the hash of its proof or, for grace after a rotation, of the
	// proof before.
	Session(ctx context.Context, kind SessionKind, hash string, now time.Time, grace time.Duration) (Session, User, error)
	// RotateSession replaces the proof unless another request just did; it reports whether it has.
	RotateSession(ctx context.Context, s Session, hash string, now, expires time.Time) (bool, error)
	DeleteSession(ctx context.Context, id int64) error
	DeleteExpiredSessions(ctx context.Context, now time.Time) error
}

// Conversations keeps who talks with whom.
type Conversations interface {
	// CreateConversation finds a direct conversation that is there already instead of doubling it.
	CreateConversation(ctx context.Context, n NewConversation) (id int64, created bool, jobs []Job, err error)
	Conversation(ctx context.Context, userID, id int64) (Conversation, error)
	// Conversations returns a page of the user's conversations, newest first, and whether there are more.
	Conversations(ctx context.Context, userID int64, limit, offset int) ([]Conversation, bool, error)
	// Participants returns everybody in the conversation if the user is.
	Participants(ctx context.Context, userID, id int64) ([]Participant, error)
	IsParticipant(ctx context.Context, userID, id int64) (bool, error)
	UnreadTotal(ctx context.Context, userID int64) (int, error)
	SetMuted(ctx context.Context, userID, id int64, at *time.Time) error
}

// Messages keeps what was said and read.
type Messages interface {
	Send(ctx context.Context, n NewMessage) (Sent, error)
	// Change edits or deletes one of the user's own messages. Jobs are none if nothing changed.
	Change(ctx context.Context, c Change) (Message, []Job, error)
	// History returns up to limit messages before an id (0: the newest), ascending, and whether there are older ones.
	History(ctx context.Context, userID, conversationID, before int64, limit int) ([]Message, bool, error)
	Delta(ctx context.Context, q DeltaQuery) (Delta, error)
	// MarkRead moves the marker forward, never back, and returns where it is now and what is still unread.
	MarkRead(ctx context.Context, r Read) (ReadMarker, int, []Job, error)
	// Message returns a message of a conversation, for jobs: it asks for no user.
	Message(ctx context.Context, conversationID, id int64) (Message, error)
}

// Notifications keeps what users are to be told when they return.
type Notifications interface {
	Notifications(ctx context.Context, userID int64, limit, offset int) ([]Notification, bool, error)
	Notification(ctx context.Context, userID int64, id string) (Notification, error)
	UnreadNotifications(ctx context.Context, userID int64) (int, error)
	ReadNotification(ctx context.Context, userID int64, id string, at time.Time) (Notification, error)
	// Unreached returns the participants whom a message has not reached: not its sender, not muted, not
	// read up to it. There are none for a message that was deleted.
	Unreached(ctx context.Context, conversationID, messageID int64) ([]Participant, error)
	// Notify stores those notifications that are not there yet.
	Notify(ctx context.Context, ns []Notification) ([]Job, error)
}

// Outbox keeps the jobs that have not run.
type Outbox interface {
	// StartJob reports whether the job is to be run now: it is there, and nobody is at it who started after
	// stale.
	StartJob(ctx context.Context, id string, now, stale time.Time) (bool, error)
	FinishJob(ctx context.Context, id string) error
	// FailJob keeps the job for somebody to retry or forget it.
	FailJob(ctx context.Context, id, reason string, now time.Time) error
	// FailedJobs returns those of a queue, or of all for "", newest first.
	FailedJobs(ctx context.Context, queue string, limit, offset int) ([]FailedJob, bool, error)
	CountFailedJobs(ctx context.Context, queue string) (int, error)
	// RetryJob makes a failed job one that is to be run, with its Attempt raised.
	RetryJob(ctx context.Context, id string) (Job, error)
	// ForgetJob deletes a failed job.
	ForgetJob(ctx context.Context, id string) (Job, error)
	// HasJob reports whether the job is still to be run, and whether it failed.
	HasJob(ctx context.Context, id string) (there, failed bool, err error)
	// LostJobs returns jobs with ids after the given one, in their order, which were written before created
	// and are not being run. Those that somebody started before stale and did not end are among them, with
	// their Attempt raised.
	LostJobs(ctx context.Context, after string, created, stale time.Time, limit int) ([]Job, error)
	// RaiseAttempt counts an attempt of a job that nobody has started, and reports whether that is so.
	RaiseAttempt(ctx context.Context, id string) (bool, error)
	WaitingJobs(ctx context.Context) (int64, error)
}

// Snapshots keeps the history of the queues.
type Snapshots interface {
	// AddSnapshots ignores rows that are there already.
	AddSnapshots(ctx context.Context, rows []Snapshot) error
	SnapshotsSince(ctx context.Context, since time.Time) ([]Snapshot, error)
	DeleteSnapshots(ctx context.Context, before time.Time) error
}
