-- The page of an article: wanted, read, or given up. While it is wanted, the article has not met the rules.
CREATE TABLE full_text (
    article_id  INTEGER PRIMARY KEY REFERENCES article (id) ON DELETE CASCADE,
    feed_id     INTEGER NOT NULL REFERENCES feed (id),
    page        TEXT    NOT NULL,              -- URL
    wanted_at   INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,    -- that failed
    next_at     INTEGER,                       -- of the next attempt, while wanted
    finished_at INTEGER,                       -- when it was read or given up
    error       TEXT                           -- why the last attempt failed, or why it was given up
) STRICT;
CREATE INDEX full_text_wanted ON full_text (next_at) WHERE finished_at IS NULL;
CREATE INDEX full_text_of_feed ON full_text (feed_id, finished_at);
