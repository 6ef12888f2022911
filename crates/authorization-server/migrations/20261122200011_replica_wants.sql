-- What a replica goes by, as JSON: the algorithms of its plan, or the keys that its resources name. Null where its version does
-- not say.
ALTER TABLE replica ADD COLUMN wants TEXT;
