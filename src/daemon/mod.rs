//! The daemon: one task that owns the agenda, starts jobs when they are due, and answers signals.
//!
//! Due times are durable in the store, so a restart polls nothing early and forgets nothing. A job that panics is that
//! job's failure. What a job does is in `jobs`, what is due when is decided in `core`.

mod failures;
mod mails;
mod pages;
mod polls;
mod reload;
mod service;

use crate::{
    clock,
    config::{Config, ConfigErrors},
    core::{
        agenda::{Agenda, Job},
        article::ArticleId,
        digest::counted,
        feed::FeedId,
        hit::DigestName,
        retry::MailId,
    },
    jobs::{
        Resources,
        backfill::{self, Backfilled},
        deliver::{self, Delivered},
        edition::{self, Composed, When},
        full_text::{self, Attempts, PageReport},
        notice,
        poll::{self, PollReport, Polled},
        upkeep,
    },
    store::{self, StoreError, daemon::DaemonRecord},
};
use jiff::Timestamp;
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::{Id, JoinError, JoinSet},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tracing::{Instrument, debug, error, info, info_span, warn};

/// How often the loop looks around even if nothing is due: the longest that a clock that jumped goes unnoticed.
const TICK: Duration = Duration::from_secs(5);

/// How long running jobs may take to end after SIGTERM; the service is killed after 90 s.
const DRAIN: Duration = Duration::from_secs(75);

/// How long after a failure of our own (the store, a panic) a job is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Time between two rounds of upkeep.
const UPKEEP: Duration = Duration::from_secs(15 * 60);

/// How much the clock may go back without anything being scheduled anew.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// How often the daemon says in the store that it is alive.
const ALIVE: Duration = Duration::from_secs(60);

/// Reads and checks a configuration; the daemon calls it again at each reload.
pub type Load = Box<dyn Fn() -> Result<Config, ConfigErrors> + Send + Sync>;

/// The running daemon.
pub struct Daemon {
    resources: Resources,
    load: Arc<Load>,
    agenda: Agenda,
    /// Where each feed is in the configuration.
    feeds: HashMap<FeedId, usize>,
    /// The host that the next poll of each feed asks.
    hosts: HashMap<FeedId, String>,
    running: JoinSet<Result<Ended, StoreError>>,
    job_of: HashMap<Id, Job>,
    /// What people call the jobs that panicked when they ran last.
    failing: HashSet<String>,
    record: DaemonRecord,
    /// The store's version that the agenda knows, to notice what another process changed.
    seen: i64,
    /// When the loop last looked around, to notice a clock that was set back.
    looked_at: Timestamp,
    /// Whether the store failed and has not worked since.
    store_fails: bool,
    /// When the due times are read from the store again, because something that was committed could not be put on the
    /// agenda: nothing else would ever do it.
    reread_at: Option<Timestamp>,
    /// How the last reload ended, while the administrator could not be told.
    untold: Option<reload::News>,
    /// When it was last said that this machine is short of descriptors.
    said_shortage: Option<Timestamp>,
}

/// What a job did.
enum Ended {
    Polled(FeedId, Box<PollReport>),
    Composed(DigestName, Composed),
    Delivered(MailId, Delivered),
    Upkept(upkeep::Upkept),
    Page(ArticleId, Option<PageReport>),
    GaveUp(Vec<(ArticleId, PageReport)>),
    Backfilled(Backfilled),
}

impl Daemon {
    /// Makes the daemon ready to run: the store knows the configured feeds and the agenda what is due.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn new(resources: Resources, main_file: PathBuf, load: Load) -> Result<Self, StoreError> {
        let now = clock::now();
        let mut daemon = Self {
            agenda: Agenda::new(resources.politeness()),
            load: Arc::new(load),
            feeds: HashMap::new(),
            hosts: HashMap::new(),
            running: JoinSet::new(),
            job_of: HashMap::new(),
            failing: HashSet::new(),
            record: DaemonRecord {
                pid: std::process::id(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                started_at: now,
                alive_at: now,
                configuration: main_file.display().to_string(),
                reload: None,
            },
            seen: 0,
            looked_at: now,
            store_fails: false,
            reread_at: None,
            untold: None,
            said_shortage: None,
            resources,
        };
        let config = daemon.resources.config.clone();
        daemon.configure(config, now).await?;
        daemon.resources.store.call(|connection| notice::forget_jobs(connection, |_| true)).await?;
        daemon.tell_of_reload(Ok(()), now).await?;
        daemon.agenda.schedule(Job::Upkeep, now + AGAIN);
        daemon.say_alive(now).await?;
        Ok(daemon)
    }

    /// Runs until SIGTERM or SIGINT, then drains.
    ///
    /// # Errors
    ///
    /// When signals cannot be received or the store's thread has stopped.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut tick = interval(service::tick(TICK));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        service::ready(&self.summary());
        info!(feeds = self.feeds.len(), rules = self.resources.config.rules.len(), "feedwatch is ready");
        let outcome = loop {
            self.start_due();
            let pause = self.until_next_start();
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.end(ended).await,
                () = sleep(pause) => {}
                _ = tick.tick() => if let Err(error) = self.look_around().await { break Err(error) },
                _ = hangup.recv() => self.reload().await,
                _ = terminate.recv() => break Ok(()),
                _ = interrupt.recv() => break Ok(()),
            }
        };
        self.drain().await;
        Ok(outcome?)
    }

    fn start_due(&mut self) {
        let now = clock::now();
        while let Some(job) = self.agenda.start(now) {
            self.start(job, now);
        }
    }

    fn until_next_start(&self) -> Duration {
        let until = self.agenda.next_start().map(|at| clock::now().duration_until(at));
        until.map_or(TICK, |until| until.unsigned_abs().min(TICK))
    }

    fn start(&mut self, job: Job, now: Timestamp) {
        let resources = self.resources.clone();
        let handle = match &job {
            Job::Poll(id) => {
                let Some(&index) = self.feeds.get(id) else { return self.agenda.finish(&job) };
                let (id, span) = (*id, info_span!("poll", feed.url = %resources.config.feeds[index].url));
                let work =
                    async move { Ok(Ended::Polled(id, Box::new(poll::poll(&resources, index, id, now).await?))) };
                self.running.spawn(work.instrument(span))
            }
            Job::Edition(name) => {
                let position = resources.config.digests.iter().position(|digest| digest.name == *name);
                let Some(index) = position else { return self.agenda.finish(&job) };
                let span = info_span!("edition", digest.name = %name);
                let name = name.clone();
                let work = async move {
                    Ok(Ended::Composed(name, edition::compose(&resources, index, When::Due, now).await?))
                };
                self.running.spawn(work.instrument(span))
            }
            Job::Delivery(id) => {
                let (id, span) = (*id, info_span!("delivery", mail = id.row()));
                let work = async move { Ok(Ended::Delivered(id, deliver::deliver(&resources, id, now).await?)) };
                self.running.spawn(work.instrument(span))
            }
            Job::Page(article) => {
                let (article, span) = (*article, info_span!("page", article = article.row()));
                let work = async move {
                    let fetched = full_text::fetch(&resources, article, Attempts::Several, now).await?;
                    Ok(Ended::Page(article, fetched))
                };
                self.running.spawn(work.instrument(span))
            }
            Job::OverduePages => {
                let work = async move { Ok(Ended::GaveUp(full_text::give_up(&resources, None, now).await?)) };
                self.running.spawn(work.instrument(info_span!("overdue pages")))
            }
            Job::Upkeep => {
                let work = async move { Ok(Ended::Upkept(upkeep::upkeep(&resources, now).await?)) };
                self.running.spawn(work.instrument(info_span!("upkeep")))
            }
            Job::Backfill => {
                let work = async move { Ok(Ended::Backfilled(backfill::backfill(&resources, now).await?)) };
                self.running.spawn(work.instrument(info_span!("backfill")))
            }
        };
        self.job_of.insert(handle.id(), job);
    }

    async fn end(&mut self, ended: Result<(Id, Result<Ended, StoreError>), JoinError>) {
        let now = clock::now();
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(job) = self.job_of.remove(&id) else { return };
        self.agenda.finish(&job);
        let ended = ended.map_or_else(|panic| Err(StoreError::Panicked(panic.to_string())), |(_, ended)| ended);
        let settled = match ended {
            Ok(ended) => {
                self.follow(ended, now).await;
                self.work_again(&job, now).await
            }
            Err(StoreError::Panicked(why)) => self.fail(job.clone(), &why, now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = settled {
            match &error {
                StoreError::Panicked(why) => {
                    error!(why, job = ?job, "a failure within feedwatch could not be recorded");
                    self.reread_at = Some(now + AGAIN);
                }
                _ => self.pause_polls(&error, now),
            }
            self.again(job, now);
        }
    }

    /// Logs what a job did and puts on the agenda what follows from it. Where that fails the job did its work all the
    /// same: what follows is found in the store later.
    async fn follow(&mut self, ended: Ended, now: Timestamp) {
        if let Err(error) = self.follow_up(ended, now).await {
            self.fail_to_plan(error, now).await;
        }
    }

    fn again(&mut self, job: Job, now: Timestamp) {
        match job {
            Job::Poll(feed) => self.schedule_poll(feed, now + AGAIN),
            // It is given up when its time is over.
            Job::Page(_) => {}
            job => self.agenda.schedule(job, now + AGAIN),
        }
    }

    async fn follow_up(&mut self, ended: Ended, now: Timestamp) -> Result<(), StoreError> {
        match ended {
            Ended::Polled(feed, report) => {
                self.log_poll(feed, &report, now);
                self.follow_poll(feed, &report).await?;
                if matches!(report.outcome, Polled::Read(counts) if counts.awaiting_page > 0) {
                    self.schedule_pages(now).await?;
                }
                if matches!(report.outcome, Polled::Read(counts) if counts.hits > 0) {
                    self.schedule_editions(now).await?;
                }
            }
            Ended::Composed(digest, composed) => self.follow_edition(&digest, &composed, now).await?,
            Ended::Delivered(mail, delivered) => self.follow_delivery(mail, &delivered),
            Ended::Page(article, report) => self.follow_page(article, report, now).await?,
            Ended::GaveUp(given_up) => self.follow_give_up(given_up, now).await?,
            Ended::Upkept(upkept) => {
                self.agenda.schedule(Job::Upkeep, now + UPKEEP);
                if upkept.more {
                    self.agenda.schedule(Job::Upkeep, now + Duration::from_secs(1));
                }
                self.schedule_pages(now).await?;
                debug!(articles = upkept.cleared.articles, notices = upkept.notices, "upkeep is done");
                if upkept.notices > 0 {
                    self.schedule_deliveries().await?;
                }
            }
            Ended::Backfilled(Backfilled { articles, hits, more }) => {
                if more {
                    self.agenda.schedule(Job::Backfill, now);
                }
                if articles > 0 {
                    info!(articles, hits, more, "new rules were run over what is stored");
                }
                if hits > 0 {
                    self.schedule_editions(now).await?;
                }
            }
        }
        Ok(())
    }

    /// Feeds the watchdog if the store answers, says now and then that we are alive, and notices what another process
    /// changed in the store, or somebody in the clock.
    ///
    /// # Errors
    ///
    /// When the store's thread has stopped. Other failures may pass: they are logged once, and polling pauses.
    async fn look_around(&mut self) -> Result<(), StoreError> {
        let now = clock::now();
        let answer = timeout(Duration::from_secs(30), self.catch_up(now)).await;
        let answer = answer.unwrap_or_else(|_| Err(StoreError::Aborted("it did not answer within 30 s".to_owned())));
        match answer {
            Ok(()) => {
                if std::mem::take(&mut self.store_fails) {
                    info!("the store works again");
                }
                service::alive();
                Ok(())
            }
            Err(StoreError::WriterGone) => Err(StoreError::WriterGone),
            Err(error) => {
                let panicked = matches!(error, StoreError::Panicked(_));
                self.fail_to_plan(error, now).await;
                // The store answered.
                if panicked {
                    service::alive();
                }
                Ok(())
            }
        }
    }

    async fn catch_up(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let version = self.resources.store.call(store::daemon::data_version).await?;
        let clock_went_back = now < self.looked_at - CLOCK_TOLERANCE;
        self.looked_at = now;
        if clock_went_back {
            warn!("the clock was set back: everything is scheduled anew");
            self.agenda.forget_patience();
            self.agenda.schedule(Job::Upkeep, now);
        }
        // Before anything is put on the agenda: a full disk can be read, and what is started then fails again.
        if clock_went_back || self.store_fails || now.duration_since(self.record.alive_at).unsigned_abs() >= ALIVE {
            self.say_alive(now).await?;
        }
        self.tell_news(now).await?;
        if clock_went_back || version != self.seen || self.reread_at.is_some_and(|at| at <= now) {
            self.read_due_times(now).await?;
            self.reread_at = None;
            self.seen = version;
            self.plan_again(now).await?;
        }
        Ok(())
    }

    /// Takes the due times from the store, where another process may have changed them.
    async fn read_due_times(&mut self, now: Timestamp) -> Result<(), StoreError> {
        for feed in self.resources.store.call(store::feed::configured).await? {
            if !self.agenda.is_running(&Job::Poll(feed.id)) {
                self.schedule_poll(feed.id, feed.due(now));
            }
        }
        self.schedule_editions(now).await?;
        self.schedule_pages(now).await?;
        self.schedule_deliveries().await
    }

    async fn say_alive(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.record.alive_at = now;
        let record = self.record.clone();
        self.resources.store.call(move |connection| store::daemon::record(connection, &record)).await
    }

    fn summary(&self) -> String {
        let config = &self.resources.config;
        let (feeds, rules, digests) = (config.feeds.len(), config.rules.len(), config.digests.len());
        format!("{}, {}, {}", counted(feeds, "feed"), counted(rules, "rule"), counted(digests, "digest"))
    }

    /// Ends: polls and upkeep are broken off (what they committed is whole, the rest is done again), mails are finished.
    async fn drain(mut self) {
        service::stopping();
        info!(running = self.agenda.running(), "feedwatch is stopping");
        let broken_off = |job: &Job| job.is_fetch() || *job == Job::Upkeep;
        let polls: Vec<_> = self.job_of.iter().filter(|(_, job)| broken_off(job)).map(|(id, _)| *id).collect();
        self.job_of.retain(|id, _| !polls.contains(id));
        let drained = timeout(DRAIN, async {
            while !self.job_of.is_empty() {
                let Some(ended) = self.running.join_next_with_id().await else { break };
                self.end(ended).await;
            }
        });
        if drained.await.is_err() {
            warn!(
                mails = self.job_of.len(),
                "mails were broken off and are sent again at the next start, the same bytes"
            );
        }
        self.running.shutdown().await;
        info!("feedwatch has stopped");
    }
}
