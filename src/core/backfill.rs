//! Backfill: which rules are run over what was stored before them, and in which stretches.
//!
//! A rule meets new articles only. One that is new or changed and says `backfill` is run once, in each of its versions,
//! over the articles first seen in that time before it came. What was done is remembered elsewhere.

use super::{
    article::ArticleId,
    hit::{RuleName, RuleVersion},
};
use jiff::Timestamp;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// A rule that was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVersion {
    /// The rule.
    pub rule: RuleName,
    /// Its version.
    pub version: RuleVersion,
    /// Whether it still is in force.
    pub in_force: bool,
}

/// A rule of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredRule {
    /// The rule.
    pub rule: RuleName,
    /// Its version.
    pub version: RuleVersion,
    /// How far back it wants to be run over what is stored.
    pub backfill: Option<Duration>,
}

/// What a configuration changes of the rules in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Rules in versions that were never in force, each with the time since when it wants the articles that are stored.
    pub new: Vec<(RuleName, RuleVersion, Option<Timestamp>)>,
    /// Those that were in force before and are again, each with the time since when it wants the articles that are stored:
    /// some came while it was away. What it met before it does not hit again.
    pub returned: Vec<(RuleName, RuleVersion, Option<Timestamp>)>,
    /// Those that are no longer in force.
    pub left: Vec<(RuleName, RuleVersion)>,
}

/// Tells what a configuration changes of the rules in force.
pub fn adoption(known: &[KnownVersion], configured: &[ConfiguredRule], now: Timestamp) -> Adoption {
    let before: HashMap<(&RuleName, &RuleVersion), bool> =
        known.iter().map(|known| ((&known.rule, &known.version), known.in_force)).collect();
    let mut adoption = Adoption::default();
    for ConfiguredRule { rule, version, backfill } in configured {
        // A length of time that leads out of the calendar means everything.
        let since = backfill.map(|length| now.checked_sub(length).unwrap_or(Timestamp::MIN));
        match before.get(&(rule, version)) {
            None => adoption.new.push((rule.clone(), version.clone(), since)),
            Some(false) => adoption.returned.push((rule.clone(), version.clone(), since)),
            Some(true) => {}
        }
    }
    let after: HashSet<_> = configured.iter().map(|configured| (&configured.rule, &configured.version)).collect();
    let left = known.iter().filter(|known| known.in_force && !after.contains(&(&known.rule, &known.version)));
    adoption.left = left.map(|known| (known.rule.clone(), known.version.clone())).collect();
    adoption
}

/// A rule that is not through with what was stored before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The rule.
    pub rule: RuleName,
    /// Its version.
    pub version: RuleVersion,
    /// It is run over articles first seen since then,
    pub since: Timestamp,
    /// which come after this one,
    pub after: ArticleId,
    /// up to this one.
    pub last: ArticleId,
    /// Hits so far.
    pub hits: usize,
}

/// Articles that some rules are to be run over next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Indices of the rules.
    pub rules: Vec<usize>,
    /// The articles come after this one,
    pub after: ArticleId,
    /// up to this one.
    pub last: ArticleId,
}

/// Chooses what comes next: the rules that are farthest behind go on together, until one of them is through or they
/// meet another one.
pub fn next_stretch(unfinished: &[Unfinished]) -> Option<Stretch> {
    let after = unfinished.iter().map(|rule| rule.after).min()?;
    let rules: Vec<usize> = (0..unfinished.len()).filter(|&index| unfinished[index].after == after).collect();
    let ends = rules.iter().map(|&index| unfinished[index].last);
    let others = unfinished.iter().map(|rule| rule.after).filter(|&other| other > after);
    let last = ends.chain(others).min()?;
    Some(Stretch { rules, after, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn known(rule: &str, version: &str, in_force: bool) -> KnownVersion {
        KnownVersion { rule: RuleName::new(rule), version: RuleVersion::new(version), in_force }
    }

    fn configured(rule: &str, version: &str, backfill: Option<Duration>) -> ConfiguredRule {
        ConfiguredRule { rule: RuleName::new(rule), version: RuleVersion::new(version), backfill }
    }

    /// Promise P2: a version of a rule is new once.
    #[test]
    fn what_is_new_is_run_once_whatever_comes_and_goes() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let before = [
            known("same", "1", true),
            known("changed", "1", true),
            known("gone", "1", true),
            known("back", "1", false),
            known("long gone", "1", false),
        ];
        let configuration = [
            configured("same", "1", Some(DAY)),
            configured("changed", "2", Some(DAY)),
            configured("back", "1", Some(DAY)),
            configured("new", "1", None),
            configured("eager", "1", Some(Duration::MAX)),
        ];
        let adoption = adoption(&before, &configuration, now);
        let new: Vec<_> = adoption.new.iter().map(|(rule, _, since)| (rule.as_str(), *since)).collect();
        assert_eq!(new, [("changed", Some(now - DAY)), ("new", None), ("eager", Some(Timestamp::MIN))]);
        let names =
            |list: &[(RuleName, RuleVersion)]| list.iter().map(|(rule, _)| rule.to_string()).collect::<Vec<_>>();
        let returned: Vec<_> = adoption.returned.iter().map(|(rule, _, since)| (rule.as_str(), *since)).collect();
        assert_eq!(returned, [("back", Some(now - DAY))]);
        assert_eq!(names(&adoption.left), ["changed", "gone"]);
    }

    #[test]
    fn rules_go_on_together_where_they_can() {
        let unfinished = |after: i64, last: i64| Unfinished {
            rule: RuleName::new("rule"),
            version: RuleVersion::new("1"),
            since: Timestamp::UNIX_EPOCH,
            after: ArticleId::from_row(after),
            last: ArticleId::from_row(last),
            hits: 0,
        };
        for (rules, expected) in [
            (&[][..], None),
            (&[(5, 9)], Some((vec![0], 5, 9))),
            (&[(5, 9), (2, 9)], Some((vec![1], 2, 5))),
            (&[(5, 9), (5, 7), (8, 9)], Some((vec![0, 1], 5, 7))),
        ] {
            let rules: Vec<_> = rules.iter().map(|&(after, last)| unfinished(after, last)).collect();
            let next = next_stretch(&rules).map(|next| (next.rules, next.after.row(), next.last.row()));
            assert_eq!(next, expected);
        }
    }
}
