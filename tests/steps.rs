//! The jobs, step by step at a chosen `now`: real files as feeds, a real store, a real Maildir.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use feedwatch::{
    config::{self, Config},
    core::feed::FeedId,
    fetch::{self, Fetcher},
    jobs::{
        Resources, adopt,
        backfill::{self, Backfilled},
        backtest::Backtest,
        deliver,
        edition::{self, Composed, When},
        poll::{self, Counts, Polled},
        upkeep,
    },
    mail::smtp,
    store::{self, Store, hit::Selection},
};
use jiff::{SignedDuration, Timestamp};
use std::{fs, path::Path, sync::Arc};

#[path = "steps/editions.rs"]
mod editions;
#[path = "steps/maintenance.rs"]
mod maintenance;
#[path = "steps/recognition.rs"]
mod recognition;
#[path = "steps/retrospect.rs"]
mod retrospect;

const CONFIGURATION: &str = r#"
[store]
path = "feedwatch.db"
keep = "30d"

[polling]
max_hits_per_poll = 3

[mail]
from = "feedwatch <alerts@example.org>"
admin = "ops@example.org"
server = "file:./mail"

[[feed]]
url = "feed.xml"
name = "The Wire"

[[rule]]
name = "DPRK missiles"
all = ["ballistic missiles", "DPRK"]

[[digest]]
name = "morning"
to = ["desk@example.org", "night@example.org"]
schedule = "daily at 07:00"
timezone = "UTC"
"#;

struct Bench {
    directory: tempfile::TempDir,
    resources: Resources,
    feed: FeedId,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn load(directory: &Path, configuration: &str) -> Arc<Config> {
    let file = directory.join("feedwatch.toml");
    fs::write(&file, configuration).unwrap();
    Arc::new(config::load(&file).unwrap_or_else(|errors| panic!("{errors}")))
}

/// Everything that jobs need, with the feed and the digest known since `now`.
async fn bench(now: Timestamp) -> Bench {
    bench_of(CONFIGURATION, now).await
}

async fn bench_of(configuration: &str, now: Timestamp) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("feed.xml"), rss(&[])).unwrap();
    let config = load(directory.path(), configuration);
    let store = Store::open(&config.store.path).unwrap();
    let resources = resources(store, config.clone());
    let stored = resources
        .store
        .call(move |connection| {
            for digest in &config.digests {
                store::edition::progress(connection, &digest.name, now)?;
            }
            store::feed::configure(connection, &config.feeds, now, |_| false, |_| now)
        })
        .await
        .unwrap();
    Bench { feed: stored[0].id, directory, resources }
}

fn resources(store: Store, config: Arc<Config>) -> Resources {
    let fetcher = Fetcher::new(config.polling.limits, &fetch::user_agent(None)).unwrap();
    let client = smtp::Client::new("localhost").unwrap();
    Resources::new(store, config, fetcher, client, "host.example")
}

impl Bench {
    /// The feed shows these items: (guid, title, publication date).
    fn publish(&self, items: &[(&str, &str, &str)]) {
        fs::write(self.directory.path().join("feed.xml"), rss(items)).unwrap();
    }

    async fn poll(&self, now: &str) -> Counts {
        match poll::poll(&self.resources, 0, self.feed, at(now)).await.unwrap().outcome {
            Polled::Read(counts) => counts,
            Polled::Unchanged => Counts::default(),
            Polled::Failed(failure) => panic!("{}", failure.message),
        }
    }

    async fn compose(&self, now: &str) -> Composed {
        edition::compose(&self.resources, 0, When::Due, at(now)).await.unwrap()
    }

    async fn hits(&self) -> usize {
        let select = |connection: &_| store::hit::select(connection, &Selection::default());
        self.resources.store.call(select).await.unwrap().len()
    }

    async fn deliver_all(&self, now: &str) -> usize {
        let waiting = self.resources.store.call(store::outbox::waiting).await.unwrap();
        for (mail, _) in &waiting {
            assert!(deliver::deliver(&self.resources, *mail, at(now)).await.unwrap().is_settled());
        }
        waiting.len()
    }

    fn mails(&self) -> Vec<String> {
        let new = self.directory.path().join("mail/new");
        let Ok(entries) = fs::read_dir(new) else { return Vec::new() };
        entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }
}

fn rss(items: &[(&str, &str, &str)]) -> String {
    let items: String = items
        .iter()
        .map(|(guid, title, date)| {
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><link>https://wire.example/{guid}</link>\
                 <title>{title}</title><pubDate>{date}</pubDate></item>"
            )
        })
        .collect();
    format!(
        "<rss version=\"2.0\"><channel><title>Wire</title><link>https://wire.example/</link>{items}</channel></rss>"
    )
}

const FRESH: &str = "Tue, 24 Nov 2026 08:00:00 GMT";
const MISSILES: &str = "DPRK fires ballistic missiles";

/// Promise P2, FEEDS C16: the same document, an edit, and the same article again bring one hit.
#[tokio::test]
async fn an_article_alerts_once_whatever_the_feed_does_with_it() {
    let bench = bench(at("2026-11-24T08:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH), ("b", "Harvest festival", FRESH)]);
    let counts = bench.poll("2026-11-24T08:10:00Z").await;
    assert_eq!((counts.new, counts.hits), (2, 1));
    assert_eq!(bench.poll("2026-11-24T08:20:00Z").await, Counts::default());
    bench.publish(&[("a", "UPDATE: DPRK fires two ballistic missiles", FRESH), ("b", "Harvest festival", FRESH)]);
    let counts = bench.poll("2026-11-24T08:30:00Z").await;
    assert_eq!((counts.new, counts.edited, counts.hits), (0, 1, 0));
    bench.publish(&[]);
    bench.publish(&[("a", MISSILES, FRESH)]);
    assert_eq!(bench.poll("2026-11-24T08:50:00Z").await.hits, 0);
    assert_eq!(bench.hits().await, 1);
}

/// FEEDS C10: an edit is matched again, and a rule alerts on it if it had not hit before.
#[tokio::test]
async fn an_edit_that_makes_an_article_match_alerts() {
    let bench = bench(at("2026-11-24T08:00:00Z")).await;
    bench.publish(&[("a", "Breaking: launch reported", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T08:10:00Z").await.hits, 0);
    bench.publish(&[("a", MISSILES, FRESH)]);
    let counts = bench.poll("2026-11-24T08:20:00Z").await;
    assert_eq!((counts.edited, counts.hits), (1, 1));
}

/// FEEDS C13: what a feed already carried long before it was first read does not alert; what comes later does.
#[tokio::test]
async fn the_first_document_is_a_baseline() {
    let bench = bench(at("2026-11-24T08:00:00Z")).await;
    bench.publish(&[("old", MISSILES, "Sun, 22 Nov 2026 08:00:00 GMT"), ("new", MISSILES, FRESH)]);
    let counts = bench.poll("2026-11-24T08:10:00Z").await;
    assert_eq!((counts.new, counts.hits), (2, 1));
    bench.publish(&[("late", MISSILES, "Sun, 22 Nov 2026 08:00:00 GMT")]);
    assert_eq!(bench.poll("2026-11-24T09:10:00Z").await.hits, 1);
}

/// Promise P1: a poll whose commit fails leaves nothing behind, and the next one finds everything.
#[tokio::test]
async fn a_poll_that_cannot_commit_is_done_again_in_full() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    let full = |pages: &'static str| {
        bench.resources.store.call(move |connection| {
            connection.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
            Ok(())
        })
    };
    // Below what the file has already, SQLite takes the present size: no page can be added.
    full("1").await.unwrap();
    let guids: Vec<_> = (0..400).map(|number| format!("filler-{number}")).collect();
    let filler = "word ".repeat(90);
    let mut items = vec![("a", MISSILES, FRESH)];
    items.extend(guids.iter().map(|guid| (guid.as_str(), filler.as_str(), FRESH)));
    bench.publish(&items);
    let big = poll::poll(&bench.resources, 0, bench.feed, at("2026-11-24T06:00:00Z")).await;
    full("1000000").await.unwrap();
    if let Ok(report) = &big {
        panic!("the disk was full and the poll said {report:?}");
    }
    assert_eq!(bench.hits().await, 0);
    let counts = bench.poll("2026-11-24T06:10:00Z").await;
    assert_eq!((counts.new, counts.hits), (401, 1));
}

/// The language that the configuration gives a feed decides which forms of a word hit, whatever the feed says of itself.
#[tokio::test]
async fn the_configured_language_of_a_feed_counts_for_word_forms() {
    let rule = "all = [\"Rakete\"]\nforms = \"inflected\"";
    let configuration = CONFIGURATION.replace("all = [\"ballistic missiles\", \"DPRK\"]", rule);
    for (language, expected) in [("language = \"de\"", 1), ("", 0)] {
        let mut bench = bench(at("2026-11-24T08:00:00Z")).await;
        let feed = format!("name = \"The Wire\"\n{language}");
        bench.resources.config = load(bench.directory.path(), &configuration.replace("name = \"The Wire\"", &feed));
        bench.publish(&[("a", "Nordkorea startet Raketen", FRESH)]);
        assert_eq!(bench.poll("2026-11-24T08:10:00Z").await.hits, expected, "{language}");
    }
}

/// Promise P5: what was decided while the clock was a year ahead does not count once it is right again.
#[tokio::test]
async fn a_clock_that_was_ahead_stops_no_feed() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    poll::poll(&bench.resources, 0, bench.feed, at("2027-11-24T05:00:00Z")).await.unwrap();
    let feed = bench.feed;
    let stored = bench.resources.store.call(move |connection| store::feed::one(connection, feed)).await.unwrap();
    let now = at("2026-11-24T06:00:00Z");
    assert_eq!(stored.due(now), now);
}

/// FEEDS A6: what was mended is remembered; a document that lost its end is read, and asked for again in full.
#[tokio::test]
async fn a_document_that_was_mended_says_so_and_a_cut_one_is_not_pinned() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    let whole = rss(&[("a", MISSILES, FRESH), ("b", "Fish & chips", FRESH)]);
    let cut = &whole[..whole.len() - 40];
    let feed = bench.feed;
    let state = move |connection: &_| Ok(store::feed::one(connection, feed)?.state);
    for (document, now, new, pinned) in [(cut, "06:00", 1, false), (&whole, "06:10", 1, true)] {
        fs::write(bench.directory.path().join("feed.xml"), document).unwrap();
        assert_eq!(bench.poll(&format!("2026-11-24T{now}:00Z")).await.new, new);
        let state = bench.resources.store.call(move |connection| state(connection)).await.unwrap();
        assert_eq!(state.body_hash.is_some(), pinned);
        assert!(state.mended.is_some_and(|mended| !mended.is_empty()));
    }
}

/// FEEDS A9: a host that asked to be left alone is, also after a restart and when a person asks.
#[tokio::test]
async fn a_parked_feed_is_left_alone_whoever_asks() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    let (feed, now, until) = (bench.feed, at("2026-11-24T06:00:00Z"), at("2026-11-24T10:00:00Z"));
    let park = move |connection: &_| {
        store::feed::park(connection, &[feed], until)?;
        store::feed::reschedule(connection, feed, now, "asked for")?;
        let parked = store::feed::one(connection, feed)?;
        store::feed::reschedule(connection, feed, until, "asked for")?;
        Ok((parked.next_poll_at, store::feed::one(connection, feed)?.next_poll_reason))
    };
    assert_eq!(bench.resources.store.call(park).await.unwrap(), (until, "asked for".to_owned()));
}
