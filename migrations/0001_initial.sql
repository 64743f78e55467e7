-- Instants are milliseconds since 1970-01-01T00:00:00Z.
PRAGMA application_id = 1719100264; -- 'fwch'

-- A feed and all that is remembered of it between polls.
CREATE TABLE feed (
    id                INTEGER PRIMARY KEY,
    url               TEXT    NOT NULL UNIQUE, -- as configured, credentials included; never shown
    configured        INTEGER NOT NULL,        -- 1 while it is in the configuration
    name              TEXT,                    -- configured name
    title             TEXT,                    -- what the feed calls itself
    etag              TEXT,
    last_modified     TEXT,
    validators_url    TEXT,
    body_hash         BLOB,
    adaptive_interval INTEGER,                 -- seconds
    next_poll_at      INTEGER NOT NULL,
    next_poll_reason  TEXT    NOT NULL,
    last_poll_at      INTEGER,
    last_success_at   INTEGER,
    last_new_at       INTEGER,
    baseline_at       INTEGER,
    failing_since     INTEGER,
    failures          INTEGER NOT NULL DEFAULT 0,
    last_error        TEXT,
    gone_since        INTEGER,
    parked_until      INTEGER,                 -- its host asked, through another feed, to be left alone
    mended            TEXT                     -- what had to be mended in the last document
) STRICT;

-- An article in one feed. Keys outlive texts: a row is never deleted while its feed may show it again.
CREATE TABLE article (
    id            INTEGER PRIMARY KEY,
    feed_id       INTEGER NOT NULL REFERENCES feed (id),
    key           TEXT    NOT NULL,
    canonical_url TEXT,
    link          TEXT,
    title         TEXT    NOT NULL,
    summary       TEXT    NOT NULL,
    content       TEXT    NOT NULL,
    author        TEXT    NOT NULL,            -- one name a line
    category      TEXT    NOT NULL,            -- one a line
    language      TEXT,
    published_at  INTEGER,
    updated_at    INTEGER,
    text_hash     BLOB    NOT NULL,
    first_seen_at INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,            -- when this text was first seen
    backlog       INTEGER NOT NULL,            -- 1: was old when the feed was first read, does not alert
    cleared_at    INTEGER,                     -- when retention took the texts
    UNIQUE (feed_id, key)
) STRICT;
CREATE INDEX article_first_seen ON article (first_seen_at);
CREATE INDEX article_uncleared ON article (changed_at) WHERE cleared_at IS NULL;

-- Earlier texts of an article that was edited.
CREATE TABLE revision (
    article_id  INTEGER NOT NULL REFERENCES article (id) ON DELETE CASCADE,
    replaced_at INTEGER NOT NULL,
    title       TEXT    NOT NULL,
    summary     TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    PRIMARY KEY (article_id, replaced_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX revision_replaced ON revision (replaced_at);

-- One hit for each rule and article, ever.
CREATE TABLE hit (
    id         INTEGER PRIMARY KEY,
    rule       TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    article_id INTEGER NOT NULL REFERENCES article (id),
    found_at   INTEGER NOT NULL,
    terms      TEXT    NOT NULL,               -- JSON: [{term, field, start, end}]
    UNIQUE (rule, article_id)
) STRICT;
CREATE INDEX hit_article ON hit (article_id);
CREATE INDEX hit_found ON hit (found_at);

-- The digests that were ever configured.
CREATE TABLE digest (
    name  TEXT    PRIMARY KEY,
    since INTEGER NOT NULL                     -- when it was first configured: start of its first window
) STRICT, WITHOUT ROWID;

-- One edition for each digest and slot, also of those that had nothing to say.
CREATE TABLE edition (
    id           INTEGER PRIMARY KEY,
    digest       TEXT    NOT NULL,
    slot_at      INTEGER NOT NULL,
    window_start INTEGER NOT NULL,
    window_end   INTEGER NOT NULL,
    hits         INTEGER NOT NULL,
    sent         INTEGER NOT NULL,             -- 1: it had something to say, mails went to the outbox
    UNIQUE (digest, slot_at)
) STRICT;

-- The way of a hit into the one edition of each of its digests.
CREATE TABLE digest_hit (
    digest     TEXT    NOT NULL,
    hit_id     INTEGER NOT NULL REFERENCES hit (id),
    suppressed INTEGER NOT NULL,               -- 1: over the limit of hits for one poll; counted, not listed
    edition_id INTEGER REFERENCES edition (id),
    PRIMARY KEY (digest, hit_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX digest_hit_pending ON digest_hit (digest, hit_id) WHERE edition_id IS NULL;
CREATE INDEX digest_hit_edition ON digest_hit (edition_id) WHERE edition_id IS NOT NULL;

-- Mails as bytes, from the moment that they were composed.
CREATE TABLE outbox (
    id                 INTEGER PRIMARY KEY,
    edition_id         INTEGER REFERENCES edition (id),
    sender             TEXT    NOT NULL,
    recipient          TEXT    NOT NULL,
    message_id         TEXT    NOT NULL UNIQUE,
    subject            TEXT    NOT NULL,
    message            BLOB    NOT NULL,
    created_at         INTEGER NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN ('waiting', 'held', 'accepted', 'discarded')),
    attempts           INTEGER NOT NULL DEFAULT 0,
    next_attempt_at    INTEGER,                -- while waiting
    attempt_started_at INTEGER,                -- while being submitted
    doubt_since        INTEGER,                -- an attempt whose end nobody knows: the mail may have arrived
    last_error         TEXT,
    finished_at        INTEGER,
    reply              TEXT                    -- what the server said when it accepted
) STRICT;
CREATE INDEX outbox_waiting ON outbox (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX outbox_edition ON outbox (edition_id);
CREATE INDEX outbox_finished ON outbox (finished_at) WHERE finished_at IS NOT NULL AND length(message) > 0;

-- What the administrator was told, so that it is said once.
CREATE TABLE notice (
    subject    TEXT    PRIMARY KEY,            -- what it is about, such as feed:12 or mail:7
    raised_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the running daemon says of itself; one row.
CREATE TABLE daemon (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    pid           INTEGER NOT NULL,
    version       TEXT    NOT NULL,
    started_at    INTEGER NOT NULL,
    alive_at      INTEGER NOT NULL,
    configuration TEXT    NOT NULL,            -- the main file
    reload        TEXT                         -- how the last reload ended
) STRICT;
