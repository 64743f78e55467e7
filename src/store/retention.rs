//! Retention: texts go, keys and hits stay, so that nothing comes back as new.

use super::{StoreError, row::millis};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;

/// What retention took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cleared {
    /// Articles whose texts are gone.
    pub articles: usize,
    /// Earlier texts of edited articles.
    pub revisions: usize,
    /// Bytes of mails that were accepted or discarded.
    pub mails: usize,
}

/// Clears the texts of articles last changed before `before`, and the bytes of mails finished before it, `limit` rows
/// of each at most. An article that a digest still has to show, or that
/// waits for its page, keeps its text.
///
/// # Errors
///
/// When SQLite fails.
pub fn clear(connection: &Connection, before: Timestamp, limit: usize, now: Timestamp) -> Result<Cleared, StoreError> {
    let articles = connection
        .prepare_cached(
            "UPDATE article SET summary = '', content = '', author = '', category = '', cleared_at = ?3
             WHERE id IN (
                 SELECT article.id FROM feed CROSS JOIN article INDEXED BY article_recent
                     ON feed_id = feed.id AND changed_at < ?1 AND cleared_at IS NULL
                 WHERE NOT EXISTS (
                         SELECT 1 FROM hit JOIN digest_hit ON hit_id = hit.id
                         WHERE article_id = article.id AND edition_id IS NULL)
                     AND NOT EXISTS (
                         SELECT 1 FROM full_text WHERE article_id = article.id AND finished_at IS NULL)
                 LIMIT ?2)",
        )?
        .execute(params![millis(before), limit, millis(now)])?;
    let revisions = connection
        .prepare_cached(
            "DELETE FROM revision WHERE (article_id, replaced_at) IN (
                 SELECT article_id, replaced_at FROM revision WHERE replaced_at < ?1
                     AND NOT EXISTS (
                         SELECT 1 FROM hit JOIN digest_hit ON hit_id = hit.id
                         WHERE hit.article_id = revision.article_id AND edition_id IS NULL)
                 LIMIT ?2)",
        )?
        .execute(params![millis(before), limit])?;
    let mails = connection
        .prepare_cached(
            "UPDATE outbox SET message = x'' WHERE id IN (
                 SELECT id FROM outbox WHERE finished_at < ?1 AND finished_at IS NOT NULL AND length(message) > 0
                     AND state IN ('accepted', 'discarded') LIMIT ?2)",
        )?
        .execute(params![millis(before), limit])?;
    Ok(Cleared { articles, revisions, mails })
}
