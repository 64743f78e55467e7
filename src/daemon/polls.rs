//! Polls on the agenda: what is said of each, when the next one is, which hosts are left alone.

use super::{AGAIN, Daemon};
use crate::{
    core::feed::{FailureKind, FeedId},
    jobs::poll::{PollReport, Polled},
    store::{self, StoreError},
};
use jiff::Timestamp;
use std::time::Duration;
use tracing::{debug, error, info, warn};

/// After how long it is said again that this machine is short of descriptors.
const SAID_AGAIN_AFTER: Duration = Duration::from_secs(24 * 3600);

impl Daemon {
    pub(super) fn log_poll(&mut self, feed: FeedId, report: &PollReport, now: Timestamp) {
        let Some(&index) = self.feeds.get(&feed) else { return };
        if let Polled::Failed(failure) = &report.outcome
            && failure.kind == FailureKind::Local
        {
            self.log_shortage(&failure.message, now);
        }
        let url = &self.resources.config.feeds[index].url;
        let next = report.next.reason.as_str();
        match &report.outcome {
            Polled::Failed(failure) if report.newly_failing => {
                warn!(feed.url = %url, next, "{}", failure.message);
            }
            Polled::Failed(failure) => debug!(feed.url = %url, next, "{}", failure.message),
            Polled::Read(counts) if counts.hits > 0 => {
                info!(feed.url = %url, new = counts.new, hits = counts.hits, "a feed brought hits");
            }
            Polled::Read(counts) => debug!(feed.url = %url, new = counts.new, next, "a feed was read"),
            Polled::Unchanged => debug!(feed.url = %url, next, "a feed did not change"),
        }
        if let Some(mended) = &report.newly_mended {
            info!(feed.url = %url, mended, "a feed is not as it should be and was mended");
        }
        if let Some(to) = &report.newly_moved {
            let origin = self.resources.config.feeds[index].origin.as_ref().map(ToString::to_string);
            warn!(feed.url = %url, to, origin, "a feed moved for good and is polled there: change its URL in the configuration");
        }
        if let Some(articles) = report.newly_reidentified {
            info!(feed.url = %url, articles, "a feed gave its articles new guids; they were known again by their links and texts");
        }
        if let Some(since) = report.recovered_from {
            info!(feed.url = %url, failing_since = %since, "a feed works again");
        }
    }

    pub(super) async fn follow_poll(&mut self, feed: FeedId, report: &PollReport) -> Result<(), StoreError> {
        let asked = self.hosts.get(&feed).cloned();
        self.remember_host(feed, report.host.clone());
        self.schedule_poll(feed, report.next.at);
        let Some((until, parked)) = report.parked(asked.as_deref()) else { return Ok(()) };
        self.park(&parked, Some(feed), until).await
    }

    /// Leaves hosts alone until then: their pages, and their feeds but the one that was told so itself.
    pub(super) async fn park(
        &mut self,
        parked: &[String],
        told: Option<FeedId>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        parked.iter().for_each(|host| self.agenda.park(host, until));
        let politeness = &self.resources.config.polling.politeness;
        let is_parked = |host: &str| parked.iter().any(|of| politeness.turn_of(of) == politeness.turn_of(host));
        let others = self.hosts.iter().filter(|(id, host)| Some(**id) != told && is_parked(host));
        let others: Vec<_> = others.map(|(id, _)| *id).collect();
        self.resources.store.call(move |connection| store::feed::park(connection, &others, until)).await
    }

    pub(super) fn schedule_poll(&mut self, feed: FeedId, at: Timestamp) {
        // A feed that left the configuration while it was polled is polled no more.
        if self.feeds.contains_key(&feed) {
            self.agenda.schedule_poll(feed, self.hosts.get(&feed).map(String::as_str), at);
        }
    }

    /// Says that this machine could not ask somebody: once, then daily at most.
    pub(super) fn log_shortage(&mut self, why: &str, now: Timestamp) {
        if self.said_shortage.is_none_or(|at| now.duration_since(at).unsigned_abs() >= SAID_AGAIN_AFTER) {
            self.said_shortage = Some(now);
            error!("what is to be fetched waits for this machine, no feed is to blame: {why}");
        }
    }

    fn remember_host(&mut self, feed: FeedId, host: Option<String>) {
        match host {
            Some(host) => self.hosts.insert(feed, host),
            None => self.hosts.remove(&feed),
        };
    }

    /// Leaves the feeds alone while nothing that they bring could be kept; said once. When the store works again, the
    /// agenda is made anew from it.
    pub(super) fn pause_polls(&mut self, error: &StoreError, now: Timestamp) {
        self.agenda.pause_polls(now + AGAIN);
        self.reread_at = Some(now);
        if !std::mem::replace(&mut self.store_fails, true) {
            error!(%error, "the store failed; polling pauses until it works again: is the disk full?");
        }
    }
}
