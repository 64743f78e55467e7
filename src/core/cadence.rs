//! Cadence: when a feed is polled next, and why.
//!
//! A publisher's hints and a failing server only ever delay a poll; nothing here brings one forward. What a decision
//! rests on is all in its arguments, the jitter too, which comes from a hash of the feed's identity.

use super::{
    descriptors,
    feed::{FailureKind, Feed, FeedState, FeedUrl, FreshnessHints, PollFailure},
};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// Interval that adaptive polling starts with.
const ADAPTIVE_START: Duration = hours(1);
/// Least interval of adaptive polling.
const ADAPTIVE_MIN: Duration = minutes(15);
/// Greatest interval of adaptive polling.
const ADAPTIVE_MAX: Duration = hours(6);
/// Least interval of adaptive polling where each poll costs the server a whole document.
const UNCONDITIONAL_MIN: Duration = hours(1);
/// Greatest interval of adaptive polling where each poll costs the server a whole, unchanged document.
const UNCONDITIONAL_MAX: Duration = hours(24);
/// Most that a publisher's hint delays: sixteen-year values exist.
const HINT_MAX: Duration = hours(24);
/// Most that `Retry-After` delays.
const RETRY_AFTER_MAX: Duration = hours(7 * 24);
/// How long a host is left alone after a 429 that does not say how long.
const THROTTLED: Duration = hours(4);
/// Greatest interval of a feed that fails.
const BACKOFF_MAX: Duration = hours(24);
/// Least interval of a feed that the server denies.
const DENIED_MIN: Duration = hours(4);
/// When a 410 is asked about once more.
const GONE_CONFIRM: Duration = hours(24);
/// "Never", as a time that every store and calendar can hold.
const STOPPED: Duration = hours(10 * 365 * 24);
/// Most that jitter delays.
const JITTER_MAX: Duration = minutes(30);

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

const fn hours(count: u64) -> Duration {
    minutes(count * 60)
}

/// How a poll ended, as far as the next one depends on it.
#[derive(Debug, Clone, Copy)]
pub enum PollOutcome<'a> {
    /// 304, or the same body again.
    Unchanged,
    /// A document was read.
    Read {
        /// Articles that were not known.
        new_articles: usize,
    },
    /// It failed.
    Failed(&'a PollFailure),
}

/// When a feed is polled next.
#[derive(Debug, Clone, PartialEq)]
pub struct NextPoll {
    /// When, jitter included.
    pub at: Timestamp,
    /// Why then, for people: "hourly, server said max-age 2700".
    pub reason: String,
    /// The interval that adaptive polling has arrived at; nothing for feeds with an interval of their own.
    pub adaptive_interval: Option<Duration>,
    /// Until when the whole host is to be left alone (429).
    pub park_host_until: Option<Timestamp>,
}

/// Decides when a feed is polled next. `state` is that before this poll's outcome was counted.
pub fn next_poll(
    feed: &Feed,
    state: &FeedState,
    outcome: &PollOutcome<'_>,
    hints: &FreshnessHints,
    now: Timestamp,
) -> NextPoll {
    let adaptive_interval = match feed.interval {
        Some(_) => None,
        None => Some(adapted(feed, state, outcome)),
    };
    let interval = feed.interval.or(adaptive_interval).unwrap_or(ADAPTIVE_START);
    let wait = match outcome {
        PollOutcome::Unchanged | PollOutcome::Read { .. } => after_success(interval, hints),
        PollOutcome::Failed(failure) => after_failure(interval, state, failure, now),
    };
    let jitter = if wait.stopped { Duration::ZERO } else { jitter(&feed.url, wait.length) };
    NextPoll {
        at: later(now, wait.length.saturating_add(jitter)),
        reason: wait.reason,
        adaptive_interval,
        park_host_until: wait.park_host.map(|length| later(now, length)),
    }
}

/// Returns the feed's state after a poll: times, failures in a row, the last error. Validators, body hash, title,
/// baseline and the adaptive interval are the caller's.
pub fn after_poll(state: FeedState, outcome: &PollOutcome<'_>, now: Timestamp) -> FeedState {
    if matches!(outcome, PollOutcome::Failed(failure) if failure.kind == FailureKind::Local) {
        // Nobody was asked: nothing is known that was not before.
        return state;
    }
    let polled = FeedState { last_poll_at: Some(now), ..state };
    match outcome {
        PollOutcome::Unchanged => succeeded(polled, now),
        PollOutcome::Read { new_articles: 0 } => succeeded(polled, now),
        PollOutcome::Read { .. } => FeedState { last_new_at: Some(now), ..succeeded(polled, now) },
        PollOutcome::Failed(failure) => {
            let gone = failure.kind == FailureKind::Status(410);
            FeedState {
                failing_since: Some(not_after(polled.failing_since, now)),
                failures: polled.failures.saturating_add(1),
                last_error: Some(failure.message.clone()),
                gone_since: if gone { Some(not_after(polled.gone_since, now)) } else { polled.gone_since },
                ..polled
            }
        }
    }
}

/// Tells whether polling has stopped for good: the feed is gone, and that was confirmed.
pub fn is_stopped(state: &FeedState, next_poll_at: Timestamp) -> bool {
    // Nothing else waits for so long.
    state.gone_since.is_some() && state.last_poll_at.is_some_and(|last| next_poll_at > later(last, STOPPED / 2))
}

fn succeeded(state: FeedState, now: Timestamp) -> FeedState {
    FeedState {
        last_success_at: Some(now),
        failing_since: None,
        failures: 0,
        last_error: None,
        gone_since: None,
        ..state
    }
}

/// Returns the earlier of a remembered time and `now`: after the clock was set back, "since tomorrow" helps nobody.
fn not_after(remembered: Option<Timestamp>, now: Timestamp) -> Timestamp {
    remembered.map_or(now, |at| at.min(now))
}

/// Time to wait, before jitter.
#[derive(Debug, PartialEq)]
struct Wait {
    length: Duration,
    reason: String,
    park_host: Option<Duration>,
    stopped: bool,
}

impl Wait {
    fn new(length: Duration, reason: String) -> Self {
        Self { length, reason, park_host: None, stopped: false }
    }
}

/// Returns the interval of adaptive polling: halved by something new, a quarter longer after nothing new, so that it
/// settles at about three polls for each piece of news.
fn adapted(feed: &Feed, state: &FeedState, outcome: &PollOutcome<'_>) -> Duration {
    let current = state.adaptive_interval.unwrap_or(ADAPTIVE_START);
    let polite = matches!(feed.url, FeedUrl::Web(_)) && state.validators.is_empty();
    let (least, most) = match outcome {
        PollOutcome::Failed(_) => return current.clamp(ADAPTIVE_MIN, UNCONDITIONAL_MAX),
        PollOutcome::Unchanged if polite => (UNCONDITIONAL_MIN, UNCONDITIONAL_MAX),
        PollOutcome::Read { .. } if polite => (UNCONDITIONAL_MIN, ADAPTIVE_MAX),
        PollOutcome::Unchanged | PollOutcome::Read { .. } => (ADAPTIVE_MIN, ADAPTIVE_MAX),
    };
    let moved = match outcome {
        PollOutcome::Read { new_articles } if *new_articles > 0 => current / 2,
        _ => current.saturating_add(current / 4),
    };
    // Whole minutes read better, and nothing depends on the seconds.
    Duration::from_secs(moved.as_secs() / 60 * 60).clamp(least, most)
}

fn after_success(interval: Duration, hints: &FreshnessHints) -> Wait {
    let rhythm = rhythm(interval);
    let hints = [("max-age", hints.max_age), ("expires in", hints.expires_in), ("ttl", hints.ttl)];
    let longest = hints.into_iter().filter_map(|(name, hint)| Some((name, hint?))).max_by_key(|&(_, hint)| hint);
    match longest {
        Some((name, hint)) if !hint.is_zero() => {
            let said = match name {
                "max-age" => format!("{rhythm}, server said max-age {}", hint.as_secs()),
                "ttl" => format!("{rhythm}, feed said ttl {}", words(hint)),
                _ => format!("{rhythm}, server said it expires in {}", words(hint)),
            };
            let hint = hint.min(HINT_MAX);
            let reason = if hint > interval { format!("{said}: waiting {}", words(hint)) } else { said };
            Wait::new(interval.max(hint), reason)
        }
        _ => Wait::new(interval, rhythm),
    }
}

fn after_failure(interval: Duration, state: &FeedState, failure: &PollFailure, now: Timestamp) -> Wait {
    let failures = state.failures.saturating_add(1);
    let retry_after = failure.retry_after.map(|wait| wait.min(RETRY_AFTER_MAX));
    let rhythm = rhythm(interval);
    match failure.kind {
        FailureKind::Status(410) => after_gone(state, now),
        FailureKind::Status(429) => throttled(interval, retry_after),
        FailureKind::Local => {
            let again = descriptors::AGAIN.unsigned_abs();
            let reason = format!("not asked, this machine had no descriptor left: trying again in {}", words(again));
            Wait::new(again, reason)
        }
        kind => {
            let backoff = interval.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(BACKOFF_MAX);
            let backoff = if is_denial(kind) { backoff.max(DENIED_MIN) } else { backoff }.max(interval);
            let times = if failures == 1 { "once".to_owned() } else { format!("{failures} times") };
            match retry_after {
                Some(asked) if asked > backoff => {
                    let reason = format!("{rhythm}, failed {times}: server asked to wait {}", words(asked));
                    Wait::new(asked, reason)
                }
                _ => Wait::new(backoff, format!("{rhythm}, failed {times}: backing off to {}", words(backoff))),
            }
        }
    }
}

/// Tells whether the server answered that the feed is not for us: waiting a little does not change that.
fn is_denial(kind: FailureKind) -> bool {
    // 408 and 425 are about this one request.
    matches!(kind, FailureKind::Status(status) if (400..500).contains(&status) && !matches!(status, 408 | 425))
}

fn throttled(interval: Duration, retry_after: Option<Duration>) -> Wait {
    let parked = retry_after.unwrap_or(THROTTLED);
    let length = interval.max(parked);
    let reason = match retry_after {
        Some(asked) => format!("{}, too many requests: server asked to wait {}", rhythm(interval), words(asked)),
        None => format!("{}, too many requests: waiting {}", rhythm(interval), words(length)),
    };
    Wait { park_host: (!parked.is_zero()).then_some(parked), ..Wait::new(length, reason) }
}

/// Asks about a 410 once more after a day, then stops.
fn after_gone(state: &FeedState, now: Timestamp) -> Wait {
    let confirm_at = state.gone_since.map(|since| later(since.min(now), GONE_CONFIRM));
    match confirm_at {
        Some(at) if at <= now => Wait {
            stopped: true,
            ..Wait::new(
                STOPPED,
                "gone for good (410, confirmed after a day): polling stopped until the configuration changes"
                    .to_owned(),
            )
        },
        confirm_at => {
            let length = confirm_at.map_or(GONE_CONFIRM, |at| {
                Duration::try_from(at.duration_since(now)).unwrap_or(GONE_CONFIRM).min(GONE_CONFIRM)
            });
            Wait::new(length, format!("gone (410): asking once more in {}", words(length)))
        }
    }
}

/// Returns a delay of 0 to 10 % of the wait, half an hour at most; always the same for one feed and wait.
fn jitter(url: &FeedUrl, wait: Duration) -> Duration {
    let hash = Sha256::digest(url.identity().as_bytes());
    let share = u32::from(u16::from_be_bytes([hash[0], hash[1]]));
    // 65,535 / 655,360 is a shade under a tenth.
    (wait.min(JITTER_MAX * 10).saturating_mul(share) / 655_360).min(JITTER_MAX)
}

/// Returns the time so much later; at the end of time, the end of time.
fn later(from: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| from.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

/// Returns an interval as people say it: "hourly", "every 15 min".
fn rhythm(interval: Duration) -> String {
    match interval.as_secs() {
        3_600 => "hourly".to_owned(),
        86_400 => "daily".to_owned(),
        _ => format!("every {}", words(interval)),
    }
}

/// Returns a length of time as people say it, in its two greatest units: "1 h 30 min", "7 d".
pub fn words(length: Duration) -> String {
    let seconds = length.as_secs();
    let units = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said: Vec<String> = units
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
}

#[cfg(test)]
mod tests;
