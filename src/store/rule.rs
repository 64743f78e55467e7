//! Rules that are or were in force, and how far each was run over what was stored before it.

use super::{
    StoreError,
    row::{millis, timestamp},
};
use crate::core::{
    article::ArticleId,
    backfill::{Adoption, KnownVersion, Unfinished},
    hit::{RuleName, RuleVersion},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};
use std::collections::HashMap;

/// Returns the versions of rules that are or were in force.
///
/// # Errors
///
/// When SQLite fails.
pub fn known(connection: &Connection) -> Result<Vec<KnownVersion>, StoreError> {
    let mut statement = connection.prepare("SELECT rule, version, in_force FROM rule_version")?;
    let known = statement.query_map([], |row| {
        let (rule, version) = name(row)?;
        Ok(KnownVersion { rule, version, in_force: row.get("in_force")? })
    })?;
    Ok(known.collect::<Result<_, _>>()?)
}

/// Makes the rules in force those of a configuration. What new ones are to be run over ends with the last article that is
/// stored now: whatever is committed later is matched by them.
///
/// # Errors
///
/// When SQLite fails.
pub fn adopt(connection: &Connection, adoption: &Adoption, now: Timestamp) -> Result<(), StoreError> {
    let mut in_force =
        connection.prepare_cached("UPDATE rule_version SET in_force = ?3 WHERE rule = ?1 AND version = ?2")?;
    for (rule, version) in &adoption.left {
        in_force.execute(params![rule.as_str(), version.as_str(), false])?;
    }
    let mut reopen = connection.prepare_cached(
        "UPDATE rule_version SET since = :since, after_article = max(coalesce(after_article, 0), :after),
             last_article = NULL, hits = 0
         WHERE rule = :rule AND version = :version",
    )?;
    let mut starts = Starts { connection, known: HashMap::new() };
    for (rule, version, since) in &adoption.returned {
        in_force.execute(params![rule.as_str(), version.as_str(), true])?;
        let Some(since) = since else { continue };
        reopen.execute(named_params! {
            ":rule": rule.as_str(),
            ":version": version.as_str(),
            ":since": millis(*since),
            ":after": starts.since(*since)?,
        })?;
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO rule_version (rule, version, met_at, in_force, since, after_article)
         VALUES (:rule, :version, :now, 1, :since, :after)",
    )?;
    for (rule, version, since) in &adoption.new {
        insert.execute(named_params! {
            ":rule": rule.as_str(),
            ":version": version.as_str(),
            ":now": millis(now),
            ":since": since.map(millis),
            ":after": since.map(|since| starts.since(since)).transpose()?,
        })?;
    }
    connection
        .prepare_cached(
            "UPDATE rule_version SET last_article = ?1
             WHERE in_force = 1 AND after_article IS NOT NULL AND last_article IS NULL",
        )?
        .execute([last_article(connection)?])?;
    Ok(())
}

/// The articles before the first ones that were first seen since some time, each looked for once.
struct Starts<'c> {
    connection: &'c Connection,
    known: HashMap<Timestamp, i64>,
}

impl Starts<'_> {
    fn since(&mut self, since: Timestamp) -> Result<i64, StoreError> {
        if let Some(known) = self.known.get(&since) {
            return Ok(*known);
        }
        // By the index, or else the table would be read from its start.
        let mut first = self
            .connection
            .prepare_cached("SELECT min(id) FROM article INDEXED BY article_first_seen WHERE first_seen_at >= ?1")?;
        let first: Option<i64> = first.query_row([millis(since)], |row| row.get(0))?;
        let start = match first {
            Some(first) => first - 1,
            None => last_article(self.connection)?,
        };
        self.known.insert(since, start);
        Ok(start)
    }
}

fn last_article(connection: &Connection) -> Result<i64, StoreError> {
    let last: Option<i64> = connection.query_row("SELECT max(id) FROM article", [], |row| row.get(0))?;
    Ok(last.unwrap_or_default())
}

/// Returns the rules in force that are not through with what was stored before them.
///
/// # Errors
///
/// When SQLite fails.
pub fn unfinished(connection: &Connection) -> Result<Vec<Unfinished>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT rule, version, since, after_article, last_article, hits FROM rule_version
         WHERE in_force = 1 AND after_article < last_article",
    )?;
    let unfinished = statement.query_map([], |row| {
        let (rule, version) = name(row)?;
        Ok(Unfinished {
            rule,
            version,
            since: timestamp(row, "since")?,
            after: ArticleId::from_row(row.get("after_article")?),
            last: ArticleId::from_row(row.get("last_article")?),
            hits: row.get("hits")?,
        })
    })?;
    Ok(unfinished.collect::<Result<_, _>>()?)
}

/// Records that a rule was run over the articles up to `to`. Tells whether it
/// still is in force and was where it was thought to be; if not, nothing is recorded.
///
/// # Errors
///
/// When SQLite fails.
pub fn advance(connection: &Connection, rule: &Unfinished, to: ArticleId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE rule_version SET after_article = ?4 WHERE rule = ?1 AND version = ?2 AND after_article = ?3
             AND in_force = 1",
    )?;
    let values = params![rule.rule.as_str(), rule.version.as_str(), rule.after.row(), to.row()];
    Ok(statement.execute(values)? == 1)
}

/// Adds to the hits that a rule brought in retrospect.
///
/// # Errors
///
/// When SQLite fails.
pub fn count_hits(
    connection: &Connection,
    rule: &RuleName,
    version: &RuleVersion,
    hits: usize,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE rule_version SET hits = hits + ?3 WHERE rule = ?1 AND version = ?2")?
        .execute(params![rule.as_str(), version.as_str(), hits])?;
    Ok(())
}

fn name(row: &Row<'_>) -> rusqlite::Result<(RuleName, RuleVersion)> {
    Ok((RuleName::new(row.get::<_, String>("rule")?), RuleVersion::new(row.get::<_, String>("version")?)))
}
