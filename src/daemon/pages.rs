//! Pages of articles on the agenda: when each is asked for, what follows from what came.

use super::Daemon;
use crate::{
    core::{agenda::Job, article::ArticleId, full_text},
    jobs::full_text::{PageOutcome, PageReport, Settled},
    store::{
        self, StoreError,
        full_text::{PageNews, WantedPage},
    },
};
use jiff::Timestamp;
use std::time::Duration;
use tracing::{debug, info, warn};

impl Daemon {
    /// Puts the pages that are wanted on the agenda.
    pub(super) async fn schedule_pages(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let wanted = self.resources.store.call(store::full_text::wanted).await?;
        self.put_pages(wanted, now);
        Ok(())
    }

    pub(super) fn put_pages(&mut self, wanted: Vec<WantedPage>, now: Timestamp) {
        // A time further ahead was decided while the clock was wrong.
        let latest = now + full_text::PATIENCE;
        if let Some(oldest) = wanted.iter().map(|wanted| wanted.wanted_at).min() {
            let at = if full_text::is_overdue(oldest, now) { now } else { (oldest + full_text::PATIENCE).min(latest) };
            // A little later, so that they are overdue then.
            self.agenda.schedule(Job::OverduePages, at + Duration::from_millis(1));
        }
        for WantedPage { article, page, next_at, .. } in wanted {
            if !self.agenda.is_running(&Job::Page(article)) {
                self.agenda.schedule_page(article, page.host_str(), if next_at > latest { now } else { next_at });
            }
        }
    }

    /// Logs what came of a page and puts on the agenda what follows from it.
    pub(super) async fn follow_page(
        &mut self,
        article: ArticleId,
        report: Option<PageReport>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(report) = report else { return Ok(()) };
        self.log_page(&report);
        if let PageOutcome::Postponed { local: Some(why), .. } = &report.outcome {
            self.log_shortage(why, now);
        }
        let host = report.page.host_str();
        if let (Some(host), Some(delay)) = (host, report.crawl_delay) {
            self.agenda.park(host, now + delay);
        }
        if let Some((until, hosts)) = &report.parked {
            self.park(hosts, None, *until).await?;
        }
        if let PageOutcome::Postponed { at, .. } = report.outcome {
            self.agenda.schedule_page(article, host, at);
        }
        if report.hits() > 0 {
            self.schedule_editions(now).await?;
        }
        Ok(())
    }

    /// Takes articles off the agenda that were matched without their pages.
    pub(super) async fn follow_give_up(
        &mut self,
        given_up: Vec<(ArticleId, PageReport)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for (article, report) in &given_up {
            self.agenda.remove(&Job::Page(*article));
            self.log_page(report);
        }
        if given_up.iter().any(|(_, report)| report.hits() > 0) {
            self.schedule_editions(now).await?;
        }
        // There may be more of them, and others will be overdue later.
        self.schedule_pages(now).await
    }

    fn log_page(&self, report: &PageReport) {
        let Some(&index) = self.feeds.get(&report.feed) else { return };
        let url = &self.resources.config.feeds[index].url;
        match &report.outcome {
            PageOutcome::Postponed { at, .. } => {
                debug!(feed.url = %url, next = %at, "a page of an article is asked for again")
            }
            PageOutcome::Read(Settled { hits, news }) => {
                if *news == PageNews::WorksAgain {
                    info!(feed.url = %url, "pages of this feed's articles are read again");
                }
                if *hits > 0 {
                    info!(feed.url = %url, hits, "the page of an article brought hits");
                } else {
                    debug!(feed.url = %url, "the page of an article was read");
                }
            }
            PageOutcome::GivenUp { reason, settled: Settled { hits, news } } => {
                if *news == PageNews::Fails {
                    warn!(
                        feed.url = %url,
                        "an article of this feed is matched on the feed's own text, and so may others be: {reason}"
                    );
                } else {
                    debug!(feed.url = %url, "an article is matched on the feed's own text: {reason}");
                }
                if *hits > 0 {
                    info!(feed.url = %url, hits, "a feed brought hits");
                }
            }
        }
    }
}
