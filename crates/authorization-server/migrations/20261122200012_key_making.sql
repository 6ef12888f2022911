-- The replica that is making this key, or is removing what one that gave up has made of it; null once a key has ended. Only the
-- replica that stands here may write the key down, so that nobody removes one that comes to be used.
ALTER TABLE key_remains ADD COLUMN maker TEXT;
