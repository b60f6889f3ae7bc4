-- +goose Up
CREATE TABLE users (
	id            INTEGER PRIMARY KEY AUTOINCREMENT,
	name          TEXT NOT NULL,
	search_name   TEXT NOT NULL,
	username      TEXT NOT NULL UNIQUE,
	avatar_url    TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	is_admin      BOOLEAN NOT NULL DEFAULT FALSE,
	created_at    DATETIME NOT NULL
);
CREATE INDEX users_search_name ON users (search_name);

CREATE TABLE sessions (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	kind           TEXT NOT NULL,
	hash           TEXT NOT NULL UNIQUE,
	previous_hash  TEXT UNIQUE,
	csrf           TEXT NOT NULL,
	created_at     DATETIME NOT NULL,
	rotated_at     DATETIME NOT NULL,
	expires_at     DATETIME NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE conversations (
	id              INTEGER PRIMARY KEY AUTOINCREMENT,
	type            TEXT NOT NULL CHECK (type IN ('direct', 'group')),
	title           TEXT,
	direct_key      TEXT UNIQUE,
	created_by      INTEGER NOT NULL REFERENCES users (id),
	last_message_id INTEGER,
	last_message_at DATETIME,
	change_seq      INTEGER NOT NULL DEFAULT 0,
	created_at      DATETIME NOT NULL,
	updated_at      DATETIME NOT NULL
);

CREATE TABLE conversation_participants (
	conversation_id      INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	user_id              INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	role                 TEXT NOT NULL,
	joined_at            DATETIME NOT NULL,
	left_at              DATETIME,
	last_read_message_id INTEGER NOT NULL DEFAULT 0,
	last_read_at         DATETIME,
	muted_at             DATETIME,
	unread_count         INTEGER NOT NULL DEFAULT 0,
	activity_at          DATETIME NOT NULL,
	PRIMARY KEY (conversation_id, user_id)
) WITHOUT ROWID;
CREATE INDEX participants_inbox ON conversation_participants (user_id, activity_at, conversation_id);
CREATE INDEX participants_unread ON conversation_participants (user_id, unread_count);

CREATE TABLE messages (
	id              INTEGER PRIMARY KEY AUTOINCREMENT,
	conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	sender_id       INTEGER NOT NULL REFERENCES users (id),
	uuid            TEXT NOT NULL UNIQUE,
	client_temp_id  TEXT,
	body            TEXT NOT NULL,
	created_change  INTEGER NOT NULL DEFAULT 0,
	change_id       INTEGER,
	created_at      DATETIME NOT NULL,
	edited_at       DATETIME,
	deleted_at      DATETIME,
	UNIQUE (sender_id, client_temp_id)
);
CREATE INDEX messages_conversation ON messages (conversation_id, id);
CREATE INDEX messages_changes ON messages (conversation_id, change_id) WHERE change_id IS NOT NULL;

CREATE TABLE message_reads (
	message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
	user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	read_at    DATETIME NOT NULL,
	PRIMARY KEY (message_id, user_id)
) WITHOUT ROWID;

CREATE TABLE notifications (
	id         TEXT PRIMARY KEY,
	user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	type       TEXT NOT NULL,
	data       TEXT NOT NULL,
	read_at    DATETIME,
	created_at DATETIME NOT NULL
) WITHOUT ROWID;
CREATE INDEX notifications_user ON notifications (user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (user_id, read_at);

CREATE TABLE outbox (
	id         TEXT PRIMARY KEY,
	queue      TEXT NOT NULL,
	payload    TEXT NOT NULL,
	attempt    INTEGER NOT NULL DEFAULT 0,
	created_at DATETIME NOT NULL,
	started_at DATETIME,
	failed_at  DATETIME,
	error      TEXT
) WITHOUT ROWID;
CREATE INDEX outbox_failed ON outbox (failed_at) WHERE failed_at IS NOT NULL;
CREATE INDEX outbox_started ON outbox (started_at) WHERE started_at IS NOT NULL;

CREATE TABLE queue_snapshots (
	queue              TEXT NOT NULL,
	at                 DATETIME NOT NULL,
	size               INTEGER NOT NULL,
	processed          INTEGER NOT NULL,
	failed             INTEGER NOT NULL,
	throughput_per_min REAL NOT NULL,
	runtime_ms_avg     REAL NOT NULL,
	wait_ms            REAL NOT NULL,
	PRIMARY KEY (queue, at)
) WITHOUT ROWID;
CREATE INDEX queue_snapshots_at ON queue_snapshots (at);

-- +goose Down
DROP TABLE queue_snapshots;
DROP TABLE outbox;
DROP TABLE notifications;
DROP TABLE message_reads;
DROP TABLE messages;
DROP TABLE conversation_participants;
DROP TABLE conversations;
DROP TABLE sessions;
DROP TABLE users;
