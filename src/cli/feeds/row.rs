//! A feed as the commands show it: what the configuration says, what the store remembers, what follows from both.

use crate::{
    core::{
        cadence,
        digest::counted,
        feed::{Feed, FeedState, FeedUrl, Origin},
        health::{self, Health},
        relocation,
    },
    store::{feed::StoredFeed, full_text::PageHealth},
};
use jiff::Timestamp;
use serde::Serialize;
use std::{fmt, time::Duration};

/// A feed, as JSON and as the ground of tables and pages.
#[derive(Serialize)]
pub(super) struct FeedRow<'c> {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) state: Health,
    pub(super) last_poll_at: Option<Timestamp>,
    pub(super) last_success_at: Option<Timestamp>,
    pub(super) last_new_at: Option<Timestamp>,
    pub(super) failing_since: Option<Timestamp>,
    pub(super) failures: u32,
    pub(super) error: Option<String>,
    pub(super) next_poll_at: Timestamp,
    pub(super) next_poll_reason: String,
    /// The configured interval, else the one that adaptive polling has arrived at.
    pub(super) interval_seconds: Option<u64>,
    pub(super) interval_is_configured: bool,
    pub(super) validators: Vec<&'static str>,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    /// Share of answers that were 304, from 0 to 1.
    pub(super) share_not_modified: Option<f64>,
    pub(super) items_a_day: Option<f64>,
    /// What had to be mended in the last document before it could be read.
    pub(super) mended: Option<String>,
    /// When most of its articles last came under new guids.
    pub(super) reidentified_at: Option<Timestamp>,
    /// Where polls begin instead of at `url`.
    pub(super) moved_to: Option<String>,
    pub(super) moved_since: Option<Timestamp>,
    /// Where permanent redirects lead that are not followed for good yet.
    pub(super) redirects_to: Option<String>,
    pub(super) redirects_times: u32,
    pub(super) redirects_since: Option<Timestamp>,
    pub(super) parked_until: Option<Timestamp>,
    pub(super) suggestion: Option<String>,
    pub(super) tags: &'c [String],
    pub(super) language: Option<&'c str>,
    pub(super) allow_private: bool,
    /// What came of the pages of its articles within a week, where any were wanted.
    pub(super) full_text: Option<FullTextHealth>,
    pub(super) origin: Option<&'c Origin>,
    #[serde(skip)]
    feed: &'c Feed,
}

/// What came of the pages of a feed's articles.
#[derive(Serialize)]
pub(super) struct FullTextHealth {
    wanted: usize,
    read: usize,
    given_up: usize,
    error: Option<String>,
}

impl From<PageHealth> for FullTextHealth {
    fn from(PageHealth { wanted, read, given_up, last_error }: PageHealth) -> Self {
        Self { wanted, read, given_up, error: last_error }
    }
}

impl FullTextHealth {
    /// Says what was given up, if anything was.
    pub(super) fn remark(&self) -> Option<String> {
        let error = self.error.as_deref().unwrap_or("unknown");
        let pages = counted(self.given_up, "page");
        (self.given_up > 0).then(|| format!("{pages} not read within a week, the last because {error}"))
    }
}

impl fmt::Display for FullTextHealth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} read within a week", counted(self.read, "page"))?;
        if self.wanted > 0 {
            write!(out, ", {} waited for", self.wanted)?;
        }
        match self.remark() {
            Some(remark) => write!(out, "; {remark}"),
            None => Ok(()),
        }
    }
}

impl<'c> FeedRow<'c> {
    /// Puts together what is known of a feed; one that the store does not know is due now.
    pub(super) fn new(
        feed: &'c Feed,
        stored: Option<StoredFeed>,
        full_text: Option<FullTextHealth>,
        now: Timestamp,
    ) -> Self {
        let name = match &stored {
            Some(stored) => stored.shown_name(),
            None => feed.name.clone().unwrap_or_else(|| feed.url.to_string()),
        };
        let (state, next_poll_at, next_poll_reason, parked_until) = match stored {
            Some(stored) => (stored.state, stored.next_poll_at, stored.next_poll_reason, stored.parked_until),
            None => (FeedState::default(), now, "new in the configuration".to_owned(), None),
        };
        let suggestion = health::suggestion(feed, &state, next_poll_at);
        let health = health::health(&state, next_poll_at);
        let FeedState { validators, relocation, tally, .. } = &state;
        let known = [("ETag", &validators.etag), ("Last-Modified", &validators.last_modified)];
        let (moved, seen) = (relocation.moved.as_ref(), relocation.seen.as_ref());
        Self {
            name,
            url: feed.url.to_string(),
            state: health,
            last_poll_at: state.last_poll_at,
            last_success_at: state.last_success_at,
            last_new_at: state.last_new_at,
            failing_since: state.failing_since,
            failures: state.failures,
            error: state.last_error.clone().filter(|_| state.failing_since.is_some()),
            next_poll_at,
            next_poll_reason,
            interval_seconds: feed.interval.or(state.adaptive_interval).map(|interval| interval.as_secs()),
            interval_is_configured: feed.interval.is_some(),
            validators: known.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name).collect(),
            etag: validators.etag.as_ref().map(ToString::to_string),
            last_modified: validators.last_modified.as_ref().map(ToString::to_string),
            share_not_modified: health::share_not_modified(tally),
            items_a_day: health::items_a_day(&state),
            mended: state.mended.clone(),
            reidentified_at: state.reidentified_at,
            moved_to: moved.map(|moved| relocation::shown(&moved.to)),
            moved_since: moved.map(|moved| moved.since),
            redirects_to: seen.map(|seen| relocation::shown(&seen.to)),
            redirects_times: seen.map_or(0, |seen| seen.times),
            redirects_since: seen.map(|seen| seen.since),
            // One that is over says nothing any more.
            parked_until: parked_until.filter(|until| *until > now),
            suggestion,
            tags: &feed.tags,
            language: feed.language.as_deref(),
            allow_private: feed.allow_private,
            full_text,
            origin: feed.origin.as_ref(),
            feed,
        }
    }

    /// Tells whether the feed is at a URL or path, credentials included.
    pub(super) fn is_at(&self, url: &str) -> bool {
        match &self.feed.url {
            FeedUrl::Web(own) => url.parse().is_ok_and(|url: url::Url| url == *own),
            FeedUrl::File(path) => path.as_os_str() == url,
        }
    }

    /// Tells whether a server has the feed, and not a file.
    pub(super) fn is_web(&self) -> bool {
        matches!(self.feed.url, FeedUrl::Web(_))
    }

    /// Returns the interval as people say it.
    pub(super) fn interval(&self) -> Option<String> {
        self.interval_seconds.map(|seconds| cadence::words(Duration::from_secs(seconds)))
    }
}
