//! The agenda: what is due when, what is running, and which hosts want to be left alone.
//!
//! Pure: it is told `now` and knows no clock. Due times are durable elsewhere; the agenda is rebuilt from them.

use super::{feed::FeedId, hit::DigestName, retry::MailId};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
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
    /// Clear old texts, tell the administrator what is wrong.
    Upkeep,
    /// Poll a feed.
    Poll(FeedId),
}

/// What is due when.
#[derive(Debug)]
pub struct Agenda {
    /// Everything that may start when its time comes.
    due: Queue,
    /// Polls, which have limits of their own.
    polls: Queue,
    running: HashSet<Job>,
    /// Polls that became due again while they ran.
    again: HashMap<FeedId, Timestamp>,
    hosts: HashMap<String, Host>,
    /// The name under which the host of each feed takes turns.
    host_of: HashMap<FeedId, String>,
    /// The same of the polls that run; a feed may move meanwhile.
    asked: HashMap<FeedId, String>,
    politeness: Politeness,
    /// No poll starts before.
    paused: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Queue {
    order: BTreeSet<(Timestamp, Job)>,
    times: HashMap<Job, Timestamp>,
}

/// A host, and what waits for it.
#[derive(Debug, Default)]
struct Host {
    running: usize,
    not_before: Option<Timestamp>,
    /// Polls that are due and wait for the host.
    waiting: BTreeSet<(Timestamp, FeedId)>,
}

impl Agenda {
    /// Makes an empty agenda.
    pub fn new(politeness: Politeness) -> Self {
        Self {
            due: Queue::default(),
            polls: Queue::default(),
            running: HashSet::new(),
            again: HashMap::new(),
            hosts: HashMap::new(),
            host_of: HashMap::new(),
            asked: HashMap::new(),
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
        self.schedule(Job::Poll(feed), at);
        match host {
            Some(host) => self.host_of.insert(feed, self.politeness.turn_of(host).to_owned()),
            None => self.host_of.remove(&feed),
        };
    }

    /// Takes a job off the agenda. One that is running goes on.
    pub fn remove(&mut self, job: &Job) {
        self.queue(job).remove(job);
        let Job::Poll(feed) = job else { return };
        self.again.remove(feed);
        let Some(name) = self.host_of.get(feed) else { return };
        let Some(host) = self.hosts.get_mut(name) else { return };
        host.waiting.retain(|(_, waiting)| waiting != feed);
        // It may have been the one whose turn it was.
        if host.running == 0 {
            let name = name.clone();
            self.give_turn(&name);
        }
    }

    /// Leaves a host alone until then; never shortens what it asked for before.
    pub fn park(&mut self, host: &str, until: Timestamp) {
        let host = self.hosts.entry(self.politeness.turn_of(host).to_owned()).or_default();
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

    /// Takes the waiting polls of a parked host off the agenda, for a round that does not come back to them.
    pub fn abandon(&mut self, host: &str) -> Vec<FeedId> {
        let host = self.politeness.turn_of(host);
        let waiting = self.hosts.get_mut(host).map(|host| std::mem::take(&mut host.waiting)).unwrap_or_default();
        let mut abandoned: Vec<_> = waiting.into_iter().map(|(_, feed)| feed).collect();
        let on_host = |job: &Job| match job {
            Job::Poll(feed) if !self.running.contains(job) => {
                self.host_of.get(feed).is_some_and(|of| of == host).then_some(*feed)
            }
            _ => None,
        };
        let queued: Vec<_> = self.polls.times.keys().filter_map(on_host).collect();
        queued.iter().for_each(|feed| self.polls.remove(&Job::Poll(*feed)));
        abandoned.extend(queued);
        abandoned
    }

    /// Returns a job that may start now and counts it as running. Call until there is none.
    pub fn start(&mut self, now: Timestamp) -> Option<Job> {
        let job = self.start_work(now).or_else(|| self.start_poll(now))?;
        self.running.insert(job.clone());
        Some(job)
    }

    /// Counts a job as ended; its host may be asked again.
    pub fn finish(&mut self, job: &Job) {
        self.running.remove(job);
        let Job::Poll(feed) = job else { return };
        if let Some(at) = self.again.remove(feed) {
            self.polls.insert(job.clone(), at);
        }
        let Some(name) = self.asked.remove(feed) else { return };
        if let Some(host) = self.hosts.get_mut(&name) {
            host.running = host.running.saturating_sub(1);
            self.give_turn(&name);
        }
    }

    /// Lets the next poll that waits for a host start as soon as the host may be asked.
    fn give_turn(&mut self, name: &str) {
        let Some(host) = self.hosts.get_mut(name) else { return };
        if let Some((at, next)) = host.waiting.pop_first() {
            let at = host.not_before.map_or(at, |not_before| at.max(not_before));
            self.polls.insert(Job::Poll(next), at);
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
        if matches!(job, Job::Poll(_)) { &mut self.polls } else { &mut self.due }
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
        self.running.iter().filter(|running| matches!(running, Job::Poll(_))).count() < self.politeness.concurrency
    }

    fn start_poll(&mut self, now: Timestamp) -> Option<Job> {
        if !self.polls_have_room() || self.paused.is_some_and(|until| until > now) {
            return None;
        }
        while let Some((at, job)) = self.polls.order.first().filter(|(at, _)| *at <= now).cloned() {
            self.polls.remove(&job);
            let Job::Poll(feed) = job else { continue };
            if self.running.contains(&job) {
                self.again.insert(feed, at);
                continue;
            }
            let Some(name) = self.host_of.get(&feed) else { return Some(job) };
            let limits = self.politeness.limits(name);
            let host = self.hosts.entry(name.clone()).or_default();
            if host.running >= limits.concurrency {
                host.waiting.insert((at, feed));
            } else if let Some(not_before) = host.not_before.filter(|not_before| *not_before > now) {
                self.polls.insert(job, not_before);
            } else {
                host.running += 1;
                host.not_before = now.checked_add(limits.delay).ok();
                self.asked.insert(feed, name.clone());
                return Some(job);
            }
        }
        None
    }
}

impl Queue {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DELAY: Duration = Duration::from_secs(2);

    fn politeness(concurrency: usize) -> Politeness {
        let host = HostLimits { delay: DELAY, concurrency: 1 };
        Politeness { concurrency, host, hosts: BTreeMap::new() }
    }

    fn agenda(concurrency: usize) -> Agenda {
        Agenda::new(politeness(concurrency))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn feed(id: i64) -> FeedId {
        FeedId::from_row(id)
    }

    fn poll(id: i64) -> Job {
        Job::Poll(feed(id))
    }

    #[test]
    fn jobs_start_when_due_earliest_first_and_once() {
        let mut agenda = agenda(64);
        agenda.schedule_poll(feed(1), None, at(20));
        agenda.schedule_poll(feed(2), None, at(10));
        assert_eq!(agenda.start(at(9)), None);
        assert_eq!(agenda.next_start(), Some(at(10)));
        assert_eq!(agenda.start(at(30)), Some(poll(2)));
        assert_eq!(agenda.start(at(30)), Some(poll(1)));
        assert_eq!((agenda.start(at(30)), agenda.running()), (None, 2));
    }

    #[test]
    fn one_host_is_asked_one_at_a_time_with_a_pause() {
        let mut agenda = agenda(64);
        for id in 1..=3 {
            agenda.schedule_poll(feed(id), Some("example.org"), at(0));
        }
        agenda.schedule_poll(feed(4), Some("example.net"), at(0));
        assert_eq!(agenda.start(at(0)), Some(poll(1)));
        assert_eq!(agenda.start(at(0)), Some(poll(4)));
        assert_eq!(agenda.start(at(9)), None, "example.org is busy");
        agenda.finish(&poll(1));
        assert_eq!(agenda.start(at(9)), Some(poll(2)));
        agenda.finish(&poll(2));
        assert_eq!(agenda.start(at(10)), None, "too early");
        assert_eq!(agenda.next_start(), Some(at(11)));
        assert_eq!(agenda.start(at(11)), Some(poll(3)));
    }

    /// FEEDS A10: "some hosts allow one feed a minute".
    #[test]
    fn a_host_may_have_limits_of_its_own_and_shares_them_with_the_names_below_it() {
        let slow = HostLimits { delay: Duration::from_secs(60), concurrency: 1 };
        let wide = HostLimits { delay: Duration::from_secs(1), concurrency: 2 };
        let hosts = BTreeMap::from([("example.org".to_owned(), slow), ("fast.example.org".to_owned(), wide)]);
        let politeness = Politeness { hosts, ..politeness(64) };
        for (host, turn) in [
            ("example.org", "example.org"),
            ("www.example.org", "example.org"),
            ("a.b.example.org", "example.org"),
            ("fast.example.org", "fast.example.org"),
            ("notexample.org", "notexample.org"),
            ("org", "org"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(politeness.turn_of(host), turn);
        }
        let mut agenda = Agenda::new(politeness);
        for (id, host) in [(1, "example.org"), (2, "www.example.org"), (3, "fast.example.org"), (4, "fast.example.org")]
        {
            agenda.schedule_poll(feed(id), Some(host), at(0));
        }
        let started: Vec<_> = std::iter::from_fn(|| agenda.start(at(0))).collect();
        assert_eq!(started, [poll(1), poll(3)]);
        assert_eq!(agenda.start(at(1)), Some(poll(4)), "two at once, a second apart");
        agenda.finish(&poll(1));
        assert_eq!(agenda.start(at(59)), None);
        assert_eq!(agenda.start(at(60)), Some(poll(2)));
    }

    #[test]
    fn a_feed_that_moves_while_it_is_polled_frees_the_host_that_was_asked() {
        let mut agenda = agenda(64);
        agenda.schedule_poll(feed(1), Some("old.example"), at(0));
        agenda.schedule_poll(feed(2), Some("old.example"), at(0));
        assert_eq!((agenda.start(at(0)), agenda.start(at(0))), (Some(poll(1)), None));
        agenda.schedule_poll(feed(1), Some("new.example"), at(100));
        agenda.finish(&poll(1));
        assert_eq!(agenda.start(at(2)), Some(poll(2)));
    }

    #[test]
    fn the_others_do_not_wait_for_one_that_was_removed_when_it_was_its_turn() {
        let mut agenda = agenda(64);
        for id in 1..=3 {
            agenda.schedule_poll(feed(id), Some("example.org"), at(0));
        }
        assert_eq!((agenda.start(at(0)), agenda.start(at(0))), (Some(poll(1)), None));
        agenda.finish(&poll(1));
        agenda.remove(&poll(2));
        assert_eq!(agenda.start(at(9)), Some(poll(3)));
    }

    #[test]
    fn a_parked_host_is_left_alone_and_delays_no_other() {
        let mut agenda = agenda(64);
        agenda.schedule_poll(feed(1), Some("example.org"), at(0));
        agenda.schedule_poll(feed(2), Some("example.net"), at(0));
        agenda.park("example.org", at(100));
        agenda.park("example.org", at(50));
        assert_eq!(agenda.start(at(60)), Some(poll(2)));
        assert_eq!(agenda.start(at(99)), None);
        assert_eq!(agenda.start(at(100)), Some(poll(1)));
    }

    #[test]
    fn a_round_that_does_not_come_back_gives_up_the_other_feeds_of_a_parked_host() {
        let mut agenda = agenda(64);
        for id in 1..=3 {
            agenda.schedule_poll(feed(id), Some("example.org"), at(0));
        }
        agenda.schedule_poll(feed(4), Some("example.net"), at(9));
        assert_eq!(agenda.start(at(0)), Some(poll(1)));
        assert_eq!(agenda.start(at(0)), None);
        agenda.finish(&poll(1));
        let mut given_up = agenda.abandon("example.org");
        given_up.sort();
        assert_eq!(given_up, [feed(2), feed(3)]);
        assert_eq!((agenda.start(at(9)), agenda.start(at(99))), (Some(poll(4)), None));
    }

    #[test]
    fn polls_pause_and_nothing_else_does() {
        let mut agenda = agenda(64);
        agenda.schedule_poll(feed(1), None, at(0));
        agenda.pause_polls(at(60));
        agenda.schedule(Job::Upkeep, at(5));
        assert_eq!((agenda.start(at(5)), agenda.next_start()), (Some(Job::Upkeep), Some(at(60))));
        assert_eq!(agenda.start(at(60)), Some(poll(1)));
    }

    #[test]
    fn full_polls_and_deliveries_hold_back_nothing_else() {
        let mut agenda = agenda(1);
        for id in 1..=6 {
            agenda.schedule(Job::Delivery(MailId::from_row(id)), at(0));
        }
        agenda.schedule_poll(feed(1), None, at(0));
        agenda.schedule_poll(feed(2), None, at(0));
        agenda.schedule(Job::Upkeep, at(1));
        let started: Vec<_> = std::iter::from_fn(|| agenda.start(at(1))).collect();
        assert_eq!(started.iter().filter(|job| matches!(job, Job::Delivery(_))).count(), DELIVERIES);
        assert_eq!(started.iter().filter(|job| matches!(job, Job::Poll(_))).count(), 1);
        assert!(started.contains(&Job::Upkeep));
        assert_eq!(agenda.next_start(), None);
        agenda.finish(&Job::Delivery(MailId::from_row(1)));
        assert_eq!(agenda.start(at(1)), Some(Job::Delivery(MailId::from_row(5))));
    }

    #[test]
    fn a_job_scheduled_while_it_runs_starts_again_only_after_it_ended() {
        let mut agenda = agenda(64);
        for (job, host) in [(Job::Upkeep, None), (poll(1), None), (poll(2), Some("example.org"))] {
            let schedule = |agenda: &mut Agenda| match job {
                Job::Poll(feed) => agenda.schedule_poll(feed, host, at(0)),
                _ => agenda.schedule(job.clone(), at(0)),
            };
            schedule(&mut agenda);
            assert_eq!(agenda.start(at(0)), Some(job.clone()));
            schedule(&mut agenda);
            assert_eq!((agenda.start(at(5)), agenda.next_start()), (None, None));
            agenda.finish(&job);
            assert_eq!(agenda.start(at(5)), Some(job.clone()));
            agenda.finish(&job);
        }
    }

    #[test]
    fn what_was_removed_does_not_start_even_when_it_waited_for_its_host() {
        let mut agenda = agenda(64);
        agenda.schedule_poll(feed(1), Some("example.org"), at(0));
        agenda.schedule_poll(feed(2), Some("example.org"), at(0));
        assert_eq!(agenda.start(at(0)), Some(poll(1)));
        assert_eq!(agenda.start(at(0)), None);
        agenda.remove(&poll(2));
        agenda.finish(&poll(1));
        assert_eq!((agenda.start(at(99)), agenda.next_start()), (None, None));
    }

    proptest! {
        /// Every poll starts exactly once, never two of a host at a time, never closer than the pause.
        #[test]
        fn every_poll_starts_once_and_politely(feeds in prop::collection::vec((0..5_i64, 0..50_i64), 1..40)) {
            let mut agenda = agenda(3);
            for (id, (host, due)) in (0..).zip(&feeds) {
                agenda.schedule_poll(feed(id), Some(&format!("host-{host}")), at(*due));
            }
            let mut started: Vec<(i64, i64)> = Vec::new();
            let mut running: Vec<Job> = Vec::new();
            for second in 0..500 {
                while let Some(Job::Poll(id)) = agenda.start(at(second)) {
                    let host = feeds[usize::try_from(id.row()).unwrap()].0;
                    prop_assert!(started.iter().all(|(before, of)| *of != host || second - before >= 2));
                    prop_assert!(second >= feeds[usize::try_from(id.row()).unwrap()].1);
                    started.push((second, host));
                    running.push(Job::Poll(id));
                }
                prop_assert!(running.len() <= 3);
                if second % 3 == 0 {
                    running.drain(..).for_each(|job| agenda.finish(&job));
                }
            }
            prop_assert_eq!(started.len(), feeds.len());
        }
    }
}
