//! The pages that the articles of a round wait for: fetched once the feeds were polled, each once.

use crate::{
    clock,
    core::{
        agenda::{Agenda, Job},
        article::ArticleId,
        digest::counted,
        full_text::PATIENCE,
    },
    jobs::{
        Resources,
        full_text::{self, Attempts, PageOutcome, PageReport},
    },
    store::{self, StoreError},
};
use jiff::Timestamp;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::task::{JoinError, JoinSet};

/// How often it is looked whether the patience with some page is at its end.
const LOOK_AROUND: Duration = Duration::from_secs(5);

/// What came of the pages.
#[derive(Default)]
pub(super) struct Pages {
    /// Of each page that was read or given up.
    pub(super) reports: Vec<PageReport>,
    /// Hosts that asked to be left alone, and until when.
    pub(super) parked: Vec<(String, Timestamp)>,
    /// Why pages failed within feedwatch; their articles still wait.
    failed_within: Vec<String>,
    /// Why articles could not be matched without their pages, or it could not be told which wait; they still do.
    not_given_up: Option<String>,
}

/// Fetches all pages that are wanted, as politely as `agenda` says, which knows what its hosts were asked before.
/// Whatever fails meanwhile is this part of the round's failure alone.
pub(super) async fn fetch(resources: &Resources, agenda: &mut Agenda) -> Pages {
    let (mut pages, mut left) = (Pages::default(), HashSet::new());
    let wanted = resources.store.call(store::full_text::wanted).await;
    for wanted in wanted.unwrap_or_else(|error| pages.fail(&error)) {
        agenda.schedule_page(wanted.article, wanted.page.host_str(), clock::now());
        left.insert(wanted.article);
    }
    let mut running = JoinSet::new();
    let mut article_of = HashMap::new();
    while !left.is_empty() {
        let now = clock::now();
        while let Some(Job::Page(article)) = agenda.start(now) {
            let resources = resources.clone();
            let handle = running.spawn(async move { full_text::fetch(&resources, article, Attempts::One, now).await });
            article_of.insert(handle.id(), article);
        }
        let pause = agenda.next_start().map_or(LOOK_AROUND, |at| now.duration_until(at).unsigned_abs());
        tokio::select! {
            Some(ended) = running.join_next_with_id() => {
                let task = ended.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
                let article: ArticleId = article_of.remove(&task).expect("each task is remembered when it starts");
                agenda.finish(&Job::Page(article));
                left.remove(&article);
                match ended.map_err(anyhow::Error::from).and_then(|(_, report)| Ok(report?)) {
                    Ok(Some(report)) => pages.follow(resources, agenda, &mut left, report).await,
                    Ok(None) => {}
                    Err(error) => pages.failed_within.push(error.to_string()),
                }
            }
            () = tokio::time::sleep(pause.min(LOOK_AROUND)) => {
                pages.give_up(resources, agenda, &mut left, None).await;
            }
        }
    }
    pages
}

impl Pages {
    fn fail<T: Default>(&mut self, error: &StoreError) -> T {
        self.not_given_up = Some(error.to_string());
        T::default()
    }

    async fn follow(
        &mut self,
        resources: &Resources,
        agenda: &mut Agenda,
        left: &mut HashSet<ArticleId>,
        report: PageReport,
    ) {
        if let (Some(host), Some(delay)) = (report.page.host_str(), report.crawl_delay) {
            agenda.park(host, clock::now() + delay.min(PATIENCE));
        }
        let parked = report.parked.clone();
        self.reports.push(report);
        for (until, host) in
            parked.into_iter().flat_map(|(until, hosts)| hosts.into_iter().map(move |host| (until, host)))
        {
            for job in agenda.abandon(&host) {
                if let Job::Page(article) = job {
                    left.remove(&article);
                }
            }
            self.parked.push((host.clone(), until));
            self.give_up(resources, agenda, left, Some(host)).await;
        }
    }

    async fn give_up(
        &mut self,
        resources: &Resources,
        agenda: &mut Agenda,
        left: &mut HashSet<ArticleId>,
        host: Option<String>,
    ) {
        loop {
            let given_up = full_text::give_up(resources, host.clone(), clock::now()).await;
            let given_up = given_up.unwrap_or_else(|error| self.fail(&error));
            if given_up.is_empty() {
                return;
            }
            for (article, report) in given_up {
                // One that runs finds that there is nothing left to do.
                if !agenda.is_running(&Job::Page(article)) {
                    agenda.remove(&Job::Page(article));
                    left.remove(&article);
                }
                self.reports.push(report);
            }
        }
    }

    /// Returns how many hits they brought.
    pub(super) fn hits(&self) -> usize {
        self.reports.iter().map(PageReport::hits).sum()
    }

    /// Tells whether one failed within feedwatch.
    pub(super) fn failed_within(&self) -> bool {
        !self.failed_within.is_empty() || self.not_given_up.is_some()
    }

    /// Says in a line what came of them; nothing if there were none.
    pub(super) fn summary(&self) -> Option<String> {
        let reasons = self.reports.iter().filter_map(|report| match &report.outcome {
            PageOutcome::GivenUp { reason, .. } => Some(reason),
            PageOutcome::Read(_) | PageOutcome::Postponed { .. } => None,
        });
        let reasons: Vec<_> = reasons.collect();
        let is_read = |report: &&PageReport| matches!(report.outcome, PageOutcome::Read(_));
        let read = self.reports.iter().filter(is_read).count();
        let unasked = self.reports.iter().filter_map(|report| match &report.outcome {
            PageOutcome::Postponed { local, .. } => local.as_ref(),
            PageOutcome::Read(_) | PageOutcome::GivenUp { .. } => None,
        });
        let unasked: Vec<_> = unasked.collect();
        let mut said = Vec::new();
        if read > 0 {
            said.push(format!("{} matched on the page's text", counted(read, "article")));
        }
        if let Some(last) = reasons.last() {
            said.push(format!("{} on what the feed said, the last because {last}", counted(reasons.len(), "article")));
        }
        if let Some(last) = unasked.last() {
            said.push(format!("{} still waiting for a page: {last}", counted(unasked.len(), "article")));
        }
        if let Some(error) = self.failed_within.last() {
            let count = counted(self.failed_within.len(), "article");
            said.push(format!("{count} still waiting for a page, which failed within feedwatch: {error}"));
        }
        if let Some(error) = &self.not_given_up {
            said.push(format!("articles still waiting for pages that are not asked for: {error}"));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}
