//! Conversions between columns and values.

use jiff::Timestamp;
use rusqlite::{
    Row,
    types::{FromSql, Type},
};
use std::time::Duration;
use url::Url;

/// Returns the instant as the store writes it.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// Reads the columns of a row in their order: a column is found faster so than by its name.
pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    /// Begins with the first column.
    pub(super) fn of(row: &'a Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    /// Reads the next column.
    pub(super) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// Reads the next column, an instant.
    pub(super) fn timestamp(&mut self) -> rusqlite::Result<Timestamp> {
        from_millis(self.next()?)
    }

    /// Reads the next column, an instant that may be absent.
    pub(super) fn optional_timestamp(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        self.next::<Option<i64>>()?.map(from_millis).transpose()
    }

    /// Reads the next column, seconds that may be absent.
    pub(super) fn seconds(&mut self) -> rusqlite::Result<Option<Duration>> {
        Ok(self.next::<Option<u64>>()?.map(Duration::from_secs))
    }
}

/// Reads an instant.
pub(super) fn timestamp(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    from_millis(row.get(column)?)
}

/// Reads an instant that may be absent.
pub(super) fn optional_timestamp(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(from_millis).transpose()
}

/// Reads an instant out of a number.
pub(super) fn from_millis(millis: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(millis)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, Box::new(error)))
}

/// Returns the name that people know a feed by: the configured name, the feed's own title, else its host or file name.
/// Never its URL, which may hold credentials.
pub(super) fn outlet(name: Option<&str>, title: Option<&str>, identity: &str) -> String {
    if let Some(name) = [name, title].into_iter().flatten().find(|name| !name.trim().is_empty()) {
        return name.to_owned();
    }
    let host = Url::parse(identity).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| identity.rsplit('/').next().unwrap_or_default().to_owned())
}

/// Reads [`outlet`] out of the columns `feed_name`, `feed_title` and `feed_url`.
pub(super) fn outlet_column(row: &Row<'_>) -> rusqlite::Result<String> {
    let name: Option<String> = row.get("feed_name")?;
    let title: Option<String> = row.get("feed_title")?;
    Ok(outlet(name.as_deref(), title.as_deref(), &row.get::<_, String>("feed_url")?))
}
