//! Articles: known ones, new ones, edited ones.

use super::{
    StoreError,
    row::{hash, millis},
};
use crate::core::{
    article::{Article, ArticleId, ArticleKey, TextHash},
    feed::FeedId,
    identity::KnownArticle,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params, params};

/// Returns those of the keys that the feed has brought before.
///
/// # Errors
///
/// When SQLite fails.
pub fn known(
    connection: &Connection,
    feed: FeedId,
    keys: impl Iterator<Item = ArticleKey>,
) -> Result<Vec<KnownArticle>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, text_hash FROM article WHERE feed_id = ?1 AND key = ?2")?;
    let mut known = Vec::new();
    for key in keys {
        let found = statement
            .query_row(params![feed.row(), key.as_str()], |row| {
                Ok(KnownArticle {
                    id: ArticleId::from_row(row.get(0)?),
                    key: key.clone(),
                    text_hash: TextHash(hash(row.get(1)?)?),
                })
            })
            .optional()?;
        known.extend(found);
    }
    Ok(known)
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
    backlog: bool,
    now: Timestamp,
) -> Result<ArticleId, StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO article (feed_id, key, canonical_url, link, title, summary, content, author, category, language,
             published_at, updated_at, text_hash, first_seen_at, changed_at, backlog)
         VALUES (:feed, :key, :canonical_url, :link, :title, :summary, :content, :author, :category, :language,
             :published_at, :updated_at, :text_hash, :now, :now, :backlog)",
    )?;
    let item = &article.item;
    let id = statement.insert(named_params! {
        ":feed": feed.row(),
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
        ":backlog": backlog,
    })?;
    Ok(ArticleId::from_row(id))
}

/// Replaces the text of an article that was edited and keeps the one before.
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
    let item = &article.item;
    connection
        .prepare_cached(
            "UPDATE article SET canonical_url = :canonical_url, link = :link, title = :title, summary = :summary,
                 content = :content, author = :author, category = :category, language = :language,
                 published_at = :published_at, updated_at = :updated_at, text_hash = :text_hash, changed_at = :now,
                 cleared_at = NULL
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": id.row(),
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
        })?;
    Ok(())
}

/// Tells whether an article was old when its feed was first read, so that it does not alert.
///
/// # Errors
///
/// When SQLite fails.
pub fn is_backlog(connection: &Connection, id: ArticleId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT backlog FROM article WHERE id = ?1")?;
    Ok(statement.query_row([id.row()], |row| row.get(0))?)
}
