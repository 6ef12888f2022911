-- Which log this database holds; one row.
CREATE TABLE audit_log (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    origin  TEXT   NOT NULL,
    created BIGINT NOT NULL
);

-- The chain. Rows are only ever added; the primary key decides between two writers.
CREATE TABLE audit_entry (
    sequence  BIGINT NOT NULL PRIMARY KEY,
    time      BIGINT NOT NULL,
    event     TEXT   NOT NULL,
    operation TEXT,
    subject   TEXT,
    details   TEXT   NOT NULL,
    salt      TEXT   NOT NULL,
    previous  TEXT   NOT NULL,
    entry     TEXT   NOT NULL
);

CREATE INDEX audit_entry_operation ON audit_entry (operation) WHERE operation IS NOT NULL;

-- Signed statements about the chain, each a compact JWS; `sequence` is the entry that it covers up to.
CREATE TABLE audit_checkpoint (
    sequence BIGINT NOT NULL PRIMARY KEY,
    jws      TEXT   NOT NULL
);
