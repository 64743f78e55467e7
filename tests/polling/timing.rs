//! FEEDS A1–A4, A8, A10: when a feed is polled, and how seldom a host is asked.

use super::*;

#[test]
fn a01_intervals_adapt_and_an_explicit_one_is_honoured() {
    let bench = Bench::new("[[feed]]\nurl = 'SERVER/feed'\n");
    let page = |round: i64| {
        let feed = feed_with(&format!("News of round {round}"));
        Page::feed(
            feed.replace("wire-4", &format!("n{round}")).replace("example.org/4", &format!("example.org/n{round}")),
        )
    };
    let mut now = start();
    // Something new at each poll, with validators: down to 15 min, never below.
    let mut waits = Vec::new();
    for round in 0..5 {
        bench.put(page(round).with_etag(&format!("\"{round}\"")));
        let next = bench.poll(now).next.at;
        waits.push(next.duration_since(now));
        now = next;
    }
    assert_waits(waits[4], minutes(15));
    // Nothing new: up to 6 h, never above.
    for _ in 0..20 {
        now = bench.poll(now).next.at;
    }
    assert_waits(bench.wait_after(now), hours(6));
    // Without a validator: at least an hour whatever is new, up to a day while nothing changes.
    for round in 10..20 {
        bench.put(page(round));
        assert!(bench.wait_after(now) >= hours(1));
    }
    for _ in 0..30 {
        now = bench.poll(now).next.at;
    }
    assert_waits(bench.wait_after(now), hours(24));

    let explicit = Bench::new("[[feed]]\nurl = 'SERVER/feed'\ninterval = '1m'\n");
    explicit.put(Page::feed(FEED));
    assert_waits(explicit.wait_after(start()), minutes(1));
    let warnings = &explicit.resources.config.warnings;
    assert!(warnings.iter().any(|warning| warning.message.contains("is below 15m")), "{warnings:?}");
}

#[test]
fn a02_hints_of_the_publisher_delay_and_nothing_more() {
    let ttl = FEED.replace("<description>News", "<ttl>180</ttl><description>News");
    let page = || Page::feed(FEED);
    let cases = [
        (page(), hours(1), "hourly"),
        (page().with_header("cache-control", "max-age=2700"), hours(1), "hourly, server said max-age 2700"),
        (page().with_header("cache-control", "max-age=7200"), hours(2), "waiting 2 h"),
        (page().with_header("cache-control", "max-age=9000").with_header("age", "1800"), hours(2), "waiting 2 h"),
        (page().with_header("cache-control", "max-age=504921600"), hours(24), "waiting 1 d"),
        (page().with_header("cache-control", "no-cache, max-age=7200"), hours(1), "hourly"),
        (page().with_header("cache-control", "no-store"), hours(1), "hourly"),
        (page().with_header("cache-control", "max-age=0"), hours(1), "hourly"),
        (
            page()
                .with_header("date", "Tue, 24 Nov 2026 08:00:00 GMT")
                .with_header("expires", "Tue, 24 Nov 2026 11:00:00 GMT"),
            hours(3),
            "it expires in 3 h",
        ),
        (Page::feed(ttl), hours(3), "feed said ttl 3 h"),
    ];
    for (page, wait, reason) in cases {
        let bench = Bench::plain();
        bench.put(page);
        let report = bench.poll(start());
        assert_waits(report.next.at.duration_since(start()), wait);
        assert!(report.next.reason.contains(reason), "{}", report.next.reason);
        assert_eq!(bench.stored(0).next_poll_reason, report.next.reason, "the reason is kept and shown");
    }
    // A 304 says it too.
    let bench = Bench::plain();
    bench.put(page().with_etag("\"1\"").with_header("cache-control", "max-age=7200"));
    bench.poll(start());
    assert_waits(bench.wait_after(start()), hours(2));
    assert_eq!(bench.last().status, 304);
}

#[test]
fn a03_jitter_is_later_only_the_same_for_a_feed_and_different_between_feeds() {
    let mut feeds = String::new();
    for index in 0..40 {
        let _ = write!(feeds, "[[feed]]\nurl = 'SERVER/{index}'\ninterval = '1h'\n");
    }
    let bench = Bench::new(&feeds);
    let times = |bench: &Bench, now: Timestamp| -> Vec<_> {
        (0..40).map(|index| bench.poll_one(index, now).next.at.duration_since(now)).collect()
    };
    (0..40).for_each(|index| bench.server.put(&format!("/{index}"), Page::feed(FEED)));
    let first = times(&bench, start());
    first.iter().for_each(|wait| assert_waits(*wait, hours(1)));
    assert_eq!(first, times(&bench, start() + hours(5)), "it can be foretold");
    let mut apart = first;
    apart.sort();
    apart.dedup();
    assert!(apart.len() > 35, "feeds that were polled together are not polled together again: {apart:?}");
}

#[test]
fn a04_a_restart_polls_nothing_early_and_forgets_nothing() {
    let feeds = "[[feed]]\nurl = 'SERVER/feed'\n[[feed]]\nurl = 'SERVER/broken'\n";
    let bench = Bench::new(feeds);
    bench.put(Page::feed(FEED).with_etag("\"1\""));
    bench.server.put("/broken", Page::error(500));
    bench.poll(start());
    bench.poll_one(1, start());
    let before = (bench.stored(0), bench.stored(1));
    let later = start() + minutes(1);
    let bench = bench.restart(feeds, later);
    assert_eq!((bench.stored(0), bench.stored(1)), before);
    assert!(bench.stored(0).due(later) > later && bench.stored(1).due(later) > later);
    bench.poll(later);
    assert_eq!(bench.last().if_none_match.as_deref(), Some("\"1\""));
    assert_eq!(bench.poll_one(1, later).next.reason, "hourly, failed 2 times: backing off to 4 h");
}

#[test]
fn a08_within_thirty_days_no_scheduled_poll_is_unconditional() {
    let bench = Bench::new("[[feed]]\nurl = 'SERVER/feed'\n");
    bench.put(Page::feed(FEED).with_etag("\"1\""));
    let mut now = start();
    while now < start() + hours(30 * 24) {
        now = bench.poll(now).next.at;
    }
    let asked = bench.asked();
    assert!(asked.len() > 100, "{}", asked.len());
    assert!(asked[1..].iter().all(|asked| asked.status == 304), "each but the first");
    let share = health::share_not_modified(&bench.stored(0).state.tally).unwrap();
    assert!(share > 0.98, "{share}");
}

#[test]
fn a10_a_host_is_asked_as_its_own_limits_say() {
    let server = HttpServer::start();
    let paths = ["/a", "/b", "/c"];
    paths.iter().for_each(|path| server.put(path, Page::feed(FEED)));
    let feeds = paths.map(|path| server.url(path));
    let limits = "[[polling.host]]\nname = \"127.0.0.1\"\ndelay = \"300ms\"\n";
    let text = configuration(&feeds, "file:./mail").replace("[mail]", &format!("{limits}\n[mail]"));
    let workspace = Workspace::new(&text);
    workspace.run(&["poll"]).ended_with(0);
    let mut times: Vec<_> = paths.iter().flat_map(|path| server.asked(path)).map(|asked| asked.at).collect();
    times.sort();
    assert_eq!(times.len(), 3);
    // What was started 300 ms apart may arrive a little closer.
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| gap.as_millis() >= 200), "instead of 100 ms, as for every host: {gaps:?}");
}
