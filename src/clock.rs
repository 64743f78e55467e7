//! The clock: the one place that reads it. Everything else is told `now`.

use jiff::Timestamp;

/// Returns the present instant, to the millisecond, as the store keeps it.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
