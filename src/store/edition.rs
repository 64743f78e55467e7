//! Digests' progress and their editions: composed once, committed with their mails.

use super::{
    StoreError,
    row::{millis, optional_timestamp, outlet_column, timestamp},
};
use crate::core::{
    digest::{Coverage, FailingFeed, Window},
    hit::{DigestName, HitId},
    schedule::DigestProgress,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// Row of an edition in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditionId(pub(super) i64);

/// Returns how far a digest has come; one that is new starts its first window now.
///
/// # Errors
///
/// When SQLite fails.
pub fn progress(connection: &Connection, digest: &DigestName, now: Timestamp) -> Result<DigestProgress, StoreError> {
    connection
        .prepare_cached("INSERT INTO digest (name, since) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![digest.as_str(), millis(now)])?;
    known_progress(connection, digest, now)?
        .ok_or_else(|| StoreError::NotFound(format!("the digest {digest} is not in the store")))
}

/// Returns how far a digest has come, if it has begun. Editions of a time that is yet to come, made while the clock was
/// wrong, do not count.
///
/// # Errors
///
/// When SQLite fails.
pub fn known_progress(
    connection: &Connection,
    digest: &DigestName,
    now: Timestamp,
) -> Result<Option<DigestProgress>, StoreError> {
    let oldest_pending_hit = super::hit::oldest_pending(connection, digest)?;
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(
                (SELECT window_end FROM edition WHERE digest = name AND slot_at <= ?2 ORDER BY slot_at DESC LIMIT 1),
                since) AS window_end,
            (SELECT max(window_end) FROM edition WHERE digest = name AND sent AND window_end <= ?2) AS last_sent_at
         FROM digest WHERE name = ?1",
    )?;
    let progress = statement.query_row(params![digest.as_str(), millis(now)], |row| {
        Ok(DigestProgress {
            window_end: timestamp(row, "window_end")?.min(now),
            last_sent_at: optional_timestamp(row, "last_sent_at")?,
            oldest_pending_hit,
        })
    });
    Ok(progress.optional()?)
}

/// An edition about to be recorded.
#[derive(Debug, Clone)]
pub struct NewEdition<'a> {
    /// The digest.
    pub digest: &'a DigestName,
    /// The schedule's slot, which is the edition's identity.
    pub slot: Timestamp,
    /// The time covered.
    pub window: Window,
    /// Every hit that it takes, the suppressed ones included.
    pub hits: &'a [HitId],
    /// Whether it has something to say, so that mails go out.
    pub sent: bool,
}

/// Records an edition and takes its hits. Returns nothing when the slot had its edition
/// already: then nothing was changed (promise P2).
///
/// # Errors
///
/// When SQLite fails, or when a hit was taken by another edition in the meantime.
pub fn record(connection: &Connection, edition: &NewEdition<'_>) -> Result<Option<EditionId>, StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO edition (digest, slot_at, window_start, window_end, hits, sent) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (digest, slot_at) DO NOTHING RETURNING id",
    )?;
    let digest = edition.digest.as_str();
    let Window { start, end } = edition.window;
    let values = params![digest, millis(edition.slot), millis(start), millis(end), edition.hits.len(), edition.sent];
    let Some(id) = insert.query_row(values, |row| row.get::<_, i64>(0)).optional()? else { return Ok(None) };
    let mut take = connection.prepare_cached(
        "UPDATE digest_hit SET edition_id = ?3 WHERE digest = ?1 AND hit_id = ?2 AND edition_id IS NULL",
    )?;
    for hit in edition.hits {
        if take.execute(params![digest, hit.row(), id])? != 1 {
            return Err(StoreError::Aborted(format!("hit {} of {digest} is in another edition", hit.row())));
        }
    }
    Ok(Some(EditionId(id)))
}

/// Marks that a mail of an edition does not show all of its hits.
///
/// # Errors
///
/// When SQLite fails.
pub(super) fn mark_cut(connection: &Connection, edition: EditionId) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE edition SET cut = 1 WHERE id = ?1")?.execute([edition.0])?;
    Ok(())
}

/// Returns what was looked at in a window; the caller adds the editions that were missed.
///
/// # Errors
///
/// When SQLite fails.
pub fn coverage(connection: &Connection, window: Window) -> Result<Coverage, StoreError> {
    let within = params![millis(window.start), millis(window.end)];
    let (feeds, feeds_polled) = connection
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE last_success_at > ?1 AND last_success_at <= ?2) FROM feed
             WHERE configured = 1",
        )?
        .query_row(within, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let articles_seen = connection
        .prepare_cached("SELECT count(*) FROM article WHERE first_seen_at > ?1 AND first_seen_at <= ?2")?
        .query_row(within, |row| row.get(0))?;
    let mut statement = connection.prepare_cached(
        "SELECT name AS feed_name, title AS feed_title, url AS feed_url, failing_since, last_error FROM feed
         WHERE configured = 1 AND failing_since IS NOT NULL ORDER BY failing_since, id",
    )?;
    let failing = statement
        .query_map([], |row| {
            let cause = row.get::<_, Option<String>>("last_error")?.unwrap_or_default();
            Ok(FailingFeed { name: outlet_column(row)?, since: timestamp(row, "failing_since")?, cause })
        })?
        .collect::<Result<_, _>>()?;
    Ok(Coverage { feeds, feeds_polled, failing, articles_seen, ..Coverage::default() })
}
