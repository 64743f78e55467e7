//! One round over feeds: polls them politely, shows how far it is, and says what came.

use super::{
    Failure, names,
    pages::{self, Pages},
    terminal::{FAINT, Terminal, WARNING, harmless, local, progress, styled},
};
use crate::{
    clock,
    core::{
        agenda::{Agenda, Job},
        descriptors::REMEDY,
        digest::counted,
        feed::{FailureKind, Feed, FeedId, FeedState, FeedUrl},
        relocation,
    },
    jobs::{
        Resources, adopt, backfill,
        poll::{self, Counts, PollReport, Polled, Stages},
    },
    store::{self, StoreError, feed::StoredFeed},
};
use jiff::Timestamp;
use rusqlite::Connection;
use rustc_hash::FxBuildHasher;
use serde::Serialize;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::task::{JoinError, JoinSet};

/// Feeds that a table lists one by one; of more, only those with news.
const LISTED: usize = 40;

/// What a round brought.
#[derive(Default)]
pub(super) struct Round {
    reports: Vec<(usize, PollReport)>,
    /// Feeds that were not asked, because another one's answer said to leave their host alone.
    spared: Vec<usize>,
    /// Feeds whose poll failed within feedwatch, and why.
    failed_within: Vec<(usize, String)>,
    pages: Pages,
    elapsed: Duration,
}

/// A feed of a round while it runs.
struct Member {
    /// Where it is in the configuration.
    index: usize,
    /// The host that is asked.
    host: Option<String>,
    /// What its last poll left, until it is polled.
    before: Option<Box<FeedState>>,
}

type Members = HashMap<FeedId, Member, FxBuildHasher>;

/// A feed of a round, as JSON.
#[derive(Serialize)]
struct FeedRow<'a> {
    feed: String,
    outcome: &'a str,
    items: usize,
    new: usize,
    edited: usize,
    hits: usize,
    error: Option<&'a str>,
    next_poll_at: Timestamp,
    next_poll_reason: &'a str,
}

/// Adopts the configuration; returns its feeds in their order.
pub(super) async fn begin(resources: &Resources) -> Result<Vec<StoredFeed>, Failure> {
    let (config, now) = (resources.config.clone(), clock::now());
    Ok(resources.store.call(move |connection| adopt::adopt(connection, &config, now, |_| now)).await?)
}

/// What rules that are new found in what is stored.
#[derive(Default)]
pub(super) struct InRetrospect {
    pub(super) hits: usize,
    /// Why it is not done.
    failure: Option<StoreError>,
}

/// Runs rules that are new over what is stored, where they ask for it.
pub(super) async fn backfill(resources: &Resources) -> InRetrospect {
    let mut brought = InRetrospect::default();
    loop {
        match backfill::backfill(resources, clock::now()).await {
            Ok(done) => {
                brought.hits += done.hits;
                if !done.more {
                    return brought;
                }
            }
            Err(error) => return InRetrospect { failure: Some(error), ..brought },
        }
    }
}

impl InRetrospect {
    pub(super) fn print(&self, terminal: Terminal<'_>) {
        if self.hits > 0 {
            terminal.line(format!("{} in retrospect, by new rules", counted(self.hits, "hit")));
        }
    }

    /// Says why it is not done, if it is not.
    pub(super) fn failure(&self) -> Option<String> {
        let error = self.failure.as_ref()?;
        Some(format!("new rules were not run over all that is stored, which goes on with the next round: {error}"))
    }
}

/// Polls the feeds once, each at its index in the configuration, as [`begin`] returned them.
pub(super) async fn poll(resources: &Resources, feeds: Vec<(usize, StoredFeed)>) -> Result<Round, Failure> {
    // Beside the polls: the thread that waits for the round would have to be woken for each of them.
    tokio::spawn(poll_all(resources.clone(), feeds)).await.map_err(anyhow::Error::from)?
}

async fn poll_all(resources: Resources, feeds: Vec<(usize, StoredFeed)>) -> Result<Round, Failure> {
    let began = Instant::now();
    let mut agenda = Agenda::new(resources.politeness());
    let bar = progress(feeds.len(), "feeds");
    let mut members = Members::with_capacity_and_hasher(feeds.len(), FxBuildHasher);
    for (index, StoredFeed { id, state, .. }) in feeds {
        let host = relocation::host(&resources.config.feeds[index].url, &state);
        agenda.schedule_poll(id, host.as_deref(), clock::now());
        members.insert(id, Member { index, host, before: Some(Box::new(state)) });
    }
    let mut running = JoinSet::new();
    let mut left = members.len();
    let mut round = Round { reports: Vec::with_capacity(left), ..Round::default() };
    let mut job_of = HashMap::new();
    while left > 0 {
        let now = clock::now();
        while let Some(Job::Poll(id)) = agenda.start(now) {
            let member = members.get_mut(&id).expect("the agenda has the feeds of the round alone");
            let (resources, index) = (resources.clone(), member.index);
            // Nobody else polls meanwhile: what was read at the start holds.
            let before = member.before.take().expect("each feed is polled once");
            // A poll holds kilobytes from its start on: boxed, they are moved once and not at each step of spawning it.
            let poll = Box::pin(async move { poll::poll_after(&resources, index, id, *before, now).await });
            let handle = running.spawn(poll);
            job_of.insert(handle.id(), id);
        }
        let pause = agenda.next_start().map_or(Duration::from_secs(60), |at| now.duration_until(at).unsigned_abs());
        tokio::select! {
            Some(ended) = running.join_next_with_id() => {
                let task = ended.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
                let id = job_of.remove(&task).expect("each task is remembered when it starts");
                agenda.finish(&Job::Poll(id));
                left -= 1;
                bar.inc(1);
                let Member { index, host, .. } = &members[&id];
                // What fails within is this feed's failure alone.
                let report = match ended.map_err(anyhow::Error::from).and_then(|(_, report)| Ok(report?)) {
                    Ok(report) => report,
                    Err(error) => {
                        round.failed_within.push((*index, error.to_string()));
                        continue;
                    }
                };
                if let Some((until, parked)) = report.parked(host.as_deref()) {
                    let others = abandoned(&mut agenda, &parked);
                    left -= others.len();
                    bar.inc(others.len() as u64);
                    round.spared.extend(others.iter().map(|id| members[id].index));
                    spare(&resources, others, until).await?;
                }
                round.reports.push((*index, report));
            }
            () = tokio::time::sleep(pause) => {}
        }
    }
    bar.finish_and_clear();
    round.pages = pages::fetch(&resources, &mut agenda).await;
    for (host, until) in &round.pages.parked {
        spare(&resources, on_host(&resources, &members, host), *until).await?;
    }
    round.reports.sort_by_key(|(index, _)| *index);
    round.elapsed = began.elapsed();
    Ok(round)
}

/// Takes the polls of these hosts off the agenda; returns their feeds.
fn abandoned(agenda: &mut Agenda, hosts: &[String]) -> Vec<FeedId> {
    let jobs = hosts.iter().flat_map(|host| agenda.abandon(host));
    let feeds = jobs.filter_map(|job| match job {
        Job::Poll(id) => Some(id),
        _ => None,
    });
    feeds.collect()
}

/// Returns the feeds that take turns with a host.
fn on_host(resources: &Resources, members: &Members, host: &str) -> Vec<FeedId> {
    let politeness = &resources.config.polling.politeness;
    let takes_turns = |of: &str| politeness.turn_of(of) == politeness.turn_of(host);
    let on_host = members.iter().filter(|(_, member)| member.host.as_deref().is_some_and(takes_turns));
    on_host.map(|(id, _)| *id).collect()
}

/// Leaves the other feeds of a host alone until the time that it asked for.
async fn spare(resources: &Resources, feeds: Vec<FeedId>, until: Timestamp) -> Result<(), Failure> {
    let park = move |connection: &Connection| store::feed::park(connection, &feeds, until);
    Ok(resources.store.call(park).await?)
}

impl Round {
    /// Tells whether a poll failed within feedwatch.
    pub(super) fn failed_within(&self) -> bool {
        !self.failed_within.is_empty() || self.pages.failed_within()
    }

    /// Returns what all feeds together brought.
    pub(super) fn counts(&self) -> Counts {
        let mut total = Counts::default();
        for (_, report) in &self.reports {
            if let Polled::Read(counts) = report.outcome {
                total.items += counts.items;
                total.new += counts.new;
                total.edited += counts.edited;
                total.hits += counts.hits;
                total.suppressed += counts.suppressed;
                total.awaiting_page += counts.awaiting_page;
            }
        }
        total.hits += self.pages.hits();
        total
    }

    /// Returns the round as JSON rows.
    pub(super) fn json(&self, feeds: &[Feed]) -> serde_json::Value {
        let rows = self.reports.iter().map(|(index, report)| {
            let (outcome, counts, error) = outcome(report);
            FeedRow {
                feed: feeds[*index].url.to_string(),
                outcome,
                items: counts.items,
                new: counts.new,
                edited: counts.edited,
                hits: counts.hits,
                error,
                next_poll_at: report.next.at,
                next_poll_reason: &report.next.reason,
            }
        });
        serde_json::to_value(rows.collect::<Vec<_>>()).expect("rows have string keys")
    }

    /// Prints the round as a table with a line that sums it up.
    pub(super) fn print(&self, feeds: &[Feed], terminal: Terminal<'_>) {
        let all = self.reports.len() <= LISTED;
        let listed = self.reports.iter().filter(|(_, report)| {
            all || matches!(&report.outcome, Polled::Read(counts) if counts.hits > 0)
                || matches!(report.outcome, Polled::Failed(_))
        });
        let names: Vec<String> = self.reports.iter().map(|(index, _)| shown_name(&feeds[*index])).collect();
        let shared = names::shared(names.iter().map(String::as_str));
        let rows = listed.map(|(index, report)| {
            let (outcome, counts, error) = outcome(report);
            let number = |count: usize| if count == 0 { "·".to_owned() } else { count.to_string() };
            let next = format!("{} ({})", local(report.next.at), report.next.reason);
            let outcome = error.map_or(outcome.to_owned(), |error| format!("failed: {}", harmless(error)));
            let feed = &feeds[*index];
            let name = names::told_apart(&shown_name(feed), &feed.url.to_string(), &shared);
            vec![name, outcome, number(counts.items), number(counts.new), number(counts.hits), next]
        });
        terminal.table(&["feed", "outcome", "items", "new", "hits", "next poll"], rows.collect::<Vec<_>>());
        let counts = self.counts();
        let failures = || {
            self.reports.iter().filter_map(|(_, report)| match &report.outcome {
                Polled::Failed(failure) => Some(failure),
                Polled::Unchanged | Polled::Read(_) => None,
            })
        };
        let unasked = failures().filter(|failure| failure.kind == FailureKind::Local).count();
        let failed = failures().count() - unasked;
        terminal.line(format!(
            "\n{} polled, {} new, {} in {} ({})",
            counted(self.reports.len(), "feed"),
            counted(counts.new, "article"),
            counted(counts.hits, "hit"),
            format_args!("{:.2?}", self.elapsed),
            self.shares(),
        ));
        if let Some(summary) = self.pages.summary() {
            terminal.line(harmless(&summary));
        }
        if failed > 0 {
            let text = format!("{} could not be read; `feedwatch feeds --failing` tells why", counted(failed, "feed"));
            terminal.line(styled(WARNING, text));
        }
        if unasked > 0 {
            let unasked = counted(unasked, "feed");
            let text = format!("{unasked} not asked: this machine had no file descriptor left; {REMEDY}");
            terminal.line(styled(WARNING, text));
        }
        for (index, error) in &self.failed_within {
            let text = format!("{}: {error}; nothing of it is kept, it is asked again", shown_name(&feeds[*index]));
            terminal.line(styled(WARNING, text));
        }
        if !self.spared.is_empty() {
            let spared = counted(self.spared.len(), "feed");
            let text = format!("{spared} not asked: another feed's answer said to leave their host alone");
            terminal.line(styled(WARNING, text));
        }
        if !all {
            terminal.line(styled(FAINT, "feeds without hits or failures are not listed"));
        }
    }

    /// Returns how the time of all polls divides between the stages.
    fn shares(&self) -> String {
        let mut sum = Stages::default();
        for (_, report) in &self.reports {
            sum.fetch += report.stages.fetch;
            sum.parse += report.stages.parse;
            sum.matching += report.stages.matching;
            sum.store += report.stages.store;
        }
        let total = (sum.fetch + sum.parse + sum.matching + sum.store).as_secs_f64().max(f64::MIN_POSITIVE);
        let share = |stage: Duration| 100.0 * stage.as_secs_f64() / total;
        format!(
            "fetch {:.0} %, parse {:.0} %, match {:.1} %, store {:.0} %",
            share(sum.fetch),
            share(sum.parse),
            share(sum.matching),
            share(sum.store)
        )
    }
}

/// Returns the name that the configuration gives a feed, else its URL or file name.
fn shown_name(feed: &Feed) -> String {
    match (&feed.name, &feed.url) {
        (Some(name), _) => harmless(name),
        (None, FeedUrl::File(path)) => harmless(&path.file_name().unwrap_or_default().to_string_lossy()),
        (None, url) => harmless(&url.to_string()),
    }
}

fn outcome(report: &PollReport) -> (&'static str, Counts, Option<&str>) {
    match &report.outcome {
        Polled::Unchanged => ("unchanged", Counts::default(), None),
        Polled::Read(counts) => ("read", *counts, None),
        Polled::Failed(failure) => ("failed", Counts::default(), Some(&failure.message)),
    }
}
