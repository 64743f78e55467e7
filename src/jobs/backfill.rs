//! Runs rules that are new or changed and say `backfill` over what was stored before them: in pages, each with its hits
//! and its progress in one transaction, so that a kill loses and repeats nothing (promises P1, P2).

use super::{InForce, Resources, archive::FeedsByIdentity};
use crate::{
    config::{Config, WatchRule},
    core::{
        article::ArticleId,
        backfill::{self, ConfiguredRule, Stretch, Unfinished},
        hit::TermMatch,
    },
    rules::RuleSet,
    store::{self, StoreError, archive::ArchivedArticle},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tracing::error;

/// Articles of a page.
const PAGE: usize = 500;

/// Pages of one run, so that a reload takes effect soon.
const PAGES: usize = 20;

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backfilled {
    /// Articles that were looked at.
    pub articles: usize,
    /// Hits that were not known.
    pub hits: usize,
    /// Whether there is more to do.
    pub more: bool,
}

/// Makes the rules in force those of a configuration, and notes which of them are to be run over what is stored.
pub(super) fn adopt(connection: &Connection, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let configured: Vec<_> = config
        .rules
        .iter()
        .map(|watch| ConfiguredRule {
            rule: watch.rule.name.clone(),
            version: watch.rule.version.clone(),
            backfill: watch.backfill,
        })
        .collect();
    let adoption = backfill::adoption(&store::rule::known(connection)?, &configured, now);
    store::rule::adopt(connection, &adoption, now)
}

/// Runs the rules over some pages. What is committed since they came into force met them then, whenever its poll began.
///
/// # Errors
///
/// When the store fails; then the page at hand is done again.
pub async fn backfill(resources: &Resources, now: Timestamp) -> Result<Backfilled, StoreError> {
    let mut done = Backfilled { more: true, ..Backfilled::default() };
    let mut compiled: Option<(Vec<usize>, Arc<RuleSet>)> = None;
    for _ in 0..PAGES {
        let Some((stretch, rules)) = next(resources).await? else {
            done.more = false;
            break;
        };
        let indices: Vec<usize> = rules.iter().map(|rule| rule.index).collect();
        let set = match compiled.take().filter(|(known, _)| *known == indices) {
            Some((_, set)) => set,
            None => {
                let rules: Vec<_> = rules.iter().map(|r| resources.config.rules[r.index].rule.clone()).collect();
                Arc::new(RuleSet::new(&rules))
            }
        };
        let (config, in_force) = (resources.config.clone(), resources.in_force.clone());
        let page = Page { config, in_force, stretch, rules, set: set.clone(), now };
        let (articles, hits) = page.run(resources).await?;
        done.articles += articles;
        done.hits += hits;
        compiled = Some((indices, set));
    }
    Ok(done)
}

/// A rule that is run over what is stored.
struct Running {
    /// Its place in the configuration.
    index: usize,
    progress: Unfinished,
}

/// Returns what comes next, if anything does.
async fn next(resources: &Resources) -> Result<Option<(Stretch, Vec<Running>)>, StoreError> {
    let unfinished = resources.store.call(store::rule::unfinished).await?;
    let indices: HashMap<_, _> =
        resources.config.rules.iter().enumerate().map(|(index, watch)| (&watch.rule.name, index)).collect();
    // A rule that no longer asks for it is left where it is.
    let wanted = unfinished.into_iter().filter_map(|progress| {
        let index = *indices.get(&progress.rule)?;
        let watch = &resources.config.rules[index];
        (watch.rule.version == progress.version && watch.backfill.is_some()).then_some(Running { index, progress })
    });
    let wanted: Vec<Running> = wanted.collect();
    let progress: Vec<_> = wanted.iter().map(|rule| rule.progress.clone()).collect();
    let Some(stretch) = backfill::next_stretch(&progress) else { return Ok(None) };
    let rules = wanted.into_iter().enumerate().filter(|(at, _)| stretch.rules.contains(at)).map(|(_, rule)| rule);
    let rules = rules.collect();
    Ok(Some((stretch, rules)))
}

/// A page of the archive and the rules that are run over it.
struct Page {
    config: Arc<Config>,
    in_force: InForce,
    stretch: Stretch,
    rules: Vec<Running>,
    set: Arc<RuleSet>,
    now: Timestamp,
}

/// A rule matched an article.
struct Found {
    /// The rule's place in [`Page::rules`].
    rule: usize,
    article: ArticleId,
    /// When the text was first seen that matched.
    changed_at: Timestamp,
    terms: Vec<TermMatch>,
}

impl Page {
    /// Reads and matches on a blocking thread, beside whatever is written, then commits. Returns articles and hits.
    async fn run(self, resources: &Resources) -> Result<(usize, usize), StoreError> {
        let matched = tokio::task::spawn_blocking(move || {
            let connection = store::open_reader(&self.config.store.path)?;
            let (articles, reached) =
                store::archive::stretch(&connection, self.stretch.after, self.stretch.last, PAGE)?;
            let found = self.matches(&articles);
            Ok::<_, StoreError>((self, articles.len(), found, reached))
        });
        let matched = matched.await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => StoreError::panicked(&*panic),
            Err(_) => StoreError::Aborted("feedwatch is stopping".to_owned()),
        })?;
        let (page, articles, found, reached) = matched?;
        let hits = resources.store.call(move |connection| page.commit(connection, found, reached)).await?;
        Ok((articles, hits))
    }

    fn matches(&self, articles: &[ArchivedArticle]) -> Vec<Found> {
        let feeds = FeedsByIdentity::new(&self.config);
        let all = || articles.iter().flat_map(|archived| self.matches_of(&feeds, archived)).collect();
        catch_unwind(AssertUnwindSafe(all)).unwrap_or_else(|_| self.matches_of_each(&feeds, articles))
    }

    /// Matches the articles of a page that panics one by one, all but those that do: the page would never be done.
    fn matches_of_each(&self, feeds: &FeedsByIdentity<'_>, articles: &[ArchivedArticle]) -> Vec<Found> {
        let each = articles.iter().flat_map(|archived| {
            catch_unwind(AssertUnwindSafe(|| self.matches_of(feeds, archived))).unwrap_or_else(|panic| {
                let (why, article) = (StoreError::panicked(&*panic), &archived.article);
                error!(
                    article.url = article.link,
                    "running new rules over \"{}\" of {} failed within feedwatch ({why}) and it is left out; please report \
                     this article",
                    article.title,
                    article.outlet
                );
                Vec::new()
            })
        });
        each.collect()
    }

    fn matches_of(&self, feeds: &FeedsByIdentity<'_>, archived: &ArchivedArticle) -> Vec<Found> {
        // What waits for its page is met when that came, by these rules too.
        let Some(document) = feeds.document(archived).filter(|_| !archived.awaits_page) else { return Vec::new() };
        let article = &archived.article;
        let asked_for = |since: Timestamp| {
            // Of what was old already when its feed was first read, only what is of the time that is asked for.
            let recent = !archived.backlog || article.published.is_some_and(|published| published >= since);
            article.first_seen >= since && recent
        };
        let matches = self.set.matches(&document).into_iter();
        let matches = matches.filter(|found| asked_for(self.rules[found.rule].progress.since)).map(|found| Found {
            rule: found.rule,
            article: article.id,
            changed_at: archived.changed_at,
            terms: found.terms,
        });
        matches.collect()
    }

    fn commit(self, connection: &Connection, found: Vec<Found>, reached: ArticleId) -> Result<usize, StoreError> {
        // The digests of a rule may be others since.
        let in_force = self.in_force.or(&self.config);
        let mut ours = Vec::with_capacity(self.rules.len());
        for Running { progress, .. } in &self.rules {
            let advanced = store::rule::advance(connection, progress, reached)?;
            ours.push(in_force.rules.iter().find(|watch| advanced && watch.rule.name == progress.rule));
        }
        let mut hits = vec![0; self.rules.len()];
        for Found { rule, article, changed_at, terms } in found {
            let Some(WatchRule { digests, .. }) = ours[rule] else { continue };
            // An article that was edited meanwhile was met when it was.
            if store::article::changed_at(connection, article)? != changed_at {
                continue;
            }
            let Unfinished { rule: name, version, hits: before, .. } = &self.rules[rule].progress;
            let hit = store::hit::record_in_retrospect(connection, name, version, article, &terms, self.now)?;
            let Some(hit) = hit else { continue };
            let suppressed = before + hits[rule] >= in_force.polling.max_hits_per_poll;
            hits[rule] += 1;
            for digest in digests {
                store::hit::queue(connection, digest, hit, suppressed)?;
            }
        }
        for (rule, hits) in self.rules.iter().zip(&hits).filter(|(_, hits)| **hits > 0) {
            store::rule::count_hits(connection, &rule.progress.rule, &rule.progress.version, *hits)?;
        }
        Ok(hits.iter().sum())
    }
}

#[cfg(test)]
#[path = "backfill_tests.rs"]
mod tests;
