//! Articles: known ones, new ones, edited ones.

use super::{
    StoreError,
    row::{Columns, millis, timestamp},
};
use crate::core::{
    article::{Article, ArticleId, ArticleKey, Places, TextHash},
    feed::FeedId,
    page,
    recognition::{KnownArticle, Lookalike},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params, params};
use std::collections::HashSet;

/// Returns those of the keys that the feed has brought before.
///
/// # Errors
///
/// When SQLite fails.
pub fn known<'a>(
    connection: &Connection,
    feed: FeedId,
    keys: impl Iterator<Item = &'a ArticleKey>,
) -> Result<Vec<KnownArticle>, StoreError> {
    let keys = serde_json::to_string(&keys.collect::<Vec<_>>()).expect("keys are texts");
    // CROSS JOIN: the keys are looked up, never the articles of the feed walked through.
    let mut statement = connection.prepare_cached(
        "SELECT article.id, article.key, text_hash, canonical_url, published_at FROM json_each(?2) AS wanted
         CROSS JOIN article ON feed_id = ?1 AND article.key = wanted.value",
    )?;
    let known = statement.query_map(params![feed.row(), keys], |row| {
        let mut row = Columns::of(row);
        Ok(KnownArticle {
            id: ArticleId::from_row(row.next()?),
            key: ArticleKey::from_store(row.next()?),
            text_hash: TextHash(row.next()?),
            canonical_url: row.next()?,
            published: row.optional_timestamp()?,
        })
    })?;
    Ok(known.collect::<Result<_, _>>()?)
}

/// Tells whether the feed has brought anything before.
///
/// # Errors
///
/// When SQLite fails.
pub fn has_any(connection: &Connection, feed: FeedId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM article WHERE feed_id = ?1)")?;
    Ok(statement.query_row([feed.row()], |row| row.get(0))?)
}

/// Articles with one text, or at one place, that are compared at most, the newest ones: a text that more have tells
/// nothing. A part of the statement: SQLite prepares a statement anew whenever a bound limit is bound again.
const SAME_TEXT: usize = 16;

/// Returns the feed's articles that are at the place of one of these (its page or an edition of that), or have its text.
///
/// # Errors
///
/// When SQLite fails.
pub fn alike<'a>(
    connection: &Connection,
    feed: FeedId,
    articles: impl Iterator<Item = &'a Article>,
) -> Result<Vec<Lookalike>, StoreError> {
    // INDEXED BY, here and for stories: the planner knows nothing of how few rows a page or a text has.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, text_hash, canonical_url, title, published_at FROM article
         WHERE +feed_id = ?1 AND id IN (
             SELECT * FROM (
                 SELECT id FROM article INDEXED BY article_place WHERE place = ?2 AND feed_id = ?1
                 ORDER BY first_seen_at DESC LIMIT {SAME_TEXT})
             UNION
             SELECT * FROM (
                 SELECT id FROM article INDEXED BY article_text
                 WHERE feed_id = ?1 AND substr(text_hash, 1, 6) = substr(?3, 1, 6)
                 ORDER BY id DESC LIMIT {SAME_TEXT}))",
    ))?;
    let (mut alike, mut seen) = (Vec::new(), HashSet::new());
    for article in articles {
        let place = article.canonical_url.as_deref().and_then(page::place);
        let rows = statement.query_map(params![feed.row(), place, article.text_hash.0], |row| {
            let mut row = Columns::of(row);
            Ok(Lookalike {
                id: ArticleId::from_row(row.next()?),
                text_hash: TextHash(row.next()?),
                canonical_url: row.next()?,
                title: row.next()?,
                published: row.optional_timestamp()?,
            })
        })?;
        for known in rows {
            let known = known?;
            if seen.insert(known.id) {
                alike.push(known);
            }
        }
    }
    Ok(alike)
}

/// Inserts an article that the feed brings for the first time.
///
/// # Errors
///
/// When SQLite fails, also for a key that is known.
pub fn insert(
    connection: &Connection,
    feed: FeedId,
    article: &Article,
    places: Places,
    backlog: bool,
    now: Timestamp,
) -> Result<ArticleId, StoreError> {
    // By number: a name is looked for among all names at each execution.
    let mut statement = connection.prepare_cached(
        "INSERT INTO article (feed_id, key, canonical_url, link, title, summary, content, author, category, language,
             published_at, updated_at, text_hash, first_seen_at, changed_at, backlog, place, guid_place)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14, ?15, ?16, ?17)",
    )?;
    let item = &article.item;
    let id = statement.insert(params![
        feed.row(),
        article.key.as_str(),
        article.canonical_url,
        item.link,
        item.title,
        item.summary,
        item.content,
        item.authors.join("\n"),
        item.categories.join("\n"),
        item.language,
        item.published.map(millis),
        item.updated.map(millis),
        article.text_hash.0,
        millis(now),
        backlog,
        places.page,
        guid_place(places),
    ])?;
    Ok(ArticleId::from_row(id))
}

/// Replaces the text of an article that was edited, and the key where it has another one, and keeps the text before.
///
/// # Errors
///
/// When SQLite fails.
pub fn edit(connection: &Connection, id: ArticleId, article: &Article, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO revision (article_id, replaced_at, title, summary, content)
             SELECT id, ?2, title, summary, content FROM article WHERE id = ?1 AND cleared_at IS NULL",
        )?
        .execute(params![id.row(), millis(now)])?;
    let (item, places) = (&article.item, article.places());
    connection
        .prepare_cached(
            "UPDATE article SET key = :key, canonical_url = :canonical_url, link = :link, title = :title, summary = :summary,
                 content = :content, author = :author, category = :category, language = :language,
                 published_at = :published_at, updated_at = :updated_at, text_hash = :text_hash, changed_at = :now,
                 cleared_at = NULL, place = :place, guid_place = :guid_place
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": id.row(),
            ":key": article.key.as_str(),
            ":canonical_url": article.canonical_url,
            ":link": item.link,
            ":title": item.title,
            ":summary": item.summary,
            ":content": item.content,
            ":author": item.authors.join("\n"),
            ":category": item.categories.join("\n"),
            ":language": item.language,
            ":published_at": item.published.map(millis),
            ":updated_at": item.updated.map(millis),
            ":text_hash": article.text_hash.0,
            ":now": millis(now),
            ":place": places.page,
            ":guid_place": guid_place(places),
        })?;
    Ok(())
}

/// Gives an article the key, the link and the dates that it has now, as far as they are given; the text is the same.
///
/// # Errors
///
/// When SQLite fails.
pub fn amend(connection: &Connection, id: ArticleId, article: &Article) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE article SET key = :key, canonical_url = coalesce(:canonical_url, canonical_url),
             link = coalesce(:link, link), published_at = coalesce(:published_at, published_at),
             updated_at = coalesce(:updated_at, updated_at),
             place = iif(:canonical_url IS NULL, place, :place), guid_place = :guid_place
         WHERE id = :id",
    )?;
    let (item, places) = (&article.item, article.places());
    statement.execute(named_params! {
        ":id": id.row(),
        ":key": article.key.as_str(),
        ":canonical_url": article.canonical_url,
        ":link": item.link,
        ":published_at": item.published.map(millis),
        ":updated_at": item.updated.map(millis),
        ":place": places.page,
        ":guid_place": guid_place(places),
    })?;
    Ok(())
}

/// Returns the place of an article's guid, unless the article itself is there: then it is found there.
fn guid_place(places: Places) -> Option<i64> {
    places.guid.filter(|_| places.guid != places.page)
}

/// Returns the headline of an article that is part of its feed's baseline, so that it does not alert.
///
/// # Errors
///
/// When SQLite fails.
pub fn backlog_title(connection: &Connection, id: ArticleId) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT title FROM article WHERE id = ?1 AND backlog = 1")?;
    Ok(statement.query_row([id.row()], |row| row.get(0)).optional()?)
}

/// Takes an article out of its feed's baseline.
///
/// # Errors
///
/// When SQLite fails.
pub fn leave_backlog(connection: &Connection, id: ArticleId) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE article SET backlog = 0 WHERE id = ?1")?.execute([id.row()])?;
    Ok(())
}

/// Returns when the present text of an article was first seen.
///
/// # Errors
///
/// When SQLite fails.
pub fn changed_at(connection: &Connection, id: ArticleId) -> Result<Timestamp, StoreError> {
    let mut statement = connection.prepare_cached("SELECT changed_at FROM article WHERE id = ?1")?;
    Ok(statement.query_row([id.row()], |row| timestamp(row, "changed_at"))?)
}
