//! Stories: which articles belong together, and what showed it.

use super::{
    StoreError,
    row::{Columns, millis},
};
use crate::core::{
    article::{ArticleId, ArticleKey, Places, TextHash},
    feed::FeedId,
    story::{self, Joined, Level, Sighting, StoryId},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};

/// Articles that an article is compared with at most: a page or a text that more have tells nothing. A part of the
/// statements: SQLite prepares a statement anew whenever a bound limit is bound again.
const COMPARED: usize = 16;
/// Newest articles of a feed among which a rewritten headline is looked for.
const RECENT: usize = 64;

/// The columns that [`sighting`] reads, in its order.
const COLUMNS: &str = "article.id, feed_id, coalesce(story_member.story_id, article.id), key, text_hash, canonical_url,
    title, substr(iif(summary = '', content, summary), 1, :characters)";

/// Returns the articles of other feeds that are on the page of a new article or on one for other devices, or have its
/// guid; not those that were first seen longer ago than a story goes on.
///
/// # Errors
///
/// When SQLite fails.
pub fn elsewhere(
    connection: &Connection,
    feed: FeedId,
    articles: impl Iterator<Item = Places> + Clone,
    now: Timestamp,
) -> Result<Vec<Sighting>, StoreError> {
    let since = millis(now.checked_sub(story::WITHIN).unwrap_or(Timestamp::MIN));
    // A guid that is a link to the article itself is kept as its place alone.
    let mut places: Vec<i64> =
        articles.clone().flat_map(|places| [places.page, places.linked_guid]).flatten().collect();
    let mut guid_places: Vec<i64> = articles.filter_map(|places| places.guid).collect();
    let mut found = Vec::new();
    for (column, numbers) in [("place", &mut places), ("guid_place", &mut guid_places)] {
        numbers.sort_unstable();
        numbers.dedup();
        for number in occupied(connection, column, numbers, feed, since)? {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM article INDEXED BY article_{column}
                     LEFT JOIN story_member ON article_id = article.id
                 WHERE {column} = :number AND first_seen_at >= :since AND feed_id <> :feed
                 ORDER BY first_seen_at DESC LIMIT {COMPARED}"
            ))?;
            let named = named_params! {":number": number, ":since": since, ":feed": feed.row(), ":characters": 0};
            found.extend(statement.query_map(named, sighting)?.collect::<Result<Vec<_>, _>>()?);
        }
    }
    found.sort_by_key(|other| other.id);
    found.dedup_by_key(|other| other.id);
    Ok(found)
}

/// Returns those of the numbers that articles of other feeds have. Most articles are in one feed only: one statement for
/// each document tells which are not.
fn occupied(
    connection: &Connection,
    column: &str,
    numbers: &[i64],
    feed: FeedId,
    since: i64,
) -> Result<Vec<i64>, StoreError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = serde_json::to_string(numbers).expect("a list of numbers");
    let mut statement = connection.prepare_cached(&format!(
        "SELECT value FROM json_each(?1) AS wanted WHERE EXISTS (
             SELECT 1 FROM article INDEXED BY article_{column}
             WHERE {column} = wanted.value AND first_seen_at >= ?2 AND feed_id <> ?3)"
    ))?;
    let occupied = statement.query_map(params![numbers, since, feed.row()], |row| row.get(0))?;
    Ok(occupied.collect::<Result<_, _>>()?)
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
         WHERE feed_id = :feed AND changed_at >= :since AND first_seen_at >= :since AND cleared_at IS NULL
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
