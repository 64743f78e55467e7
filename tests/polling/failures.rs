//! FEEDS A9, A11, A12, A14: patience with servers that ask for it or fail, and answers that are no feed.

use super::*;

#[test]
fn a09_retry_after_is_obeyed_in_all_its_forms() {
    let cases = [
        (429, Some("7200"), hours(2), Some(hours(2))),
        (429, Some("Tue, 24 Nov 2026 11:00:00 GMT"), hours(3), Some(hours(3))),
        (429, Some("Tue, 24 Nov 2020 11:00:00 GMT"), hours(1), None),
        (429, Some("soon"), hours(4), Some(hours(4))),
        (429, Some("1000000000"), hours(168), Some(hours(168))),
        (429, None, hours(4), Some(hours(4))),
        (503, Some("10800"), hours(3), None),
        (503, Some("-5"), hours(2), None),
        (503, Some("1000000000"), hours(168), None),
        (503, None, hours(2), None),
    ];
    for (status, retry_after, wait, parked) in cases {
        let bench = Bench::plain();
        let page = Page::error(status).with_header("date", "Tue, 24 Nov 2026 08:00:00 GMT");
        bench.put(retry_after.into_iter().fold(page, |page, value| page.with_header("retry-after", value)));
        let next = bench.poll(start()).next;
        assert_waits(next.at.duration_since(start()), wait);
        let parked_until = parked.map(|length| start() + length);
        assert_eq!(next.park_host_until, parked_until, "{status} {retry_after:?}: {}", next.reason);
    }
}

/// The host that said it is left alone, and the one that leads there.
#[test]
fn a09_a_host_behind_a_redirect_is_parked_too() {
    let bench = Bench::new("[[feed]]\nurl = 'SERVER/feed'\nallow_private = true\n");
    let port = bench.server.url("").rsplit_once(':').unwrap().1.to_owned();
    bench.put(Page::redirect(302, &format!("http://localhost:{port}/busy")));
    bench.server.put("/busy", Page::error(429).with_header("retry-after", "7200"));
    let (until, hosts) = bench.poll(start()).parked(Some("127.0.0.1")).unwrap();
    assert_eq!((until, hosts), (start() + hours(2), vec!["127.0.0.1".to_owned(), "localhost".to_owned()]));
}

#[test]
fn a11_failures_back_off_until_one_success() {
    for (status, waits) in [(500, [2, 4, 8, 16, 24, 24]), (404, [4, 4, 8, 16, 24, 24]), (403, [4, 4, 8, 16, 24, 24])] {
        let bench = Bench::plain();
        bench.put(Page::error(status));
        let mut now = start();
        for (failures, wait) in (1..).zip(waits) {
            let report = bench.poll(now);
            assert_waits(report.next.at.duration_since(now), hours(wait));
            assert_eq!(bench.stored(0).state.failures, failures);
            assert_eq!(report.newly_failing, failures == 1, "it is said once");
            now = report.next.at;
        }
        assert_eq!(bench.stored(0).state.failing_since, Some(start()));
        bench.put(Page::feed(FEED));
        let report = bench.poll(now);
        assert_waits(report.next.at.duration_since(now), hours(1));
        assert_eq!((report.recovered_from, bench.stored(0).state.failures), (Some(start()), 0));
    }
    // The digest says which feeds fail and since when.
    let bench = Bench::plain();
    bench.put(Page::error(500));
    bench.poll(start());
    let window = Window { start: start() - hours(1), end: start() + hours(1) };
    let coverage = move |connection: &_| store::edition::coverage(connection, window);
    let failing = bench.runtime.block_on(bench.resources.store.call(coverage)).unwrap().failing;
    assert_eq!((failing.len(), failing[0].since), (1, start()));
    assert!(failing[0].cause.contains("500"), "{failing:?}");
}

#[test]
fn a12_gone_is_confirmed_once_and_then_left_alone_until_the_configuration_changes() {
    let feeds = "[[feed]]\nurl = 'SERVER/feed'\n";
    let bench = Bench::new(feeds);
    bench.put(Page::error(410));
    let first = bench.poll(start()).next;
    assert_waits(first.at.duration_since(start()), hours(24));
    let second = bench.poll(first.at).next;
    assert!(second.reason.contains("polling stopped until the configuration changes"), "{}", second.reason);
    let much_later = start() + hours(24 * 365 * 9);
    let stored = bench.stored(0);
    assert!(stored.due(much_later) > much_later);
    let advice = health::suggestion(&bench.resources.config.feeds[0], &stored.state, stored.next_poll_at).unwrap();
    assert!(advice.contains("remove the feed at") && advice.contains("feedwatch.toml:2"), "{advice}");
    let page = bench.workspace.run(&["feeds", "/feed"]).ended_with(0);
    assert!(page.contains("gone for good (410)") && page.contains("feedwatch.toml:2"), "{page}");

    let bench = bench.restart("[[feed]]\nurl = 'SERVER/other'\n", start());
    let bench = bench.restart(feeds, much_later);
    assert_eq!(bench.stored(0).due(much_later), much_later, "it came back into the configuration");
}

#[test]
fn a14_what_is_no_feed_is_an_error_that_names_itself_and_touches_nothing() {
    let bench = Bench::new("[polling.limits]\nbody = '20 kB'\n[[feed]]\nurl = 'SERVER/feed'\n");
    bench.put(Page::feed(FEED).with_etag("\"1\""));
    bench.poll(start());
    let before = bench.stored(0).state;
    let gzip = |body: &[u8]| {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let mut cut = gzip(feed_with("News").as_bytes());
    cut.truncate(cut.len() - 20);
    let compressed = |body| Page::feed("").with_header("content-encoding", "gzip").with_body(body);
    let cases = [
        (Page::feed(""), "empty"),
        (Page::html("<!DOCTYPE html><html><head><title>Sorry</title></head></html>"), "web page"),
        (compressed(cut), "cut short"),
        (Page::feed("x".repeat(30_000)), "polling.limits.body"),
        (compressed(gzip(&[b'x'; 30_000])), "polling.limits.body"),
    ];
    for (page, words) in cases {
        bench.put(page);
        let (kind, message) = failed(&bench.poll(start() + hours(1)));
        assert!(kind == FailureKind::Unreadable && message.contains(words), "{message} does not say {words}");
        let after = bench.stored(0).state;
        assert_eq!((&after.validators, after.body_hash), (&before.validators, before.body_hash), "{words}");
    }
    bench.put(Page::feed(FEED).with_etag("\"1\""));
    assert_eq!(bench.poll(start() + hours(2)).outcome, Polled::Unchanged, "nothing was forgotten");
    assert_eq!(bench.last().status, 304);
}
