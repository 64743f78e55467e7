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

#[path = "steps/recognition.rs"]
mod recognition;

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
    let fetcher = Fetcher::new(config.polling.limits, &fetch::user_agent(None)).unwrap();
    let client = smtp::Client::new("localhost").unwrap();
    let resources = Resources::new(store, config.clone(), fetcher, client, "host.example");
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

/// A flood of hits is counted in full and listed up to the limit.
#[tokio::test]
async fn hits_over_the_limit_of_a_poll_are_counted_not_lost() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    let guids = ["a", "b", "c", "d", "e"];
    bench.publish(&guids.map(|guid| (guid, MISSILES, FRESH)));
    let counts = bench.poll("2026-11-24T06:00:00Z").await;
    assert_eq!((counts.hits, counts.suppressed), (5, 2));
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::Sent { hits: 5, mails: 2 });
    bench.deliver_all("2026-11-24T07:00:01Z").await;
    assert!(bench.mails().iter().all(|mail| mail.contains("2 more") || mail.contains("2 hits")), "{:?}", bench.mails());
}

/// Promises P2 and P3: an edition is composed once and each recipient's mail is delivered once.
#[tokio::test]
async fn an_edition_is_sent_once_to_each_recipient() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    assert_eq!(bench.compose("2026-11-24T06:59:59Z").await, Composed::NotDue(Some(at("2026-11-24T07:00:00Z"))));
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::Sent { hits: 1, mails: 2 });
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::NotDue(Some(at("2026-11-25T07:00:00Z"))));
    assert_eq!(bench.deliver_all("2026-11-24T07:00:01Z").await, 2);
    assert_eq!(bench.deliver_all("2026-11-24T07:00:02Z").await, 0);
    let mails = bench.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().all(|mail| mail.contains("Subject: [feedwatch] 1 hit: DPRK missiles")), "{mails:?}");
}

/// Promise P5: editions that were due while nobody looked are made up by one, which says so; silence sends nothing.
#[tokio::test]
async fn a_missed_schedule_is_made_up_once() {
    let bench = bench(at("2026-11-21T12:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T09:00:00Z").await;
    assert_eq!(bench.compose("2026-11-24T09:00:01Z").await, Composed::Sent { hits: 1, mails: 2 });
    assert_eq!(bench.compose("2026-11-24T09:00:02Z").await, Composed::NotDue(Some(at("2026-11-25T07:00:00Z"))));
    assert_eq!(bench.compose("2026-11-25T07:00:00Z").await, Composed::Silent);
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

/// Promise P4: a feed that stays broken is reported to the administrator once, and once when it works again.
#[tokio::test]
async fn the_administrator_hears_of_a_broken_feed_once() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    fs::remove_file(bench.directory.path().join("feed.xml")).unwrap();
    for now in ["2026-11-24T06:00:00Z", "2026-11-25T06:00:00Z", "2026-11-26T06:00:00Z"] {
        let report = poll::poll(&bench.resources, 0, bench.feed, at(now)).await.unwrap();
        assert!(matches!(report.outcome, Polled::Failed(_)));
    }
    let round = |now: &'static str| upkeep::upkeep(&bench.resources, at(now));
    assert_eq!(round("2026-11-24T07:00:00Z").await.unwrap().notices, 0);
    assert_eq!(round("2026-11-26T07:00:00Z").await.unwrap().notices, 1);
    assert_eq!(round("2026-11-26T08:00:00Z").await.unwrap().notices, 0);
    bench.publish(&[]);
    bench.poll("2026-11-26T09:00:00Z").await;
    assert_eq!(round("2026-11-26T10:00:00Z").await.unwrap().notices, 1);
    assert_eq!(bench.deliver_all("2026-11-26T10:00:01Z").await, 2);
}

/// FEEDS C12: an article that returns after its text was cleared is known and alerts nobody.
#[tokio::test]
async fn what_retention_cleared_does_not_come_back_as_new() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    bench.compose("2026-11-24T07:00:00Z").await;
    let later = at("2026-11-24T07:00:00Z") + SignedDuration::from_hours(24 * 40);
    assert_eq!(upkeep::upkeep(&bench.resources, later).await.unwrap().cleared.articles, 1);
    bench.publish(&[("a", MISSILES, FRESH), ("z", "Something else", FRESH)]);
    let report = poll::poll(&bench.resources, 0, bench.feed, later).await.unwrap();
    assert!(matches!(report.outcome, Polled::Read(Counts { new: 1, hits: 0, .. })), "{report:?}");
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

/// One engine: what a poll finds, a backfill, a search and a backtest find too, in the language that the configuration
/// gives the feed.
#[tokio::test]
async fn the_archive_is_read_in_the_configured_language_of_a_feed() {
    for (language, expected) in [("language = \"de\"", 1), ("language = \"en\"", 0), ("", 0)] {
        let mut bench = bench(at("2026-11-24T08:00:00Z")).await;
        bench.publish(&[("a", "Nordkorea startet Raketen", FRESH)]);
        bench.poll("2026-11-24T08:10:00Z").await;
        let feed = format!("name = \"The Wire\"\n{language}");
        let rule = "all = [\"Rakete\"]\nforms = \"inflected\"\nbackfill = \"7d\"";
        let changed = CONFIGURATION.replace("all = [\"ballistic missiles\", \"DPRK\"]", rule);
        let config = load(bench.directory.path(), &changed.replace("name = \"The Wire\"", &feed));
        bench.resources.config = config.clone();
        let now = at("2026-11-24T08:20:00Z");
        let adopted = config.clone();
        let adopt = move |connection: &_| adopt::adopt(connection, &adopted, now, |_| now);
        bench.resources.store.call(adopt).await.unwrap();
        assert_eq!(bench.backfill("2026-11-24T08:20:01Z").await.hits, expected, "{language}");
        let (since, until) = (at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"));
        let rules = bench.resources.store.call(move |connection| {
            let tried =
                Backtest { config: &config, rule: None, deployed: None, since, until, days: &[since], examples: 1 };
            Ok(tried.run(connection, |_| {})?.rules)
        });
        let rules = rules.await.unwrap();
        assert_eq!((rules[0].hits, rules[0].gained, rules[0].lost), (expected, 0, 0), "{language}");
    }
}

/// Promises P1 and P4: hits that wait for a digest which is renamed go where their rule's hits go now.
#[tokio::test]
async fn a_renamed_digest_takes_the_hits_that_waited() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    let renamed = load(bench.directory.path(), &CONFIGURATION.replace("\"morning\"", "\"desk\""));
    let now = at("2026-11-24T06:30:00Z");
    let name = renamed.digests[0].name.clone();
    let adopt = move |connection: &_| {
        feedwatch::jobs::adopt::adopt(connection, &renamed, now, |_| now)?;
        store::hit::count_pending(connection, &name)
    };
    assert_eq!(bench.resources.store.call(adopt).await.unwrap(), 1);
}

/// Promise P3: a mail that a person gave up during an attempt stays given up; one to be retried stays due.
#[tokio::test]
async fn an_attempt_that_fails_undoes_nothing_that_a_person_did_meanwhile() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    bench.compose("2026-11-24T07:00:00Z").await;
    let now = at("2026-11-24T07:00:01Z");
    let meanwhile = move |connection: &_| {
        let waiting = store::outbox::waiting(connection)?;
        let (discarded, retried) = (waiting[0].0, waiting[1].0);
        for mail in [discarded, retried] {
            store::outbox::begin_attempt(connection, mail, now)?;
        }
        store::outbox::discard(connection, discarded, now)?;
        store::outbox::retry(connection, retried, now)?;
        for mail in [discarded, retried] {
            store::outbox::record_refused(
                connection,
                mail,
                "451 later",
                Some(now + SignedDuration::from_mins(5)),
                false,
            )?;
        }
        Ok((store::outbox::waiting(connection)?, retried))
    };
    let (waiting, retried) = bench.resources.store.call(meanwhile).await.unwrap();
    assert_eq!(waiting, [(retried, now)]);
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

/// The rule of [`CONFIGURATION`], changed, and run over what is stored.
const CHANGED: &str = "any = [\"ballistic missiles\", \"rockets\"]\nbackfill = \"7d\"";

impl Bench {
    /// Adopts the configuration with another rule, as a start or a reload does.
    async fn adopt(&mut self, rule: &str, now: &str) {
        let changed = CONFIGURATION.replace("all = [\"ballistic missiles\", \"DPRK\"]", rule);
        let (config, now) = (load(self.directory.path(), &changed), at(now));
        self.resources.config = config.clone();
        let adopt = move |connection: &_| adopt::adopt(connection, &config, now, |_| now);
        self.resources.store.call(adopt).await.unwrap();
    }

    async fn backfill(&self, now: &str) -> Backfilled {
        backfill::backfill(&self.resources, at(now)).await.unwrap()
    }
}

/// Promises P1 and P2: a changed rule is run over what is stored, once; what its old version hit alerts no more, and what
/// comes meanwhile is met once.
#[tokio::test]
async fn a_changed_rule_is_run_once_over_what_is_stored() {
    let mut bench = bench(at("2026-11-10T08:00:00Z")).await;
    bench.adopt("all = [\"ballistic missiles\", \"DPRK\"]", "2026-11-10T08:00:00Z").await;
    bench.publish(&[("old", "Old rockets shown", "Tue, 10 Nov 2026 08:00:00 GMT")]);
    bench.poll("2026-11-10T08:10:00Z").await;
    bench.publish(&[("a", MISSILES, FRESH), ("b", "Kim inspects rockets", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T08:10:00Z").await.hits, 1);
    bench.compose("2026-11-24T08:20:00Z").await;
    bench.deliver_all("2026-11-24T08:20:01Z").await;
    assert_eq!(bench.backfill("2026-11-24T08:30:00Z").await, Backfilled::default());

    bench.adopt(CHANGED, "2026-11-24T09:00:00Z").await;
    bench.publish(&[("c", "Kim shows new rockets", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T09:00:01Z").await.hits, 1);
    // The article that came since is looked at again, and hits no second time.
    assert_eq!(bench.backfill("2026-11-24T09:00:02Z").await, Backfilled { articles: 3, hits: 1, more: false });
    for now in ["2026-11-24T09:10:00Z", "2026-11-25T05:00:00Z"] {
        bench.adopt(CHANGED, now).await;
        assert_eq!(bench.backfill(now).await, Backfilled::default(), "{now}");
    }
    assert_eq!(bench.compose("2026-11-25T07:00:00Z").await, Composed::Sent { hits: 2, mails: 2 });
    bench.deliver_all("2026-11-25T07:00:01Z").await;
    let mails = bench.mails();
    let late = mails.iter().map(|mail| mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap());
    let late: Vec<_> = late.filter(|mail| mail.subject().unwrap().contains("2 hits")).collect();
    assert_eq!(late.len(), 2);
    for mail in late {
        for part in [mail.body_text(0).unwrap(), mail.body_html(0).unwrap()] {
            let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(part.matches("found in retrospect").count(), 1, "{part}");
        }
    }
}

/// Promises P1 and P2: what a kill breaks off goes on where it was, and nothing is found twice.
#[tokio::test]
async fn a_backfill_that_is_broken_off_goes_on_where_it_was() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.adopt("any = [\"nothing\"]", "2026-11-24T05:00:00Z").await;
    let guids: Vec<_> = (0..1200).map(|number| format!("guid-{number}")).collect();
    let items: Vec<_> = guids.iter().map(|guid| (guid.as_str(), "Kim inspects rockets", FRESH)).collect();
    bench.publish(&items);
    assert_eq!(bench.poll("2026-11-24T06:00:00Z").await.new, 1200);
    bench.adopt(CHANGED, "2026-11-24T06:10:00Z").await;
    let execute = |sql: &'static str| bench.resources.store.call(move |connection| Ok(connection.execute_batch(sql)?));
    execute(
        "CREATE TRIGGER kill BEFORE INSERT ON hit WHEN NEW.article_id > 700
         BEGIN SELECT raise(ABORT, 'killed'); END",
    )
    .await
    .unwrap();
    assert!(backfill::backfill(&bench.resources, at("2026-11-24T06:11:00Z")).await.is_err());
    assert_eq!(bench.hits().await, 500);
    execute("DROP TRIGGER kill").await.unwrap();
    bench.adopt(CHANGED, "2026-11-24T06:20:00Z").await;
    let rest = bench.backfill("2026-11-24T06:21:00Z").await;
    assert_eq!(rest, Backfilled { articles: 700, hits: 700, more: false });
    assert_eq!(bench.hits().await, 1200);
    // Over the limit of hits for one poll they are counted, here as there.
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::Sent { hits: 1200, mails: 2 });
}

/// Promise P2: a rule that was changed again while it was run over what is stored finds nothing more in its old version.
#[tokio::test]
async fn a_rule_that_left_is_not_run_on() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", "Kim inspects rockets", FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    bench.adopt(CHANGED, "2026-11-24T06:10:00Z").await;
    let former = bench.resources.clone();
    bench.adopt("any = [\"ballistic missiles\"]\nbackfill = \"7d\"", "2026-11-24T06:20:00Z").await;
    assert_eq!(backfill::backfill(&former, at("2026-11-24T06:20:01Z")).await.unwrap(), Backfilled::default());
    assert_eq!(bench.backfill("2026-11-24T06:20:02Z").await, Backfilled { articles: 1, hits: 0, more: false });
    // Back again, it goes on where it was.
    bench.adopt(CHANGED, "2026-11-24T06:30:00Z").await;
    assert_eq!(bench.backfill("2026-11-24T06:30:01Z").await, Backfilled { articles: 1, hits: 1, more: false });
}

/// Promise P1: a rule meets every article that is committed after the reload that brought it, also those of a poll that
/// was under way then, in the feed as it is called now.
#[tokio::test]
async fn a_poll_that_began_before_a_reload_is_matched_by_the_new_rules() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    let former = bench.resources.clone();
    bench.adopt("query = 'rockets AND feed:\"The Wire\"'", "2026-11-24T06:10:00Z").await;
    bench.resources.in_force.replace(bench.resources.config.clone());
    bench.publish(&[("a", "Kim inspects rockets", FRESH), ("b", "DPRK fires ballistic missiles", FRESH)]);
    let report = poll::poll(&former, 0, bench.feed, at("2026-11-24T06:09:59Z")).await.unwrap();
    let Polled::Read(counts) = report.outcome else { panic!("{report:?}") };
    assert_eq!((counts.new, counts.hits), (2, 1));
    // A backfill finds nothing more.
    assert_eq!((bench.backfill("2026-11-24T06:10:01Z").await.hits, bench.hits().await), (0, 1));
}

/// Promises P1 and P2: a rule that was away finds what came meanwhile, and nothing a second time.
#[tokio::test]
async fn a_rule_that_comes_back_is_run_over_what_came_meanwhile() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.adopt(CHANGED, "2026-11-24T05:00:00Z").await;
    bench.publish(&[("a", "Kim inspects rockets", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T06:00:00Z").await.hits, 1);
    bench.adopt("any = [\"nothing\"]", "2026-11-24T06:10:00Z").await;
    bench.publish(&[("b", "Kim shows new rockets", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T06:20:00Z").await.hits, 0);
    bench.adopt(CHANGED, "2026-11-24T06:30:00Z").await;
    assert_eq!(bench.backfill("2026-11-24T06:30:01Z").await.hits, 1);
    assert_eq!((bench.backfill("2026-11-24T06:30:02Z").await.articles, bench.hits().await), (0, 2));
}
