//! Polling politely, line by line of FEEDS part A: the poll step at a chosen `now` against a loopback server that logs
//! what it was sent.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(clippy::allow_attributes, reason = "`expect` would fail in the test crate that uses all of it")]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod support;

use feedwatch::{
    config::{self, Config},
    core::{digest::Window, feed::FailureKind, health, hit::StoredHit},
    fetch::{self, Fetcher},
    jobs::{
        Resources, adopt,
        poll::{self, PollReport, Polled},
        upkeep,
    },
    mail::smtp,
    store::{self, Store, feed::StoredFeed, hit::Selection},
};
use jiff::{SignedDuration, Timestamp};
use std::{fmt::Write as _, sync::Arc};
use support::{
    FEED, RULES, Workspace, configuration, feed_with,
    http::{Asked, HttpServer, Page},
};
use tokio::runtime::Runtime;

#[path = "polling/baseline.rs"]
mod baseline;

const START: &str = "2026-11-24T08:00:00Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// A server, a configuration that names it as `SERVER`, and a store.
struct Bench {
    server: HttpServer,
    workspace: Workspace,
    resources: Resources,
    runtime: Runtime,
}

impl Bench {
    /// Starts with these feeds (and more of the configuration) in the file.
    fn new(feeds: &str) -> Self {
        let server = HttpServer::start();
        let workspace = Workspace::new("");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = load(&workspace, &server, feeds);
        let bench = Self { server, workspace, resources: resources(config), runtime };
        bench.adopt(start());
        bench
    }

    /// One feed at `/feed`.
    fn plain() -> Self {
        Self::new("[[feed]]\nurl = 'SERVER/feed'\ninterval = '1h'\n")
    }

    /// Takes the configuration over, as the daemon does when it starts and when it reloads.
    fn adopt(&self, now: Timestamp) -> Vec<StoredFeed> {
        let config = self.resources.config.clone();
        let adopting = self.resources.store.call(move |connection| adopt::adopt(connection, &config, now, |_| now));
        self.runtime.block_on(adopting).unwrap()
    }

    /// Ends the process, so to speak, and starts it again.
    fn restart(self, feeds: &str, now: Timestamp) -> Self {
        let Self { server, workspace, resources: before, runtime } = self;
        drop(before);
        let config = load(&workspace, &server, feeds);
        let bench = Self { server, workspace, resources: self::resources(config), runtime };
        bench.adopt(now);
        bench
    }

    fn stored(&self, index: usize) -> StoredFeed {
        let identity = self.resources.config.feeds[index].url.identity();
        let feeds = self.runtime.block_on(self.resources.store.call(store::feed::configured)).unwrap();
        feeds.into_iter().find(|feed| feed.identity == identity).unwrap()
    }

    fn poll_one(&self, index: usize, now: Timestamp) -> PollReport {
        let id = self.stored(index).id;
        self.runtime.block_on(poll::poll(&self.resources, index, id, now)).unwrap()
    }

    fn poll(&self, now: Timestamp) -> PollReport {
        self.poll_one(0, now)
    }

    /// Polls and returns how long the next poll is away.
    fn wait_after(&self, now: Timestamp) -> SignedDuration {
        self.poll(now).next.at.duration_since(now)
    }

    fn put(&self, page: Page) {
        self.server.put("/feed", page);
    }

    fn asked(&self) -> Vec<Asked> {
        self.server.asked("/feed")
    }

    fn last(&self) -> Asked {
        self.asked().pop().unwrap()
    }

    fn hits(&self) -> Vec<StoredHit> {
        let select = |connection: &_| store::hit::select(connection, &Selection::default());
        self.runtime.block_on(self.resources.store.call(select)).unwrap()
    }
}

fn load(workspace: &Workspace, server: &HttpServer, feeds: &str) -> Arc<Config> {
    let base = "[store]\npath = 'feedwatch.db'\n[mail]\nfrom = 'alerts@example.org'\nadmin = 'ops@example.org'\nserver = 'file:./mail'\n";
    let text = format!("{feeds}\n{base}{RULES}").replace("SERVER", &server.url(""));
    workspace.write("feedwatch.toml", &text);
    Arc::new(config::load(&workspace.path("feedwatch.toml")).unwrap_or_else(|errors| panic!("{errors}\n{text}")))
}

fn resources(config: Arc<Config>) -> Resources {
    let store = Store::open(&config.store.path).unwrap();
    let agent = fetch::user_agent(config.polling.contact.as_deref());
    let fetcher = Fetcher::new(config.polling.limits, &agent).unwrap();
    Resources::new(store, config, fetcher, smtp::Client::new("localhost").unwrap(), "host.example")
}

/// Asserts that a wait is `least`, or up to a tenth (half an hour at most) longer.
#[track_caller]
fn assert_waits(waits: SignedDuration, least: SignedDuration) {
    let most = least + (least / 10).min(minutes(30));
    assert!(waits >= least && waits <= most, "{waits:#} is not {least:#} and its jitter");
}

fn failed(report: &PollReport) -> (FailureKind, String) {
    match &report.outcome {
        Polled::Failed(failure) => (failure.kind, failure.message.clone()),
        other => panic!("it did not fail: {other:?}"),
    }
}

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
fn a05_validators_go_back_byte_for_byte_to_one_url() {
    for (etag, date) in [
        ("W/\"a-gzip\"", "Tue, 24 November 2026 8:00"),
        ("unquoted", "0"),
        ("\"\"", "yesterday"),
        // No UTF-8, and UTF-8.
        ("\"caf\u{e9}\u{ff}\u{80}\"", "24 Febr. \u{fc}"),
        ("\"\u{c3}\u{a9}\"", "\u{a0}"),
    ] {
        let bench = Bench::plain();
        bench.put(Page::feed(FEED).with_etag(etag).with_last_modified(date));
        bench.poll(start());
        bench.poll(start());
        let asked = bench.asked();
        assert_eq!((&asked[0].if_none_match, &asked[0].if_modified_since), (&None, &None), "nothing is invented");
        let sent = (asked[1].if_none_match.as_deref(), asked[1].if_modified_since.as_deref());
        assert_eq!(sent, (Some(etag), Some(date)), "both of them");
        assert_eq!(asked[1].status, 304);
    }
    // An ETag alone brings no date.
    let bench = Bench::plain();
    bench.put(Page::feed(FEED).with_etag("\"1\""));
    bench.poll(start());
    bench.poll(start());
    assert_eq!(bench.last().if_modified_since, None);
    // Another URL never sees it.
    bench.server.put("/elsewhere", Page::feed(FEED));
    bench.put(Page::redirect(302, "/elsewhere"));
    bench.poll(start());
    assert_eq!(bench.last().if_none_match.as_deref(), Some("\"1\""));
    let elsewhere = bench.server.asked("/elsewhere");
    assert_eq!((elsewhere.len(), &elsewhere[0].if_none_match), (1, &None));
}

#[test]
fn a06_validators_are_kept_replaced_and_cleared() {
    let bench = Bench::plain();
    let etag = |bench: &Bench| bench.stored(0).state.validators.etag.map(|etag| etag.to_string());
    let steps = [
        (Page::feed(FEED).with_etag("\"1\""), Some("\"1\""), "the first 200"),
        (Page::feed(FEED).with_etag("\"2\""), Some("\"2\""), "a 200 with the same body"),
        (Page::not_modified().with_etag("\"3\""), Some("\"3\""), "a 304 that brings a new one"),
        (Page::not_modified(), Some("\"3\""), "a 304 without one"),
        (Page::feed("<rss><channel><item>").with_etag("\"bad\""), Some("\"3\""), "a body that lost its end"),
        (Page::feed("no feed").with_etag("\"bad\""), Some("\"3\""), "a body that cannot be read"),
        (Page::error(500).with_etag("\"bad\""), Some("\"3\""), "an error"),
        (Page::feed(feed_with("News")), None, "a 200 without one"),
    ];
    for (page, expected, what) in steps {
        bench.put(page);
        bench.poll(start());
        assert_eq!(etag(&bench).as_deref(), expected, "{what}");
    }
}

#[test]
fn a07_the_same_body_again_is_unchanged_and_not_parsed() {
    let bench = Bench::plain();
    bench.put(Page::feed(FEED));
    assert!(matches!(bench.poll(start()).outcome, Polled::Read(counts) if counts.items == 3));
    let again = bench.poll(start() + hours(1));
    assert_eq!((bench.last().status, &again.outcome), (200, &Polled::Unchanged));
    let state = bench.stored(0).state;
    assert_eq!((state.tally.answers, state.tally.not_modified), (2, 0), "unchanged, and no 304");
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

/// Polls once a day for so many days.
fn daily(bench: &Bench, days: std::ops::Range<i64>) {
    for day in days {
        bench.poll(start() + hours(24 * day));
    }
}

#[test]
fn a13_a_feed_that_moved_for_good_is_polled_at_its_new_url_and_stays_the_same_feed() {
    let feeds = "[[feed]]\nurl = 'SERVER/feed'\nname = 'The Wire'\n";
    let bench = Bench::new(&format!("[polling]\nbackfill = '36500d'\n{feeds}"));
    bench.put(Page::redirect(301, "/hop"));
    bench.server.put("/hop", Page::redirect(308, "/new"));
    bench.server.put("/new", Page::feed(FEED).with_etag("\"1\""));
    let id = bench.stored(0).id;
    daily(&bench, 0..9);
    assert_eq!(bench.stored(0).state.relocation.moved, None);
    let moved = bench.poll(start() + hours(24 * 9));
    assert_eq!(moved.newly_moved, Some(bench.server.url("/new")));
    assert_eq!((bench.asked().len(), bench.server.asked("/hop").len()), (10, 10), "followed each time");
    let hits = bench.hits().len();
    assert_eq!(hits, 2);

    bench.poll(start() + hours(24 * 10));
    assert_eq!((bench.asked().len(), bench.server.asked("/new").len()), (10, 11), "straight to the new URL");
    assert_eq!(bench.server.asked("/new")[10].status, 304, "with its validators");
    let page = bench.workspace.run(&["feeds", "the wire"]).ended_with(0);
    let advice = format!("feedwatch.toml:4 to {}", bench.server.url("/new"));
    assert!(page.contains("moved permanently: change the URL at") && page.contains(&advice), "{page}");

    let upkeep = || bench.runtime.block_on(upkeep::upkeep(&bench.resources, start() + hours(24 * 10))).unwrap();
    assert_eq!((upkeep().notices, upkeep().notices), (1, 0), "the administrator is told once");
    let mails = bench.runtime.block_on(bench.resources.store.call(store::outbox::waiting)).unwrap();
    assert_eq!(mails.len(), 1);

    // The person does what was said: it stays the same feed and nothing alerts again.
    let bench = bench.restart(
        "[polling]\nbackfill = '36500d'\n[[feed]]\nurl = 'SERVER/new'\nname = 'The Wire'\n",
        start() + hours(24 * 11),
    );
    assert_eq!(bench.stored(0).id, id);
    assert_eq!(bench.poll(start() + hours(24 * 11)).outcome, Polled::Unchanged);
    assert_eq!(bench.hits().len(), hits);
}

#[test]
fn a13_a_captive_portal_a_detour_and_a_loop_move_nothing() {
    let cases = [
        (Page::redirect(301, "/login"), "a portal, even one that says it is permanent"),
        (Page::redirect(302, "/new"), "302"),
        (Page::redirect(303, "/new"), "303"),
        (Page::redirect(307, "/new"), "307"),
        (Page::redirect(301, "/detour"), "not all of them permanent"),
        (Page::redirect(301, "/feed"), "a loop"),
    ];
    for (page, what) in cases {
        let bench = Bench::plain();
        bench.server.put("/login", Page::html("<!DOCTYPE html><html><body>Log in</body></html>"));
        bench.server.put("/detour", Page::redirect(302, "/new"));
        bench.server.put("/new", Page::feed(FEED));
        bench.put(page);
        daily(&bench, 0..20);
        assert_eq!(bench.stored(0).state.relocation.moved, None, "{what}");
        assert_eq!(bench.asked().len(), 20, "{what}: asked where it is configured each time");
    }
    let bench = Bench::plain();
    bench.put(Page::redirect(301, "/feed"));
    assert!(failed(&bench.poll(start())).1.contains("in a circle"));
    for hop in 0..9 {
        bench.server.put(&format!("/{hop}"), Page::redirect(301, &format!("/{}", hop + 1)));
    }
    bench.put(Page::redirect(301, "/0"));
    let (kind, message) = failed(&bench.poll(start()));
    assert!(kind == FailureKind::Refused && message.contains("more than 5 times"), "{message}");
}

#[test]
fn a13_a_new_url_that_fails_for_long_is_doubted() {
    let bench = Bench::plain();
    bench.put(Page::redirect(301, "/new"));
    bench.server.put("/new", Page::feed(FEED));
    daily(&bench, 0..10);
    assert!(bench.stored(0).state.relocation.moved.is_some());
    bench.server.put("/new", Page::error(404));
    bench.put(Page::feed(FEED));
    daily(&bench, 10..15);
    assert_eq!(bench.asked().len(), 10, "five failures are patience");
    daily(&bench, 15..16);
    assert_eq!(bench.asked().len(), 11, "then the configured URL is tried");
    let state = bench.stored(0).state;
    assert_eq!((state.failures, state.relocation.moved), (0, None));
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

#[test]
fn a15_requests_bear_these_headers_and_no_others() {
    let bench = Bench::new("[polling]\ncontact = 'https://example.org/bot'\n[[feed]]\nurl = 'SERVER/feed'\n");
    bench.put(Page::feed(FEED).with_header("set-cookie", "a=b"));
    bench.poll(start());
    bench.poll(start());
    for asked in bench.asked() {
        let mut names: Vec<_> = asked.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
        let value = |wanted: &str| asked.headers.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
        assert_eq!(value("user-agent"), format!("feedwatch/{} (+https://example.org/bot)", env!("CARGO_PKG_VERSION")));
        assert_eq!(value("accept-encoding"), "gzip, zstd, deflate");
        assert!(value("accept").starts_with("application/atom+xml, application/rss+xml, application/feed+json"));
    }
}

#[test]
fn a16_no_deltas_are_asked_for_and_no_pages_are_turned() {
    let bench = Bench::plain();
    let next = bench.server.url("/page2");
    let links = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>A</title><link rel='next' href='{next}'/>\
         <link rel='prev-archive' href='{next}'/><entry><id>1</id><title>One</title></entry></feed>"
    );
    bench.put(Page::feed(links).with_etag("\"1\""));
    bench.server.put("/page2", Page::feed(FEED));
    bench.poll(start());
    bench.poll(start());
    assert!(bench.server.asked("/page2").is_empty());
    assert!(bench.asked().iter().all(|asked| asked.headers.iter().all(|(name, _)| name != "a-im")));
}
