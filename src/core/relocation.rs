//! Relocation: where a feed is asked after its publisher said, for long enough, that it moved for good (FEEDS A13).
//!
//! The configured URL stays the feed's identity. What moves is where the poll begins, and only on evidence that no
//! captive portal gives: the same permanent redirects, again and again over a week, each time with a feed at the end.

use super::feed::{FeedState, FeedUrl, Redirect};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use url::Url;

/// How often the same redirects must have led to a feed.
pub const TIMES: u32 = 10;
/// Over how long.
const PERIOD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Failures in a row after which the configured URL is tried again, in turns with the new one; with the backoff
/// between them that is about a day.
const DOUBT: u32 = 5;

/// What is known of a feed's move.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relocation {
    /// Where polls begin instead of at the configured URL.
    pub moved: Option<Moved>,
    /// Permanent redirects that were seen at each of the last polls.
    pub seen: Option<PermanentRedirects>,
}

/// A move that polls follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The new URL, without credentials.
    pub to: String,
    /// Since when polls begin there.
    pub since: Timestamp,
}

/// Redirects, all of them permanent, that led to a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermanentRedirects {
    /// URL at their end, without credentials.
    pub to: String,
    /// Hash of the statuses and URLs on the way.
    pub chain: [u8; 32],
    /// How often they were the same, in a row.
    pub times: u32,
    /// Since when.
    pub since: Timestamp,
}

/// Returns the URL that a poll begins with. A new URL that fails for long is doubted: every other poll begins with the
/// configured one, as does the one that is to confirm a 410.
pub fn start<'a>(configured: &'a Url, state: &FeedState) -> Cow<'a, Url> {
    let doubted = state.gone_since.is_some() || (state.failures >= DOUBT && state.failures % 2 == 1);
    let moved = state.relocation.moved.as_ref().filter(|_| !doubted);
    moved.and_then(|moved| moved.to.parse().ok()).map_or(Cow::Borrowed(configured), Cow::Owned)
}

/// Returns the host that the next poll asks.
pub fn host(configured: &FeedUrl, state: &FeedState) -> Option<String> {
    match configured {
        FeedUrl::Web(url) => start(url, state).host_str().map(str::to_owned),
        FeedUrl::File(_) => None,
    }
}

/// Returns what is known after a poll that ended in a feed by way of these redirects. `before` is the state that the
/// poll began with.
pub fn after_feed(configured: &Url, before: &FeedState, redirects: &[Redirect], now: Timestamp) -> Relocation {
    let began = start(configured, before);
    // The configured URL that brings the feed while the new one does not: it did not move after all.
    let moved = before.relocation.moved.clone().filter(|moved| began.as_str() == moved.to);
    let permanent = redirects.iter().all(|hop| matches!(hop.status, 301 | 308));
    let Some(last) = redirects.last().filter(|_| permanent) else { return Relocation { moved, seen: None } };
    let chain = chain(&began, redirects);
    let seen = match &before.relocation.seen {
        Some(seen) if seen.chain == chain => {
            PermanentRedirects { times: seen.times.saturating_add(1), since: seen.since.min(now), ..seen.clone() }
        }
        _ => PermanentRedirects { to: last.to.clone(), chain, times: 1, since: now },
    };
    if seen.times >= TIMES && now.duration_since(seen.since) >= PERIOD {
        return Relocation { moved: Some(Moved { to: seen.to, since: now }), seen: None };
    }
    Relocation { moved, seen: Some(seen) }
}

fn chain(began: &Url, redirects: &[Redirect]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(began.as_str());
    for hop in redirects {
        hash.update(format!("\n{} {}", hop.status, hop.to));
    }
    hash.finalize().into()
}

/// Returns a URL that a redirect led to as people may see it.
pub fn shown(url: &str) -> String {
    url.parse().map_or_else(|_| url.to_owned(), |url| FeedUrl::Web(url).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured() -> Url {
        "http://old.example/feed".parse().unwrap()
    }

    fn day(days: i64) -> Timestamp {
        "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * days)
    }

    fn hop(status: u16, to: &str) -> Redirect {
        Redirect { status, to: to.to_owned() }
    }

    fn polls(chains: &[(i64, &[Redirect])]) -> FeedState {
        chains.iter().fold(FeedState::default(), |state, (at, redirects)| FeedState {
            relocation: after_feed(&configured(), &state, redirects, day(*at)),
            ..state
        })
    }

    #[test]
    fn ten_identical_permanent_chains_over_a_week_move_a_feed_and_nothing_less() {
        let there = [hop(301, "https://old.example/feed"), hop(308, "https://new.example/feed")];
        let elsewhere = [hop(301, "https://other.example/feed")];
        let for_now = [hop(301, "https://old.example/feed"), hop(302, "https://new.example/feed")];
        let daily = |days: std::ops::Range<i64>| days.map(|day| (day, &there[..]));
        let moved = |chains: Vec<(i64, &[Redirect])>| polls(&chains).relocation.moved.map(|moved| moved.to);
        assert_eq!(moved(daily(0..10).collect()).as_deref(), Some("https://new.example/feed"));
        assert_eq!(moved(daily(0..9).collect()), None, "nine times");
        assert_eq!(moved((0..30).map(|_| (0, &there[..])).collect()), None, "within a day");
        for interruption in [&elsewhere[..], &for_now[..], &[]] {
            let interrupted = daily(0..9).chain([(9, interruption)]).chain(daily(9..18)).collect();
            assert_eq!(moved(interrupted), None, "{interruption:?}");
        }
        for status in [302, 303, 307] {
            let temporary = [hop(status, "https://new.example/feed")];
            assert_eq!(moved((0..30).map(|day| (day, &temporary[..])).collect()), None, "{status}");
        }
    }

    #[test]
    fn a_new_url_that_fails_for_long_is_doubted_and_given_up_when_the_configured_one_works() {
        let moved = Moved { to: "https://new.example/feed".to_owned(), since: day(0) };
        let state =
            FeedState { relocation: Relocation { moved: Some(moved.clone()), seen: None }, ..FeedState::default() };
        let begins_at = |failures, gone: bool| {
            let state = FeedState { failures, gone_since: gone.then(|| day(0)), ..state.clone() };
            start(&configured(), &state).host_str().unwrap().to_owned()
        };
        let hosts: Vec<_> = (0..8).map(|failures| begins_at(failures, false)).collect();
        let (new, old) = ("new.example", "old.example");
        assert_eq!(hosts, [new, new, new, new, new, old, new, old]);
        assert_eq!(begins_at(1, true), old, "a 410 is confirmed by the configured URL");
        let doubted = FeedState { failures: 5, ..state.clone() };
        assert_eq!(after_feed(&configured(), &doubted, &[], day(9)), Relocation::default());
        let kept = after_feed(&configured(), &state, &[], day(9));
        assert_eq!(kept.moved, Some(moved), "it works at the new one");
    }

    #[test]
    fn a_feed_may_move_again() {
        let mut state = FeedState {
            relocation: Relocation {
                moved: Some(Moved { to: "https://new.example/feed".to_owned(), since: day(0) }),
                seen: None,
            },
            ..FeedState::default()
        };
        for at in 0..10 {
            let next = [hop(301, "https://newest.example/feed")];
            state.relocation = after_feed(&configured(), &state, &next, day(at));
        }
        assert_eq!(state.relocation.moved.unwrap().to, "https://newest.example/feed");
    }
}
