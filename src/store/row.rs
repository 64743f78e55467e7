//! Conversions between columns and values.

use jiff::Timestamp;
use rusqlite::{Row, types::Type};
use url::Url;

/// Returns the instant as the store writes it.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
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

/// Reads a SHA-256 hash.
pub(super) fn hash(bytes: Vec<u8>) -> rusqlite::Result<[u8; 32]> {
    <[u8; 32]>::try_from(bytes)
        .map_err(|_| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, "a hash is 32 bytes long".into()))
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
