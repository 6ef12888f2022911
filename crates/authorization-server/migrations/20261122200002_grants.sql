-- Pushed requests (RFC 9126) and authentication contexts; the first use of the request URI sets `used_at`.
CREATE TABLE pushed_request (
    id         TEXT   NOT NULL PRIMARY KEY,
    uri_hash   TEXT   NOT NULL UNIQUE,
    client_id  TEXT   NOT NULL,
    -- The backend that asked for a context in the client's name; null for the client's own request.
    backend_id TEXT,
    request    TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX pushed_request_expires ON pushed_request (expires_at);

-- One run of a person through the pages. Both halves are kept as hashes: `id` stands in the pages, the
-- secret in the cookie of the browser that began.
CREATE TABLE interaction (
    id_hash     TEXT   NOT NULL PRIMARY KEY,
    secret_hash TEXT   NOT NULL,
    pushed_id   TEXT,
    request     TEXT   NOT NULL,
    step        TEXT   NOT NULL,
    subject     TEXT,
    factors     TEXT   NOT NULL,
    auth_time   BIGINT,
    tries       BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX interaction_expires ON interaction (expires_at);

-- Authorization codes, by hash. A redeemed row stays until it is swept, since a second use must be seen.
CREATE TABLE authorization_code (
    code_hash   TEXT   NOT NULL PRIMARY KEY,
    client_id   TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    request     TEXT   NOT NULL,
    factors     TEXT   NOT NULL,
    auth_time   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    redeemed_at BIGINT,
    -- The token that the code was redeemed for.
    jti         TEXT,
    replayed_at BIGINT
);
CREATE INDEX authorization_code_expires ON authorization_code (expires_at);
