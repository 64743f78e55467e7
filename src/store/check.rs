//! Looking the file over for damage: what a disk, a file system or a copy did to it shows before it is needed.

use super::{
    StoreError, open_reader,
    row::{millis, timestamp},
};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, InterruptHandle, OptionalExtension, params};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to do about a damaged file.
pub const DAMAGE_REMEDY: &str = "stop feedwatch and restore a backup, or salvage the file with `sqlite3 FILE .recover`";

/// Kinds of damage that are listed; one shows already what is to be done.
const LISTED: usize = 3;
/// Characters of what SQLite says that are kept.
const CHARACTERS: usize = 400;

/// How the store was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreCheck {
    /// When it was looked over.
    pub checked_at: Timestamp,
    /// What SQLite said is wrong; nothing for a sound one.
    pub damage: Option<String>,
}

/// Looks every page of the store over, beside whoever writes (`PRAGMA quick_check`). A large store takes a while; when
/// nobody waits for the answer any more, it is broken off.
///
/// # Errors
///
/// When it cannot be opened or read, or the check was broken off; that says nothing about the file.
pub async fn look_over(path: &Path, now: Timestamp) -> Result<StoreCheck, StoreError> {
    let path = PathBuf::from(path);
    let opened = tokio::task::spawn_blocking(move || open_reader(&path));
    let connection = opened.await.map_err(|_| StoreError::WriterGone)??;
    let _broken_off = BreakOff(connection.get_interrupt_handle());
    let damage = tokio::task::spawn_blocking(move || damage(&connection)).await;
    Ok(StoreCheck { checked_at: now, damage: damage.map_err(|_| StoreError::WriterGone)?? })
}

/// Ends what a connection does when it is dropped.
struct BreakOff(InterruptHandle);

impl Drop for BreakOff {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

fn damage(connection: &Connection) -> Result<Option<String>, StoreError> {
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(&format!("PRAGMA quick_check({LISTED})"))?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let said = match check() {
        Ok(said) => said,
        // Some damage shows by that it cannot be looked over.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => vec![error.to_string()],
        Err(error) => return Err(error.into()),
    };
    let damage = said.iter().flat_map(|said| said.lines()).filter(|line| !line.starts_with("***") && *line != "ok");
    let damage = damage.collect::<Vec<_>>().join("; ").chars().take(CHARACTERS).collect::<String>();
    Ok(Some(damage).filter(|damage| !damage.is_empty()))
}

/// Returns how the store was found when it was last looked over.
///
/// # Errors
///
/// When SQLite fails.
pub fn last(connection: &Connection) -> Result<Option<StoreCheck>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT checked_at, damage FROM store_check")?;
    let last = statement
        .query_row([], |row| Ok(StoreCheck { checked_at: timestamp(row, "checked_at")?, damage: row.get("damage")? }));
    Ok(last.optional()?)
}

/// Records how the store was found.
///
/// # Errors
///
/// When SQLite fails.
pub fn record(connection: &Connection, check: &StoreCheck) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO store_check (one, checked_at, damage) VALUES (1, ?1, ?2)")?
        .execute(params![millis(check.checked_at), check.damage])?;
    Ok(())
}
