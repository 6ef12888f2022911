CREATE TABLE owner (
    id TEXT NOT NULL PRIMARY KEY,
    thing TEXT NOT NULL REFERENCES thing (id)
);
CREATE INDEX owner_thing ON owner (thing);
