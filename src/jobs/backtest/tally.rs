//! Counts what a backtest finds: hits a day, gained and lost, the newest examples, and what the digests would list.

use super::{Backtest, Met};
use crate::{
    config::WatchRule,
    core::hit::{HitArticle, HitId, RuleName, RuleVersion, StoredHit, TermMatch},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Text that is held for the digests at most; hits beyond are counted, as in a real edition.
const LISTED_TEXT_BYTES: usize = 16 << 20;

/// Text that is held for examples at most.
const EXAMPLE_TEXT_BYTES: usize = 64 << 20;

/// How a rule stands to the deployed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No such rule is deployed.
    New,
    /// It is deployed in another version.
    Changed,
    /// It is deployed as it is.
    Unchanged,
    /// It is deployed and not in the configuration.
    Removed,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTrial {
    /// The rule.
    pub rule: RuleName,
    /// Its version; of one that was removed the deployed one.
    pub version: RuleVersion,
    /// How it stands to the deployed ones.
    pub standing: Standing,
    /// Its hits.
    pub hits: usize,
    /// Its hits by day, under the day's place in [`Backtest::days`].
    pub by_day: BTreeMap<usize, usize>,
    /// Hits that the deployed rule has not.
    pub gained: usize,
    /// Hits of the deployed rule that this one has not.
    pub lost: usize,
    /// The newest hits that are in both.
    pub kept_examples: Vec<StoredHit>,
    /// The newest hits that were gained.
    pub gained_examples: Vec<StoredHit>,
    /// The newest hits that were lost.
    pub lost_examples: Vec<StoredHit>,
}

/// The hits for the digests.
#[derive(Debug, Default)]
pub(super) struct Hits {
    /// Those that are listed.
    pub(super) listed: Vec<StoredHit>,
    /// Those that are only counted.
    pub(super) counted: Vec<(RuleName, HitId)>,
}

/// The count.
pub(super) struct Tally<'a> {
    days: &'a [Timestamp],
    examples: usize,
    trials: Vec<RuleTrial>,
    index: HashMap<RuleName, usize>,
    /// Rules that match the same as deployed: nothing of theirs is gained or lost.
    same: HashSet<RuleName>,
    /// Rules whose hits go into a digest.
    fed: HashSet<RuleName>,
    hits: Hits,
    listed_bytes: usize,
    example_bytes: usize,
    next_id: i64,
}

impl<'a> Tally<'a> {
    /// Starts to count, for the rules that are tried and the versions of the deployed ones.
    pub(super) fn new(
        tried: &[&WatchRule],
        deployed: HashMap<RuleName, RuleVersion>,
        same: Option<&HashSet<RuleName>>,
        of: &Backtest<'a>,
    ) -> Self {
        let trial = |rule: RuleName, version: RuleVersion, standing| RuleTrial {
            rule,
            version,
            standing,
            hits: 0,
            by_day: BTreeMap::new(),
            gained: 0,
            lost: 0,
            kept_examples: Vec::new(),
            gained_examples: Vec::new(),
            lost_examples: Vec::new(),
        };
        let mut trials: Vec<_> = tried
            .iter()
            .map(|watch| {
                let standing = match deployed.get(&watch.rule.name) {
                    None => Standing::New,
                    Some(version) if *version == watch.rule.version => Standing::Unchanged,
                    Some(_) => Standing::Changed,
                };
                trial(watch.rule.name.clone(), watch.rule.version.clone(), standing)
            })
            .collect();
        let known: HashSet<&RuleName> = tried.iter().map(|watch| &watch.rule.name).collect();
        let mut removed: Vec<_> = deployed.iter().filter(|(rule, _)| !known.contains(rule)).collect();
        removed.sort_by_key(|(rule, _)| *rule);
        trials
            .extend(removed.into_iter().map(|(rule, version)| trial(rule.clone(), version.clone(), Standing::Removed)));
        let fed = tried.iter().filter(|watch| !watch.digests.is_empty()).map(|watch| watch.rule.name.clone());
        Self {
            days: of.days,
            examples: of.examples,
            index: trials.iter().enumerate().map(|(index, trial)| (trial.rule.clone(), index)).collect(),
            trials,
            same: same.cloned().unwrap_or_default(),
            fed: fed.collect(),
            hits: Hits::default(),
            listed_bytes: 0,
            example_bytes: 0,
            next_id: i64::MAX,
        }
    }

    /// Counts what matched an article. Articles come newest first.
    pub(super) fn add(&mut self, article: &HitArticle, met: Met) {
        let Met { tried, deployed } = met;
        let mut missing: HashMap<RuleName, Vec<TermMatch>> = deployed.into_iter().collect();
        for found in tried {
            let rule = self.trials[found.rule].rule.clone();
            let kept = missing.remove(&rule).is_some() || self.same.contains(&rule);
            let hit = self.hit(&rule, self.trials[found.rule].version.clone(), found.terms, article);
            let day = self.days.partition_point(|start| *start <= article.first_seen).saturating_sub(1);
            let trial = &mut self.trials[found.rule];
            trial.hits += 1;
            *trial.by_day.entry(day).or_default() += 1;
            trial.gained += usize::from(!kept);
            self.keep_example(found.rule, &hit, if kept { Kind::Kept } else { Kind::Gained });
            if self.fed.contains(&rule) {
                self.list(hit);
            }
        }
        for (rule, terms) in missing {
            // Of rules that were neither deployed nor tried there may be hits on record.
            let Some(&index) = self.index.get(&rule) else { continue };
            self.trials[index].lost += 1;
            let hit = self.hit(&rule, self.trials[index].version.clone(), terms, article);
            self.keep_example(index, &hit, Kind::Lost);
        }
    }

    /// Returns what was counted.
    pub(super) fn finish(self) -> (Vec<RuleTrial>, Hits) {
        (self.trials, self.hits)
    }

    /// Makes a hit that is not in the store. Its number orders it: articles come newest first.
    fn hit(&mut self, rule: &RuleName, version: RuleVersion, terms: Vec<TermMatch>, article: &HitArticle) -> StoredHit {
        self.next_id -= 1;
        StoredHit {
            id: HitId::from_row(self.next_id),
            rule: rule.clone(),
            version,
            found_at: article.first_seen,
            in_retrospect: false,
            told_before: false,
            terms,
            article: article.clone(),
        }
    }

    fn list(&mut self, hit: StoredHit) {
        self.listed_bytes += text_bytes(&hit.article);
        if self.listed_bytes <= LISTED_TEXT_BYTES {
            self.hits.listed.push(hit);
        } else {
            self.hits.counted.push((hit.rule, hit.id));
        }
    }

    fn keep_example(&mut self, index: usize, hit: &StoredHit, kind: Kind) {
        let trial = &mut self.trials[index];
        let examples = match kind {
            Kind::Kept => &mut trial.kept_examples,
            Kind::Gained => &mut trial.gained_examples,
            Kind::Lost => &mut trial.lost_examples,
        };
        if examples.len() < self.examples && self.example_bytes < EXAMPLE_TEXT_BYTES {
            self.example_bytes += text_bytes(&hit.article);
            examples.push(hit.clone());
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Kept,
    Gained,
    Lost,
}

fn text_bytes(article: &HitArticle) -> usize {
    article.title.len() + article.summary.len() + article.content.len()
}
