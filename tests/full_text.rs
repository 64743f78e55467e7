//! Full text, step by step at a chosen `now`: a real feed and real pages on the loopback interface, a real store.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(clippy::allow_attributes, reason = "`expect` would fail in the test crate that uses all of it")]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod support;

use feedwatch::{
    config::{self, Config},
    core::{article::ArticleId, feed::FeedId, hit::StoredHit},
    fetch::{self, Fetcher},
    jobs::{
        Resources, adopt,
        backfill::{self, Backfilled},
        backtest::Backtest,
        full_text::{self, Attempts, PageOutcome, PageReport},
        poll::{self, Counts, Polled},
        upkeep,
    },
    mail::smtp,
    store::{
        self, Store,
        full_text::{PageHealth, PageNews, WantedPage},
        hit::Selection,
    },
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{fs, path::Path, sync::Arc, time::Duration};
use support::http::{HttpServer, Page};
use tokio::runtime::Runtime;

const STORY: &str = "A ferry with 214 people on board ran aground early on Monday, the coast guard said, after it had left \
                     the harbour in thick fog. Nobody was hurt, and all passengers were taken ashore by noon, in boats of \
                     the lifeboat service, which came from three villages of the coast.";

/// Everything that jobs need, a feed and a web site.
struct Bench {
    directory: tempfile::TempDir,
    site: HttpServer,
    runtime: Runtime,
    resources: Resources,
    feed: FeedId,
}

fn at(text: &str) -> Timestamp {
    format!("2026-11-24T{text}Z").parse().unwrap()
}

fn resources(directory: &Path, site: &HttpServer) -> Resources {
    let file = directory.join("feedwatch.toml");
    let configuration = format!(
        "[store]\npath = \"feedwatch.db\"\n[polling]\nbackfill = \"36500d\"\n[polling.limits]\npage = \"300 kB\"\n[[feed]]\nurl = \
         \"{}\"\nfull_text = \"when-short\"\n[[rule]]\nname = \"Lifeboats\"\nany = [\"lifeboat service\"]\n[[rule]]\nname = \
         \"Ferries\"\nany = [\"ferry\"]\n",
        site.url("/feed")
    );
    fs::write(&file, configuration).unwrap();
    let config = Arc::new(config::load(&file).unwrap_or_else(|errors| panic!("{errors}")));
    let fetcher = Fetcher::new(config.polling.limits, &fetch::user_agent(None)).unwrap();
    let store = Store::open(&config.store.path).unwrap();
    Resources::new(store, config, fetcher, smtp::Client::new("localhost").unwrap(), "host.example")
}

/// A page whose article has this text.
fn page(text: &str) -> Page {
    let paragraph = format!("<p>{text}</p>");
    Page::html(format!(
        "<!doctype html><html><head><title>Ferry aground</title></head><body><nav><a href=/>Home</a></nav><article>\
         <h1>Ferry aground</h1>{paragraph}<p>The ministry, which has yet to name a reason, said that an inquiry will \
         begin next week, and that the yard would be asked for its records, as is usual in cases of this kind.</p>\
         </article></body></html>"
    ))
}

impl Bench {
    fn new() -> Self {
        let (directory, site, runtime) = (tempfile::tempdir().unwrap(), HttpServer::start(), Runtime::new().unwrap());
        let resources = resources(directory.path(), &site);
        let config = resources.config.clone();
        let configure = move |connection: &Connection| {
            store::feed::configure(connection, &config.feeds, at("05:00:00"), |_| false, |_| at("05:00:00"))
        };
        let feed = runtime.block_on(resources.store.call(configure)).unwrap()[0].id;
        Self { directory, site, runtime, resources, feed }
    }

    /// The feed shows these items: (path of the page, summary).
    fn publish(&self, items: &[(&str, &str)]) {
        let items: String = items
            .iter()
            .map(|(path, summary)| {
                let link = self.site.url(path);
                format!("<item><guid>{link}</guid><link>{link}</link><title>Ship news</title><pubDate>Tue, 24 Nov 2026 05:30:00 GMT</pubDate><description>{summary}</description></item>")
            })
            .collect();
        self.site.put(
            "/feed",
            Page::feed(format!("<rss version=\"2.0\"><channel><title>Wire</title>{items}</channel></rss>")),
        );
    }

    fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Connection) -> Result<T, store::StoreError> + Send + 'static,
    ) -> T {
        self.runtime.block_on(self.resources.store.call(call)).unwrap()
    }

    fn poll(&self, now: &str) -> Counts {
        match self.runtime.block_on(poll::poll(&self.resources, 0, self.feed, at(now))).unwrap().outcome {
            Polled::Read(counts) => counts,
            Polled::Unchanged => Counts::default(),
            Polled::Failed(failure) => panic!("{}", failure.message),
        }
    }

    fn wanted(&self) -> Vec<WantedPage> {
        self.call(store::full_text::wanted)
    }

    fn fetch(&self, article: ArticleId, now: &str) -> PageReport {
        let fetch = full_text::fetch(&self.resources, article, Attempts::Several, at(now));
        self.runtime.block_on(fetch).unwrap().expect("the article waits")
    }

    /// Fetches the one page that is wanted.
    fn fetch_one(&self, now: &str) -> PageReport {
        let [wanted] = &self.wanted()[..] else { panic!("{:?}", self.wanted()) };
        self.fetch(wanted.article, now)
    }

    /// Returns the hits as (rule, found in this text).
    fn hits(&self) -> Vec<StoredHit> {
        self.call(|connection| store::hit::select(connection, &Selection::default()))
    }

    fn rules_hit(&self) -> Vec<String> {
        let mut rules: Vec<_> = self.hits().iter().map(|hit| hit.rule.to_string()).collect();
        rules.sort();
        rules
    }

    fn health(&self, now: &str) -> PageHealth {
        let now = at(now);
        let health =
            self.call(move |connection| store::full_text::health(connection, Duration::from_secs(86_400), now));
        health.get(&self.feed).cloned().unwrap_or_default()
    }
}

fn given_up(report: &PageReport) -> (&str, PageNews) {
    match &report.outcome {
        PageOutcome::GivenUp { reason, settled } => (reason, settled.news),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_teaser_meets_the_rules_once_with_the_text_of_its_page() {
    let bench = Bench::new();
    bench.site.put("/1", page(STORY));
    bench.publish(&[("/1", "A ferry is in trouble.")]);
    let counts = bench.poll("06:00:00");
    assert_eq!((counts.new, counts.hits, counts.awaiting_page), (1, 0, 1));
    assert!(bench.hits().is_empty(), "no rule is evaluated before the text is there");
    let report = bench.fetch_one("06:00:02");
    assert_eq!(report.hits(), 2, "{report:?}");
    let hits = bench.hits();
    assert!(hits.iter().all(|hit| hit.article.content.contains("in boats of the lifeboat service")), "{hits:?}");
    assert!(hits.iter().all(|hit| hit.article.summary == "A ferry is in trouble."), "{hits:?}");
    assert_eq!(bench.poll("07:00:00").hits, 0);
    assert!(bench.wanted().is_empty());
    assert_eq!((bench.site.asked("/1").len(), bench.health("07:00:00").read), (1, 1));
}

#[test]
fn an_article_whose_page_cannot_be_had_is_matched_on_its_summary_and_that_is_said() {
    let bench = Bench::new();
    bench.site.put("/wall", page("Subscribe to read."));
    bench.site.put("/app", Page::html("<html><body><div id=app></div><script src=app.js></script></body></html>"));
    bench.site.put("/file", Page::text("a text"));
    bench.site.put("/huge", Page::html("x".repeat(400_000)));
    bench.site.put("/nest", Page::html("<div>".repeat(50_000)));
    let long = "A ferry is in trouble, and this summary of it says more than the page behind the wall does. ".repeat(4);
    for (path, words) in [
        ("/missing", "404 Not Found, there is no such page"),
        ("/wall", "says no more than the feed"),
        ("/app", "no text that reads like an article"),
        ("/file", "not a web page but text/plain"),
        ("/huge", "polling.limits.page"),
        ("/nest", "over 20,000 elements"),
    ] {
        bench.publish(&[(path, &long)]);
        assert_eq!(bench.poll("06:00:00").awaiting_page, 1, "{path}");
        let report = bench.fetch_one("06:00:02");
        let (reason, news) = given_up(&report);
        assert!(reason.contains(words), "{reason}");
        assert_eq!(news == PageNews::Fails, path == "/missing", "said once");
        assert_eq!(report.hits(), 1, "{path}");
    }
    assert!(bench.rules_hit().iter().all(|rule| rule == "Ferries"));
    let health = bench.health("06:00:02");
    assert_eq!((health.wanted, health.read, health.given_up), (0, 0, 6));
    assert!(health.last_error.is_some());
    bench.site.put("/1", page(STORY));
    bench.publish(&[("/1", "Short.")]);
    bench.poll("06:10:00");
    let report = bench.fetch_one("06:10:01");
    assert!(
        matches!(&report.outcome, PageOutcome::Read(settled) if settled.news == PageNews::WorksAgain),
        "{report:?}"
    );
}

#[test]
fn robots_txt_keeps_us_from_pages_and_not_from_the_feed() {
    let bench = Bench::new();
    bench.site.put("/robots.txt", Page::text("User-agent: *\nDisallow: /\n"));
    bench.site.put("/1", page(STORY));
    bench.publish(&[("/1", "A ferry is in trouble.")]);
    bench.poll("06:00:00");
    let report = bench.fetch_one("06:00:02");
    assert!(given_up(&report).0.contains("robots.txt does not let feedwatch fetch it"), "{report:?}");
    assert_eq!(bench.rules_hit(), ["Ferries"]);
    assert!(bench.site.asked("/1").is_empty());
}

#[test]
fn a_page_that_may_come_later_is_asked_for_again_and_not_for_ever() {
    let bench = Bench::new();
    bench.site.put("/1", Page::error(503));
    bench.publish(&[("/1", "A ferry is in trouble.")]);
    bench.poll("06:00:00");
    assert_eq!(bench.fetch_one("06:00:02").outcome, PageOutcome::Postponed { at: at("06:01:02"), local: None });
    assert_eq!(bench.fetch_one("06:01:02").outcome, PageOutcome::Postponed { at: at("06:05:02"), local: None });
    assert!(bench.hits().is_empty());
    let report = bench.fetch_one("06:05:02");
    assert!(given_up(&report).0.contains("503"), "{report:?}");
    assert_eq!(bench.rules_hit(), ["Ferries"]);
}

#[test]
fn articles_do_not_wait_longer_than_ten_minutes() {
    let bench = Bench::new();
    bench.publish(&[("/1", "A ferry is in trouble."), ("/2", "Another ferry is, too.")]);
    bench.poll("06:00:00");
    let give_up = |now: &str| bench.runtime.block_on(full_text::give_up(&bench.resources, None, at(now))).unwrap();
    assert!(give_up("06:09:59").is_empty());
    let overdue = give_up("06:10:00");
    assert_eq!(overdue.len(), 2);
    assert!(overdue.iter().all(|(_, report)| given_up(report).0.contains("within 10 minutes")));
    assert_eq!((bench.rules_hit().len(), give_up("06:10:01").len()), (2, 0));
    assert!(bench.site.asked("/1").is_empty());
}

/// Promises P1 and P2: a process that is killed between the poll and the page loses no hit and repeats none.
#[test]
fn a_kill_before_the_page_came_loses_and_repeats_nothing() {
    let bench = Bench::new();
    bench.site.put("/1", page(STORY));
    bench.publish(&[("/1", "A ferry is in trouble.")]);
    bench.poll("06:00:00");
    let Bench { directory, site, runtime, resources: before, feed } = bench;
    drop(before);
    let resources = resources(directory.path(), &site);
    let bench = Bench { directory, site, runtime, resources, feed };
    assert_eq!(bench.poll("06:01:00").new, 0, "the feed's validators were kept, and its article");
    assert_eq!(bench.fetch_one("06:01:01").hits(), 2);
    assert_eq!(bench.hits().len(), 2);
    assert!(bench.directory.path().join("feedwatch.db").exists());
}

#[test]
fn an_edit_keeps_the_text_of_the_page_and_asks_for_it_no_second_time() {
    let bench = Bench::new();
    bench.site.put("/1", page(STORY));
    bench.publish(&[("/1", "A boat is in trouble.")]);
    bench.poll("06:00:00");
    // Edited while it waits: what is matched is the new summary, with the page.
    bench.publish(&[("/1", "A ferry is in trouble now.")]);
    let counts = bench.poll("06:00:01");
    assert_eq!((counts.edited, counts.hits, counts.awaiting_page), (1, 0, 0));
    assert_eq!(bench.fetch_one("06:00:02").hits(), 2);
    assert!(bench.hits().iter().all(|hit| hit.article.summary == "A ferry is in trouble now."));
    bench.publish(&[("/1", "A ship is in trouble.")]);
    assert_eq!((bench.poll("07:00:00").edited, bench.site.asked("/1").len()), (1, 1));
    let article = bench.hits()[0].article.id;
    let (item, _) = bench.call(move |connection| store::full_text::article(connection, article));
    assert!(item.content.contains("lifeboat service") && item.summary == "A ship is in trouble.", "{item:?}");
    // The hits show what they found.
    assert!(bench.hits().iter().all(|hit| hit.article.summary == "A ferry is in trouble now."));
}

/// Promises P1 and P2: what waits for its page is not met by a new rule before the text is there, and not missed by it.
#[test]
fn a_new_rule_meets_what_waits_with_the_text_of_its_page() {
    let mut bench = Bench::new();
    bench.site.put("/1", page(STORY));
    bench.publish(&[("/1", "A ferry is in trouble.")]);
    bench.poll("06:00:00");
    let file = bench.directory.path().join("feedwatch.toml");
    let rules = "[[rule]]\nname = \"Trouble\"\nall = [\"trouble\", \"harbour\"]\nbackfill = \"7d\"\n[[rule]]\nname = \"Calm\"\n\
                 all = [\"ferry\"]\nnone = [\"lifeboat service\"]\nbackfill = \"7d\"\n";
    fs::write(&file, fs::read_to_string(&file).unwrap() + rules).unwrap();
    let config = Arc::new(config::load(&file).unwrap_or_else(|errors| panic!("{errors}")));
    bench.resources.config = config.clone();
    let adopted = config.clone();
    bench.call(move |connection| adopt::adopt(connection, &adopted, at("06:00:01"), |_| at("07:00:00")));
    let days = [at("00:00:00")];
    let tried = move |config: &config::Config, connection: &Connection| {
        let backtest = Backtest {
            config,
            rule: None,
            deployed: None,
            since: at("00:00:00"),
            until: at("23:00:00"),
            days: &days,
            examples: 1,
        };
        let rules = backtest.run(connection, |_| {})?.rules;
        Ok(rules.iter().map(|trial| (trial.hits, trial.gained, trial.lost)).collect::<Vec<_>>())
    };
    let before = config.clone();
    assert_eq!(bench.call(move |connection| tried(&before, connection)), [(0, 0, 0); 4]);
    let done = bench.runtime.block_on(backfill::backfill(&bench.resources, at("06:00:02"))).unwrap();
    assert_eq!((done, bench.hits().len()), (Backfilled { articles: 1, hits: 0, more: false }, 0));
    bench.fetch_one("06:00:03");
    assert_eq!(bench.rules_hit(), ["Ferries", "Lifeboats", "Trouble"]);
    assert!(bench.hits().iter().all(|hit| hit.article.content.contains("lifeboat service")));
    assert_eq!(bench.call(move |connection| tried(&config, connection)), [(1, 0, 0), (1, 0, 0), (1, 0, 0), (0, 0, 0)]);
}

/// A host behind a redirect that says to be left alone is left alone, and the one that was asked.
#[test]
fn a_429_behind_a_redirect_parks_both_hosts() {
    let mut bench = Bench::new();
    let file = bench.directory.path().join("feedwatch.toml");
    let private = fs::read_to_string(&file).unwrap().replace("full_text =", "allow_private = true\nfull_text =");
    fs::write(&file, private).unwrap();
    bench.resources.config = Arc::new(config::load(&file).unwrap_or_else(|errors| panic!("{errors}")));
    let other = bench.site.url("/busy").replace("127.0.0.1", "localhost");
    bench.site.put("/1", Page::redirect(302, &other));
    bench.site.put("/busy", Page::error(429).with_header("retry-after", "900"));
    bench.publish(&[("/1", "A ferry is in trouble.")]);
    bench.poll("06:00:00");
    let report = bench.fetch_one("06:00:02");
    let hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    assert_eq!(report.parked, Some((at("06:15:02"), hosts)), "{report:?}");
}

/// Hosts that take turns are left alone together, so their pages are given up together.
#[test]
fn pages_of_hosts_that_take_turns_are_given_up_together() {
    let mut bench = Bench::new();
    let file = bench.directory.path().join("feedwatch.toml");
    let turns = "[[polling.host]]\nname = \"example.org\"\ndelay = \"1s\"\n";
    fs::write(&file, fs::read_to_string(&file).unwrap() + turns).unwrap();
    bench.resources.config = Arc::new(config::load(&file).unwrap_or_else(|errors| panic!("{errors}")));
    let item = |link: &str| {
        format!(
            "<item><link>{link}</link><title>A ferry</title><pubDate>Tue, 24 Nov 2026 05:30:00 GMT</pubDate></item>"
        )
    };
    let items = ["https://a.example.org/1", "https://b.example.org/1", "https://c.example.com/1"].map(item).concat();
    let feed = format!("<rss version=\"2.0\"><channel><title>Wire</title>{items}</channel></rss>");
    bench.site.put("/feed", Page::feed(feed));
    bench.poll("06:00:00");
    assert_eq!(bench.wanted().len(), 3);
    let host = Some("a.example.org".to_owned());
    let given_up = bench.runtime.block_on(full_text::give_up(&bench.resources, host, at("06:00:01"))).unwrap();
    assert_eq!((given_up.len(), bench.wanted().len()), (2, 1));
}

#[test]
fn what_is_long_enough_meets_the_rules_at_once() {
    let bench = Bench::new();
    bench.publish(&[("/1", &STORY.repeat(5))]);
    let counts = bench.poll("06:00:00");
    assert_eq!((counts.hits, counts.awaiting_page), (2, 0));
    assert!(bench.wanted().is_empty());
}

/// One poll of a feed with hundreds of new items does not ask its host for hundreds of pages.
#[test]
fn a_poll_asks_for_fifty_pages_at_most() {
    let bench = Bench::new();
    let paths: Vec<_> = (0..60).map(|number| format!("/{number}")).collect();
    let items: Vec<_> = paths.iter().map(|path| (path.as_str(), "A ferry is in trouble.")).collect();
    bench.publish(&items);
    let counts = bench.poll("06:00:00");
    assert_eq!((counts.new, counts.awaiting_page, counts.hits), (60, 50, 10));
}

/// An article that still waits keeps its text, however old it is.
#[test]
fn retention_leaves_what_waits() {
    let bench = Bench::new();
    bench.publish(&[("/1", "A ferry is in trouble.")]);
    bench.poll("06:00:00");
    let later = at("06:00:00") + Duration::from_secs(200 * 86_400);
    assert_eq!(bench.runtime.block_on(upkeep::upkeep(&bench.resources, later)).unwrap().cleared.articles, 0);
    let given_up = bench.runtime.block_on(full_text::give_up(&bench.resources, None, later)).unwrap();
    assert_eq!((given_up.len(), bench.rules_hit()), (1, vec!["Ferries".to_owned()]));
}

/// Promises P1 and P6: an article on which matching panics keeps no other one waiting, and is told of with its page. Once
/// none of those that were overdue together was ever matched.
#[test]
fn an_article_that_panics_keeps_no_other_waiting() {
    let bench = Bench::new();
    bench.publish(&[
        ("/1", "The lifeboat service has a day off."),
        ("/2", "A ferry."),
        ("/3", "The lifeboat service."),
    ]);
    bench.poll("06:00:00");
    // Of the rule about ferries the set alone knows: what it matches panics.
    let config = &bench.resources.config;
    let broken = Config { rules: config.rules[..1].to_vec(), ..(**config).clone() };
    assert_eq!(broken.rules[0].rule.name.as_str(), "Lifeboats");
    bench.resources.in_force.replace(Arc::new(broken));
    let given_up = full_text::give_up(&bench.resources, None, at("06:20:00"));
    let given_up = bench.runtime.block_on(given_up).unwrap();
    let told: Vec<_> = given_up.iter().map(|(_, report)| self::given_up(report).0.contains("please report")).collect();
    let hits: Vec<_> = given_up.iter().map(|(_, report)| report.hits()).collect();
    assert_eq!((told, hits), (vec![false, true, false], vec![1, 0, 1]), "{given_up:?}");
    assert!(self::given_up(&given_up[1].1).0.contains("/2"), "{given_up:?}");
    assert_eq!(bench.wanted(), []);
}
