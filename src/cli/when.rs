//! Instants on the command line.

use super::Failure;
use jiff::{Timestamp, civil, tz::TimeZone};

/// Reads what an option says of the past, as [`instant`] does.
pub(super) fn past(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    match instant(option, text, now)? {
        at if at > now => {
            Err(Failure::Usage(format!("`{option} {text}` is in the future, where nothing was seen yet")))
        }
        at => Ok(at),
    }
}

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
    let is_number = |days: &&str| days.trim_start_matches('-').bytes().all(|digit| digit.is_ascii_digit());
    let days = text.strip_suffix('d').map(str::trim).filter(|days| days.contains(char::is_numeric)).filter(is_number);
    let span = match days {
        Some(days) => {
            let hours = days.parse::<i64>().ok().and_then(|days| days.checked_mul(24));
            Some(hours.and_then(|hours| jiff::Span::new().try_hours(hours).ok()))
        }
        None => text.parse::<jiff::Span>().ok().map(Some),
    };
    // What leads out of the calendar is before everything.
    let back = |span: jiff::Span| now.checked_sub(span.abs()).ok();
    span.map(|span| span.and_then(back).unwrap_or(Timestamp::UNIX_EPOCH)).ok_or_else(|| {
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
        assert_eq!(instant("--since", "9999999d", now).unwrap(), Timestamp::UNIX_EPOCH);
        assert_eq!(past("--since", "24h", now).unwrap(), instant("--since", "24h", now).unwrap());
        assert!(past("--since", "2026-11-26", now).unwrap_err().to_string().contains("in the future"));
        assert!(instant("--since", "2026-11-20", now).is_ok());
    }
}
