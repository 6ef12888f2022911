-- The self-signed certificate of each internal authority, made once: what it certified yesterday must
-- chain to the same certificate after a restart. The private key is not here but in a sealed file.
CREATE TABLE certificate_authority (
    name        TEXT   NOT NULL PRIMARY KEY,
    kid         TEXT   NOT NULL,
    certificate TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);
