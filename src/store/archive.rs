//! The archive: the articles that are stored, read in pages.
//!
//! Each page is a statement of its own, so that a long reading holds up no checkpoint of the WAL. Articles whose texts
//! retention took are passed over: what a rule would say of them nobody can tell.

use super::{
    StoreError,
    hit::{self, RecordedHit},
    row::{millis, optional_timestamp, outlet, timestamp},
};
use crate::core::{article::ArticleId, feed::FeedId, hit::HitArticle, story::StoryId};
use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};
use std::{collections::HashMap, sync::Arc};

/// An article of the archive.
#[derive(Debug, Clone)]
pub struct ArchivedArticle {
    /// What people are shown of it.
    pub article: HitArticle,
    /// Its feed.
    pub feed: Arc<ArchivedFeed>,
    /// Language tag (BCP 47).
    pub language: Option<String>,
    /// When this text was first seen.
    pub changed_at: Timestamp,
    /// Whether it was old when its feed was first read, so that it does not alert.
    pub backlog: bool,
    /// Whether it waits for the text of its page and has met no rule.
    pub awaits_page: bool,
    /// The hits on it, where they were asked for.
    pub hits: Vec<RecordedHit>,
}

/// What is known of an article's feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedFeed {
    /// What identifies it, credentials included: never shown.
    pub identity: String,
    /// Name that the configuration gave it.
    pub name: Option<String>,
    /// Name that people know it by.
    pub outlet: String,
}

/// Which articles are read, and what of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First seen at or after.
    pub since: Timestamp,
    /// First seen at or before.
    pub until: Timestamp,
    /// Whether the hits on them are read too.
    pub with_hits: bool,
}

/// Reads the articles of a span, newest first.
#[derive(Debug)]
pub struct Reader<'c> {
    connection: &'c Connection,
    span: Span,
    /// The last article that was read.
    at: (i64, i64),
    feeds: Feeds,
}

const COLUMNS: &str = "id, feed_id, link, title, summary, content, author, category, language, published_at,
    first_seen_at, changed_at, backlog,
    EXISTS (SELECT 1 FROM full_text WHERE article_id = article.id AND finished_at IS NULL) AS awaits_page,
    coalesce((SELECT story_id FROM story_member WHERE article_id = article.id), id) AS story_id";

impl<'c> Reader<'c> {
    /// Starts at the newest article of the span.
    pub fn new(connection: &'c Connection, span: Span) -> Self {
        Self { connection, span, at: (millis(span.until), i64::MAX), feeds: Feeds::default() }
    }

    /// Returns the next articles, at most so many; none at the end.
    ///
    /// # Errors
    ///
    /// When SQLite fails.
    pub fn page(&mut self, limit: usize) -> Result<Vec<ArchivedArticle>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM article
             WHERE (first_seen_at, id) < (:at, :id) AND first_seen_at >= :since AND cleared_at IS NULL
             ORDER BY first_seen_at DESC, id DESC LIMIT :limit"
        ))?;
        let (at, id) = self.at;
        let named = named_params! {":at": at, ":id": id, ":since": millis(self.span.since), ":limit": limit};
        let mut rows = statement.query(named)?;
        let mut page = Vec::with_capacity(limit);
        while let Some(row) = rows.next()? {
            page.push(self.feeds.article(self.connection, row)?);
        }
        if let Some(last) = page.last() {
            self.at = (millis(last.article.first_seen), last.article.id.row());
        }
        if self.span.with_hits {
            for article in &mut page {
                article.hits = hit::of_article(self.connection, article.article.id)?;
            }
        }
        Ok(page)
    }
}

/// Returns how many articles were first seen in a span, those without their texts included.
///
/// # Errors
///
/// When SQLite fails.
pub fn count(connection: &Connection, span: Span) -> Result<usize, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM article WHERE first_seen_at >= ?1 AND first_seen_at <= ?2")?;
    Ok(statement.query_row(params![millis(span.since), millis(span.until)], |row| row.get(0))?)
}

/// Returns when the first article came.
///
/// # Errors
///
/// When SQLite fails.
pub fn oldest(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT min(first_seen_at) AS oldest FROM article")?;
    Ok(statement.query_row([], |row| optional_timestamp(row, "oldest"))?)
}

/// Returns the articles after one and up to another, in the order in which they came, at most so many rows of them; and
/// the last row that was looked at.
///
/// # Errors
///
/// When SQLite fails.
pub fn stretch(
    connection: &Connection,
    after: ArticleId,
    last: ArticleId,
    limit: usize,
) -> Result<(Vec<ArchivedArticle>, ArticleId), StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, cleared_at FROM article WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![after.row(), last.row(), limit])?;
    let (mut articles, mut feeds, mut read, mut reached) = (Vec::new(), Feeds::default(), 0, last);
    while let Some(row) = rows.next()? {
        read += 1;
        if read == limit {
            reached = ArticleId::from_row(row.get("id")?);
        }
        if row.get::<_, Option<i64>>("cleared_at")?.is_none() {
            articles.push(feeds.article(connection, row)?);
        }
    }
    Ok((articles, reached))
}

/// The feeds that were met, so that each is read once.
#[derive(Debug, Default)]
struct Feeds(HashMap<FeedId, Arc<ArchivedFeed>>);

impl Feeds {
    fn article(&mut self, connection: &Connection, row: &Row<'_>) -> Result<ArchivedArticle, StoreError> {
        let feed = self.feed(connection, FeedId::from_row(row.get("feed_id")?))?;
        let article = HitArticle {
            id: ArticleId::from_row(row.get("id")?),
            link: row.get("link")?,
            title: row.get("title")?,
            summary: row.get("summary")?,
            content: row.get("content")?,
            author: row.get("author")?,
            category: row.get("category")?,
            outlet: feed.outlet.clone(),
            published: optional_timestamp(row, "published_at")?,
            first_seen: timestamp(row, "first_seen_at")?,
            story: StoryId::from_row(row.get("story_id")?),
        };
        Ok(ArchivedArticle {
            article,
            feed,
            language: row.get("language")?,
            changed_at: timestamp(row, "changed_at")?,
            backlog: row.get("backlog")?,
            awaits_page: row.get("awaits_page")?,
            hits: Vec::new(),
        })
    }

    fn feed(&mut self, connection: &Connection, id: FeedId) -> Result<Arc<ArchivedFeed>, StoreError> {
        if let Some(feed) = self.0.get(&id) {
            return Ok(Arc::clone(feed));
        }
        let mut statement = connection.prepare_cached("SELECT url, name, title FROM feed WHERE id = ?1")?;
        let feed = statement.query_row([id.row()], |row| {
            let (identity, name): (String, Option<String>) = (row.get("url")?, row.get("name")?);
            let title: Option<String> = row.get("title")?;
            let outlet = outlet(name.as_deref(), title.as_deref(), &identity);
            Ok(Arc::new(ArchivedFeed { identity, name, outlet }))
        })?;
        self.0.insert(id, Arc::clone(&feed));
        Ok(feed)
    }
}
