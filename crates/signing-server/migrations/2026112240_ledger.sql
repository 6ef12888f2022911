-- Which tokens were used: one row for each (issuer, jti), written before anything is signed and kept
-- until the token can no longer be valid. `jti` is kept as its SHA-256, so that a long one fits the index.
CREATE TABLE used_token (
    issuer      TEXT   NOT NULL,
    jti_sha256  TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('reserved', 'consumed', 'released')),
    operation   TEXT   NOT NULL,
    worker      TEXT   NOT NULL,
    reserved_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (issuer, jti_sha256)
);

CREATE INDEX used_token_by_expiry ON used_token (expires_at);
