//! What the daemon says of itself, and what the administrator was told.

use super::{
    StoreError,
    row::{millis, timestamp},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params, params};
use serde::Serialize;
use std::collections::HashSet;

/// The daemon that works, or worked last, on a store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DaemonRecord {
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last said that it is alive.
    pub alive_at: Timestamp,
    /// Its main configuration file.
    pub configuration: String,
    /// How its last reload ended.
    pub reload: Option<String>,
}

/// Records what the daemon says of itself.
///
/// # Errors
///
/// When SQLite fails.
pub fn record(connection: &Connection, daemon: &DaemonRecord) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO daemon (one, pid, version, started_at, alive_at, configuration, reload)
             VALUES (1, :pid, :version, :started_at, :alive_at, :configuration, :reload)",
        )?
        .execute(named_params! {
            ":pid": daemon.pid,
            ":version": daemon.version,
            ":started_at": millis(daemon.started_at),
            ":alive_at": millis(daemon.alive_at),
            ":configuration": daemon.configuration,
            ":reload": daemon.reload,
        })?;
    Ok(())
}

/// Returns what the daemon said of itself last.
///
/// # Errors
///
/// When SQLite fails.
pub fn last(connection: &Connection) -> Result<Option<DaemonRecord>, StoreError> {
    let mut statement = connection.prepare("SELECT * FROM daemon")?;
    let record = statement.query_row([], |row| {
        Ok(DaemonRecord {
            pid: row.get("pid")?,
            version: row.get("version")?,
            started_at: timestamp(row, "started_at")?,
            alive_at: timestamp(row, "alive_at")?,
            configuration: row.get("configuration")?,
            reload: row.get("reload")?,
        })
    });
    Ok(record.optional()?)
}

/// Raises a notice; tells whether it is new, so that the administrator is told once.
///
/// # Errors
///
/// When SQLite fails.
pub fn raise_notice(connection: &Connection, subject: &str, now: Timestamp) -> Result<bool, StoreError> {
    let raised = connection
        .prepare_cached("INSERT INTO notice (subject, raised_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![subject, millis(now)])?;
    Ok(raised == 1)
}

/// Returns the subjects of all notices.
///
/// # Errors
///
/// When SQLite fails.
pub fn notices(connection: &Connection) -> Result<HashSet<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT subject FROM notice")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Clears a notice; tells whether there was one.
///
/// # Errors
///
/// When SQLite fails.
pub fn clear_notice(connection: &Connection, subject: &str) -> Result<bool, StoreError> {
    let cleared = connection.prepare_cached("DELETE FROM notice WHERE subject = ?1")?.execute([subject])?;
    Ok(cleared == 1)
}

/// Returns a number that changes when another process commits to the store.
///
/// # Errors
///
/// When SQLite fails.
pub fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}
