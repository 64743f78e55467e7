-- Where an article is: a number that its page has in common with its editions for other devices, made by the program
-- (and put in for the articles of older stores). The second key by which an article is known again.
ALTER TABLE article ADD COLUMN place INTEGER;
CREATE INDEX article_place ON article (place, first_seen_at, feed_id) WHERE place IS NOT NULL;

-- The same text: the start of the hash keeps the index small; queries compare the whole.
CREATE INDEX article_text ON article (substr(text_hash, 1, 6));

-- The newest articles of a feed, among which a rewritten headline is looked for.
CREATE INDEX article_recent ON article (feed_id, first_seen_at);

-- When a feed last gave its articles new guids.
ALTER TABLE feed ADD COLUMN reidentified_at INTEGER;

-- Articles that are one story. An article that is in none has no row. For what people are shown only.
CREATE TABLE story_member (
    article_id INTEGER PRIMARY KEY REFERENCES article (id),
    story_id   INTEGER NOT NULL,               -- the article that the story began with
    level      TEXT    NOT NULL,               -- what showed it: first, guid, address, mobile-address, rewritten
    evidence   TEXT    NOT NULL,               -- what agreed, for people
    joined_to  INTEGER REFERENCES article (id), -- the article that it was compared with
    joined_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX story_member_story ON story_member (story_id);
