-- Keys that sign tokens. Rows stay for good: no `kid` is ever given to a second key.
CREATE TABLE signing_key (
    kid              TEXT   NOT NULL PRIMARY KEY,
    alg              TEXT   NOT NULL,
    state            TEXT   NOT NULL,
    public_jwk       TEXT   NOT NULL,
    -- RFC 7638.
    thumbprint       TEXT   NOT NULL UNIQUE,
    -- Sealed, or where in a token the key is; null once it is erased.
    private          TEXT,
    created_at       BIGINT NOT NULL,
    published_at     BIGINT,
    published_epoch  BIGINT,
    activate_at      BIGINT,
    retired_at       BIGINT,
    -- No token of this key expires later, in seconds: raised before it signs.
    max_exp_s        BIGINT,
    evict_not_before BIGINT,
    gone_at          BIGINT,
    reason           TEXT,
    -- 1 for a key that resources name, 0 for one that was made by plan.
    declared         BIGINT NOT NULL
);

-- One row. Whoever changes keys updates it first, so that changes come one after the other.
CREATE TABLE key_epoch (
    id    BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL
);
INSERT INTO key_epoch (id, epoch) VALUES (1, 0);

-- Processes that serve this issuer, with their last sign of life and the epoch that they serve.
CREATE TABLE replica (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    epoch      BIGINT NOT NULL
);

-- What happened to keys, written with the change itself; `audited_at` once it stands in the audit log, too.
CREATE TABLE key_event (
    epoch      BIGINT NOT NULL,
    n          BIGINT NOT NULL,
    kid        TEXT   NOT NULL,
    alg        TEXT   NOT NULL,
    event      TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    reason     TEXT,
    audited_at BIGINT,
    PRIMARY KEY (epoch, n)
);
CREATE INDEX key_event_unaudited ON key_event (audited_at, at);
