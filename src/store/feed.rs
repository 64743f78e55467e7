//! Feeds: which are configured, what is remembered of each, when each is polled next.

use super::{
    StoreError,
    row::{hash, millis, optional_timestamp, outlet, timestamp},
};
use crate::core::{
    feed::{BodyHash, Feed, FeedId, FeedState, FeedUrl, Validators},
    health::Tally,
    relocation::{Moved, PermanentRedirects, Relocation},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// A feed as the store holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFeed {
    /// Row of the feed.
    pub id: FeedId,
    /// What identifies it, credentials included: never shown.
    pub identity: String,
    /// Name that the configuration gives it.
    pub name: Option<String>,
    /// What is remembered of it.
    pub state: FeedState,
    /// When it is polled next.
    pub next_poll_at: Timestamp,
    /// Why then.
    pub next_poll_reason: String,
    /// Until when its host is to be left alone, as the answer to another feed said.
    pub parked_until: Option<Timestamp>,
}

impl StoredFeed {
    /// Returns when it is polled next. A last poll that is yet to come was made while the clock was wrong: what was
    /// decided then does not count.
    pub fn due(&self, now: Timestamp) -> Timestamp {
        if self.state.last_poll_at.is_some_and(|last| last > now) { now } else { self.next_poll_at }
    }

    /// Returns the name that people know it by: the configured one, its own title, else its host or file name.
    pub fn shown_name(&self) -> String {
        outlet(self.name.as_deref(), self.state.title.as_deref(), &self.identity)
    }
}

/// Makes the store's list of feeds the configured one: new feeds are due at `due(index)`, feeds that left keep their
/// rows (their articles stay known) and are polled no more. Returns the feeds in the order given.
///
/// # Errors
///
/// When SQLite fails.
pub fn configure(
    connection: &Connection,
    feeds: &[Feed],
    due: impl Fn(usize) -> Timestamp,
) -> Result<Vec<StoredFeed>, StoreError> {
    // 2: was configured until now. A feed that comes back is asked again, even one that was gone.
    connection.execute("UPDATE feed SET configured = 2 WHERE configured = 1", [])?;
    follow_moves(connection, feeds)?;
    let mut upsert = connection.prepare_cached(
        "INSERT INTO feed (url, configured, name, next_poll_at, next_poll_reason)
         VALUES (:url, 1, :name, :due, 'new in the configuration')
         ON CONFLICT (url) DO UPDATE SET configured = 1, name = excluded.name,
             next_poll_at = iif(configured = 0 AND gone_since IS NOT NULL, excluded.next_poll_at, next_poll_at),
             gone_since = iif(configured = 0, NULL, gone_since)
         RETURNING *",
    )?;
    let stored = feeds
        .iter()
        .enumerate()
        .map(|(index, feed)| {
            let named = named_params! {":url": feed.url.identity(), ":name": feed.name, ":due": millis(due(index))};
            Ok(upsert.query_row(named, self::stored)?)
        })
        .collect();
    connection.execute("UPDATE feed SET configured = 0 WHERE configured = 2", [])?;
    stored
}

/// Returns the configured feeds by id.
///
/// # Errors
///
/// When SQLite fails.
pub fn configured(connection: &Connection) -> Result<Vec<StoredFeed>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM feed WHERE configured = 1 ORDER BY id")?;
    Ok(statement.query_map([], stored)?.collect::<Result<_, _>>()?)
}

/// Returns one feed.
///
/// # Errors
///
/// [`StoreError::NotFound`] when there is none with this id.
pub fn one(connection: &Connection, id: FeedId) -> Result<StoredFeed, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM feed WHERE id = ?1")?;
    statement
        .query_row([id.row()], stored)
        .optional()?
        .ok_or_else(|| StoreError::NotFound(format!("there is no feed {} in the store", id.row())))
}

/// Records how a poll left a feed and when the next one is due.
///
/// # Errors
///
/// When SQLite fails.
pub fn record_poll(
    connection: &Connection,
    id: FeedId,
    state: &FeedState,
    next_poll_at: Timestamp,
    next_poll_reason: &str,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET title = :title, etag = :etag, last_modified = :last_modified,
             validators_url = :validators_url, body_hash = :body_hash, adaptive_interval = :adaptive_interval,
             next_poll_at = :next_poll_at, next_poll_reason = :next_poll_reason, last_poll_at = :last_poll_at,
             last_success_at = :last_success_at, last_new_at = :last_new_at, baseline_at = :baseline_at,
             failing_since = :failing_since, failures = :failures, last_error = :last_error, gone_since = :gone_since,
             mended = :mended, reidentified_at = :reidentified_at, parked_until = NULL, answers = :answers, not_modified = :not_modified,
             daily_news = :daily_news, longest_gap = :longest_gap, moved_to = :moved_to, moved_since = :moved_since,
             redirects_to = :redirects_to, redirects_chain = :redirects_chain, redirects_times = :redirects_times,
             redirects_since = :redirects_since
         WHERE id = :id",
    )?;
    let Relocation { moved, seen } = &state.relocation;
    statement.execute(named_params! {
        ":id": id.row(),
        ":title": state.title,
        ":etag": state.validators.etag,
        ":last_modified": state.validators.last_modified,
        ":validators_url": state.validators_url,
        ":body_hash": state.body_hash.map(|hash| hash.0),
        ":adaptive_interval": state.adaptive_interval.map(|interval| interval.as_secs()),
        ":next_poll_at": millis(next_poll_at),
        ":next_poll_reason": next_poll_reason,
        ":last_poll_at": state.last_poll_at.map(millis),
        ":last_success_at": state.last_success_at.map(millis),
        ":last_new_at": state.last_new_at.map(millis),
        ":baseline_at": state.baseline_at.map(millis),
        ":failing_since": state.failing_since.map(millis),
        ":failures": state.failures,
        ":last_error": state.last_error,
        ":gone_since": state.gone_since.map(millis),
        ":mended": state.mended,
        ":answers": state.tally.answers,
        ":not_modified": state.tally.not_modified,
        ":daily_news": state.tally.daily,
        ":longest_gap": state.tally.longest_gap.map(|gap| gap.as_secs()),
        ":moved_to": moved.as_ref().map(|moved| &moved.to),
        ":moved_since": moved.as_ref().map(|moved| millis(moved.since)),
        ":redirects_to": seen.as_ref().map(|seen| &seen.to),
        ":redirects_chain": seen.as_ref().map(|seen| seen.chain),
        ":redirects_times": seen.as_ref().map(|seen| seen.times),
        ":redirects_since": seen.as_ref().map(|seen| millis(seen.since)),
        ":reidentified_at": state.reidentified_at.map(millis),
    })?;
    Ok(())
}

/// Moves the next poll of a feed, for a person who asks for it. A host that asked to be left alone is left alone.
///
/// # Errors
///
/// When SQLite fails.
pub fn reschedule(connection: &Connection, id: FeedId, at: Timestamp, reason: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET next_poll_at = ?2, next_poll_reason = ?3
         WHERE id = ?1 AND (parked_until IS NULL OR parked_until <= ?2)",
    )?;
    statement.execute(params![id.row(), millis(at), reason])?;
    Ok(())
}

/// Leaves feeds alone until then, because the answer to another feed of their host asked for it.
///
/// # Errors
///
/// When SQLite fails.
pub fn park(connection: &Connection, feeds: &[FeedId], until: Timestamp) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET parked_until = ?2, next_poll_at = max(next_poll_at, ?2),
             next_poll_reason = 'another feed''s answer said to leave this host alone'
         WHERE id = ?1",
    )?;
    for feed in feeds {
        statement.execute(params![feed.row(), millis(until)])?;
    }
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredFeed> {
    let state = FeedState {
        title: row.get("title")?,
        validators: Validators { etag: row.get("etag")?, last_modified: row.get("last_modified")? },
        validators_url: row.get("validators_url")?,
        body_hash: row.get::<_, Option<Vec<u8>>>("body_hash")?.map(hash).transpose()?.map(BodyHash),
        adaptive_interval: row.get::<_, Option<u64>>("adaptive_interval")?.map(Duration::from_secs),
        last_poll_at: optional_timestamp(row, "last_poll_at")?,
        last_success_at: optional_timestamp(row, "last_success_at")?,
        last_new_at: optional_timestamp(row, "last_new_at")?,
        baseline_at: optional_timestamp(row, "baseline_at")?,
        failing_since: optional_timestamp(row, "failing_since")?,
        failures: row.get("failures")?,
        last_error: row.get("last_error")?,
        gone_since: optional_timestamp(row, "gone_since")?,
        mended: row.get("mended")?,
        relocation: relocation(row)?,
        tally: Tally {
            answers: row.get("answers")?,
            not_modified: row.get("not_modified")?,
            daily: row.get("daily_news")?,
            longest_gap: row.get::<_, Option<u64>>("longest_gap")?.map(Duration::from_secs),
        },
        reidentified_at: optional_timestamp(row, "reidentified_at")?,
    };
    Ok(StoredFeed {
        id: FeedId::from_row(row.get("id")?),
        identity: row.get("url")?,
        name: row.get("name")?,
        state,
        next_poll_at: timestamp(row, "next_poll_at")?,
        next_poll_reason: row.get("next_poll_reason")?,
        parked_until: optional_timestamp(row, "parked_until")?,
    })
}

fn relocation(row: &Row<'_>) -> rusqlite::Result<Relocation> {
    let moved = match (row.get("moved_to")?, optional_timestamp(row, "moved_since")?) {
        (Some(to), Some(since)) => Some(Moved { to, since }),
        _ => None,
    };
    let chain = row.get::<_, Option<Vec<u8>>>("redirects_chain")?.map(hash).transpose()?;
    let seen = match (row.get("redirects_to")?, chain, optional_timestamp(row, "redirects_since")?) {
        (Some(to), Some(chain), Some(since)) => {
            let times: Option<u32> = row.get("redirects_times")?;
            Some(PermanentRedirects { to, chain, times: times.unwrap_or(1), since })
        }
        _ => None,
    };
    Ok(Relocation { moved, seen })
}

/// Gives the row of a feed that was seen to move to the URL where the configuration has it now: it stays the same
/// feed, and nothing that it has brought alerts again (FEEDS A13).
fn follow_moves(connection: &Connection, feeds: &[Feed]) -> Result<(), StoreError> {
    let identities: HashSet<_> = feeds.iter().map(|feed| feed.url.identity()).collect();
    let mut moved = connection.prepare_cached(
        "SELECT id, url, moved_to, redirects_to FROM feed
         WHERE configured = 2 AND (moved_to IS NOT NULL OR redirects_to IS NOT NULL) ORDER BY id DESC",
    )?;
    let moved = moved.query_map([], |row| Ok((row.get(0)?, row.get(1)?, [row.get(2)?, row.get(3)?])))?;
    // Of several that moved to one place, the eldest has it.
    let mut left: HashMap<String, i64> = HashMap::new();
    for row in moved {
        let (id, url, targets): (i64, String, [Option<String>; 2]) = row?;
        if !identities.contains(&url) {
            left.extend(targets.into_iter().flatten().map(|target| (target, id)));
        }
    }
    let mut rename = connection.prepare_cached(
        "UPDATE feed SET url = ?2, moved_to = NULL, moved_since = NULL, redirects_to = NULL, redirects_chain = NULL,
             redirects_times = NULL, redirects_since = NULL
         WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM feed WHERE url = ?2)",
    )?;
    for feed in feeds {
        if left.is_empty() {
            break;
        }
        let FeedUrl::Web(url) = &feed.url else { continue };
        let mut public = url.clone();
        // Both fail only for URLs without a host, which no `Web` is.
        let _ = public.set_username("");
        let _ = public.set_password(None);
        if let Some(id) = left.remove(public.as_str()) {
            rename.execute(params![id, feed.url.identity()])?;
            left.retain(|_, other| *other != id);
        }
    }
    Ok(())
}
