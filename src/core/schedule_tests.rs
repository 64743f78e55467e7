use super::*;
use proptest::prelude::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap()
}

fn progress(window_end: Timestamp) -> DigestProgress {
    DigestProgress { window_end, last_sent_at: None, oldest_pending_hit: None }
}

/// The slots after `start` up to and with `end`, as wall-clock time with offset.
fn slots(text: &str, zone_name: &str, start: &str, end: &str) -> Vec<String> {
    let (schedule, timezone) = (schedule(text), zone(zone_name));
    std::iter::successors(schedule.slot_after(at(start), &timezone), |slot| schedule.slot_after(*slot, &timezone))
        .take_while(|slot| *slot <= at(end))
        .map(|slot| slot.to_zoned(timezone.clone()).strftime("%m-%d %H:%M%z").to_string())
        .collect()
}

#[test]
fn texts_come_back_as_written() {
    for text in [
        "daily at 07:00",
        "daily at 07:00, 18:00",
        "weekdays at 07:00, 18:00",
        "weekends at 09:30",
        "mondays at 07:00",
        "mon, thu at 08:00",
        "every 2h",
        "every 30m",
        "every 1h 30m",
        "every 24h",
        "hourly",
        "cron 0 7 * * 1-5",
        "immediately",
    ] {
        assert_eq!(schedule(text).to_string(), text);
    }
    for (text, same) in [
        ("  Weekdays AT 18:00,7:00, 07:00 ", "weekdays at 07:00, 18:00"),
        ("0 7 * * 1-5", "cron 0 7 * * 1-5"),
        ("*/15  * * * *", "cron */15 * * * *"),
        ("every 60m", "hourly"),
        ("sat, sun at 08:00", "weekends at 08:00"),
        ("Thursday, mondays at 08:00", "mon, thu at 08:00"),
    ] {
        assert_eq!(schedule(text).to_string(), same);
        assert_eq!(schedule(text), schedule(same));
    }
}

#[test]
fn what_is_no_schedule_is_refused_with_the_forms() {
    for text in [
        "",
        "daily",
        "at 07:00",
        "daily at",
        "daily at 7",
        "daily at 24:00",
        "daily at 07:60",
        "daily at +7:00",
        "daily at 07:0",
        "dayly at 07:00",
        "mon thu at 08:00",
        "every",
        "every 0m",
        "every -5m",
        "every 1m",
        "every 90s",
        "every 25h",
        "every 99999999999999999999h",
        "every day",
        "cron",
        "cron 0 7 * *",
        "0 0 7 * * 1-5",
        "61 7 * * *",
        "0 0 30 2 *",
        "sometimes",
    ] {
        let error = text.parse::<Schedule>().expect_err(text).to_string();
        assert!(error.contains("`weekdays at 07:00, 18:00`") && error.contains("`immediately`"), "{text}: {error}");
    }
}

#[test]
fn durations() {
    for (text, seconds) in
        [("30s", 30), ("10m", 600), ("2h", 7200), ("90d", 7_776_000), ("1h 30m", 5400), ("2 hours", 7200)]
    {
        assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
    }
    for text in ["", "5", "h", "0s", "-5m", "5m ago", "1mo", "1y", "200000d", "99999999999999999999s", "5 parsecs"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

/// Promise P5: DST neither skips nor doubles an edition.
#[test]
fn a_time_that_is_missing_runs_once_when_the_clock_jumps_and_a_doubled_one_once() {
    // Kyiv 2026: 29 March 03:00 → 04:00, 25 October 04:00 → 03:00. New York: 8 March 02:00 → 03:00, 1 November 02:00 → 01:00.
    for (text, zone_name, start, end, expected) in [
        (
            "daily at 03:30",
            "Europe/Kyiv",
            "2026-03-28T00:00Z",
            "2026-03-30T12:00Z",
            vec!["03-28 03:30+0200", "03-29 04:00+0300", "03-30 03:30+0300"],
        ),
        (
            "30 3 * * *",
            "Europe/Kyiv",
            "2026-03-28T00:00Z",
            "2026-03-30T12:00Z",
            vec!["03-28 03:30+0200", "03-29 04:00+0300", "03-30 03:30+0300"],
        ),
        (
            "daily at 03:30",
            "Europe/Kyiv",
            "2026-10-24T12:00Z",
            "2026-10-26T12:00Z",
            vec!["10-25 03:30+0300", "10-26 03:30+0200"],
        ),
        (
            "daily at 02:30",
            "America/New_York",
            "2026-03-07T12:00Z",
            "2026-03-09T12:00Z",
            vec!["03-08 03:00-0400", "03-09 02:30-0400"],
        ),
        (
            "daily at 02:15, 02:30, 03:00",
            "America/New_York",
            "2026-03-07T12:00Z",
            "2026-03-08T12:00Z",
            vec!["03-08 03:00-0400"],
        ),
        (
            "daily at 01:30",
            "America/New_York",
            "2026-10-31T12:00Z",
            "2026-11-02T12:00Z",
            vec!["11-01 01:30-0400", "11-02 01:30-0500"],
        ),
        (
            "30 1 * * *",
            "America/New_York",
            "2026-10-31T12:00Z",
            "2026-11-02T12:00Z",
            vec!["11-01 01:30-0400", "11-02 01:30-0500"],
        ),
        (
            "every 2h",
            "America/New_York",
            "2026-03-08T05:00Z",
            "2026-03-08T10:00Z",
            vec!["03-08 03:00-0400", "03-08 04:00-0400", "03-08 06:00-0400"],
        ),
        (
            "every 30m",
            "America/New_York",
            "2026-11-01T04:30Z",
            "2026-11-01T07:30Z",
            vec!["11-01 01:00-0400", "11-01 01:30-0400", "11-01 02:00-0500", "11-01 02:30-0500"],
        ),
        (
            "0 8 29 2 *",
            "Europe/Kyiv",
            "2024-03-01T00:00Z",
            "2032-03-01T00:00Z",
            vec!["02-29 08:00+0200", "02-29 08:00+0200"],
        ),
        (
            "daily at 08:00",
            "UTC",
            "2028-02-28T08:00Z",
            "2028-03-01T08:00Z",
            vec!["02-29 08:00+0000", "03-01 08:00+0000"],
        ),
        ("fri at 18:00", "UTC", "2026-11-25T00:00Z", "2026-12-05T00:00Z", vec!["11-27 18:00+0000", "12-04 18:00+0000"]),
        (
            "every 5h",
            "UTC",
            "2026-11-25T14:00Z",
            "2026-11-26T05:00Z",
            vec!["11-25 15:00+0000", "11-25 20:00+0000", "11-26 00:00+0000", "11-26 05:00+0000"],
        ),
    ] {
        let utc = |text: &str| text.replace('Z', ":00Z");
        assert_eq!(slots(text, zone_name, &utc(start), &utc(end)), expected, "{text} in {zone_name}");
    }
}

/// Promise P5: a missed schedule is made up, once.
#[test]
fn what_passed_is_due_now_with_the_count_of_what_was_missed() {
    let timezone = zone("Europe/Kyiv");
    let daily = schedule("daily at 07:00");
    let slot = at("2026-11-25T05:00:00Z");
    for (now, window_end, expected) in [
        ("2026-11-25T04:59:59Z", "2026-11-24T05:00:00Z", Due::At(slot)),
        ("2026-11-25T05:00:00Z", "2026-11-24T05:00:00Z", Due::Now { slot, missed: 0 }),
        ("2026-11-25T12:00:00Z", "2026-11-24T05:00:03Z", Due::Now { slot, missed: 0 }),
        ("2026-11-25T12:00:00Z", "2026-11-22T05:00:03Z", Due::Now { slot, missed: 2 }),
        ("2026-11-25T12:00:00Z", "2025-11-25T05:00:03Z", Due::Now { slot, missed: 364 }),
        ("2026-11-25T12:00:00Z", "1970-01-01T00:00:00Z", Due::Now { slot, missed: MISSED_MAX }),
        ("2026-11-25T05:00:03Z", "2026-11-25T05:00:03Z", Due::At(at("2026-11-26T05:00:00Z"))),
        // The clock went back an hour, then a year, after the edition: it is not made again.
        ("2026-11-25T04:00:00Z", "2026-11-25T05:00:03Z", Due::At(at("2026-11-26T05:00:00Z"))),
        ("2025-11-25T12:00:00Z", "2026-11-25T05:00:03Z", Due::At(at("2026-11-26T05:00:00Z"))),
    ] {
        assert_eq!(daily.due(at(now), &timezone, &progress(at(window_end))), expected, "{now} after {window_end}");
    }
}

#[test]
fn the_ends_of_time_do_no_harm() {
    for text in ["daily at 07:00", "every 5m", "hourly", "0 7 * * *", "immediately"] {
        for name in ["UTC", "Europe/Kyiv", "Pacific/Apia", "Australia/Lord_Howe"] {
            for (now, end) in [
                (Timestamp::MIN, Timestamp::MIN),
                (Timestamp::MAX, Timestamp::MIN),
                (Timestamp::MIN, Timestamp::MAX),
                (Timestamp::MAX, Timestamp::MAX),
            ] {
                let _ = schedule(text).due(
                    now,
                    &zone(name),
                    &DigestProgress { window_end: end, last_sent_at: Some(end), oldest_pending_hit: Some(now) },
                );
            }
        }
    }
}

#[test]
fn immediately_waits_for_the_batch_and_for_the_least_distance() {
    let schedule = schedule("immediately");
    let now = at("2026-11-25T12:00:00Z");
    let ago = |seconds: i64| Some(now - jiff::SignedDuration::from_secs(seconds));
    let due_in = |seconds: i64| Due::At(now + jiff::SignedDuration::from_secs(seconds));
    let due_now = Due::Now { slot: now, missed: 0 };
    for (sent, hit, expected) in [
        (None, None, Due::WhenHit),
        (ago(5), None, Due::WhenHit),
        (None, ago(0), due_in(30)),
        (None, ago(29), due_in(1)),
        (None, ago(30), due_now),
        (None, ago(86_400 * 366), due_now),
        (ago(100), ago(50), due_in(500)),
        (ago(590), ago(10), due_in(20)),
        (ago(600), ago(50), due_now),
        // The clock was set back: marks in the future hold nothing up.
        (ago(-86_400), ago(40), due_now),
        (None, ago(-86_400), due_now),
    ] {
        let progress = DigestProgress { window_end: now, last_sent_at: sent, oldest_pending_hit: hit };
        assert_eq!(schedule.due(now, &TimeZone::UTC, &progress), expected, "sent {sent:?}, hit {hit:?}");
    }
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let time = (0..24u8, 0..60u8).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    let times = proptest::collection::vec(time, 1..4).prop_map(|times| times.join(", "));
    let days = prop_oneof![Just("daily"), Just("weekdays"), Just("weekends"), Just("sun, mon"), Just("sundays")];
    prop_oneof![
        (days, times).prop_map(|(days, times)| format!("{days} at {times}")),
        (5..1441u16).prop_map(|minutes| format!("every {minutes}m")),
        (0..60u8, 0..24u8).prop_map(|(minute, hour)| format!("{minute} {hour} * * *")),
        (5..60u8).prop_map(|minutes| format!("*/{minutes} * * * *")),
    ]
    .prop_map(|text| text.parse().unwrap())
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    let names =
        ["Europe/Kyiv", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"];
    proptest::sample::select(names.to_vec()).prop_map(zone)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Promise P5, driven as the daemon does it, over the days on which the clocks change.
    #[test]
    fn each_slot_is_due_now_exactly_once(
        schedule in any_schedule(),
        timezone in any_zone(),
        day in proptest::sample::select(vec!["2026-03-07", "2026-03-28", "2026-10-24", "2026-10-31", "2018-11-03", "2026-04-04"]),
    ) {
        let start: Timestamp = at(&format!("{day}T09:00:00Z"));
        let minutes = 2 * 24 * 60;
        let mut state = progress(start);
        let mut made = Vec::new();
        for minute in 1..=minutes {
            let now = start + jiff::SignedDuration::from_mins(minute);
            match schedule.due(now, &timezone, &state) {
                Due::Now { slot, missed } => {
                    prop_assert_eq!(missed, 0);
                    prop_assert_eq!(slot, now);
                    made.push(slot);
                    state.window_end = now;
                }
                Due::At(next) => prop_assert!(next > now),
                Due::WhenHit => prop_assert!(false),
            }
        }
        let end = start + jiff::SignedDuration::from_mins(minutes);
        let expected: Vec<_> = std::iter::successors(schedule.slot_after(start, &timezone), |slot| schedule.slot_after(*slot, &timezone))
            .take_while(|slot| *slot <= end)
            .collect();
        prop_assert!(expected.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(made, expected);
    }

    #[test]
    fn display_parses_to_the_same(schedule in any_schedule()) {
        prop_assert_eq!(schedule.to_string().parse::<Schedule>().unwrap(), schedule);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = text.parse::<Schedule>();
        let _ = parse_duration(&text);
    }
}
