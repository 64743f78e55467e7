use super::*;
use crate::{
    clock,
    config::{self, Config},
    core::feed::FeedId,
    fetch::{self, Fetcher},
    jobs::{Resources, upkeep::Upkept},
    mail::smtp,
    store::{self, Store, outbox::OutboxMail},
};
use rusqlite::Connection;
use std::{
    fs,
    sync::{Arc, mpsc},
};

const CONFIGURATION: &str = r#"
[store]
path = "feedwatch.db"

[polling]
backfill = "36500d"

[mail]
from = "alerts@example.org"
admin = "ops@example.org"
server = "file:./mail"

[[feed]]
url = "feed.xml"

[[rule]]
name = "Missiles"
any = ["missiles"]

[[digest]]
name = "urgent"
to = ["desk@example.org"]
schedule = "immediately"
timezone = "UTC"
"#;

const FEED: &str = "<rss version=\"2.0\"><channel><title>Wire</title><item><title>DPRK fires missiles</title>\
                    <guid>1</guid><pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>";

struct Bench {
    directory: tempfile::TempDir,
    daemon: Daemon,
    now: Timestamp,
}

impl Bench {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("feedwatch.toml");
        fs::write(&file, CONFIGURATION).unwrap();
        fs::write(directory.path().join("feed.xml"), FEED).unwrap();
        let config = Arc::new(config::load(&file).unwrap());
        let store = Store::open(&config.store.path).unwrap();
        let fetcher = Fetcher::new(config.polling.limits, &fetch::user_agent(None)).unwrap();
        let client = smtp::Client::new("localhost").unwrap();
        let resources = Resources::new(store, config, fetcher, client, "host.example");
        let load = file.clone();
        let daemon = Daemon::new(resources, file, Box::new(move || config::load(&load))).await.unwrap();
        Self { now: daemon.record.started_at, directory, daemon }
    }

    /// Runs something as a job to its end.
    async fn end_of(&mut self, job: Job, work: impl Future<Output = Result<Ended, StoreError>> + Send + 'static) {
        let handle = self.daemon.running.spawn(work);
        self.daemon.job_of.insert(handle.id(), job);
        let ended = self.daemon.running.join_next_with_id().await.unwrap();
        self.daemon.end(ended).await;
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.daemon.resources.store.call(question).await.unwrap()
    }

    async fn outbox(&self) -> Vec<OutboxMail> {
        self.ask(|connection| store::outbox::list(connection, true)).await
    }

    /// Lets a table be away, so that the store fails on it.
    async fn rename(&self, table: &'static str, to: &'static str) {
        self.ask(move |connection| Ok(connection.execute_batch(&format!("ALTER TABLE {table} RENAME TO {to}"))?)).await;
    }

    /// Polls the feed, as a job.
    async fn poll(&mut self) {
        let (feed, now, resources) = (self.feed(), self.now, self.daemon.resources.clone());
        let poll = async move { Ok(Ended::Polled(feed, Box::new(poll::poll(&resources, 0, feed, now).await?))) };
        self.end_of(Job::Poll(feed), poll).await;
    }

    /// Takes off the agenda what is due within that time.
    fn due_within(&mut self, time: std::time::Duration) -> Vec<Job> {
        let until = clock::now() + time;
        std::iter::from_fn(|| self.daemon.agenda.start(until)).collect()
    }

    fn feed(&self) -> FeedId {
        *self.daemon.feeds.keys().next().unwrap()
    }

    /// Returns why the feed fails.
    async fn failure(&self) -> Option<String> {
        let feed = self.feed();
        let state = self.ask(move |connection| store::feed::one(connection, feed)).await.state;
        state.last_error.filter(|_| state.failing_since.is_some())
    }
}

async fn panics() -> Result<Ended, StoreError> {
    panic!("as a test does")
}

/// Promise P4: of a job that panics the administrator hears once, and once when it works again.
#[tokio::test]
async fn a_job_that_panics_is_told_of_once_and_tried_again() {
    let mut bench = Bench::new().await;
    for _ in 0..2 {
        bench.end_of(Job::Upkeep, panics()).await;
        assert_eq!(bench.ask(notice::failing_jobs).await, ["upkeep"]);
        let mails = bench.outbox().await;
        let [mail] = &mails[..] else { panic!("{mails:?}") };
        assert_eq!((mail.recipient.as_str(), mail.digest.is_none()), ("ops@example.org", true));
        let id = mail.id;
        let bytes = bench.ask(move |connection| store::outbox::bytes(connection, id)).await;
        let text = String::from_utf8(bytes).unwrap().replace("=\r\n", "");
        assert!(text.contains("upkeep failed within feedwatch") && text.contains("as a test does"), "{text}");
        assert!(bench.daemon.agenda.next_start().unwrap() <= bench.now + 2 * AGAIN);
    }
    for _ in 0..2 {
        bench.end_of(Job::Upkeep, async { Ok(Ended::Upkept(Upkept::default())) }).await;
        assert!(bench.ask(notice::failing_jobs).await.is_empty());
        assert_eq!(bench.outbox().await.len(), 2);
    }
}

/// What panicked before a restart is tried anew.
#[tokio::test]
async fn a_start_forgets_the_jobs_that_panicked() {
    let mut bench = Bench::new().await;
    bench.end_of(Job::Backfill, panics()).await;
    assert_eq!(bench.ask(notice::failing_jobs).await.len(), 1);
    let Bench { directory, daemon, .. } = bench;
    let (resources, file) = (daemon.resources.clone(), directory.path().join("feedwatch.toml"));
    let load = file.clone();
    let daemon = Daemon::new(resources, file, Box::new(move || config::load(&load))).await.unwrap();
    assert!(daemon.resources.store.call(notice::failing_jobs).await.unwrap().is_empty());
}

/// Promises P4 and P6: a feed on which feedwatch itself fails is shown as failing and backed off from, and no other feed
/// waits for it. Once a panic within the store's call was taken for a failure of the store, and all polls paused.
#[tokio::test]
async fn a_poll_that_panics_is_a_failure_of_its_feed_alone() {
    let mut bench = Bench::new().await;
    bench.end_of(Job::Poll(bench.feed()), panics()).await;
    assert!(bench.failure().await.unwrap().contains("as a test does"));

    let resources = bench.daemon.resources.clone();
    // A rule matches that is not there: matching panics in the transaction.
    let broken = Config { rules: Vec::new(), ..(*resources.config).clone() };
    resources.in_force.replace(Arc::new(broken));
    bench.poll().await;
    assert!(bench.failure().await.unwrap().contains("please report this feed"));
    assert!(!bench.daemon.store_fails);
    assert!(bench.outbox().await.is_empty(), "the administrator hears of feeds that fail for a day");

    resources.in_force.replace(resources.config.clone());
    bench.poll().await;
    assert_eq!(bench.failure().await, None);
    let hits = |connection: &_| store::hit::select(connection, &store::hit::Selection::default());
    assert_eq!(bench.ask(hits).await.len(), 1, "nothing of the poll that panicked was kept");
}

/// Promise P2: of a delivery that panics nobody knows how far it came; it is not repeated every minute.
#[tokio::test]
async fn a_delivery_that_panics_is_in_doubt() {
    let mut bench = Bench::new().await;
    let now = bench.now;
    bench.end_of(Job::Upkeep, panics()).await;
    let mail = bench.outbox().await.remove(0).id;
    bench.ask(move |connection| store::outbox::begin_attempt(connection, mail, now)).await.unwrap();
    bench.end_of(Job::Delivery(mail), panics()).await;
    let mail = bench.outbox().await.remove(0);
    assert!(mail.last_error.unwrap().contains("please report this"));
    assert!(mail.in_doubt_since.is_some());
    assert!(mail.next_attempt_at.unwrap() > now + 3 * AGAIN);
}

/// Promises P1 and P4: what was committed just before the store failed is put on the agenda when it works again. Once an
/// edition waited for the next hit, and a mail for the next restart.
#[tokio::test]
async fn what_was_committed_before_the_store_failed_is_not_forgotten() {
    let mut bench = Bench::new().await;
    // The first look takes what other processes wrote before.
    bench.daemon.look_around().await.unwrap();
    bench.rename("edition", "away").await;
    bench.poll().await;
    bench.daemon.look_around().await.unwrap();
    assert!(bench.daemon.store_fails);

    bench.rename("away", "edition").await;
    bench.rename("outbox", "away").await;
    bench.daemon.look_around().await.unwrap();
    assert!(bench.daemon.store_fails);
    bench.rename("away", "outbox").await;
    notice::raise(&bench.daemon.resources, &Trouble::Reload, "As a test does.".to_owned(), bench.now).await.unwrap();
    bench.daemon.look_around().await.unwrap();
    assert!(!bench.daemon.store_fails);
    let mail = bench.outbox().await.remove(0).id;
    let digest = bench.daemon.resources.config.digests[0].name.clone();
    let due = bench.due_within(AGAIN);
    for expected in [Job::Edition(digest), Job::Delivery(mail)] {
        assert!(due.contains(&expected), "{expected:?} is not in {due:?}");
    }
}

/// Promises P4 and P6: what panics after a job was done is no failure of the job. Once its feed was backed off from.
#[tokio::test]
async fn what_panics_when_the_agenda_is_made_is_told_of_and_made_again() {
    let mut bench = Bench::new().await;
    bench.daemon.look_around().await.unwrap();
    bench.rename("edition", "away").await;
    bench.poll().await;
    assert_eq!(bench.failure().await, None);
    bench.rename("away", "edition").await;
    bench.daemon.store_fails = false;
    for mails in [1, 1] {
        let now = clock::now();
        bench.daemon.fail_to_plan(StoreError::Panicked("as a test does".to_owned()), now).await;
        assert_eq!(bench.ask(notice::failing_jobs).await, ["planning what is due"]);
        assert_eq!((bench.outbox().await.len(), bench.failure().await), (mails, None));
        assert!(!bench.daemon.store_fails, "polling goes on");
    }
    bench.daemon.catch_up(clock::now()).await.unwrap();
    assert_eq!(bench.ask(notice::failing_jobs).await.len(), 1, "it is not tried in a circle");
    bench.daemon.catch_up(clock::now() + AGAIN).await.unwrap();
    assert!(bench.ask(notice::failing_jobs).await.is_empty());
    assert_eq!(bench.outbox().await.len(), 2);
    let digest = bench.daemon.resources.config.digests[0].name.clone();
    assert!(bench.due_within(2 * AGAIN).contains(&Job::Edition(digest)));
}

const REFUSE_NOTICES: &str = "
    CREATE TRIGGER no_more BEFORE INSERT ON notice BEGIN SELECT RAISE(ABORT, 'as a test does'); END;
    CREATE TRIGGER no_less BEFORE DELETE ON notice BEGIN SELECT RAISE(ABORT, 'as a test does'); END;
";

/// Promise P4: of a configuration that is refused, or good again, the administrator hears also when the store failed at
/// that moment. Once the first was never told of, and the second muted the next refusal.
#[tokio::test]
async fn how_a_reload_ended_is_told_when_the_store_works_again() {
    let mut bench = Bench::new().await;
    let file = bench.directory.path().join("feedwatch.toml");
    for (configuration, told) in [("nonsense", 1), (CONFIGURATION, 2), ("nonsense", 3)] {
        fs::write(&file, configuration).unwrap();
        bench.ask(|connection| Ok(connection.execute_batch(REFUSE_NOTICES)?)).await;
        bench.daemon.reload().await;
        bench.daemon.look_around().await.unwrap();
        assert!(bench.daemon.store_fails);
        assert_eq!(bench.outbox().await.len(), told - 1);
        bench.ask(|connection| Ok(connection.execute_batch("DROP TRIGGER no_more; DROP TRIGGER no_less")?)).await;
        for _ in 0..2 {
            bench.daemon.look_around().await.unwrap();
            assert_eq!(bench.outbox().await.len(), told);
        }
        let mail = bench.outbox().await.remove(told - 1).id;
        assert!(bench.due_within(AGAIN).contains(&Job::Delivery(mail)));
    }
}

/// Promise P8: the edition of a digest that is no longer configured does not fail for ever.
#[tokio::test]
async fn a_digest_that_left_fails_no_more() {
    let mut bench = Bench::new().await;
    let edition = Job::Edition(bench.daemon.resources.config.digests[0].name.clone());
    bench.end_of(Job::Upkeep, panics()).await;
    bench.end_of(edition.clone(), panics()).await;
    assert_eq!(bench.ask(notice::failing_jobs).await, ["the edition of \"urgent\"", "upkeep"]);
    let file = bench.directory.path().join("feedwatch.toml");
    fs::write(&file, CONFIGURATION.replace("\"urgent\"", "\"daily\"")).unwrap();
    bench.daemon.reload().await;
    assert_eq!(bench.ask(notice::failing_jobs).await, ["upkeep"]);
    bench.end_of(edition, panics()).await;
    assert_eq!(bench.ask(notice::failing_jobs).await, ["upkeep"], "it was running when its digest left");
}

/// Promise P7: what a configuration brings is out of force before anything can be matched by it, where its adoption was
/// not committed.
#[tokio::test]
async fn a_configuration_that_was_not_adopted_is_in_force_for_nobody() {
    let mut bench = Bench::new().await;
    let file = bench.directory.path().join("feedwatch.toml");
    fs::write(&file, CONFIGURATION.replace("\"urgent\"", "\"daily\"")).unwrap();
    let (config, now) = (Arc::new(config::load(&file).unwrap()), bench.now);
    let (store, in_force) = (bench.daemon.resources.store.clone(), bench.daemon.resources.in_force.clone());
    let (held, is_held) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let hold = store.call(move |_| {
        held.send(()).unwrap();
        may_go_on.recv().unwrap();
        Ok(())
    });
    let adopt = async {
        is_held.recv().unwrap();
        bench.daemon.configure(config, now).await
    };
    // Committed together with the adoption, so to speak.
    let (ruined, is_ruined) = mpsc::channel();
    let (end, may_end) = mpsc::channel();
    let ruin = store.call(move |connection| {
        ruined.send(()).unwrap();
        may_end.recv().unwrap();
        Ok(connection.execute_batch("ROLLBACK")?)
    });
    let (seen, saw) = mpsc::channel();
    let next = async {
        go_on.send(()).unwrap();
        is_ruined.recv().unwrap();
        let next = store.call(move |_| {
            seen.send(format!("{in_force:?}").contains("daily")).unwrap();
            Ok(())
        });
        let look = async {
            end.send(()).unwrap();
            // On this thread the daemon would wake.
            assert!(!saw.recv().unwrap());
        };
        tokio::join!(next, look).0.unwrap();
    };
    let (_, adopted, ruined, ()) = tokio::join!(hold, adopt, ruin, next);
    assert!(adopted.is_err() && ruined.is_err());
    assert_eq!(bench.daemon.resources.config.digests[0].name.as_str(), "urgent");
}
