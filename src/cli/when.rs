//! Instants on the command line.

use super::Failure;
use jiff::{Timestamp, civil, tz::TimeZone};

/// Reads what an option says: `24h`, `7d` (back from now), `2026-11-24` (local midnight) or an RFC 3339 instant.
pub(super) fn instant(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(date) = text.parse::<civil::Date>()
        && let Ok(midnight) = date.to_zoned(TimeZone::system())
    {
        return Ok(midnight.timestamp());
    }
    let days = text.strip_suffix('d').and_then(|days| days.trim().parse::<i64>().ok());
    let span = days.and_then(|days| days.checked_mul(24)).and_then(|hours| jiff::Span::new().try_hours(hours).ok());
    let span = span.or_else(|| text.parse::<jiff::Span>().ok());
    span.and_then(|span| now.checked_sub(span.abs()).ok()).ok_or_else(|| {
        Failure::Usage(format!("`{option} {text}` is no time; write `24h`, `7d`, `2026-11-24` or `2026-11-24T07:00Z`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_duration_back_or_a_date() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("24h", "2026-11-23T12:00:00Z"),
            ("7d", "2026-11-17T12:00:00Z"),
            ("1h 30m", "2026-11-24T10:30:00Z"),
            ("2026-11-20T07:00:00Z", "2026-11-20T07:00:00Z"),
        ] {
            assert_eq!(instant("--since", text, now).unwrap(), expected.parse().unwrap(), "{text}");
        }
        assert!(instant("--since", "yesterday-ish", now).is_err());
        assert!(instant("--since", "2026-11-20", now).is_ok());
    }
}
