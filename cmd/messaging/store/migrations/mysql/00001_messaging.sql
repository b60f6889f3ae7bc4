-- +goose Up
CREATE TABLE users (
	id            BIGINT AUTO_INCREMENT PRIMARY KEY,
	name          VARCHAR(255) NOT NULL,
	search_name   VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
	username      VARCHAR(64) COLLATE utf8mb4_bin NOT NULL UNIQUE,
	avatar_url    VARCHAR(1024) NOT NULL,
	password_hash VARCHAR(255) NOT NULL,
	is_admin      BOOLEAN NOT NULL DEFAULT FALSE,
	created_at    DATETIME(6) NOT NULL
) DEFAULT CHARACTER SET utf8mb4;
CREATE INDEX users_search_name ON users (search_name);

CREATE TABLE sessions (
	id             BIGINT AUTO_INCREMENT PRIMARY KEY,
	user_id        BIGINT NOT NULL,
	kind           VARCHAR(16) NOT NULL,
	hash           CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
	previous_hash  CHAR(64) CHARACTER SET ascii COLLATE ascii_bin UNIQUE,
	csrf           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	created_at     DATETIME(6) NOT NULL,
	rotated_at     DATETIME(6) NOT NULL,
	expires_at     DATETIME(6) NOT NULL,
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE conversations (
	id              BIGINT AUTO_INCREMENT PRIMARY KEY,
	type            VARCHAR(64) NOT NULL CHECK (type IN ('direct', 'group')),
	title           VARCHAR(120),
	direct_key      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin UNIQUE,
	created_by      BIGINT NOT NULL,
	last_message_id BIGINT,
	last_message_at DATETIME(6),
	change_seq      BIGINT NOT NULL DEFAULT 0,
	created_at      DATETIME(6) NOT NULL,
	updated_at      DATETIME(6) NOT NULL,
	FOREIGN KEY (created_by) REFERENCES users (id)
) DEFAULT CHARACTER SET utf8mb4;

CREATE TABLE conversation_participants (
	conversation_id      BIGINT NOT NULL,
	user_id              BIGINT NOT NULL,
	role                 VARCHAR(16) NOT NULL,
	joined_at            DATETIME(6) NOT NULL,
	left_at              DATETIME(6),
	last_read_message_id BIGINT NOT NULL DEFAULT 0,
	last_read_at         DATETIME(6),
	muted_at             DATETIME(6),
	unread_count         BIGINT NOT NULL DEFAULT 0,
	activity_at          DATETIME(6) NOT NULL,
	PRIMARY KEY (conversation_id, user_id),
	FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4;
CREATE INDEX participants_inbox ON conversation_participants (user_id, activity_at, conversation_id);
CREATE INDEX participants_unread ON conversation_participants (user_id, unread_count);

CREATE TABLE messages (
	id              BIGINT AUTO_INCREMENT PRIMARY KEY,
	conversation_id BIGINT NOT NULL,
	sender_id       BIGINT NOT NULL,
	uuid            CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
	client_temp_id  VARCHAR(64) COLLATE utf8mb4_bin,
	body            TEXT NOT NULL,
	created_change  BIGINT NOT NULL DEFAULT 0,
	change_id       BIGINT,
	created_at      DATETIME(6) NOT NULL,
	edited_at       DATETIME(6),
	deleted_at      DATETIME(6),
	UNIQUE (sender_id, client_temp_id),
	FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
	FOREIGN KEY (sender_id) REFERENCES users (id)
) DEFAULT CHARACTER SET utf8mb4;
CREATE INDEX messages_conversation ON messages (conversation_id, id);
CREATE INDEX messages_changes ON messages (conversation_id, change_id);

CREATE TABLE message_reads (
	message_id BIGINT NOT NULL,
	user_id    BIGINT NOT NULL,
	read_at    DATETIME(6) NOT NULL,
	PRIMARY KEY (message_id, user_id),
	FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE,
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4;

CREATE TABLE notifications (
	id         CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
	user_id    BIGINT NOT NULL,
	type       VARCHAR(64) NOT NULL,
	data       JSON NOT NULL,
	read_at    DATETIME(6),
	created_at DATETIME(6) NOT NULL,
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4;
CREATE INDEX notifications_user ON notifications (user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (user_id, read_at);

CREATE TABLE outbox (
	id         CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
	queue      VARCHAR(64) NOT NULL,
	payload    JSON NOT NULL,
	attempt    BIGINT NOT NULL DEFAULT 0,
	created_at DATETIME(6) NOT NULL,
	started_at DATETIME(6),
	failed_at  DATETIME(6),
	error      TEXT
) DEFAULT CHARACTER SET utf8mb4;
CREATE INDEX outbox_failed ON outbox (failed_at);
CREATE INDEX outbox_started ON outbox (started_at);

CREATE TABLE queue_snapshots (
	queue              VARCHAR(64) NOT NULL,
	at                 DATETIME(6) NOT NULL,
	size               BIGINT NOT NULL,
	processed          BIGINT NOT NULL,
	failed             BIGINT NOT NULL,
	throughput_per_min DOUBLE NOT NULL,
	runtime_ms_avg     DOUBLE NOT NULL,
	wait_ms            DOUBLE NOT NULL,
	PRIMARY KEY (queue, at)
) DEFAULT CHARACTER SET utf8mb4;
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
