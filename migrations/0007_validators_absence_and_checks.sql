-- Validators are bytes, which need not be text.
ALTER TABLE feed RENAME COLUMN etag TO etag_text;
ALTER TABLE feed RENAME COLUMN last_modified TO last_modified_text;
ALTER TABLE feed ADD COLUMN etag BLOB;
ALTER TABLE feed ADD COLUMN last_modified BLOB;
UPDATE feed SET etag = CAST(etag_text AS BLOB), last_modified = CAST(last_modified_text AS BLOB);
ALTER TABLE feed DROP COLUMN etag_text;
ALTER TABLE feed DROP COLUMN last_modified_text;

-- Whether a feed that returns to the configuration begins with a new baseline.
ALTER TABLE feed ADD COLUMN watched_since INTEGER; -- when it came into the configuration, or came back for a new baseline
ALTER TABLE feed ADD COLUMN left_at INTEGER;       -- when it left the configuration, while it is not in there
UPDATE feed SET left_at = last_poll_at WHERE configured = 0;

-- When the file was last looked over for damage, and what was found; one row.
CREATE TABLE store_check (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    checked_at INTEGER NOT NULL,
    damage     TEXT                                -- what SQLite said; null: it is sound
) STRICT;
