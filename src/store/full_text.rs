//! Pages of articles: which are wanted, which were read, which were given up and why.

use super::{
    StoreError,
    row::{millis, optional_timestamp, timestamp},
};
use crate::core::{
    article::{ArticleId, Item},
    feed::FeedId,
};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::{collections::HashMap, time::Duration};
use url::Url;

/// A page that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct WantedPage {
    /// The article, which has not met the rules.
    pub article: ArticleId,
    /// The feed that brought it.
    pub feed: FeedId,
    /// Where the page is.
    pub page: Url,
    /// Since when it is wanted.
    pub wanted_at: Timestamp,
    /// Attempts that failed.
    pub attempts: usize,
    /// When it is asked for next.
    pub next_at: Timestamp,
}

/// What came of a feed's pages lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageHealth {
    /// Pages that are wanted.
    pub wanted: usize,
    /// Pages that were read.
    pub read: usize,
    /// Pages that were given up.
    pub given_up: usize,
    /// Why the last of them was.
    pub last_error: Option<String>,
}

/// What the end of one page means for its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageNews {
    /// Nothing that was not known.
    None,
    /// The first page that was given up within a day.
    Fails,
    /// The first page that was read within a day, after others were given up.
    WorksAgain,
}

/// How far back the pages of a feed are looked at to tell whether it is news that one was read or given up.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Notes that an article waits for its page. It was stored and has not met the rules.
///
/// # Errors
///
/// When SQLite fails.
pub fn want(
    connection: &Connection,
    article: ArticleId,
    feed: FeedId,
    page: &Url,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO full_text (article_id, feed_id, page, wanted_at, next_at) VALUES (?1, ?2, ?3, ?4, ?4)",
    )?;
    statement.execute(params![article.row(), feed.row(), page.as_str(), millis(now)])?;
    Ok(())
}

/// Returns the pages that are wanted, those first that are asked for first.
///
/// # Errors
///
/// When SQLite fails.
pub fn wanted(connection: &Connection) -> Result<Vec<WantedPage>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM full_text WHERE finished_at IS NULL ORDER BY next_at, article_id")?;
    Ok(statement.query_map([], page)?.collect::<Result<_, _>>()?)
}

/// Returns the first pages for which `is_meant`, `limit` at most, among those that are wanted and whose address has a
/// `part`. No more are read than are needed for that.
///
/// # Errors
///
/// When SQLite fails.
pub fn some_wanted(
    connection: &Connection,
    part: &str,
    limit: usize,
    is_meant: impl Fn(&WantedPage) -> bool,
) -> Result<Vec<WantedPage>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM full_text INDEXED BY full_text_wanted WHERE finished_at IS NULL AND instr(page, ?1) > 0
         ORDER BY next_at, article_id",
    )?;
    let pages = statement.query_map([part], page)?;
    let meant = pages.filter(|page| page.as_ref().map_or(true, &is_meant));
    Ok(meant.take(limit).collect::<Result<_, _>>()?)
}

/// Returns the page of an article, if it is wanted.
///
/// # Errors
///
/// When SQLite fails.
pub fn wanted_for(connection: &Connection, article: ArticleId) -> Result<Option<WantedPage>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM full_text WHERE article_id = ?1 AND finished_at IS NULL")?;
    Ok(statement.query_row([article.row()], page).optional()?)
}

/// Returns the text that was read from the page of an article, as far as it is kept.
///
/// # Errors
///
/// When SQLite fails.
pub fn read_from_page(connection: &Connection, article: ArticleId) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT content FROM full_text JOIN article ON id = article_id
         WHERE article_id = ?1 AND finished_at IS NOT NULL AND error IS NULL AND cleared_at IS NULL",
    )?;
    Ok(statement.query_row([article.row()], |row| row.get(0)).optional()?)
}

/// Returns what the store holds of an article, and when its text was last changed.
///
/// # Errors
///
/// When SQLite fails, also where there is no such article.
pub fn article(connection: &Connection, article: ArticleId) -> Result<(Item, Timestamp), StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM article WHERE id = ?1")?;
    let list = |text: String| text.lines().map(str::to_owned).collect();
    Ok(statement.query_row([article.row()], |row| {
        let item = Item {
            guid: None,
            link: row.get("link")?,
            title: row.get("title")?,
            summary: row.get("summary")?,
            content: row.get("content")?,
            authors: list(row.get("author")?),
            categories: list(row.get("category")?),
            language: row.get("language")?,
            published: optional_timestamp(row, "published_at")?,
            updated: optional_timestamp(row, "updated_at")?,
        };
        Ok((item, timestamp(row, "changed_at")?))
    })?)
}

/// Notes that an attempt failed after which there are `attempts`, and when the next one is.
///
/// # Errors
///
/// When SQLite fails.
pub fn postpone(
    connection: &Connection,
    article: ArticleId,
    attempts: usize,
    at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE full_text SET attempts = ?2, next_at = ?3, error = ?4 WHERE article_id = ?1 AND finished_at IS NULL",
    )?;
    statement.execute(params![article.row(), attempts, millis(at), error])?;
    Ok(())
}

/// Ends the wait for a page: takes the text that was read into the article, or notes why there is none. Tells whether
/// that is news about the feed.
///
/// # Errors
///
/// When SQLite fails.
pub fn finish(
    connection: &Connection,
    wanted: &WantedPage,
    text: Result<&str, &str>,
    now: Timestamp,
) -> Result<PageNews, StoreError> {
    let news = news(connection, wanted.feed, text.is_ok(), now)?;
    if let Ok(text) = text {
        connection
            .prepare_cached("UPDATE article SET content = ?2 WHERE id = ?1")?
            .execute(params![wanted.article.row(), text])?;
    }
    connection
        .prepare_cached("UPDATE full_text SET finished_at = ?2, next_at = NULL, error = ?3 WHERE article_id = ?1")?
        .execute(params![wanted.article.row(), millis(now), text.err()])?;
    Ok(news)
}

fn news(connection: &Connection, feed: FeedId, read: bool, now: Timestamp) -> Result<PageNews, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FILTER (WHERE error IS NULL), count(*) FILTER (WHERE error IS NOT NULL),
             (SELECT error IS NOT NULL FROM full_text WHERE feed_id = ?1 AND finished_at IS NOT NULL
              ORDER BY finished_at DESC LIMIT 1)
         FROM full_text WHERE feed_id = ?1 AND finished_at > ?2",
    )?;
    let since = now.checked_sub(LATELY).unwrap_or(Timestamp::MIN);
    let (were_read, given_up, last_failed) = statement
        .query_row(params![feed.row(), millis(since)], |row| -> rusqlite::Result<(i64, i64, Option<bool>)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    Ok(match read {
        false if given_up == 0 => PageNews::Fails,
        true if were_read == 0 && last_failed == Some(true) => PageNews::WorksAgain,
        _ => PageNews::None,
    })
}

/// Returns what came of the pages of each feed within a time before `now`.
///
/// # Errors
///
/// When SQLite fails.
pub fn health(
    connection: &Connection,
    within: Duration,
    now: Timestamp,
) -> Result<HashMap<FeedId, PageHealth>, StoreError> {
    let mut statement = connection.prepare_cached(
        // Of the columns that are no aggregates, SQLite takes those of the row that has the maximum.
        "SELECT feed_id, count(*) FILTER (WHERE finished_at IS NULL) AS wanted,
             count(*) FILTER (WHERE finished_at IS NOT NULL AND error IS NULL) AS read,
             count(*) FILTER (WHERE finished_at IS NOT NULL AND error IS NOT NULL) AS given_up,
             error, max(iif(error IS NULL, NULL, finished_at))
         FROM full_text WHERE finished_at IS NULL OR finished_at > ?1 GROUP BY feed_id",
    )?;
    let since = now.checked_sub(within).unwrap_or(Timestamp::MIN);
    let rows = statement.query_map([millis(since)], |row| {
        let given_up = row.get("given_up")?;
        let health = PageHealth {
            wanted: row.get("wanted")?,
            read: row.get("read")?,
            given_up,
            last_error: row.get::<_, Option<String>>("error")?.filter(|_| given_up > 0),
        };
        Ok((FeedId::from_row(row.get("feed_id")?), health))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn page(row: &Row<'_>) -> rusqlite::Result<WantedPage> {
    let page: String = row.get("page")?;
    let page = Url::parse(&page)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))?;
    Ok(WantedPage {
        article: ArticleId::from_row(row.get("article_id")?),
        feed: FeedId::from_row(row.get("feed_id")?),
        page,
        wanted_at: timestamp(row, "wanted_at")?,
        attempts: row.get("attempts")?,
        next_at: timestamp(row, "next_at")?,
    })
}
