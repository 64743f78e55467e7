use super::*;
use crate::core::feed::{Validator, Validators};
use proptest::prelude::*;

const START: &str = "2026-03-01T12:00:00Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn feed(interval: Option<Duration>) -> Feed {
    Feed { interval, ..Feed::new(FeedUrl::Web("https://example.org/feed".parse().unwrap())) }
}

fn conditional(adaptive: Duration) -> FeedState {
    FeedState {
        adaptive_interval: Some(adaptive),
        validators: Validators { etag: Some(Validator::new("\"a\"")), last_modified: None },
        ..FeedState::default()
    }
}

fn failure(kind: FailureKind, retry_after: Option<Duration>) -> PollFailure {
    PollFailure { kind, message: "it broke".into(), retry_after, redirected_host: None }
}

/// Asserts that a time is `wait` and its jitter after the start.
fn assert_waits(next: &NextPoll, wait: Duration) {
    let waited = Duration::try_from(next.at.duration_since(start())).unwrap();
    let most = wait + (wait / 10).min(JITTER_MAX);
    assert!((wait..=most).contains(&waited), "{waited:?} is not {wait:?} and its jitter: {}", next.reason);
}

#[test]
fn adaptive_interval_moves_with_what_is_new() {
    let news = PollOutcome::Read { new_articles: 3 };
    let nothing = PollOutcome::Read { new_articles: 0 };
    let cases = [
        // (validators, before, outcome, after)
        (true, minutes(60), news, minutes(30)),
        (true, minutes(20), news, minutes(15)),
        (true, minutes(60), nothing, minutes(75)),
        (true, minutes(60), PollOutcome::Unchanged, minutes(75)),
        (true, hours(6), PollOutcome::Unchanged, hours(6)),
        (true, hours(24), PollOutcome::Unchanged, hours(6)),
        (false, minutes(60), news, minutes(60)),
        (false, minutes(15), PollOutcome::Unchanged, minutes(60)),
        (false, hours(6), PollOutcome::Unchanged, minutes(450)),
        (false, hours(23), PollOutcome::Unchanged, hours(24)),
        (false, hours(23), nothing, hours(6)),
    ];
    for (validators, before, outcome, after) in cases {
        let mut state = conditional(before);
        if !validators {
            state.validators = Validators::default();
        }
        let next = next_poll(&feed(None), &state, &outcome, &FreshnessHints::default(), start());
        assert_eq!(next.adaptive_interval, Some(after), "{validators} {before:?} {outcome:?}");
        assert_waits(&next, after);
    }
}

#[test]
fn a_file_needs_no_politeness() {
    let feed = Feed { url: FeedUrl::File("/srv/feed.xml".into()), ..feed(None) };
    let state = FeedState { adaptive_interval: Some(minutes(30)), ..FeedState::default() };
    let news = PollOutcome::Read { new_articles: 1 };
    let next = next_poll(&feed, &state, &news, &FreshnessHints::default(), start());
    assert_eq!(next.adaptive_interval, Some(minutes(15)));
}

#[test]
fn an_interval_of_the_feeds_own_is_honoured() {
    for interval in [minutes(1), hours(1), hours(48)] {
        let outcome = PollOutcome::Read { new_articles: 9 };
        let hints = FreshnessHints::default();
        let next = next_poll(&feed(Some(interval)), &FeedState::default(), &outcome, &hints, start());
        assert_eq!(next.adaptive_interval, None);
        assert_waits(&next, interval);
    }
}

#[test]
fn hints_only_delay_and_at_most_a_day() {
    let hint = |max_age, expires_in, ttl| FreshnessHints {
        max_age: Some(max_age),
        expires_in: Some(expires_in),
        ttl: Some(ttl),
    };
    let zero = Duration::ZERO;
    let cases = [
        (FreshnessHints::default(), hours(1), "hourly"),
        (hint(zero, zero, zero), hours(1), "hourly"),
        (hint(minutes(45), zero, zero), hours(1), "hourly, server said max-age 2700"),
        (hint(hours(2), zero, hours(1)), hours(2), "hourly, server said max-age 7200: waiting 2 h"),
        (hint(zero, hours(3), zero), hours(3), "hourly, server said it expires in 3 h: waiting 3 h"),
        (hint(zero, zero, minutes(90)), minutes(90), "hourly, feed said ttl 1 h 30 min: waiting 1 h 30 min"),
        (hint(hours(16 * 8766), zero, zero), hours(24), "hourly, server said max-age 504921600: waiting 1 d"),
        (hint(Duration::MAX, Duration::MAX, Duration::MAX), hours(24), "hourly, feed said ttl"),
    ];
    for (hints, wait, reason) in cases {
        let next = next_poll(&feed(Some(hours(1))), &FeedState::default(), &PollOutcome::Unchanged, &hints, start());
        assert_waits(&next, wait);
        assert!(next.reason.starts_with(reason), "{}", next.reason);
    }
}

#[test]
fn failures_back_off() {
    use FailureKind::{Refused, Status, Unreachable, Unreadable};
    let quarter = minutes(15);
    let cases = [
        // (kind, failures before, Retry-After, wait, reason)
        (Status(500), 0, None, minutes(30), "every 15 min, failed once: backing off to 30 min"),
        (Unreachable, 2, None, hours(2), "every 15 min, failed 3 times: backing off to 2 h"),
        (Unreadable, 1, None, hours(1), "every 15 min, failed 2 times: backing off to 1 h"),
        (Refused, 9, None, hours(24), "every 15 min, failed 10 times: backing off to 1 d"),
        (Unreachable, u32::MAX, None, hours(24), "every 15 min, failed 4294967295 times: backing off to 1 d"),
        (Status(401), 0, None, hours(4), "every 15 min, failed once: backing off to 4 h"),
        (Status(403), 0, None, hours(4), "every 15 min, failed once: backing off to 4 h"),
        (Status(404), 4, None, hours(8), "every 15 min, failed 5 times: backing off to 8 h"),
        (Status(404), 40, None, hours(24), "every 15 min, failed 41 times: backing off to 1 d"),
        (Status(408), 0, None, minutes(30), "every 15 min, failed once: backing off to 30 min"),
        (Status(503), 0, Some(hours(3)), hours(3), "every 15 min, failed once: server asked to wait 3 h"),
        (Status(503), 0, Some(Duration::ZERO), minutes(30), "every 15 min, failed once: backing off to 30 min"),
        (Status(503), 0, Some(Duration::MAX), hours(168), "every 15 min, failed once: server asked to wait 7 d"),
    ];
    for (kind, failures, retry_after, wait, reason) in cases {
        let failed = failure(kind, retry_after);
        let state = FeedState { failures, ..conditional(quarter) };
        let next = next_poll(&feed(None), &state, &PollOutcome::Failed(&failed), &FreshnessHints::default(), start());
        assert_waits(&next, wait);
        assert_eq!(next.reason, reason);
        assert_eq!(next.park_host_until, None, "{kind:?} parks the feed alone");
        assert_eq!(next.adaptive_interval, Some(quarter), "a failure says nothing about news");
    }
}

#[test]
fn what_this_machine_could_not_ask_is_no_failure_of_the_feed() {
    let local = failure(FailureKind::Local, None);
    let outcome = PollOutcome::Failed(&local);
    let broken =
        after_poll(conditional(hours(2)), &PollOutcome::Failed(&failure(FailureKind::Unreachable, None)), start());
    for state in [FeedState::default(), conditional(hours(2)), FeedState { failures: 7, ..broken }] {
        for interval in [None, Some(hours(24))] {
            let next = next_poll(&feed(interval), &state, &outcome, &FreshnessHints::default(), start());
            assert_waits(&next, minutes(1));
            assert_eq!(next.reason, "not asked, this machine had no descriptor left: trying again in 1 min");
            assert_eq!(next.park_host_until, None);
        }
        assert_eq!(after_poll(state.clone(), &outcome, start() + minutes(5)), state);
    }
}

#[test]
fn a_long_interval_is_never_shortened_by_a_failure() {
    let failed = failure(FailureKind::Unreachable, None);
    let outcome = PollOutcome::Failed(&failed);
    let next = next_poll(&feed(Some(hours(168))), &FeedState::default(), &outcome, &FreshnessHints::default(), start());
    assert_waits(&next, hours(168));
}

#[test]
fn too_many_requests_parks_the_host() {
    let day = hours(24);
    let cases = [
        // (Retry-After, interval, wait, host parked for)
        (None, hours(1), hours(4), Some(hours(4))),
        (None, day, day, Some(hours(4))),
        (Some(hours(2)), hours(1), hours(2), Some(hours(2))),
        (Some(Duration::MAX), hours(1), hours(168), Some(hours(168))),
        (Some(Duration::ZERO), hours(1), hours(1), None),
    ];
    for (retry_after, interval, wait, parked) in cases {
        let failed = failure(FailureKind::Status(429), retry_after);
        let outcome = PollOutcome::Failed(&failed);
        let next =
            next_poll(&feed(Some(interval)), &FeedState::default(), &outcome, &FreshnessHints::default(), start());
        assert_waits(&next, wait);
        assert_eq!(next.park_host_until, parked.map(|parked| later(start(), parked)), "{retry_after:?}");
        assert!(next.reason.contains("too many requests"), "{}", next.reason);
    }
}

#[test]
fn gone_is_confirmed_once_and_then_polling_stops() {
    let failed = failure(FailureKind::Status(410), None);
    let outcome = PollOutcome::Failed(&failed);
    let decide = |state: &FeedState, now| next_poll(&feed(None), state, &outcome, &FreshnessHints::default(), now);

    let first = decide(&FeedState::default(), start());
    assert_waits(&first, hours(24));
    let state = after_poll(FeedState::default(), &outcome, start());
    assert_eq!(state.gone_since, Some(start()));

    let early = decide(&state, later(start(), hours(6)));
    assert!(early.at >= later(start(), hours(24)), "asked too early it still waits a day: {}", early.reason);

    let second = decide(&state, first.at);
    assert!(second.reason.contains("polling stopped until the configuration changes"));
    assert!(second.at >= later(first.at, hours(9 * 8766)));

    let back = after_poll(state, &PollOutcome::Unchanged, first.at);
    assert_eq!(back.gone_since, None);
}

#[test]
fn the_state_counts_failures_until_a_success() {
    let failed = failure(FailureKind::Unreachable, None);
    let outcome = PollOutcome::Failed(&failed);
    let later_on = later(start(), hours(1));
    let state = after_poll(after_poll(FeedState::default(), &outcome, start()), &outcome, later_on);
    assert_eq!(
        state,
        FeedState {
            last_poll_at: Some(later_on),
            failing_since: Some(start()),
            failures: 2,
            last_error: Some("it broke".into()),
            ..FeedState::default()
        }
    );
    let unchanged = after_poll(state.clone(), &PollOutcome::Unchanged, later_on);
    assert_eq!(
        unchanged,
        FeedState { last_poll_at: Some(later_on), last_success_at: Some(later_on), ..FeedState::default() }
    );
    let news = after_poll(state, &PollOutcome::Read { new_articles: 1 }, later_on);
    assert_eq!(news.last_new_at, Some(later_on));
}

#[test]
fn a_clock_set_back_does_not_leave_times_in_the_future() {
    let failed = failure(FailureKind::Status(410), None);
    let outcome = PollOutcome::Failed(&failed);
    let ahead = after_poll(FeedState::default(), &outcome, later(start(), hours(8766)));
    let state = after_poll(ahead, &outcome, start());
    assert_eq!((state.failing_since, state.gone_since), (Some(start()), Some(start())));
}

#[test]
fn jitter_differs_between_feeds_and_not_between_polls() {
    let waits: std::collections::HashSet<Duration> = (0..50)
        .map(|n| {
            let url = FeedUrl::Web(format!("https://example.org/{n}").parse().unwrap());
            assert_eq!(jitter(&url, hours(1)), jitter(&url, hours(1)));
            jitter(&url, hours(1))
        })
        .collect();
    assert!(waits.len() > 40, "{waits:?}");
}

proptest! {
    #[test]
    fn no_time_or_length_panics_and_nothing_is_early(
        second in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
        gone in proptest::option::of(Timestamp::MIN.as_second()..=Timestamp::MAX.as_second()),
        interval in proptest::option::of(any::<u64>()),
        status in 100_u16..600,
        failures in any::<u32>(),
        retry in proptest::option::of(any::<u64>()),
        hint in proptest::option::of(any::<u64>()),
    ) {
        let now = Timestamp::from_second(second).unwrap();
        let state = FeedState {
            failures,
            gone_since: gone.map(|second| Timestamp::from_second(second).unwrap()),
            adaptive_interval: hint.map(Duration::from_secs),
            ..FeedState::default()
        };
        let failed = failure(FailureKind::Status(status), retry.map(Duration::from_secs));
        let hints = FreshnessHints { max_age: hint.map(Duration::from_secs), ..FreshnessHints::default() };
        let feed = feed(interval.map(Duration::from_secs));
        for outcome in [PollOutcome::Unchanged, PollOutcome::Read { new_articles: 1 }, PollOutcome::Failed(&failed)] {
            let next = next_poll(&feed, &state, &outcome, &hints, now);
            prop_assert!(next.at >= now);
            after_poll(state.clone(), &outcome, now);
        }
    }

    #[test]
    fn jitter_is_a_tenth_and_half_an_hour_at_most(path in "[a-z]{0,12}", seconds in any::<u64>()) {
        let url = FeedUrl::Web(format!("https://example.org/{path}").parse().unwrap());
        let wait = Duration::from_secs(seconds);
        let delay = jitter(&url, wait);
        prop_assert!(delay <= wait / 10 && delay <= JITTER_MAX);
    }
}
