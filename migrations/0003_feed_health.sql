-- How feeds do, and where they moved to.
ALTER TABLE feed ADD COLUMN answers INTEGER NOT NULL DEFAULT 0;       -- polls that ended in something readable
ALTER TABLE feed ADD COLUMN not_modified INTEGER NOT NULL DEFAULT 0;  -- how many of them were answered with 304
ALTER TABLE feed ADD COLUMN daily_news REAL NOT NULL DEFAULT 0;       -- new articles a day, a decaying average
ALTER TABLE feed ADD COLUMN longest_gap INTEGER;                      -- seconds without news that are usual at most
ALTER TABLE feed ADD COLUMN moved_to TEXT;                            -- where polls begin instead of at url
ALTER TABLE feed ADD COLUMN moved_since INTEGER;
ALTER TABLE feed ADD COLUMN redirects_to TEXT;                        -- end of permanent redirects seen at the last polls
ALTER TABLE feed ADD COLUMN redirects_chain BLOB;                     -- hash of the way there
ALTER TABLE feed ADD COLUMN redirects_times INTEGER;                  -- how often it was the same
ALTER TABLE feed ADD COLUMN redirects_since INTEGER;
