//! The agenda: what is due when, what is running, and which hosts want to be left alone.
//!
//! Pure: it is told `now` and knows no clock. Due times are durable elsewhere; the agenda is rebuilt from them.

use super::{article::ArticleId, feed::FeedId, hit::DigestName, retry::MailId};
use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

/// Deliveries that may run at once: each has a connection of its own, so that none waits for another's server.
const DELIVERIES: usize = 4;

/// How many polls run at once, and how politely each host is asked (FEEDS A10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Politeness {
    /// Polls at once.
    pub concurrency: usize,
    /// What holds for a host of which nothing else is said.
    pub host: HostLimits,
    /// Hosts with limits of their own, by name in lower case. One stands for the names below it too: they take turns
    /// as one host.
    pub hosts: BTreeMap<String, HostLimits>,
}

/// How politely one host is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLimits {
    /// Least time between two starts.
    pub delay: Duration,
    /// Polls at once.
    pub concurrency: usize,
}

impl Politeness {
    /// Returns the name under which a host takes turns: the nearest that has limits of its own, else its own name.
    pub fn turn_of<'a>(&'a self, host: &'a str) -> &'a str {
        let mut name = host;
        loop {
            if let Some((own, _)) = self.hosts.get_key_value(name) {
                return own;
            }
            match name.split_once('.') {
                Some((_, above)) => name = above,
                None => return host,
            }
        }
    }

    /// Returns the least time between two requests to a host.
    pub fn delay_of(&self, host: &str) -> Duration {
        self.limits(self.turn_of(host)).delay
    }

    fn limits(&self, turn: &str) -> HostLimits {
        self.hosts.get(turn).copied().unwrap_or(self.host)
    }
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Job {
    /// Compose the edition of a digest.
    Edition(DigestName),
    /// Submit a mail of the outbox.
    Delivery(MailId),
    /// Match the articles that waited too long for their pages.
    OverduePages,
    /// Clear old texts, tell the administrator what is wrong.
    Upkeep,
    /// Run new rules over what was stored before them.
    Backfill,
    /// Poll a feed.
    Poll(FeedId),
    /// Fetch the page of an article.
    Page(ArticleId),
}

impl Job {
    /// Tells whether it asks a host, so that it takes turns with others of that host.
    pub fn is_fetch(&self) -> bool {
        matches!(self, Self::Poll(_) | Self::Page(_))
    }
}

/// What is due when.
#[derive(Debug)]
pub struct Agenda {
    /// Everything that may start when its time comes.
    due: Queue,
    /// Polls and pages, which have limits of their own.
    polls: Queue,
    running: FxHashSet<Job>,
    /// How many of them ask a host.
    fetches: usize,
    /// Polls that became due again while they ran.
    again: FxHashMap<Job, Timestamp>,
    hosts: HashMap<Arc<str>, Host>,
    /// The name under which the host of each poll and page takes turns.
    host_of: FxHashMap<Job, Arc<str>>,
    /// The same of those that run; a feed may move meanwhile.
    asked: FxHashMap<Job, Arc<str>>,
    politeness: Politeness,
    /// No poll starts before.
    paused: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Queue {
    order: BTreeSet<(Timestamp, Job)>,
    times: FxHashMap<Job, Timestamp>,
}

/// A host, and what waits for it.
#[derive(Debug, Default)]
struct Host {
    running: usize,
    not_before: Option<Timestamp>,
    /// Polls that are due and wait for the host.
    waiting: BTreeSet<(Timestamp, Job)>,
}

impl Agenda {
    /// Makes an empty agenda.
    pub fn new(politeness: Politeness) -> Self {
        Self {
            due: Queue::default(),
            polls: Queue::default(),
            running: FxHashSet::default(),
            fetches: 0,
            again: FxHashMap::default(),
            hosts: HashMap::new(),
            host_of: FxHashMap::default(),
            asked: FxHashMap::default(),
            politeness,
            paused: None,
        }
    }

    /// Sets the limits of polling; what is running goes on.
    pub fn set_limits(&mut self, politeness: Politeness) {
        self.politeness = politeness;
    }

    /// Puts a job on the agenda, or moves it. A job that is running starts again after it ended.
    pub fn schedule(&mut self, job: Job, at: Timestamp) {
        self.remove(&job);
        self.queue(&job).insert(job, at);
    }

    /// Puts the poll of a feed on the agenda; polls of one host take turns.
    pub fn schedule_poll(&mut self, feed: FeedId, host: Option<&str>, at: Timestamp) {
        self.schedule_fetch(Job::Poll(feed), host, at);
    }

    /// Puts the page of an article on the agenda; it takes turns with the polls of its host.
    pub fn schedule_page(&mut self, article: ArticleId, host: Option<&str>, at: Timestamp) {
        self.schedule_fetch(Job::Page(article), host, at);
    }

    fn schedule_fetch(&mut self, job: Job, host: Option<&str>, at: Timestamp) {
        self.schedule(job.clone(), at);
        match host {
            Some(host) => self.host_of.insert(job, self.politeness.turn_of(host).into()),
            None => self.host_of.remove(&job),
        };
    }

    /// Takes a job off the agenda. One that is running goes on.
    pub fn remove(&mut self, job: &Job) {
        self.queue(job).remove(job);
        if !job.is_fetch() {
            return;
        }
        self.again.remove(job);
        if let Some(name) = self.host_of.get(job).cloned()
            && let Some(host) = self.hosts.get_mut(&name)
        {
            host.waiting.retain(|(_, waiting)| waiting != job);
            // It may have been the one whose turn it was.
            if host.running == 0 {
                self.give_turn(&name);
            }
        }
        self.forget_page(job);
    }

    /// Leaves a host alone until then; never shortens what it asked for before.
    pub fn park(&mut self, host: &str, until: Timestamp) {
        let host = self.hosts.entry(self.politeness.turn_of(host).into()).or_default();
        host.not_before = host.not_before.max(Some(until));
    }

    /// Starts no poll until then; everything else goes on.
    pub fn pause_polls(&mut self, until: Timestamp) {
        self.paused = Some(until);
    }

    /// Forgets what was to be waited for by a clock that was wrong.
    pub fn forget_patience(&mut self) {
        self.paused = None;
        self.hosts.values_mut().for_each(|host| host.not_before = None);
    }

    /// Takes the waiting polls and pages of a parked host off the agenda, for a round that does not come back to them.
    pub fn abandon(&mut self, host: &str) -> Vec<Job> {
        let host = self.politeness.turn_of(host);
        let waiting = self.hosts.get_mut(host).map(|host| std::mem::take(&mut host.waiting)).unwrap_or_default();
        let mut abandoned: Vec<_> = waiting.into_iter().map(|(_, job)| job).collect();
        let on_host = |job: &&Job| !self.running.contains(job) && self.host_of.get(job).is_some_and(|of| **of == *host);
        abandoned.extend(self.polls.times.keys().filter(on_host).cloned());
        for job in &abandoned {
            self.polls.remove(job);
            self.forget_page(job);
        }
        abandoned
    }

    /// Forgets where a page is that is asked for no more: articles are many, and each has one page.
    fn forget_page(&mut self, job: &Job) {
        if matches!(job, Job::Page(_)) && !self.running.contains(job) {
            self.host_of.remove(job);
        }
    }

    /// Returns a job that may start now and counts it as running. Call until there is none.
    pub fn start(&mut self, now: Timestamp) -> Option<Job> {
        let job = self.start_work(now).or_else(|| self.start_poll(now))?;
        self.fetches += usize::from(job.is_fetch());
        self.running.insert(job.clone());
        Some(job)
    }

    /// Counts a job as ended; its host may be asked again.
    pub fn finish(&mut self, job: &Job) {
        let was_running = self.running.remove(job);
        if !job.is_fetch() {
            return;
        }
        self.fetches -= usize::from(was_running);
        let again = self.again.remove(job);
        if let Some(at) = again {
            self.polls.insert(job.clone(), at);
        }
        if let Some(host) = self.asked.remove(job).and_then(|name| self.hosts.get_mut(&name)) {
            host.running = host.running.saturating_sub(1);
            if let Some((job, at)) = host.next_turn() {
                self.polls.insert(job, at);
            }
        }
        if again.is_none() && !self.polls.times.contains_key(job) {
            self.forget_page(job);
        }
    }

    /// Lets the next that waits for a host start as soon as the host may be asked.
    fn give_turn(&mut self, name: &str) {
        if let Some((next, at)) = self.hosts.get_mut(name).and_then(Host::next_turn) {
            self.polls.insert(next, at);
        }
    }

    /// Tells whether a job is running.
    pub fn is_running(&self, job: &Job) -> bool {
        self.running.contains(job)
    }

    /// Returns how many jobs are running.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Returns when a job that could start then is due; nothing while only the end of a running one can bring news.
    pub fn next_start(&self) -> Option<Timestamp> {
        let work = self.due.order.iter().find(|(_, job)| self.may_start(job)).map(|(at, _)| *at);
        let poll = self
            .polls_have_room()
            .then(|| self.polls.order.first().map(|(at, _)| self.paused.map_or(*at, |until| until.max(*at))))
            .flatten();
        [work, poll].into_iter().flatten().min()
    }

    fn queue(&mut self, job: &Job) -> &mut Queue {
        if job.is_fetch() { &mut self.polls } else { &mut self.due }
    }

    fn start_work(&mut self, now: Timestamp) -> Option<Job> {
        let job =
            self.due.order.iter().take_while(|(at, _)| *at <= now).find(|(_, job)| self.may_start(job))?.1.clone();
        self.due.remove(&job);
        Some(job)
    }

    fn may_start(&self, job: &Job) -> bool {
        let deliveries = || self.running.iter().filter(|running| matches!(running, Job::Delivery(_))).count();
        !self.running.contains(job) && (!matches!(job, Job::Delivery(_)) || deliveries() < DELIVERIES)
    }

    fn polls_have_room(&self) -> bool {
        self.fetches < self.politeness.concurrency
    }

    fn start_poll(&mut self, now: Timestamp) -> Option<Job> {
        if !self.polls_have_room() || self.paused.is_some_and(|until| until > now) {
            return None;
        }
        while let Some((at, job)) = self.polls.take_due(now) {
            if self.running.contains(&job) {
                self.again.insert(job, at);
                continue;
            }
            let Some(name) = self.host_of.get(&job) else { return Some(job) };
            let limits = self.politeness.limits(name);
            let host = match self.hosts.get_mut(name) {
                Some(host) => host,
                None => self.hosts.entry(name.clone()).or_default(),
            };
            if host.running >= limits.concurrency {
                host.waiting.insert((at, job));
            } else if let Some(not_before) = host.not_before.filter(|not_before| *not_before > now) {
                self.polls.insert(job, not_before);
            } else {
                host.running += 1;
                host.not_before = now.checked_add(limits.delay).ok();
                self.asked.insert(job.clone(), name.clone());
                return Some(job);
            }
        }
        None
    }
}

impl Host {
    /// Returns the next that waits for the host, and when it may start.
    fn next_turn(&mut self) -> Option<(Job, Timestamp)> {
        let (at, next) = self.waiting.pop_first()?;
        Some((next, self.not_before.map_or(at, |not_before| at.max(not_before))))
    }
}

impl Queue {
    /// Takes the first job that is due.
    fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Job)> {
        self.order.first().filter(|(at, _)| *at <= now)?;
        let first = self.order.pop_first()?;
        self.times.remove(&first.1);
        Some(first)
    }

    fn insert(&mut self, job: Job, at: Timestamp) {
        self.times.insert(job.clone(), at);
        self.order.insert((at, job));
    }

    fn remove(&mut self, job: &Job) {
        if let Some(at) = self.times.remove(job) {
            self.order.remove(&(at, job.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
