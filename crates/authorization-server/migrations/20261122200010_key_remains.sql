-- Where private halves of keys that ended are still in a token. They are destroyed when nobody can be signing with them any more,
-- by any replica, and tried again until it is done.
CREATE TABLE key_remains (
    kid     TEXT   NOT NULL PRIMARY KEY,
    private TEXT   NOT NULL,
    since   BIGINT NOT NULL
);
