-- The versions of rules that were ever in force, and how far each was run over what was stored before it.
CREATE TABLE rule_version (
    rule          TEXT    NOT NULL,
    version       TEXT    NOT NULL,
    met_at        INTEGER NOT NULL,            -- since when it meets new articles
    in_force      INTEGER NOT NULL,            -- 1 while it is in the configuration
    since         INTEGER,                     -- it is run over articles first seen since then; null: over none
    after_article INTEGER,                     -- it was run over the articles up to this one
    last_article  INTEGER,                     -- and is to be run up to this one, the last that was there before it
    hits          INTEGER NOT NULL DEFAULT 0,  -- what that found
    PRIMARY KEY (rule, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_version_unfinished ON rule_version (in_force) WHERE after_article < last_article;

ALTER TABLE hit ADD COLUMN in_retrospect INTEGER NOT NULL DEFAULT 0; -- 1: of an article that was there before the rule
