//! Health: how a feed does, in numbers and in one word, and what a person should change.

use super::{
    cadence,
    feed::{Feed, FeedState},
    relocation,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::time::Duration;

/// Time in which the weight of a news item in the average falls to 1/e.
const MEMORY_DAYS: f64 = 7.0;
/// Seconds of a day.
const DAY: f64 = 86_400.0;
/// Least history for an average.
const HISTORY: SignedDuration = SignedDuration::from_hours(24);
/// A feed is not stale before.
const STALE_MIN: Duration = Duration::from_secs(7 * 86_400);
/// How many times its longest usual silence makes a feed stale.
const STALE_TIMES: u32 = 3;
/// What remains of the longest silence each time that there is something new: habits change.
const GAP_DECAY: f64 = 0.95;

/// What a feed's polls brought so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Polls that ended in something that could be read.
    pub answers: u64,
    /// How many of them were answered with 304.
    pub not_modified: u64,
    /// New articles a day, a decaying average as of the last success, before correction for a short history.
    pub daily: f64,
    /// The longest silence between two pieces of news, slowly forgotten.
    pub longest_gap: Option<Duration>,
}

/// How a feed does, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// The last polls failed.
    Failing,
    /// It is gone for good and is not polled any more.
    Gone,
    /// It can be read and has brought nothing for far longer than is usual for it.
    Stale,
    /// It was never polled.
    New,
    /// It can be read.
    Ok,
}

/// Returns the tally after a poll that brought something readable. `before` is the state that the poll began with.
pub fn tally(before: &FeedState, new_articles: usize, not_modified: bool, now: Timestamp) -> Tally {
    let old = before.tally;
    let counted = Tally {
        answers: old.answers.saturating_add(1),
        not_modified: old.not_modified.saturating_add(u64::from(not_modified)),
        ..old
    };
    // The first document says what there was, not how fast it came.
    let (Some(_), Some(last)) = (before.baseline_at, before.last_success_at) else { return counted };
    let days = seconds_between(last, now) / DAY;
    // Counts of articles are far below the 2^52 that an f64 holds.
    let came = f64::from(u32::try_from(new_articles).unwrap_or(u32::MAX));
    let daily = old.daily * (-days / MEMORY_DAYS).exp() + came / MEMORY_DAYS;
    let longest_gap = match before.last_new_at {
        Some(at) if new_articles > 0 => {
            let gap = Duration::from_secs_f64(seconds_between(at, now));
            Some(old.longest_gap.map_or(gap, |longest| gap.max(longest.mul_f64(GAP_DECAY))))
        }
        _ => old.longest_gap,
    };
    Tally { daily, longest_gap, ..counted }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

/// Returns how many new articles a feed brings a day, once there is a day of history.
pub fn items_a_day(state: &FeedState) -> Option<f64> {
    let (since, until) = (state.baseline_at?, state.last_success_at?);
    if until.duration_since(since) < HISTORY {
        return None;
    }
    let days = seconds_between(since, until) / DAY;
    Some(state.tally.daily / (1.0 - (-days / MEMORY_DAYS).exp()))
}

/// Returns the share of polls that were answered with 304, of those that were answered.
pub fn share_not_modified(tally: &Tally) -> Option<f64> {
    // Neither reaches the 2^52 that an f64 holds.
    #[expect(clippy::cast_precision_loss, reason = "a poll a second reaches 2^52 in 142 million years")]
    (tally.answers > 0).then(|| tally.not_modified as f64 / tally.answers as f64)
}

impl Health {
    /// Returns the word for it, as JSON and the command line have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Gone => "gone",
            Self::Stale => "stale",
            Self::New => "never polled",
            Self::Ok => "ok",
        }
    }
}

impl Serialize for Health {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// Returns how a feed does that is polled next at a time.
pub fn health(state: &FeedState, next_poll_at: Timestamp) -> Health {
    if cadence::is_stopped(state, next_poll_at) {
        Health::Gone
    } else if state.failing_since.is_some() {
        Health::Failing
    } else if state.last_poll_at.is_none() {
        Health::New
    } else if silence(state).is_some() {
        Health::Stale
    } else {
        Health::Ok
    }
}

/// Returns how long a stale feed has been silent, and how long it usually is at most. Counted up to the last poll: a
/// feed is not to blame for a daemon that did not run.
fn silence(state: &FeedState) -> Option<(Duration, Duration)> {
    let usual = state.tally.longest_gap?;
    let silent = Duration::from_secs_f64(seconds_between(state.last_new_at?, state.last_success_at?));
    (silent > STALE_MIN.max(usual.saturating_mul(STALE_TIMES))).then_some((silent, usual))
}

/// Returns what a person should change about a feed, and where.
pub fn suggestion(feed: &Feed, state: &FeedState, next_poll_at: Timestamp) -> Option<String> {
    let place = feed.origin.as_ref().map_or_else(|| "the configuration".to_owned(), ToString::to_string);
    if cadence::is_stopped(state, next_poll_at) {
        return Some(format!("gone for good: remove the feed at {place}, or give its new address"));
    }
    if let Some(moved) = &state.relocation.moved {
        return Some(format!("moved permanently: change the URL at {place} to {}", relocation::shown(&moved.to)));
    }
    let (silent, usual) = silence(state)?;
    let days = |length: Duration| match length.as_secs() / 86_400 {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    Some(format!(
        "nothing new for {}, when {} was the longest silence: see whether the site has another feed",
        days(silent),
        days(usual)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        cadence::{PollOutcome, after_poll},
        feed::{FailureKind, FeedUrl, Origin, PollFailure},
        relocation::{Moved, Relocation},
    };

    fn hour(hours: i64) -> Timestamp {
        "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    fn polled(state: FeedState, new_articles: usize, now: Timestamp) -> FeedState {
        let tally = tally(&state, new_articles, new_articles == 0, now);
        let baseline_at = state.baseline_at.or(Some(now));
        FeedState { tally, ..after_poll(FeedState { baseline_at, ..state }, &PollOutcome::Read { new_articles }, now) }
    }

    /// A feed that is polled each hour and brings something whenever `news` says so.
    fn history(hours: i64, news: impl Fn(i64) -> usize) -> FeedState {
        (1..=hours).fold(polled(FeedState::default(), 40, hour(0)), |state, at| polled(state, news(at), hour(at)))
    }

    fn word(state: &FeedState) -> Health {
        health(state, hour(1))
    }

    #[test]
    fn the_average_is_right_from_the_first_day_on_and_follows_changes() {
        assert_eq!(items_a_day(&history(12, |_| 1)), None, "half a day is no history");
        for days in [2, 7, 60] {
            let found = items_a_day(&history(24 * days, |at| usize::from(at % 2 == 0))).unwrap();
            assert!((11.0..13.0).contains(&found), "12 a day for {days} days: {found}");
        }
        let quieter = history(24 * 60, |at| usize::from(at < 24 * 30 || at % 24 == 0));
        let found = items_a_day(&quieter).unwrap();
        assert!((1.0..2.0).contains(&found), "from 24 to 1 a day, 30 days ago: {found}");
        assert!(items_a_day(&history(48, |_| 0)).unwrap() < 0.001, "the first document is no news");
    }

    #[test]
    fn unchanged_answers_have_a_share() {
        assert_eq!(share_not_modified(&Tally::default()), None);
        let state = history(9, |at| usize::from(at <= 3));
        assert_eq!((state.tally.answers, state.tally.not_modified), (10, 6));
        assert!((share_not_modified(&state.tally).unwrap() - 0.6).abs() < 1e-9);
    }

    #[test]
    fn a_silence_that_is_long_for_this_feed_is_stale_and_no_other() {
        let month = 24 * 30;
        let hourly = |at: i64| usize::from(at < month);
        assert_eq!(word(&history(month + 24 * 6, hourly)), Health::Ok, "six days may be a holiday");
        assert_eq!(word(&history(month + 24 * 9, hourly)), Health::Stale);
        let weekly = |at: i64| usize::from(at < 24 * 70 && at % (24 * 7) == 0);
        assert_eq!(word(&history(24 * 84, weekly)), Health::Ok, "two weeks, when one is usual");
        assert_eq!(word(&history(24 * 95, weekly)), Health::Stale);
        let never = history(24 * 365, |_| 0);
        assert_eq!(word(&never), Health::Ok, "what is usual is not known");
        let stale = history(month + 24 * 9, hourly);
        let back = polled(stale, 1, hour(month + 24 * 9 + 1));
        assert_eq!(word(&back), Health::Ok);
    }

    #[test]
    fn broken_is_not_stale_and_gone_is_neither() {
        let fail = |kind| PollFailure { kind, message: "it broke".into(), retry_after: None, redirected_host: None };
        let after = |state, failure: &PollFailure, at| after_poll(state, &PollOutcome::Failed(failure), hour(at));
        let stale = history(24 * 40, |at| usize::from(at < 24 * 30));
        assert_eq!(word(&stale), Health::Stale);
        assert_eq!(word(&after(stale, &fail(FailureKind::Unreachable), 24 * 41)), Health::Failing);
        let gone = after(FeedState::default(), &fail(FailureKind::Status(410)), 0);
        assert_eq!(word(&gone), Health::Failing, "not confirmed yet");
        assert_eq!(health(&gone, hour(24 * 3650)), Health::Gone);
        assert_eq!(word(&FeedState::default()), Health::New);
        assert!(Health::Failing < Health::Stale && Health::Stale < Health::Ok, "broken first");
    }

    #[test]
    fn a_suggestion_names_file_and_line() {
        let origin = Origin { file: "conf.d/wires.toml".into(), line: 12, interval_line: None };
        let url = FeedUrl::Web("http://old.example/feed".parse().unwrap());
        let feed = Feed { origin: Some(origin), ..Feed::new(url) };
        let moved = Moved { to: "https://new.example/feed?token=secret".into(), since: hour(0) };
        let state = FeedState { relocation: Relocation { moved: Some(moved), seen: None }, ..FeedState::default() };
        assert_eq!(
            suggestion(&feed, &state, hour(1)).unwrap(),
            "moved permanently: change the URL at conf.d/wires.toml:12 to https://new.example/feed?token=***"
        );
        let gone = FeedState { gone_since: Some(hour(0)), last_poll_at: Some(hour(25)), ..FeedState::default() };
        assert!(suggestion(&feed, &gone, hour(24 * 3650)).unwrap().contains("remove the feed at conf.d/wires.toml:12"));
        let stale = history(24 * 40, |at| usize::from(at < 24 * 30));
        let said = suggestion(&feed, &stale, hour(1)).unwrap();
        assert!(said.starts_with("nothing new for 10 days, when less than a day was the longest"), "{said}");
        assert_eq!(suggestion(&feed, &history(48, |_| 1), hour(1)), None);
    }
}
