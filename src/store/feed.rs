//! Feeds: which are configured, what is remembered of each, when each is polled next.

use super::{
    StoreError,
    row::{Columns, from_millis, millis, outlet},
};
use crate::core::{
    feed::{BodyHash, Feed, FeedId, FeedState, FeedUrl, Validator, Validators},
    health::Tally,
    relocation::{Moved, PermanentRedirects, Relocation},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use std::collections::{HashMap, HashSet};

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

/// The columns that [`stored`] reads, in its order.
const COLUMNS: &str = "id, url, name, next_poll_at, next_poll_reason, parked_until, title, etag, last_modified,
    validators_url, body_hash, adaptive_interval, last_poll_at, last_success_at, last_new_at, baseline_at,
    failing_since, failures, last_error, gone_since, mended, moved_to, moved_since, redirects_to, redirects_chain,
    redirects_times, redirects_since, answers, not_modified, daily_news, longest_gap, reidentified_at, watched_since,
    baseline_open_since";

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
/// rows (their articles stay known) and are polled no more, and of those that return the ones for which
/// `begins_anew(when it left)` get a new baseline. Returns the feeds in the order given.
///
/// # Errors
///
/// When SQLite fails.
pub fn configure(
    connection: &Connection,
    feeds: &[Feed],
    now: Timestamp,
    begins_anew: impl Fn(Timestamp) -> bool,
    due: impl Fn(usize) -> Timestamp,
) -> Result<Vec<StoredFeed>, StoreError> {
    if let Some(stored) = unchanged(connection, feeds)? {
        return Ok(stored);
    }
    // 2: was configured until now. A feed that comes back is asked again, even one that was gone.
    connection.execute("UPDATE feed SET configured = 2 WHERE configured = 1", [])?;
    follow_moves(connection, feeds)?;
    begin_anew(connection, feeds, now, begins_anew)?;
    let mut upsert = connection.prepare_cached(&format!(
        "INSERT INTO feed (url, configured, name, next_poll_at, next_poll_reason, watched_since)
         VALUES (:url, 1, :name, :due, 'new in the configuration', :now)
         ON CONFLICT (url) DO UPDATE SET configured = 1, name = excluded.name, left_at = NULL,
             next_poll_at = iif(configured = 0 AND gone_since IS NOT NULL, excluded.next_poll_at, next_poll_at),
             gone_since = iif(configured = 0, NULL, gone_since)
         RETURNING {COLUMNS}",
    ))?;
    let stored = feeds
        .iter()
        .enumerate()
        .map(|(index, feed)| {
            let (url, due) = (feed.url.identity(), millis(due(index)));
            let named = named_params! {":url": url, ":name": feed.name, ":due": due, ":now": millis(now)};
            Ok(upsert.query_row(named, self::stored)?)
        })
        .collect();
    connection.execute("UPDATE feed SET configured = 0, left_at = ?1 WHERE configured = 2", [millis(now)])?;
    stored
}

/// Returns the feeds in the order given if they are already those of the store, so that nothing is written at most
/// starts.
fn unchanged(connection: &Connection, feeds: &[Feed]) -> Result<Option<Vec<StoredFeed>>, StoreError> {
    let stored = configured(connection)?;
    if stored.len() != feeds.len() {
        return Ok(None);
    }
    let is_same = |stored: &StoredFeed, feed: &Feed| feed.url.is_called(&stored.identity) && stored.name == feed.name;
    if stored.iter().zip(feeds).all(|(stored, feed)| is_same(stored, feed)) {
        return Ok(Some(stored));
    }
    let mut by_identity: HashMap<String, StoredFeed> =
        stored.into_iter().map(|stored| (stored.identity.clone(), stored)).collect();
    let same = |feed: &Feed| by_identity.remove(&feed.url.identity()).filter(|stored| stored.name == feed.name);
    Ok(feeds.iter().map(same).collect())
}

/// Returns the configured feeds by id.
///
/// # Errors
///
/// When SQLite fails.
pub fn configured(connection: &Connection) -> Result<Vec<StoredFeed>, StoreError> {
    let mut feeds = Vec::new();
    visit(connection, |feed| {
        feeds.push(feed);
        Ok(())
    })?;
    Ok(feeds)
}

/// Shows each configured feed to `visit`, one after the other: all of them at once take memory.
///
/// # Errors
///
/// When SQLite fails, or what `visit` returned.
pub fn visit(
    connection: &Connection,
    mut visit: impl FnMut(StoredFeed) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM feed WHERE configured = 1 ORDER BY id"))?;
    for feed in statement.query_map([], stored)? {
        visit(feed?)?;
    }
    Ok(())
}

/// Returns one feed.
///
/// # Errors
///
/// [`StoreError::NotFound`] when there is none with this id.
pub fn one(connection: &Connection, id: FeedId) -> Result<StoredFeed, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM feed WHERE id = ?1"))?;
    statement
        .query_row([id.row()], stored)
        .optional()?
        .ok_or_else(|| StoreError::NotFound(format!("there is no feed {} in the store", id.row())))
}

/// Records how a poll that began with `before` left a feed, and when the next one is due.
///
/// # Errors
///
/// When SQLite fails.
pub fn record_poll(
    connection: &Connection,
    id: FeedId,
    before: &FeedState,
    state: &FeedState,
    next_poll_at: Timestamp,
    next_poll_reason: &str,
) -> Result<(), StoreError> {
    if !brought_nothing(before, state) {
        return record_all(connection, id, state, next_poll_at, next_poll_reason);
    }
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET adaptive_interval = ?2, next_poll_at = ?3, next_poll_reason = ?4, last_poll_at = ?5,
             last_success_at = ?6, answers = ?7, not_modified = ?8, daily_news = ?9, parked_until = NULL
         WHERE id = ?1",
    )?;
    statement.execute(params![
        id.row(),
        state.adaptive_interval.map(|interval| interval.as_secs()),
        millis(next_poll_at),
        next_poll_reason,
        state.last_poll_at.map(millis),
        state.last_success_at.map(millis),
        state.tally.answers,
        state.tally.not_modified,
        state.tally.daily,
    ])?;
    Ok(())
}

/// Tells whether a poll changed nothing but the columns that every poll changes, as most polls do.
fn brought_nothing(before: &FeedState, state: &FeedState) -> bool {
    // Taken apart, so that no field that is added is forgotten.
    let FeedState {
        title,
        validators,
        validators_url,
        body_hash,
        adaptive_interval: _,
        last_poll_at: _,
        last_success_at: _,
        last_new_at,
        watched_since: _,
        baseline_at,
        baseline_open_since,
        failing_since,
        failures,
        last_error,
        gone_since,
        mended,
        reidentified_at,
        relocation,
        tally: Tally { answers: _, not_modified: _, daily: _, longest_gap },
    } = before;
    *validators == state.validators
        && *validators_url == state.validators_url
        && *title == state.title
        && *body_hash == state.body_hash
        && (*last_new_at, *baseline_at) == (state.last_new_at, state.baseline_at)
        && *baseline_open_since == state.baseline_open_since
        && (*failing_since, *failures, *gone_since) == (state.failing_since, state.failures, state.gone_since)
        && *last_error == state.last_error
        && *mended == state.mended
        && *reidentified_at == state.reidentified_at
        && *relocation == state.relocation
        && *longest_gap == state.tally.longest_gap
}

fn record_all(
    connection: &Connection,
    id: FeedId,
    state: &FeedState,
    next_poll_at: Timestamp,
    next_poll_reason: &str,
) -> Result<(), StoreError> {
    // By number: a name is looked for among all names at each execution.
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET title = ?2, etag = ?3, last_modified = ?4, validators_url = ?5, body_hash = ?6,
             adaptive_interval = ?7, next_poll_at = ?8, next_poll_reason = ?9, last_poll_at = ?10,
             last_success_at = ?11, last_new_at = ?12, baseline_at = ?13, failing_since = ?14, failures = ?15,
             last_error = ?16, gone_since = ?17, mended = ?18, answers = ?19, not_modified = ?20, daily_news = ?21,
             longest_gap = ?22, moved_to = ?23, moved_since = ?24, redirects_to = ?25, redirects_chain = ?26,
             redirects_times = ?27, redirects_since = ?28, reidentified_at = ?29, baseline_open_since = ?30,
             parked_until = NULL
         WHERE id = ?1",
    )?;
    let Relocation { moved, seen } = &state.relocation;
    statement.execute(params![
        id.row(),
        state.title,
        state.validators.etag.as_ref().map(Validator::as_bytes),
        state.validators.last_modified.as_ref().map(Validator::as_bytes),
        state.validators_url,
        state.body_hash.map(|hash| hash.0),
        state.adaptive_interval.map(|interval| interval.as_secs()),
        millis(next_poll_at),
        next_poll_reason,
        state.last_poll_at.map(millis),
        state.last_success_at.map(millis),
        state.last_new_at.map(millis),
        state.baseline_at.map(millis),
        state.failing_since.map(millis),
        state.failures,
        state.last_error,
        state.gone_since.map(millis),
        state.mended,
        state.tally.answers,
        state.tally.not_modified,
        state.tally.daily,
        state.tally.longest_gap.map(|gap| gap.as_secs()),
        moved.as_ref().map(|moved| &moved.to),
        moved.as_ref().map(|moved| millis(moved.since)),
        seen.as_ref().map(|seen| &seen.to),
        seen.as_ref().map(|seen| seen.chain),
        seen.as_ref().map(|seen| seen.times),
        seen.as_ref().map(|seen| millis(seen.since)),
        state.reidentified_at.map(millis),
        state.baseline_open_since.map(millis),
    ])?;
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
    let mut row = Columns::of(row);
    // The fields in the order of the columns: they are read as they are written here.
    Ok(StoredFeed {
        id: FeedId::from_row(row.next()?),
        identity: row.next()?,
        name: row.next()?,
        next_poll_at: row.timestamp()?,
        next_poll_reason: row.next()?,
        parked_until: row.optional_timestamp()?,
        state: FeedState {
            title: row.next()?,
            validators: Validators { etag: validator(&mut row)?, last_modified: validator(&mut row)? },
            validators_url: row.next()?,
            body_hash: row.next::<Option<_>>()?.map(BodyHash),
            adaptive_interval: row.seconds()?,
            last_poll_at: row.optional_timestamp()?,
            last_success_at: row.optional_timestamp()?,
            last_new_at: row.optional_timestamp()?,
            baseline_at: row.optional_timestamp()?,
            failing_since: row.optional_timestamp()?,
            failures: row.next()?,
            last_error: row.next()?,
            gone_since: row.optional_timestamp()?,
            mended: row.next()?,
            relocation: relocation(&mut row)?,
            tally: Tally {
                answers: row.next()?,
                not_modified: row.next()?,
                daily: row.next()?,
                longest_gap: row.seconds()?,
            },
            reidentified_at: row.optional_timestamp()?,
            watched_since: row.optional_timestamp()?,
            baseline_open_since: row.optional_timestamp()?,
        },
    })
}

fn validator(row: &mut Columns<'_>) -> rusqlite::Result<Option<Validator>> {
    Ok(row.next::<Option<Vec<u8>>>()?.map(Validator::new))
}

fn relocation(row: &mut Columns<'_>) -> rusqlite::Result<Relocation> {
    let moved = match (row.next()?, row.optional_timestamp()?) {
        (Some(to), Some(since)) => Some(Moved { to, since }),
        _ => None,
    };
    let (to, chain, times): (_, _, Option<u32>) = (row.next()?, row.next()?, row.next()?);
    let seen = match (to, chain, row.optional_timestamp()?) {
        (Some(to), Some(chain), Some(since)) => {
            Some(PermanentRedirects { to, chain, times: times.unwrap_or(1), since })
        }
        _ => None,
    };
    Ok(Relocation { moved, seen })
}

/// Takes the baseline from the feeds that return and begin anew (FEEDS C13).
fn begin_anew(
    connection: &Connection,
    feeds: &[Feed],
    now: Timestamp,
    begins_anew: impl Fn(Timestamp) -> bool,
) -> Result<(), StoreError> {
    let mut left =
        connection.prepare("SELECT id, url, left_at FROM feed WHERE configured = 0 AND left_at IS NOT NULL")?;
    let left = left.query_map([], |row| Ok((row.get(0)?, row.get(1)?, from_millis(row.get(2)?)?)))?;
    let left = left.collect::<Result<Vec<(i64, String, Timestamp)>, _>>()?;
    if left.is_empty() {
        return Ok(());
    }
    let identities: HashSet<_> = feeds.iter().map(|feed| feed.url.identity()).collect();
    let mut anew = connection
        .prepare("UPDATE feed SET baseline_at = NULL, baseline_open_since = NULL, watched_since = ?2 WHERE id = ?1")?;
    for (id, url, left_at) in left {
        if identities.contains(&url) && begins_anew(left_at) {
            anew.execute((id, millis(now)))?;
        }
    }
    Ok(())
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
