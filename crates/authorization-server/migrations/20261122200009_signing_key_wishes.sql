-- From when an operator wants a key to sign, in place of the plan's moment; null while nobody does.
ALTER TABLE signing_key ADD COLUMN wanted_at BIGINT;
