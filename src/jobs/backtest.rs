//! Runs the rules of a configuration over the archive as if they had been in force, and compares them with the deployed
//! ones: those of another configuration, run over the same articles, or the hits on record.

mod tally;

pub use tally::{RuleTrial, Standing};

use super::{
    archive::{self, FeedsByIdentity},
    edition,
};
use crate::{
    config::{Config, WatchRule},
    core::{
        digest::{Digest, Edition, Window},
        feed::{Feed, FeedUrl},
        hit::{RuleName, RuleVersion, TermMatch},
    },
    rules::{Rule, RuleMatch, RuleSet},
    store::{
        self, StoreError,
        archive::{ArchivedArticle, Span},
        hit::Pending,
    },
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};
use tally::Tally;

/// What is tried.
#[derive(Debug)]
pub struct Backtest<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Only this rule of it.
    pub rule: Option<&'a RuleName>,
    /// The deployed configuration, to be run over the same articles; without it the hits on record are compared.
    pub deployed: Option<&'a Config>,
    /// Articles first seen since then,
    pub since: Timestamp,
    /// until then.
    pub until: Timestamp,
    /// Starts of the days by which hits are counted, in order; the first is not after `since`.
    pub days: &'a [Timestamp],
    /// Examples of each kind for each rule.
    pub examples: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Articles that were looked at.
    pub articles: usize,
    /// The rules in the order of the configuration, then those that are no longer in it.
    pub rules: Vec<RuleTrial>,
    /// The edition of each digest, as if all its hits had come in one.
    pub editions: Vec<(Digest, Edition)>,
}

/// What matched an article.
struct Met {
    /// Matches of the rules that are tried.
    tried: Vec<RuleMatch>,
    /// What the deployed rules say, by their names.
    deployed: Vec<(RuleName, Vec<TermMatch>)>,
}

impl Backtest<'_> {
    /// Runs it. `looked` hears how many articles were looked at.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn run(&self, connection: &Connection, mut looked: impl FnMut(usize)) -> Result<Outcome, StoreError> {
        let tried: Vec<&WatchRule> =
            self.config.rules.iter().filter(|watch| self.asked_for(&watch.rule.name)).collect();
        let rules: Vec<Rule> = tried.iter().map(|watch| watch.rule.clone()).collect();
        let set = RuleSet::new(&rules);
        let feeds = FeedsByIdentity::new(self.config);
        let deployed = self.deployed.map(|deployed| Deployed::new(deployed, self.config, &tried, self.rule));
        let versions = self.versions(connection)?;
        let mut tally = Tally::new(&tried, versions, deployed.as_ref().map(|deployed| &deployed.same), self);
        let span = Span { since: self.since, until: self.until, with_hits: deployed.is_none() };
        let find = |archived: &ArchivedArticle| {
            // What was old already when its feed was first read does not alert, and what waits for its page was met by
            // no rule yet.
            if archived.backlog || archived.awaits_page {
                return None;
            }
            let tried = feeds.document(archived).map(|document| set.matches(&document)).unwrap_or_default();
            let deployed = match &deployed {
                Some(deployed) => deployed.matches(archived),
                None => self.on_record(archived, &tried, &rules),
            };
            (!tried.is_empty() || !deployed.is_empty()).then_some(Met { tried, deployed })
        };
        let articles = archive::scan(connection, span, find, |articles, found| {
            looked(articles);
            found.into_iter().for_each(|(archived, met)| tally.add(&archived.article, met));
            ControlFlow::Continue(())
        })?;
        let (rules, hits) = tally.finish();
        let editions = self.editions(connection, hits)?;
        Ok(Outcome { articles, rules, editions })
    }

    fn asked_for(&self, rule: &RuleName) -> bool {
        self.rule.is_none_or(|wanted| wanted == rule)
    }

    /// Returns the versions of the deployed rules that are asked for.
    fn versions(&self, connection: &Connection) -> Result<HashMap<RuleName, RuleVersion>, StoreError> {
        let versions: Vec<_> = match self.deployed {
            Some(deployed) => {
                let rules = deployed.rules.iter().map(|watch| &watch.rule);
                rules.map(|rule| (rule.name.clone(), rule.version.clone())).collect()
            }
            None => {
                let known = store::rule::known(connection)?.into_iter().filter(|known| known.in_force);
                known.map(|known| (known.rule, known.version)).collect()
            }
        };
        Ok(versions.into_iter().filter(|(rule, _)| self.asked_for(rule)).collect())
    }

    /// Returns the hits on record. One of this very version on a text that was edited since counts as found again: what
    /// was matched is not the text that is there now.
    fn on_record(
        &self,
        archived: &ArchivedArticle,
        tried: &[RuleMatch],
        rules: &[Rule],
    ) -> Vec<(RuleName, Vec<TermMatch>)> {
        let hits = archived.hits.iter().filter(|hit| {
            let again = tried.iter().any(|found| rules[found.rule].name == hit.rule);
            let edited = archived.changed_at > hit.found_at;
            let same = || rules.iter().any(|rule| rule.name == hit.rule && rule.version == hit.version);
            self.asked_for(&hit.rule) && (again || !edited || !same())
        });
        hits.map(|hit| (hit.rule.clone(), hit.terms.clone())).collect()
    }

    fn editions(&self, connection: &Connection, hits: tally::Hits) -> Result<Vec<(Digest, Edition)>, StoreError> {
        let window = Window { start: self.since, end: self.until };
        let mut editions = Vec::new();
        for digest in &self.config.digests {
            let fed: HashSet<&RuleName> = self
                .config
                .rules
                .iter()
                .filter(|watch| watch.digests.contains(&digest.name) && self.asked_for(&watch.rule.name))
                .map(|watch| &watch.rule.name)
                .collect();
            if fed.is_empty() {
                continue;
            }
            let pending = Pending {
                hits: hits.listed.iter().filter(|hit| fed.contains(&hit.rule)).cloned().collect(),
                suppressed: hits.counted.iter().filter(|(rule, _)| fed.contains(rule)).map(|(_, id)| *id).collect(),
            };
            let edition = edition::edition(connection, self.config, digest, window, pending, 0)?;
            editions.push((digest.clone(), edition));
        }
        Ok(editions)
    }
}

/// The deployed configuration, as far as it can differ.
struct Deployed<'a> {
    feeds: FeedsByIdentity<'a>,
    rules: Vec<RuleName>,
    set: RuleSet,
    /// The rules that match the same under both.
    same: HashSet<RuleName>,
}

impl<'a> Deployed<'a> {
    fn new(deployed: &'a Config, config: &Config, tried: &[&WatchRule], only: Option<&RuleName>) -> Self {
        let versions: HashMap<_, _> = tried.iter().map(|watch| (&watch.rule.name, &watch.rule.version)).collect();
        // Rules can be for feeds by name, tag and language: then the same rule matches other articles.
        let same_feeds = deployed.feeds.len() == config.feeds.len()
            && deployed.feeds.iter().zip(&config.feeds).all(|(old, new)| met_as(old) == met_as(new));
        let asked_for = deployed.rules.iter().filter(|watch| only.is_none_or(|only| *only == watch.rule.name));
        let (same, different): (Vec<_>, Vec<_>) =
            asked_for.partition(|watch| same_feeds && versions.get(&watch.rule.name) == Some(&&watch.rule.version));
        let rules: Vec<Rule> = different.iter().map(|watch| watch.rule.clone()).collect();
        Self {
            feeds: FeedsByIdentity::new(deployed),
            set: RuleSet::new(&rules),
            rules: rules.into_iter().map(|rule| rule.name).collect(),
            same: same.into_iter().map(|watch| watch.rule.name.clone()).collect(),
        }
    }

    fn matches(&self, archived: &ArchivedArticle) -> Vec<(RuleName, Vec<TermMatch>)> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let matches = self.feeds.document(archived).map(|document| self.set.matches(&document)).unwrap_or_default();
        matches.into_iter().map(|found| (self.rules[found.rule].clone(), found.terms)).collect()
    }
}

/// Returns all of a feed that rules know of it.
fn met_as(feed: &Feed) -> (&FeedUrl, Option<&str>, &[String], Option<&str>) {
    (&feed.url, feed.name.as_deref(), &feed.tags, feed.language.as_deref())
}
