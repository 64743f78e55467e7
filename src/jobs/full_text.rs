//! Fetches the page of an article that waits for it, and matches the article on what came, or on what the feed said.
//!
//! The text, the hits and the end of the wait commit together: after a kill, either the article still waits or all of it
//! is there (promise P1).

use super::{
    Resources,
    matching::{self, Hits},
};
use crate::{
    config::Config,
    core::{
        article::ArticleId,
        feed::{FailureKind, Feed, FeedId, FeedUrl, PollFailure},
        full_text::{self, FullText},
    },
    fetch::PageAnswer,
    parse::page::{self, PageLimits},
    store::{
        self, StoreError,
        full_text::{PageNews, WantedPage},
    },
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tracing::error;
use url::Url;

/// What came of a page that was wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct PageReport {
    /// The feed that brought the article.
    pub feed: FeedId,
    /// Where it is.
    pub page: Url,
    /// What became of it.
    pub outcome: PageOutcome,
    /// Hosts that are to be left alone, pages and feeds, and until when (429).
    pub parked: Option<(Timestamp, Vec<String>)>,
    /// How long its host wants to be left alone between two requests.
    pub crawl_delay: Option<Duration>,
}

/// What became of a page that was wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum PageOutcome {
    /// The article was matched on the text of its page.
    Read(Settled),
    /// The article was matched on what the feed said.
    GivenUp {
        /// Why, for people.
        reason: String,
        /// What followed.
        settled: Settled,
    },
    /// The page is asked for again.
    Postponed {
        /// When.
        at: Timestamp,
        /// Why this machine could not ask, if it could not.
        local: Option<String>,
    },
}

/// What the end of a wait brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Hits that were not known.
    pub hits: usize,
    /// Whether it is news about the feed that the page was read or given up.
    pub news: PageNews,
}

/// What becomes of a page that could not be had and might be had later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempts {
    /// It is asked for again.
    Several,
    /// It is given up, for who does not come back to it.
    One,
}

/// Articles that are given up in one transaction.
const GIVEN_UP_AT_ONCE: usize = 200;

/// Asks for the page of an article and matches the article. Returns nothing when the article does not wait (any more).
///
/// # Errors
///
/// When the store fails; then the article still waits.
pub async fn fetch(
    resources: &Resources,
    article: ArticleId,
    attempts: Attempts,
    now: Timestamp,
) -> Result<Option<PageReport>, StoreError> {
    let Resources { store, config, fetcher, .. } = resources;
    let found = store.call(move |connection| {
        let Some(wanted) = store::full_text::wanted_for(connection, article)? else { return Ok(None) };
        Ok(Some((store::feed::one(connection, wanted.feed)?, wanted)))
    });
    let Some((stored, wanted)) = found.await? else { return Ok(None) };
    let feed = configured(config, &stored.identity);
    if feed.full_text == FullText::Never {
        return settle(resources, wanted, feed, Err("the configuration does not want it any more".to_owned()), now)
            .await;
    }
    if full_text::is_overdue(wanted.wanted_at, now) {
        return settle(resources, wanted, feed, Err(too_late()), now).await;
    }
    let PageAnswer { page, crawl_delay } = fetcher.page(&feed, &wanted.page, now).await;
    let parked = page.as_ref().err().and_then(|failure| parked(&wanted.page, failure, now));
    let text = match page {
        Ok(page) => read(resources, page, &wanted.page).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = &text
        && (attempts == Attempts::Several || failure.kind == FailureKind::Local)
        && let Some(at) = full_text::next_attempt(failure, wanted.attempts + 1, wanted.wanted_at, now)
    {
        let (message, feed, page) = (failure.message.clone(), wanted.feed, wanted.page);
        let local = (failure.kind == FailureKind::Local).then(|| message.clone());
        let made = wanted.attempts + usize::from(local.is_none());
        store.call(move |connection| store::full_text::postpone(connection, article, made, at, &message)).await?;
        let outcome = PageOutcome::Postponed { at, local };
        return Ok(Some(PageReport { feed, page, outcome, parked, crawl_delay }));
    }
    let settled = settle(resources, wanted, feed, text.map_err(|failure| failure.message), now).await?;
    Ok(settled.map(|report| PageReport { parked, crawl_delay, ..report }))
}

/// Returns the hosts that a failure says to leave alone, and until when: the one that was asked, and the one that said so
/// if a redirect had led there.
fn parked(page: &Url, failure: &PollFailure, now: Timestamp) -> Option<(Timestamp, Vec<String>)> {
    let until = full_text::park_host_until(failure, now)?;
    let hosts = page.host_str().into_iter().chain(failure.redirected_host.as_deref());
    Some((until, hosts.map(str::to_owned).collect()))
}

/// Matches articles on what their feeds said that have waited for their pages too long, or whose pages are on a `host`
/// that is not asked, or on one that takes turns with it. Returns some of them with what followed; call until there are none.
/// One on which matching panics is not matched at all: it would keep all others waiting.
///
/// # Errors
///
/// When the store fails; then they still wait.
pub async fn give_up(
    resources: &Resources,
    host: Option<String>,
    now: Timestamp,
) -> Result<Vec<(ArticleId, PageReport)>, StoreError> {
    let reason = host.as_ref().map_or_else(too_late, |host| format!("{host} asked to be left alone"));
    let (config, in_force, why) = (resources.config.clone(), resources.in_force.clone(), reason.clone());
    let meant = meant(config.clone(), host, now);
    let (together, one_by_one) = (meant.clone(), meant);
    let run = move |connection: &Connection| {
        let rules = in_force.or(&config);
        let mut given_up = Vec::new();
        for wanted in together(connection)? {
            let feed = configured(&rules, &store::feed::one(connection, wanted.feed)?.identity);
            let report = commit(connection, &rules, &wanted, &feed, Err(why.clone()), now)?;
            given_up.extend(report.map(|report| (wanted.article, report)));
        }
        Ok(given_up)
    };
    match resources.store.call(run).await {
        Err(StoreError::Panicked(_)) => {}
        given_up => return given_up,
    }
    let mut given_up = Vec::new();
    for wanted in resources.store.call(one_by_one).await? {
        let article = wanted.article;
        let report = give_up_one(resources, wanted, reason.clone(), now).await?;
        given_up.extend(report.map(|report| (article, report)));
    }
    Ok(given_up)
}

/// Returns what finds some of the articles that are to be given up.
fn meant(
    config: Arc<Config>,
    host: Option<String>,
    now: Timestamp,
) -> impl Fn(&Connection) -> Result<Vec<WantedPage>, StoreError> + Clone + Send {
    move |connection| {
        let politeness = &config.polling.politeness;
        // Hosts that take turns have the name under which they do in common.
        let turn = host.as_deref().map(|host| politeness.turn_of(host));
        let is_meant = |wanted: &WantedPage| match turn {
            Some(turn) => wanted.page.host_str().is_some_and(|host| politeness.turn_of(host) == turn),
            None => full_text::is_overdue(wanted.wanted_at, now),
        };
        store::full_text::some_wanted(connection, turn.unwrap_or_default(), GIVEN_UP_AT_ONCE, is_meant)
    }
}

/// Matches one article on what its feed said; where that panics, ends its wait without.
async fn give_up_one(
    resources: &Resources,
    wanted: WantedPage,
    reason: String,
    now: Timestamp,
) -> Result<Option<PageReport>, StoreError> {
    let (id, alone) = (wanted.feed, wanted.clone());
    let stored = resources.store.call(move |connection| store::feed::one(connection, id)).await?;
    let feed = configured(&resources.config, &stored.identity);
    let why = match settle(resources, wanted, feed, Err(reason), now).await {
        Err(StoreError::Panicked(why)) => why,
        settled => return settled,
    };
    let page = FeedUrl::Web(alone.page.clone());
    let reason = format!("matching the article of {page} failed within feedwatch ({why}); please report this article");
    error!(article = alone.article.row(), "an article met no rule: {reason}");
    let finish = move |connection: &Connection| {
        if store::full_text::wanted_for(connection, alone.article)?.is_none() {
            return Ok(None);
        }
        let news = store::full_text::finish(connection, &alone, Err(&reason), now)?;
        let outcome = PageOutcome::GivenUp { reason, settled: Settled { hits: 0, news } };
        Ok(Some(PageReport { feed: alone.feed, page: alone.page, outcome, parked: None, crawl_delay: None }))
    };
    resources.store.call(finish).await
}

fn too_late() -> String {
    let minutes = full_text::PATIENCE.as_secs() / 60;
    format!("the page did not come within {minutes} minutes: its host is asked slowly, or did not answer")
}

/// Returns the feed as configured. One that left the configuration is known by its address alone, and no page of it is
/// asked for.
fn configured(config: &Config, identity: &str) -> Feed {
    let known = config.feeds.iter().find(|feed| feed.url.identity() == identity);
    known.cloned().unwrap_or_else(|| {
        Feed::new(Url::parse(identity).map_or_else(|_| FeedUrl::File(PathBuf::from(identity)), FeedUrl::Web))
    })
}

/// Finds the article in a page, on a thread where that blocks nobody.
async fn read(resources: &Resources, page: crate::fetch::Page, url: &Url) -> Result<String, PollFailure> {
    let large = page.body.len() > super::LARGE_DOCUMENT;
    let _turn = if large { resources.large_documents.acquire().await.ok() } else { None };
    let read = tokio::task::spawn_blocking(move || {
        page::read(&page.body, page.content_type.as_deref(), &page.final_url, &PageLimits::default())
    });
    let why = match read.await {
        Ok(Ok(article)) => return Ok(article.text),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "could not be read for a failure within feedwatch; please report this page".to_owned(),
    };
    let message = format!("{} was fetched and {why}", FeedUrl::Web(url.clone()));
    Err(PollFailure { kind: FailureKind::Unreadable, message, retry_after: None, redirected_host: None })
}

/// Ends the wait of an article: its text, its hits and the end commit together.
async fn settle(
    resources: &Resources,
    wanted: WantedPage,
    feed: Feed,
    text: Result<String, String>,
    now: Timestamp,
) -> Result<Option<PageReport>, StoreError> {
    let (config, in_force) = (resources.config.clone(), resources.in_force.clone());
    let commit = move |connection: &Connection| {
        let rules = in_force.or(&config);
        let feed = matching::feed_in_force(&rules, &config, &feed);
        commit(connection, &rules, &wanted, feed, text, now)
    };
    resources.store.call(commit).await
}

fn commit(
    connection: &Connection,
    config: &Arc<Config>,
    wanted: &WantedPage,
    feed: &Feed,
    text: Result<String, String>,
    now: Timestamp,
) -> Result<Option<PageReport>, StoreError> {
    // Something else may have ended the wait meanwhile.
    if store::full_text::wanted_for(connection, wanted.article)?.is_none() {
        return Ok(None);
    }
    // The article may have been edited meanwhile: what is matched is what is stored.
    let (mut item, changed_at) = store::full_text::article(connection, wanted.article)?;
    let text = text.and_then(|text| match full_text::says_more(&item, &text) {
        true => Ok(text),
        false => Err(format!("{} says no more than the feed", FeedUrl::Web(wanted.page.clone()))),
    });
    let news = store::full_text::finish(connection, wanted, text.as_deref().map_err(String::as_str), now)?;
    let reason = match text {
        Ok(text) => {
            item.content = text;
            None
        }
        Err(reason) => Some(reason),
    };
    let mut hits = Hits::default();
    // A hit shows the text that was stored when it was found.
    matching::match_article(connection, config, feed, (wanted.article, &item), &mut hits, now.max(changed_at))?;
    let settled = Settled { hits: hits.new, news };
    let outcome = match reason {
        None => PageOutcome::Read(settled),
        Some(reason) => PageOutcome::GivenUp { reason, settled },
    };
    let (feed, page) = (wanted.feed, wanted.page.clone());
    Ok(Some(PageReport { feed, page, outcome, parked: None, crawl_delay: None }))
}

impl PageReport {
    /// Returns how many hits it brought.
    pub fn hits(&self) -> usize {
        match &self.outcome {
            PageOutcome::Read(settled) | PageOutcome::GivenUp { settled, .. } => settled.hits,
            PageOutcome::Postponed { .. } => 0,
        }
    }
}
