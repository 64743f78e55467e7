//! Hits: recorded once for each rule and article, queued once for each digest.

use super::{
    StoreError,
    row::{millis, optional_timestamp, outlet_column, timestamp},
};
use crate::core::{
    article::ArticleId,
    hit::{DigestName, HitArticle, HitId, RuleName, RuleVersion, StoredHit, TermMatch},
    story::StoryId,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params, types::Type};
use std::collections::HashSet;

/// The columns that [`stored`] reads, over the tables of [`JOINS`].
const COLUMNS: &str =
    "hit.id, hit.rule, hit.version, hit.found_at, hit.in_retrospect, hit.terms, article.id AS article_id, article.link,
    coalesce(revision.title, article.title) AS title, coalesce(revision.summary, article.summary) AS summary,
    coalesce(revision.content, article.content) AS content, article.author, article.category, article.published_at,
    article.first_seen_at, coalesce(story_member.story_id, article.id) AS story_id, feed.name AS feed_name, feed.title AS feed_title, feed.url AS feed_url";

/// The article of a hit in the text that the rule matched: where it was edited since, that is the first revision that
/// was replaced after the hit.
const JOINS: &str = "JOIN article ON article.id = hit.article_id JOIN feed ON feed.id = article.feed_id
    LEFT JOIN story_member ON story_member.article_id = article.id
    LEFT JOIN revision ON revision.article_id = hit.article_id AND revision.replaced_at =
        (SELECT min(replaced_at) FROM revision WHERE article_id = hit.article_id AND replaced_at > hit.found_at)";

/// Records a hit, unless the rule has hit this article before; then there is nothing to record.
///
/// # Errors
///
/// When SQLite fails.
pub fn record(
    connection: &Connection,
    rule: &RuleName,
    version: &RuleVersion,
    article: ArticleId,
    terms: &[TermMatch],
    now: Timestamp,
) -> Result<Option<HitId>, StoreError> {
    insert(connection, rule, version, article, terms, now, false)
}

/// Records a hit on an article that was there before this version of the rule, unless the rule has hit it before.
///
/// # Errors
///
/// When SQLite fails.
pub fn record_in_retrospect(
    connection: &Connection,
    rule: &RuleName,
    version: &RuleVersion,
    article: ArticleId,
    terms: &[TermMatch],
    now: Timestamp,
) -> Result<Option<HitId>, StoreError> {
    insert(connection, rule, version, article, terms, now, true)
}

fn insert(
    connection: &Connection,
    rule: &RuleName,
    version: &RuleVersion,
    article: ArticleId,
    terms: &[TermMatch],
    now: Timestamp,
    in_retrospect: bool,
) -> Result<Option<HitId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO hit (rule, version, article_id, found_at, terms, in_retrospect) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (rule, article_id) DO NOTHING RETURNING id",
    )?;
    let terms = serde_json::to_string(terms).expect("terms are strings and numbers");
    let values = params![rule.as_str(), version.as_str(), article.row(), millis(now), terms, in_retrospect];
    Ok(statement.query_row(values, |row| row.get(0)).optional()?.map(HitId::from_row))
}

/// What is on record of a rule that hit an article.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedHit {
    /// The rule.
    pub rule: RuleName,
    /// Its version at that time.
    pub version: RuleVersion,
    /// When it matched.
    pub found_at: Timestamp,
    /// The terms that matched, where.
    pub terms: Vec<TermMatch>,
}

/// Returns the hits on an article.
///
/// # Errors
///
/// When SQLite fails.
pub fn of_article(connection: &Connection, article: ArticleId) -> Result<Vec<RecordedHit>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT rule, version, found_at, terms FROM hit WHERE article_id = ?1")?;
    let hits = statement.query_map([article.row()], |row| {
        Ok(RecordedHit {
            rule: RuleName::new(row.get::<_, String>("rule")?),
            version: RuleVersion::new(row.get::<_, String>("version")?),
            found_at: timestamp(row, "found_at")?,
            terms: terms_column(row)?,
        })
    })?;
    Ok(hits.collect::<Result<_, _>>()?)
}

/// Queues a hit for the next edition of a digest. A suppressed one is counted there, not listed.
///
/// # Errors
///
/// When SQLite fails.
pub fn queue(connection: &Connection, digest: &DigestName, hit: HitId, suppressed: bool) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO digest_hit (digest, hit_id, suppressed) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    statement.execute(params![digest.as_str(), hit.row(), suppressed])?;
    Ok(())
}

/// Text of one edition's hits that is read into memory at most; hits beyond are counted, not listed.
const EDITION_TEXT_BYTES: usize = 16 << 20;

/// What waits for the next edition of a digest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pending {
    /// The hits that it will list, oldest first.
    pub hits: Vec<StoredHit>,
    /// The hits that it will only count.
    pub suppressed: Vec<HitId>,
}

/// Returns what waits for the next edition of a digest.
///
/// # Errors
///
/// When SQLite fails.
pub fn pending(connection: &Connection, digest: &DigestName) -> Result<Pending, StoreError> {
    let mut listed = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM digest_hit JOIN hit ON hit.id = hit_id {JOINS}
         WHERE digest = ?1 AND edition_id IS NULL AND suppressed = 0 ORDER BY hit.id",
    ))?;
    let (mut hits, mut over, mut bytes) = (Vec::new(), Vec::new(), 0);
    let told_before = told_before(connection, digest)?;
    for hit in listed.query_map([digest.as_str()], stored)? {
        let mut hit = hit?;
        hit.told_before = told_before.contains(&hit.id);
        bytes += hit.article.title.len() + hit.article.summary.len() + hit.article.content.len();
        if bytes <= EDITION_TEXT_BYTES { hits.push(hit) } else { over.push(hit.id) }
    }
    let mut counted = connection.prepare_cached(
        "SELECT hit.id FROM digest_hit JOIN hit ON hit.id = hit_id
         WHERE digest = ?1 AND edition_id IS NULL AND suppressed = 1 ORDER BY hit.id",
    )?;
    let suppressed = counted.query_map([digest.as_str()], |row| row.get(0).map(HitId::from_row))?;
    let suppressed = suppressed.chain(over.into_iter().map(Ok)).collect::<Result<_, _>>()?;
    Ok(Pending { hits, suppressed })
}

/// Returns those of the hits that wait whose story an earlier edition has shown under the same rule. One that was cut is
/// not counted on: it is not known which of its hits each mail showed.
fn told_before(connection: &Connection, digest: &DigestName) -> Result<HashSet<HitId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT waiting.hit_id FROM digest_hit AS waiting JOIN hit ON hit.id = waiting.hit_id
             JOIN story_member AS own ON own.article_id = hit.article_id
             JOIN story_member AS other ON other.story_id = own.story_id AND other.article_id <> own.article_id
             JOIN hit AS earlier ON earlier.article_id = other.article_id AND earlier.rule = hit.rule
             JOIN digest_hit AS told ON told.digest = waiting.digest AND told.hit_id = earlier.id
             JOIN edition ON edition.id = told.edition_id
         WHERE waiting.digest = ?1 AND waiting.edition_id IS NULL
             AND told.suppressed = 0 AND edition.cut = 0",
    )?;
    let told = statement.query_map([digest.as_str()], |row| row.get(0).map(HitId::from_row))?;
    Ok(told.collect::<Result<_, _>>()?)
}

/// Returns how many hits wait for the next edition of a digest.
///
/// # Errors
///
/// When SQLite fails.
pub fn count_pending(connection: &Connection, digest: &DigestName) -> Result<usize, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM digest_hit WHERE digest = ?1 AND edition_id IS NULL")?;
    Ok(statement.query_row([digest.as_str()], |row| row.get(0))?)
}

/// Moves hits that wait for a digest which is no longer configured to the digests that their rules feed now. Returns
/// how many still wait for such a digest, because their rule feeds none.
///
/// # Errors
///
/// When SQLite fails.
pub fn requeue(
    connection: &Connection,
    configured: &[&DigestName],
    digests_of: impl Fn(&RuleName) -> Vec<DigestName>,
) -> Result<usize, StoreError> {
    let mut names = connection.prepare_cached("SELECT DISTINCT digest FROM digest_hit WHERE edition_id IS NULL")?;
    let names = names.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut left = 0;
    for name in names.iter().filter(|name| configured.iter().all(|known| known.as_str() != name.as_str())) {
        let mut rows = connection.prepare_cached(
            "SELECT hit.id, hit.rule, suppressed FROM digest_hit JOIN hit ON hit.id = hit_id
             WHERE digest = ?1 AND edition_id IS NULL",
        )?;
        let rows = rows.query_map([name], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
        for (hit, rule, suppressed) in rows.collect::<Result<Vec<(i64, String, bool)>, _>>()? {
            let digests = digests_of(&RuleName::new(rule));
            if digests.is_empty() {
                left += 1;
                continue;
            }
            for digest in &digests {
                queue(connection, digest, HitId::from_row(hit), suppressed)?;
            }
            connection
                .prepare_cached("DELETE FROM digest_hit WHERE digest = ?1 AND hit_id = ?2")?
                .execute(params![name, hit])?;
        }
    }
    Ok(left)
}

/// Returns when the oldest hit was found that waits for a digest's next edition.
///
/// # Errors
///
/// When SQLite fails.
pub fn oldest_pending(connection: &Connection, digest: &DigestName) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT min(found_at) AS found_at FROM digest_hit JOIN hit ON hit.id = hit_id
         WHERE digest = ?1 AND edition_id IS NULL",
    )?;
    Ok(statement.query_row([digest.as_str()], |row| optional_timestamp(row, "found_at"))?)
}

/// Which hits a person asks for; everything that is absent does not restrict.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only this rule's.
    pub rule: Option<RuleName>,
    /// Only those that were queued for this digest.
    pub digest: Option<DigestName>,
    /// Only those found at or after.
    pub since: Option<Timestamp>,
    /// No more than these, the newest.
    pub limit: Option<usize>,
}

/// Returns the hits of a selection, newest first.
///
/// # Errors
///
/// When SQLite fails.
pub fn select(connection: &Connection, selection: &Selection) -> Result<Vec<StoredHit>, StoreError> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM hit {JOINS}
         WHERE (:rule IS NULL OR hit.rule = :rule) AND (:since IS NULL OR hit.found_at >= :since)
             AND (:digest IS NULL OR EXISTS (SELECT 1 FROM digest_hit WHERE digest = :digest AND hit_id = hit.id))
         ORDER BY hit.found_at DESC, hit.id DESC LIMIT :limit",
    ))?;
    let limit = selection.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let named = named_params! {
        ":rule": selection.rule.as_ref().map(RuleName::as_str),
        ":digest": selection.digest.as_ref().map(DigestName::as_str),
        ":since": selection.since.map(millis),
        ":limit": limit,
    };
    Ok(statement.query_map(named, stored)?.collect::<Result<_, _>>()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredHit> {
    Ok(StoredHit {
        id: HitId::from_row(row.get("id")?),
        rule: RuleName::new(row.get::<_, String>("rule")?),
        version: RuleVersion::new(row.get::<_, String>("version")?),
        found_at: timestamp(row, "found_at")?,
        in_retrospect: row.get("in_retrospect")?,
        terms: terms_column(row)?,
        told_before: false,
        article: HitArticle {
            id: ArticleId::from_row(row.get("article_id")?),
            story: StoryId::from_row(row.get("story_id")?),
            link: row.get("link")?,
            title: row.get("title")?,
            summary: row.get("summary")?,
            content: row.get("content")?,
            author: row.get("author")?,
            category: row.get("category")?,
            outlet: outlet_column(row)?,
            published: optional_timestamp(row, "published_at")?,
            first_seen: timestamp(row, "first_seen_at")?,
        },
    })
}

fn terms_column(row: &Row<'_>) -> rusqlite::Result<Vec<TermMatch>> {
    let terms: String = row.get("terms")?;
    serde_json::from_str(&terms)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}
