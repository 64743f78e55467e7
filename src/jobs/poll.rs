//! Polls one feed: fetch, parse, then everything that follows from it in one transaction (promise P1).

use crate::{
    config::Config,
    core::{
        article::{Article, ArticleId, ParsedFeed, Places, Recovery},
        baseline::{self, Scope},
        cadence::{self, NextPoll, PollOutcome},
        feed::{BodyHash, FailureKind, Feed, FeedId, FeedState, FeedUrl, FreshnessHints, PollFailure},
        full_text::{self, PageBudget},
        health, identity,
        recognition::{self, Change, Recognised},
        relocation::{self, Relocation},
        story::{self, Recent},
    },
    fetch::{Fetched, ResponseNotes},
    jobs::{
        InForce, Resources,
        matching::{self, Hits},
    },
    parse::{self, ParseLimits},
    store::{self, StoreError},
};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

/// After how long it is said again that a feed changed its guids, if it did not in between.
const SAID_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Bytes of documents that are parsed where they were fetched: that takes less than a millisecond, and to hand one over to
/// another thread costs as much as a part of that.
const SMALL_DOCUMENT: usize = 16 << 10;

/// How a poll ended.
#[derive(Debug, Clone, PartialEq)]
pub struct PollReport {
    /// What the server had.
    pub outcome: Polled,
    /// When the feed is polled next, and why.
    pub next: NextPoll,
    /// How long each stage took.
    pub stages: Stages,
    /// The failure that was there before this poll and is gone.
    pub recovered_from: Option<Timestamp>,
    /// Whether this is the first failure in a row.
    pub newly_failing: bool,
    /// What had to be mended in the document, if the one before needed nothing.
    pub newly_mended: Option<String>,
    /// Where polls begin from now on, if that is news.
    pub newly_moved: Option<String>,
    /// How many articles came under new guids, if most did and that was not said lately.
    pub newly_reidentified: Option<usize>,
    /// The host that the next poll asks.
    pub host: Option<String>,
}

impl PollReport {
    /// Returns the hosts that are to be left alone, and until when: the one that was `asked`, and the one that said so
    /// if a redirect had led there.
    pub fn parked(&self, asked: Option<&str>) -> Option<(Timestamp, Vec<String>)> {
        let until = self.next.park_host_until?;
        let redirected = match &self.outcome {
            Polled::Failed(failure) => failure.redirected_host.as_deref(),
            Polled::Unchanged | Polled::Read(_) => None,
        };
        let hosts = asked.into_iter().chain(redirected).map(str::to_owned).collect();
        Some((until, hosts))
    }
}

/// What a poll brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Polled {
    /// The server said that nothing changed (304), or sent the same body again.
    Unchanged,
    /// A document was read.
    Read(Counts),
    /// The poll failed; what was stored is untouched.
    Failed(PollFailure),
}

/// What a document brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items in the document.
    pub items: usize,
    /// Articles that were not known.
    pub new: usize,
    /// Articles whose text changed.
    pub edited: usize,
    /// Hits that were not known.
    pub hits: usize,
    /// Hits over the limit for one poll, which digests count and do not list.
    pub suppressed: usize,
    /// Known articles under new guids, where that were more than half of the document's (FEEDS C5).
    pub reidentified: usize,
    /// New articles that wait for their pages, and meet the rules then.
    pub awaiting_page: usize,
}

/// Wall-clock time of the stages of a poll.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stages {
    /// Waiting for the server and reading its answer.
    pub fetch: Duration,
    /// Decoding and parsing.
    pub parse: Duration,
    /// Matching.
    pub matching: Duration,
    /// The transaction, less the matching.
    pub store: Duration,
}

/// Polls the feed at `index` of the configuration.
///
/// # Errors
///
/// When the store fails; then nothing of the poll is kept and the feed is fetched again in full. A feed that cannot be
/// read is no error: it is in the report.
pub async fn poll(resources: &Resources, index: usize, id: FeedId, now: Timestamp) -> Result<PollReport, StoreError> {
    let before = resources.store.call(move |connection| store::feed::one(connection, id)).await?.state;
    poll_after(resources, index, id, before, now).await
}

/// Polls the feed at `index` of the configuration, of which the last poll left `before`.
///
/// # Errors
///
/// As [`poll`].
pub async fn poll_after(
    resources: &Resources,
    index: usize,
    id: FeedId,
    before: FeedState,
    now: Timestamp,
) -> Result<PollReport, StoreError> {
    let Resources { store, config, fetcher, .. } = resources;
    let feed = &config.feeds[index];
    let mut stages = Stages::default();
    let began = Instant::now();
    let fetched = fetcher.fetch(feed, &before, now).await;
    stages.fetch = began.elapsed();
    let began = Instant::now();
    let answer = read(resources, feed, fetched, now).await;
    stages.parse = began.elapsed();
    let began = Instant::now();
    let in_force = resources.in_force.clone();
    let commit = Commit { config: config.clone(), in_force, index, id, before, now };
    let (mut report, matching) = match store.call(move |connection| commit.run(connection, answer)).await {
        Err(StoreError::Panicked(why)) => return fail(resources, index, id, &why, now).await,
        committed => committed?,
    };
    stages.matching = matching;
    stages.store = began.elapsed().saturating_sub(matching);
    report.stages = stages;
    Ok(report)
}

/// Records that a poll failed within feedwatch (it panicked), as a failure like any other: it is shown, told of and backed
/// off from.
///
/// # Errors
///
/// When the store fails.
pub async fn fail(
    resources: &Resources,
    index: usize,
    id: FeedId,
    why: &str,
    now: Timestamp,
) -> Result<PollReport, StoreError> {
    let (config, in_force) = (resources.config.clone(), resources.in_force.clone());
    let url = &config.feeds[index].url;
    let message = format!("{url} could not be polled: feedwatch itself failed ({why}); please report this feed");
    let failure = PollFailure { kind: FailureKind::Unreadable, message, retry_after: None, redirected_host: None };
    let record = move |connection: &Connection| {
        let before = store::feed::one(connection, id)?.state;
        Commit { config, in_force, index, id, before, now }.run(connection, Answer::Failed(failure))
    };
    Ok(resources.store.call(record).await?.0)
}

async fn read(resources: &Resources, feed: &Feed, fetched: Result<Fetched, PollFailure>, now: Timestamp) -> Answer {
    let (body, content_type, final_url, body_hash, notes) = match fetched {
        Err(failure) => return Answer::Failed(failure),
        Ok(Fetched::NotModified(notes)) => return Answer::Unchanged { notes, not_modified: true },
        Ok(Fetched::Unchanged(notes)) => return Answer::Unchanged { notes, not_modified: false },
        Ok(Fetched::Document { body, content_type, final_url, body_hash, notes, .. }) => {
            (body, content_type, final_url, body_hash, notes)
        }
    };
    let (small, large) = (body.len() <= SMALL_DOCUMENT, body.len() > super::LARGE_DOCUMENT);
    let limits = ParseLimits { items: resources.config.polling.limits.items, ..ParseLimits::default() };
    let parse = move || parse::parse(&body, content_type.as_deref(), &final_url, &limits, now);
    let parsed = if small {
        catch_unwind(AssertUnwindSafe(parse)).ok()
    } else {
        let _large_turn = if large { resources.large_documents.acquire().await.ok() } else { None };
        let _turn = resources.documents.acquire().await.ok();
        tokio::task::spawn_blocking(parse).await.ok()
    };
    let failed = |why: String| {
        let message = format!("{} was fetched and cannot be read: {why}", feed.url);
        Answer::Failed(PollFailure { kind: FailureKind::Unreadable, message, retry_after: None, redirected_host: None })
    };
    match parsed {
        Some(Ok(parsed)) => Answer::Document { parsed, body_hash, notes },
        Some(Err(error)) => failed(error.to_string()),
        None => failed("reading it failed within feedwatch; please report this feed".to_owned()),
    }
}

/// What a server's answer amounts to.
enum Answer {
    Unchanged { notes: ResponseNotes, not_modified: bool },
    Document { parsed: ParsedFeed, body_hash: BodyHash, notes: ResponseNotes },
    Failed(PollFailure),
}

/// Everything that the transaction of a poll needs, apart from the answer.
struct Commit {
    config: Arc<Config>,
    in_force: InForce,
    index: usize,
    id: FeedId,
    before: FeedState,
    now: Timestamp,
}

/// What was made of an answer.
struct Taken {
    polled: Polled,
    hints: FreshnessHints,
    /// How long matching took.
    matching: Duration,
}

impl Commit {
    /// Commits everything that follows from an answer; returns what to say of it, and how long matching took.
    fn run(&self, connection: &Connection, answer: Answer) -> Result<(PollReport, Duration), StoreError> {
        let Self { id, before, now, .. } = self;
        let mut state = before.clone();
        let Taken { polled, hints, matching } = self.take(connection, answer, &mut state)?;
        let outcome = match &polled {
            Polled::Unchanged => PollOutcome::Unchanged,
            Polled::Read(counts) => PollOutcome::Read { new_articles: counts.new },
            Polled::Failed(failure) => PollOutcome::Failed(failure),
        };
        let next = cadence::next_poll(self.feed(), &state, &outcome, &hints, *now);
        let mut state = cadence::after_poll(state, &outcome, *now);
        state.adaptive_interval = next.adaptive_interval.or(state.adaptive_interval);
        store::feed::record_poll(connection, *id, before, &state, next.at, &next.reason)?;
        Ok((self.report(polled, next, &state), matching))
    }

    fn feed(&self) -> &Feed {
        &self.config.feeds[self.index]
    }

    /// Takes an answer into the state of the feed, and the items that it brings into the store.
    fn take(&self, connection: &Connection, answer: Answer, state: &mut FeedState) -> Result<Taken, StoreError> {
        match answer {
            Answer::Failed(failure) => {
                let (polled, hints) = (Polled::Failed(failure), FreshnessHints::default());
                Ok(Taken { polled, hints, matching: Duration::ZERO })
            }
            Answer::Unchanged { notes, not_modified } => {
                let hints = notes.hints;
                state.relocation = relocated(self.feed(), &self.before, &notes, self.now);
                state.tally = health::tally(&self.before, 0, not_modified, self.now);
                // A feed that returned begins anew with what it last had, since it has that still.
                *state = baseline::after_document(std::mem::take(state), false, self.now);
                remember(state, notes);
                Ok(Taken { polled: Polled::Unchanged, hints, matching: Duration::ZERO })
            }
            Answer::Document { parsed, body_hash, notes } => {
                let hints = FreshnessHints { ttl: parsed.ttl, ..notes.hints };
                state.relocation = relocated(self.feed(), &self.before, &notes, self.now);
                let is_cut = parsed.recovered.contains(&Recovery::Truncated);
                *state = baseline::after_document(std::mem::take(state), is_cut, self.now);
                // A document that lost its end is asked for again in full, not pinned (FEEDS A6).
                if !is_cut {
                    remember(state, notes);
                    state.body_hash = Some(body_hash);
                }
                let (counts, matching) = self.take_items(connection, parsed, state)?;
                Ok(Taken { polled: Polled::Read(counts), hints, matching })
            }
        }
    }

    fn take_items(
        &self,
        connection: &Connection,
        parsed: ParsedFeed,
        state: &mut FeedState,
    ) -> Result<(Counts, Duration), StoreError> {
        let Self { config, in_force, id, before, now, .. } = self;
        let rules = in_force.or(config);
        let mended: Vec<_> = parsed.recovered.iter().map(ToString::to_string).collect();
        state.mended = Some(mended.join("; ")).filter(|mended| !mended.is_empty());
        state.title = parsed.title.clone().or(state.title.take());
        let mut intake = Intake {
            connection,
            config: &rules,
            feed: matching::feed_in_force(&rules, config, self.feed()),
            id: *id,
            baseline: Scope::of(before, *now),
            watched_since: before.watched_since,
            now: *now,
            hits: Hits::default(),
            pages: PageBudget::default(),
        };
        let counts = intake.take(parsed)?;
        state.tally = health::tally(before, counts.new, false, *now);
        if counts.reidentified > 0 {
            state.reidentified_at = Some(*now);
        }
        Ok((counts, intake.hits.matching))
    }

    /// Says what is news since the last poll.
    fn report(&self, polled: Polled, next: NextPoll, state: &FeedState) -> PollReport {
        let Self { before, now, .. } = self;
        let moved = state.relocation.moved.as_ref().filter(|_| state.relocation.moved != before.relocation.moved);
        // A feed that does it at every poll is said once, one that does it again next year once more.
        let said = before.reidentified_at.is_some_and(|at| now.duration_since(at) < SAID_AGAIN_AFTER);
        let newly_reidentified = match &polled {
            Polled::Read(counts) if counts.reidentified > 0 && !said => Some(counts.reidentified),
            _ => None,
        };
        PollReport {
            outcome: polled,
            next,
            stages: Stages::default(),
            recovered_from: before.failing_since.filter(|_| state.failing_since.is_none()),
            newly_failing: before.failing_since.is_none() && state.failing_since.is_some(),
            newly_mended: state.mended.clone().filter(|_| before.mended.is_none()),
            newly_moved: moved.map(|moved| relocation::shown(&moved.to)),
            newly_reidentified,
            host: relocation::host(&self.feed().url, state),
        }
    }
}

fn relocated(feed: &Feed, before: &FeedState, notes: &ResponseNotes, now: Timestamp) -> Relocation {
    match &feed.url {
        FeedUrl::Web(url) => relocation::after_feed(url, before, &notes.redirects, now),
        FeedUrl::File(_) => Relocation::default(),
    }
}

fn remember(state: &mut FeedState, notes: ResponseNotes) {
    state.validators = notes.validators;
    state.validators_url = Some(notes.validators_url);
}

/// Returns the places of a new article; those of others are not looked for elsewhere.
fn places_of(change: &Change) -> Places {
    match change {
        Change::New(article) => article.places(),
        Change::Edited { .. } | Change::Amended { .. } => Places::default(),
    }
}

/// Takes the items of a document into the store: new and edited articles, their hits, the digests' queues.
struct Intake<'a> {
    connection: &'a Connection,
    config: &'a Config,
    feed: &'a Feed,
    id: FeedId,
    baseline: Scope,
    watched_since: Option<Timestamp>,
    now: Timestamp,
    hits: Hits,
    pages: PageBudget,
}

impl Intake<'_> {
    fn take(&mut self, parsed: ParsedFeed) -> Result<Counts, StoreError> {
        let articles = identity::articles(parsed.items);
        let mut counts = Counts { items: articles.len(), ..Counts::default() };
        // In a first round there is nothing to look up.
        let (recognised, recent) = match store::article::has_any(self.connection, self.id)? {
            true => self.recognise(articles)?,
            false => (recognition::by_key(&[], articles).by_second_key(&[]), Recent::default()),
        };
        counts.reidentified = recognised.reidentified.unwrap_or_default();
        let (scope, since) = (self.baseline, self.watched_since);
        let (backfill, now) = (self.config.polling.backfill, self.now);
        let end = recognised.changes.len() - recognised.unknown_at_end;
        let is_backlog = |place: usize, article: &Article| {
            baseline::is_backlog(article, scope.contains(place >= end), since, backfill, now)
        };
        let places: Vec<Places> = recognised.changes.iter().map(places_of).collect();
        let fresh =
            recognised.changes.iter().zip(&places).enumerate().filter_map(|(place, (change, places))| match change {
                Change::New(article) if !is_backlog(place, article) => Some(*places),
                _ => None,
            });
        let elsewhere = store::story::elsewhere(self.connection, self.id, fresh, self.now)?;
        for (place, (change, places)) in recognised.changes.into_iter().zip(places).enumerate() {
            match change {
                Change::New(article) => {
                    counts.new += 1;
                    let backlog = is_backlog(place, &article);
                    let id = store::article::insert(self.connection, self.id, &article, places, backlog, self.now)?;
                    if !backlog {
                        let pages = &recognised.shared_pages;
                        if let Some(joined) = story::story_of(&article, &elsewhere, &recent, pages) {
                            store::story::join(self.connection, id, &joined, self.now)?;
                        }
                        self.match_or_await(id, &article, &mut counts)?;
                    }
                }
                Change::Edited { id, mut article } => {
                    counts.edited += 1;
                    let awaits_page = self.keep_full_text(id, &mut article)?;
                    let old = store::article::backlog_title(self.connection, id)?;
                    store::article::edit(self.connection, id, &article, self.now)?;
                    let is_backlog = old.as_deref().is_some_and(|title| !baseline::is_replaced(title, &article.item));
                    if old.is_some() && !is_backlog {
                        store::article::leave_backlog(self.connection, id)?;
                    }
                    if !awaits_page && !is_backlog {
                        self.match_article(id, &article, &mut counts)?;
                    }
                }
                Change::Amended { id, article } => store::article::amend(self.connection, id, &article)?,
            }
        }
        Ok(counts)
    }

    /// Returns what the articles change, and the feed's newest articles where one of these may be a rewritten one.
    fn recognise(&self, articles: Vec<Article>) -> Result<(Recognised, Recent), StoreError> {
        let (connection, feed) = (self.connection, self.id);
        let mut known = store::article::known(connection, feed, articles.iter().map(|article| &article.key))?;
        let others = recognition::other_keys(&known, &articles);
        if !others.is_empty() {
            known.extend(store::article::known(connection, feed, others.iter())?);
        }
        let by_key = recognition::by_key(&known, articles);
        let alike = store::article::alike(connection, feed, by_key.strangers())?;
        let recognised = by_key.by_second_key(&alike);
        let rewritten = |change: &Change| matches!(change, Change::New(article) if story::may_be_rewritten(article));
        let recent = match recognised.changes.iter().any(rewritten) {
            true => Recent::of(store::story::recent(connection, feed, self.now)?),
            false => Recent::default(),
        };
        Ok((recognised, recent))
    }

    /// Matches an article, unless it waits for its page: then it meets the rules when that came, or was given up.
    fn match_or_await(&mut self, id: ArticleId, article: &Article, counts: &mut Counts) -> Result<(), StoreError> {
        match self.feed.full_text.page_of(&article.item).filter(|page| self.pages.take(page)) {
            Some(page) => {
                counts.awaiting_page += 1;
                store::full_text::want(self.connection, id, self.id, &page, self.now)
            }
            None => self.match_article(id, article, counts),
        }
    }

    /// Keeps the text that was read from an article's page where the feed's own is still short. Tells whether the
    /// article still waits for it.
    fn keep_full_text(&self, id: ArticleId, article: &mut Article) -> Result<bool, StoreError> {
        if self.feed.full_text.page_of(&article.item).is_some()
            && let Some(text) = store::full_text::read_from_page(self.connection, id)?
            && full_text::says_more(&article.item, &text)
        {
            article.item.content = text;
        }
        Ok(store::full_text::wanted_for(self.connection, id)?.is_some())
    }

    fn match_article(&mut self, id: ArticleId, article: &Article, counts: &mut Counts) -> Result<(), StoreError> {
        let (config, feed, hits) = (self.config, self.feed, &mut self.hits);
        matching::match_article(self.connection, config, feed, (id, &article.item), hits, self.now)?;
        (counts.hits, counts.suppressed) = (hits.new, hits.suppressed);
        Ok(())
    }
}

#[cfg(test)]
#[path = "poll_tests.rs"]
mod tests;
