-- Indexes in which what a feed brings at once lies together: those that scatter it are written anew, page after page,
-- with every batch of polls.

-- The same text, in one feed.
DROP INDEX article_text;
CREATE INDEX article_text ON article (feed_id, substr(text_hash, 1, 6));

-- A number that articles with one guid have in common, where it is not the place. Made by the program; older articles,
-- of whose guids only hashes are kept, have none.
ALTER TABLE article ADD COLUMN guid_place INTEGER;
CREATE INDEX article_guid_place ON article (guid_place, first_seen_at, feed_id) WHERE guid_place IS NOT NULL;

-- The articles of a feed by their last change: the newest ones, and those whose texts retention takes.
DROP INDEX article_recent;
DROP INDEX article_uncleared;
CREATE INDEX article_recent ON article (feed_id, changed_at) WHERE cleared_at IS NULL;
