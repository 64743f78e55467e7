//! The store: one SQLite file that holds feeds, articles, hits, editions and the outbox.
//!
//! The submodules are the tables and their statements; each function takes the connection of a transaction that the
//! caller owns, so that what must hold together commits together. Nothing here decides anything.

pub mod archive;
pub mod article;
pub mod check;
pub mod daemon;
pub mod edition;
pub mod feed;
pub mod full_text;
pub mod hit;
pub mod outbox;
pub mod retention;
mod row;
pub mod rule;
mod schema;
pub mod story;
#[cfg(test)]
mod tests;
mod writer;

pub use schema::{Lock, open_reader};
pub use writer::Store;

use std::{any::Any, path::PathBuf};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no store yet.
    #[error("there is no store at {}: `feedwatch run` creates it", .0.display())]
    Missing(PathBuf),
    /// The file cannot be used as it is.
    #[error("the store {} cannot be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Another process works on the store.
    #[error("another feedwatch (process {pid}) works on the store {}: stop it first", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Its process id, or `unknown`.
        pid: String,
    },
    /// SQLite failed.
    #[error("the store failed: {}", said(.0))]
    Sqlite(rusqlite::Error),
    /// The transaction that the call was part of was not committed.
    #[error("the store did not commit: {0}")]
    Aborted(String),
    /// The call panicked: the store is well, and nothing of the call is kept.
    #[error("{0}")]
    Panicked(String),
    /// The thread that writes is gone.
    #[error("the store did not answer: its thread has stopped")]
    WriterGone,
    /// What was asked for is not there (any more).
    #[error("{0}")]
    NotFound(String),
}

impl StoreError {
    /// Returns what is told of a panic, by what it brought with it.
    pub fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::Panicked(text.unwrap_or("a panic without a message").to_owned())
    }
}

// Not by `#[from]`: as the source of the error, what SQLite said would be said twice.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Returns what SQLite said, and what to do about a damaged file.
fn said(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            format!("{error}; {}", check::DAMAGE_REMEDY)
        }
        _ => error.to_string(),
    }
}
