//! Stories: which articles belong together, and what showed it.

use super::{
    StoreError,
    row::{Columns, millis},
};
use crate::core::{
    article::{Article, ArticleId, ArticleKey, TextHash},
    feed::FeedId,
    page,
    story::{self, Joined, Level, Sighting, StoryId},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params, types::FromSql};
use serde::Serialize;
use std::{collections::HashSet, hash::Hash};

/// Articles that an article is compared with at most: a page or a text that more have tells nothing. A part of the
/// statements: SQLite prepares a statement anew whenever a bound limit is bound again.
const COMPARED: usize = 16;
/// Newest articles of a feed among which a rewritten headline is looked for.
const RECENT: usize = 64;

/// The columns that [`sighting`] reads, in its order.
const COLUMNS: &str = "article.id, feed_id, coalesce(story_member.story_id, article.id), key, text_hash, canonical_url,
    title, substr(iif(summary = '', content, summary), 1, :characters)";

/// Returns the articles of other feeds that are on the page of a new article or on one for other devices, or have its
/// text and guid; not those that were first seen longer ago than a story goes on.
///
/// # Errors
///
/// When SQLite fails.
pub fn elsewhere<'a>(
    connection: &Connection,
    feed: FeedId,
    articles: impl Iterator<Item = &'a Article> + Clone,
    now: Timestamp,
) -> Result<Vec<Sighting>, StoreError> {
    let since = millis(now.checked_sub(story::WITHIN).unwrap_or(Timestamp::MIN));
    let places: Vec<i64> =
        articles.clone().filter_map(|article| page::place(article.canonical_url.as_deref()?)).collect();
    let texts: Vec<String> = articles.clone().map(|article| start_of(&article.text_hash)).collect();
    // Most articles are in one feed only: one statement for each document tells which are not.
    let found_places: HashSet<i64> = any(
        connection,
        "SELECT value FROM json_each(?1) AS wanted WHERE EXISTS (
             SELECT 1 FROM article INDEXED BY article_place
             WHERE place = wanted.value AND first_seen_at >= ?2 AND feed_id <> ?3)",
        &places,
        since,
        feed,
    )?;
    let found_texts: HashSet<String> = any(
        connection,
        "SELECT value FROM json_each(?1) AS wanted WHERE EXISTS (
             SELECT 1 FROM article INDEXED BY article_text WHERE substr(text_hash, 1, 6) = unhex(wanted.value)
                 AND first_seen_at >= ?2 AND feed_id <> ?3)",
        &texts,
        since,
        feed,
    )?;
    let mut found = Vec::new();
    for place in found_places {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM article INDEXED BY article_place
                 LEFT JOIN story_member ON article_id = article.id
             WHERE place = :place AND first_seen_at >= :since AND feed_id <> :feed
             ORDER BY first_seen_at DESC LIMIT {COMPARED}"
        ))?;
        let named = named_params! {":place": place, ":since": since, ":feed": feed.row(), ":characters": 0};
        found.extend(statement.query_map(named, sighting)?.collect::<Result<Vec<_>, _>>()?);
    }
    for article in articles.filter(|article| found_texts.contains(&start_of(&article.text_hash))) {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM (
                 SELECT id AS text_id FROM article INDEXED BY article_text
                 WHERE substr(text_hash, 1, 6) = substr(:text_hash, 1, 6) ORDER BY id DESC LIMIT {COMPARED})
             CROSS JOIN article ON article.id = text_id LEFT JOIN story_member ON article_id = article.id
             WHERE key = :key AND text_hash = :text_hash AND feed_id <> :feed AND first_seen_at >= :since"
        ))?;
        let named = named_params! {
            ":text_hash": article.text_hash.0,
            ":key": article.key.as_str(),
            ":since": since,
            ":feed": feed.row(),
            ":characters": 0,
        };
        found.extend(statement.query_map(named, sighting)?.collect::<Result<Vec<_>, _>>()?);
    }
    found.sort_by_key(|other| other.id);
    found.dedup_by_key(|other| other.id);
    Ok(found)
}

/// Returns those of the values for which `sql` finds something.
fn any<T: Serialize + FromSql + Eq + Hash>(
    connection: &Connection,
    sql: &str,
    values: &[T],
    since: i64,
    feed: FeedId,
) -> Result<HashSet<T>, StoreError> {
    let values = serde_json::to_string(values).expect("a list of numbers or texts");
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(params![values, since, feed.row()], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Returns the part of a hash that is indexed, in hexadecimal digits.
fn start_of(hash: &TextHash) -> String {
    let [a, b, c, d, e, f, ..] = hash.0;
    format!("{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}")
}

/// Returns the newest articles of a feed, from as long ago as a publisher rewrites a headline.
///
/// # Errors
///
/// When SQLite fails.
pub fn recent(connection: &Connection, feed: FeedId, now: Timestamp) -> Result<Vec<Sighting>, StoreError> {
    let since = now.checked_sub(story::REWRITTEN_WITHIN).unwrap_or(Timestamp::MIN);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM article INDEXED BY article_recent
             LEFT JOIN story_member ON article_id = article.id
         WHERE feed_id = :feed AND first_seen_at >= :since AND cleared_at IS NULL
         ORDER BY first_seen_at DESC LIMIT {RECENT}"
    ))?;
    let named = named_params! {
        ":feed": feed.row(),
        ":since": millis(since),
        ":characters": story::START_CHARACTERS,
    };
    Ok(statement.query_map(named, sighting)?.collect::<Result<_, _>>()?)
}

/// Makes an article part of the story of another one.
///
/// # Errors
///
/// When SQLite fails.
pub fn join(connection: &Connection, article: ArticleId, joined: &Joined, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO story_member (article_id, story_id, level, evidence, joined_to, joined_at)
             VALUES (?1, ?1, ?2, '', NULL, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![joined.to.row(), Level::First.as_str(), millis(now)])?;
    connection
        .prepare_cached(
            "INSERT INTO story_member (article_id, story_id, level, evidence, joined_to, joined_at)
             SELECT ?1, story_id, ?3, ?4, ?2, ?5 FROM story_member WHERE article_id = ?2
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![article.row(), joined.to.row(), joined.level.as_str(), joined.evidence, millis(now)])?;
    Ok(())
}

fn sighting(row: &Row<'_>) -> rusqlite::Result<Sighting> {
    let mut row = Columns::of(row);
    Ok(Sighting {
        id: ArticleId::from_row(row.next()?),
        feed: row.next()?,
        story: StoryId::from_row(row.next()?),
        key: ArticleKey::from_store(row.next()?),
        text_hash: TextHash(row.next()?),
        canonical_url: row.next()?,
        title: row.next()?,
        start: row.next()?,
    })
}
