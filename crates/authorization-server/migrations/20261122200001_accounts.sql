-- People who may log in, as the `User` resources declare them. The server's start brings this table
-- up to date; an account that is declared no longer is disabled and its subject never given away again.
CREATE TABLE user_account (
    subject        TEXT   NOT NULL PRIMARY KEY,
    username       TEXT   NOT NULL UNIQUE,
    domain         TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    disabled_at    BIGINT,
    -- The newest time step (RFC 6238) whose code was used: it and those before it are refused.
    totp_last_step BIGINT NOT NULL DEFAULT 0
);

-- Failed attempts, by the hash of what was attempted: what a stranger types never gets in here readable.
CREATE TABLE login_throttle (
    key_hash      TEXT   NOT NULL PRIMARY KEY,
    failures      BIGINT NOT NULL,
    delay_ms      BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX login_throttle_updated ON login_throttle (updated_at);

-- How often something was asked for in the current window.
CREATE TABLE rate_window (
    key_hash   TEXT   NOT NULL PRIMARY KEY,
    started_at BIGINT NOT NULL,
    uses       BIGINT NOT NULL
);
CREATE INDEX rate_window_started ON rate_window (started_at);

-- A password login over JSON that waits for its second factor.
CREATE TABLE login_continuation (
    handle_hash TEXT   NOT NULL PRIMARY KEY,
    subject     TEXT   NOT NULL,
    client_id   TEXT   NOT NULL,
    tries       BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT
);
CREATE INDEX login_continuation_expires ON login_continuation (expires_at);
