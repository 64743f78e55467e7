//! What response headers say about time and about the document: freshness, `Retry-After`, validators.

use crate::core::feed::{FreshnessHints, Validator, Validators};
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderName};
use std::time::{Duration, UNIX_EPOCH};

/// Longest validator that is kept: it goes into the store and back into each request.
const VALIDATOR_BYTES_MAX: usize = 4096;

/// Returns what the headers say about the next change (RFC 9111 §4.2.1): `max-age` less `Age`, else `Expires` less
/// `Date`. `no-cache`, `no-store` and `max-age=0` say nothing about it.
pub(super) fn freshness(headers: &HeaderMap, now: Timestamp) -> FreshnessHints {
    let directives = cache_directives(headers);
    let max_age = directives.iter().find(|(name, _)| name == "max-age").map(|(_, value)| value);
    // `no-cache="Set-Cookie"` is about that field alone.
    let forbidden =
        directives.iter().any(|(name, value)| name == "no-store" || (name == "no-cache" && value.is_empty()));
    match max_age {
        _ if forbidden => FreshnessHints::default(),
        Some(max_age) => {
            let age = text(headers, &header::AGE).and_then(delta_seconds).unwrap_or_default();
            let left = delta_seconds(max_age).map(|max_age| max_age.saturating_sub(age));
            FreshnessHints { max_age: left.filter(|left| !left.is_zero()), ..FreshnessHints::default() }
        }
        None => {
            let expires = text(headers, &header::EXPIRES).and_then(date);
            let left = expires.map(|at| at.saturating_sub(answered_at(headers, now)));
            FreshnessHints { expires_in: left.filter(|left| !left.is_zero()), ..FreshnessHints::default() }
        }
    }
}

/// Returns `Retry-After` (RFC 9110 §10.2.3), counted from the answer on; the past is zero, nonsense is nothing.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = text(headers, &header::RETRY_AFTER)?;
    let negative = value.strip_prefix('-').and_then(delta_seconds).map(|_| Duration::ZERO);
    let at = || date(value).map(|at| at.saturating_sub(answered_at(headers, now)));
    delta_seconds(value).or(negative).or_else(at)
}

/// Returns the validators that the headers carry, byte for byte.
pub(super) fn validators(headers: &HeaderMap) -> Validators {
    let exact = |name: &HeaderName| {
        let value = headers.get(name)?.as_bytes();
        (!value.is_empty() && value.len() <= VALIDATOR_BYTES_MAX).then(|| Validator::new(value))
    };
    Validators { etag: exact(&header::ETAG), last_modified: exact(&header::LAST_MODIFIED) }
}

/// Returns the `Cache-Control` directives in order: name in lower case, value without its quotes.
fn cache_directives(headers: &HeaderMap) -> Vec<(String, String)> {
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(outside_quotes).map(|directive| parsed_directive(&directive)).collect()
}

fn parsed_directive(directive: &str) -> (String, String) {
    let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
    (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').trim().to_owned())
}

/// Splits a header at its commas, but not within quotes.
fn outside_quotes(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for character in value.chars() {
        quoted ^= character == '"';
        match parts.last_mut() {
            Some(part) if character != ',' || quoted => part.push(character),
            _ => parts.push(String::new()),
        }
    }
    parts
}

/// Parses a count of seconds; one that no number holds is the greatest.
fn delta_seconds(value: &str) -> Option<Duration> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)))
}

/// Parses an HTTP date into the time since 1970.
fn date(value: &str) -> Option<Duration> {
    httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()
}

/// Returns when the server answered by its own clock, since its other times are by that clock too; else by ours.
fn answered_at(headers: &HeaderMap, now: Timestamp) -> Duration {
    let ours = || Duration::try_from(now.as_duration()).unwrap_or_default();
    text(headers, &header::DATE).and_then(date).unwrap_or_else(ours)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-01T12:00:00Z";

    type Lines<'a> = &'a [(&'static str, &'a str)];

    fn headers(lines: Lines<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn max_age_is_read_however_it_is_written() {
        let cases: [(Lines, Option<u64>); 17] = [
            (&[], None),
            (&[("cache-control", "max-age=2700")], Some(2700)),
            (&[("cache-control", "public , MAX-AGE = 2700 ,must-revalidate")], Some(2700)),
            (&[("cache-control", "max-age=\"2700\"")], Some(2700)),
            (&[("cache-control", "private, ext=\"a, max-age=5\", max-age=60")], Some(60)),
            (&[("cache-control", "public"), ("cache-control", "max-age=60")], Some(60)),
            (&[("cache-control", "max-age=100"), ("age", "40")], Some(60)),
            (&[("cache-control", "max-age=100"), ("age", "400")], None),
            (&[("cache-control", "max-age=100"), ("age", "x")], Some(100)),
            (&[("cache-control", "max-age=0")], None),
            (&[("cache-control", "max-age=-5")], None),
            (&[("cache-control", "max-age=")], None),
            (&[("cache-control", "no-cache, max-age=60")], None),
            (&[("cache-control", "max-age=60"), ("cache-control", "no-store")], None),
            (&[("cache-control", "no-cache=\"set-cookie\", max-age=60")], Some(60)),
            (&[("cache-control", "s-maxage=60")], None),
            (&[("cache-control", "max-age=99999999999999999999999")], Some(u64::MAX)),
        ];
        for (lines, seconds) in cases {
            let hints = freshness(&headers(lines), NOW.parse().unwrap());
            assert_eq!(hints.max_age, seconds.map(Duration::from_secs), "{lines:?}");
            assert_eq!((hints.expires_in, hints.ttl), (None, None), "{lines:?}");
        }
    }

    #[test]
    fn expires_is_counted_from_the_servers_date() {
        let one_pm = "Sun, 01 Mar 2026 13:00:00 GMT";
        let cases: [(Lines, Option<u64>); 8] = [
            (&[("expires", one_pm)], Some(3600)),
            (&[("expires", "Sunday, 01-Mar-26 13:00:00 GMT")], Some(3600)),
            (&[("expires", "Sun Mar  1 13:00:00 2026")], Some(3600)),
            (&[("expires", one_pm), ("date", "Sun, 01 Mar 2026 12:59:00 GMT")], Some(60)),
            (&[("expires", one_pm), ("date", one_pm)], None),
            (&[("expires", "0")], None),
            (&[("expires", "Thu, 01 Jan 1970 00:00:00 GMT")], None),
            (&[("expires", one_pm), ("cache-control", "max-age=0")], None),
        ];
        for (lines, seconds) in cases {
            let hints = freshness(&headers(lines), NOW.parse().unwrap());
            assert_eq!(hints.expires_in, seconds.map(Duration::from_secs), "{lines:?}");
        }
    }

    #[test]
    fn retry_after_is_read_in_all_its_forms() {
        let cases = [
            ("120", Some(120)),
            (" 120 ", Some(120)),
            ("0", Some(0)),
            ("-30", Some(0)),
            ("1000000000", Some(1_000_000_000)),
            ("99999999999999999999999999", Some(u64::MAX)),
            ("Sun, 01 Mar 2026 12:10:00 GMT", Some(600)),
            ("Sun, 01 Mar 2020 12:10:00 GMT", Some(0)),
            ("soon", None),
            ("1.5", None),
            ("-", None),
            ("", None),
        ];
        for (value, seconds) in cases {
            let found = retry_after(&headers(&[("retry-after", value)]), NOW.parse().unwrap());
            assert_eq!(found, seconds.map(Duration::from_secs), "{value:?}");
        }
        let dated =
            headers(&[("retry-after", "Sun, 01 Mar 2026 12:10:00 GMT"), ("date", "Sun, 01 Mar 2026 12:09:00 GMT")]);
        assert_eq!(retry_after(&dated, NOW.parse().unwrap()), Some(Duration::from_secs(60)));
    }

    #[test]
    fn validators_are_kept_byte_for_byte() {
        let odd = headers(&[("etag", "W/\"x-gzip\""), ("last-modified", "yesterday-ish")]);
        let (etag, last_modified) = (Validator::new("W/\"x-gzip\""), Validator::new("yesterday-ish"));
        assert_eq!(validators(&odd), Validators { etag: Some(etag), last_modified: Some(last_modified) });
        assert!(validators(&headers(&[("etag", "")])).is_empty());
        assert!(validators(&headers(&[("etag", &"x".repeat(5000))])).is_empty());
    }
}
