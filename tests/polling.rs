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
#[path = "polling/failures.rs"]
mod failures;
#[path = "polling/moves.rs"]
mod moves;
#[path = "polling/timing.rs"]
mod timing;
#[path = "polling/validators.rs"]
mod validators;

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
