CREATE TABLE thing (
    id TEXT NOT NULL PRIMARY KEY,
    used_at BIGINT,
    note TEXT
);
