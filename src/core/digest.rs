//! Digests and their editions: what goes into one, in which order, under which subject.

use super::{
    hit::{DigestName, HitArticle, RuleName, StoredHit},
    mailbox::Mailbox,
    schedule::Schedule,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A digest as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// Its name.
    pub name: DigestName,
    /// Who gets it, each in a mail of their own.
    pub to: Vec<Mailbox>,
    /// When.
    pub schedule: Schedule,
    /// Time zone of the schedule and of all times shown.
    pub timezone: TimeZone,
    /// Whether an edition without hits is sent too.
    pub send_empty: bool,
}

/// The time that an edition covers: after `start`, up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// End of the window before.
    pub start: Timestamp,
    /// When the edition was composed.
    pub end: Timestamp,
}

/// What was looked at in a window (promise P4).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coverage {
    /// Feeds that are configured.
    pub feeds: usize,
    /// Feeds that were read at least once in the window.
    pub feeds_polled: usize,
    /// Feeds that fail, longest first.
    pub failing: Vec<FailingFeed>,
    /// Articles seen for the first time.
    pub articles_seen: usize,
    /// Editions that should have been made since the last and were not (the machine slept).
    pub editions_missed: usize,
    /// Hits over the limit of one poll, counted and not listed.
    pub hits_suppressed: usize,
}

/// A feed that fails.
#[derive(Debug, Clone, PartialEq)]
pub struct FailingFeed {
    /// Its name.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// What went wrong last.
    pub cause: String,
}

/// One issue of a digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Edition {
    /// The digest.
    pub digest: DigestName,
    /// Subject of its mails.
    pub subject: String,
    /// The hits by rule.
    pub groups: Vec<Group>,
    /// The time that it covers.
    pub window: Window,
    /// Time zone of all times shown.
    pub timezone: TimeZone,
    /// What was looked at in the window.
    pub coverage: Coverage,
    /// When the digest's editions are due, for people.
    pub schedule: String,
    /// Hits in all groups.
    pub hits: usize,
    /// Different articles that were hit.
    pub articles: usize,
}

/// The hits of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The rule.
    pub rule: RuleName,
    /// Its hits, newest first.
    pub items: Vec<StoredHit>,
}

/// Rules that a subject names before it counts the rest.
const RULES_IN_SUBJECT: usize = 4;
/// Characters of a subject.
const SUBJECT_CHARACTERS: usize = 120;

/// Puts an edition together. `rules` are the configured rules in their order; hits of rules that are no longer
/// configured come last, by name.
pub fn compose(
    digest: &Digest,
    window: Window,
    rules: &[RuleName],
    hits: Vec<StoredHit>,
    coverage: Coverage,
) -> Edition {
    let total = hits.len();
    let articles = hits.iter().map(|hit| hit.article.id).collect::<BTreeSet<_>>().len();
    let groups = groups(rules, hits);
    Edition {
        digest: digest.name.clone(),
        subject: subject(&groups, total, coverage.hits_suppressed),
        groups,
        window,
        timezone: digest.timezone.clone(),
        coverage,
        schedule: digest.schedule.to_string(),
        hits: total,
        articles,
    }
}

impl HitArticle {
    /// Returns when the article came: when the publisher says, but not after it was first seen; else when it was.
    pub fn came_at(&self) -> Timestamp {
        self.published.map_or(self.first_seen, |published| published.min(self.first_seen))
    }
}

fn groups(rules: &[RuleName], hits: Vec<StoredHit>) -> Vec<Group> {
    let mut by_rule: BTreeMap<RuleName, Vec<StoredHit>> = BTreeMap::new();
    for hit in hits {
        by_rule.entry(hit.rule.clone()).or_default().push(hit);
    }
    let configured: Vec<Group> =
        rules.iter().filter_map(|rule| by_rule.remove_entry(rule)).map(|(rule, items)| Group { rule, items }).collect();
    let mut groups = configured;
    groups.extend(by_rule.into_iter().map(|(rule, items)| Group { rule, items }));
    for group in &mut groups {
        group.items.sort_by_key(|hit| Reverse((hit.article.came_at(), hit.id)));
    }
    groups
}

fn subject(groups: &[Group], hits: usize, suppressed: usize) -> String {
    if hits == 0 {
        return match suppressed {
            0 => "[feedwatch] nothing new".to_owned(),
            _ => format!("[feedwatch] {} suppressed", counted(suppressed, "hit")),
        };
    }
    let more = if suppressed == 0 { String::new() } else { format!(" and {suppressed} suppressed") };
    let start = format!("[feedwatch] {}{more}: ", counted(hits, "hit"));
    let named = |shown: usize| {
        let mut parts: Vec<String> =
            groups[..shown].iter().map(|group| format!("{} ({})", group.rule, group.items.len())).collect();
        match groups.len() - shown {
            0 => {}
            rest => parts.push(format!("… and {} more {}", rest, if rest == 1 { "rule" } else { "rules" })),
        }
        format!("{start}{}", parts.join(", "))
    };
    let fits = |text: &String| text.chars().count() <= SUBJECT_CHARACTERS;
    (1..=groups.len().min(RULES_IN_SUBJECT)).rev().map(named).find(fits).unwrap_or_else(|| {
        // One rule's name alone is too long.
        let text = named(1);
        let cut: String = text.chars().take(SUBJECT_CHARACTERS - 1).collect();
        format!("{}…", cut.trim_end())
    })
}

/// Says a count with its noun.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        article::ArticleId,
        hit::{HitId, RuleVersion},
    };
    use std::time::Duration;

    fn hit(id: i64, rule: &str, article: i64, published: Option<&str>, first_seen: &str) -> StoredHit {
        let first_seen: Timestamp = first_seen.parse().unwrap();
        StoredHit {
            id: HitId::from_row(id),
            rule: RuleName::new(rule),
            version: RuleVersion::new("0"),
            found_at: first_seen,
            terms: Vec::new(),
            article: HitArticle {
                id: ArticleId::from_row(article),
                link: None,
                title: format!("article {article}"),
                summary: String::new(),
                content: String::new(),
                author: String::new(),
                category: String::new(),
                outlet: "Wire".to_owned(),
                published: published.map(|text| text.parse().unwrap()),
                first_seen,
            },
        }
    }

    fn edition(rules: &[&str], hits: Vec<StoredHit>, suppressed: usize) -> Edition {
        let digest = Digest {
            name: DigestName::new("morning"),
            to: Vec::new(),
            schedule: Schedule::Immediately { batch: Duration::from_secs(30), at_most_every: None },
            timezone: TimeZone::UTC,
            send_empty: true,
        };
        let window = Window { start: Timestamp::UNIX_EPOCH, end: Timestamp::UNIX_EPOCH };
        let rules: Vec<RuleName> = rules.iter().map(|rule| RuleName::new(*rule)).collect();
        compose(&digest, window, &rules, hits, Coverage { hits_suppressed: suppressed, ..Coverage::default() })
    }

    const SEEN: &str = "2026-11-24T07:00:00Z";

    #[test]
    fn groups_by_configured_rule_and_newest_first() {
        let hits = vec![
            hit(1, "gone", 1, None, SEEN),
            hit(2, "b", 2, Some("2026-11-24T05:00:00Z"), SEEN),
            hit(3, "b", 3, Some("2026-11-24T06:00:00Z"), SEEN),
            // From the future: counts as first seen.
            hit(4, "b", 4, Some("2029-01-01T00:00:00Z"), "2026-11-24T05:30:00Z"),
            hit(5, "a", 3, None, SEEN),
        ];
        let edition = edition(&["a", "unused", "b"], hits, 0);
        let order: Vec<(&str, Vec<i64>)> = edition
            .groups
            .iter()
            .map(|group| (group.rule.as_str(), group.items.iter().map(|hit| hit.id.row()).collect()))
            .collect();
        assert_eq!(order, [("a", vec![5]), ("b", vec![3, 4, 2]), ("gone", vec![1])]);
        assert_eq!((edition.hits, edition.articles), (5, 4));
    }

    #[test]
    fn subjects_count_and_name() {
        let hits = |counts: &[(&str, usize)]| -> Vec<StoredHit> {
            counts
                .iter()
                .flat_map(|&(rule, n)| (0..n).map(move |i| hit(i as i64, rule, i as i64, None, SEEN)))
                .collect()
        };
        let long = "a rule with a name that goes on for so long that nobody would want to read it in a subject line";
        let endless = "x".repeat(300);
        for (counts, suppressed, want) in [
            (&[][..], 0, "[feedwatch] nothing new".to_owned()),
            (&[], 1, "[feedwatch] 1 hit suppressed".to_owned()),
            (&[("Transfers", 1)], 0, "[feedwatch] 1 hit: Transfers (1)".to_owned()),
            (&[("DPRK", 5), ("Transfers", 2)], 0, "[feedwatch] 7 hits: DPRK (5), Transfers (2)".to_owned()),
            (&[("DPRK", 2)], 12, "[feedwatch] 2 hits and 12 suppressed: DPRK (2)".to_owned()),
            (
                &[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1), ("f", 1), ("g", 1)],
                0,
                "[feedwatch] 7 hits: a (1), b (1), c (1), d (1), … and 3 more rules".to_owned(),
            ),
            (&[("a", 1), (long, 1)], 0, "[feedwatch] 2 hits: a (1), … and 1 more rule".to_owned()),
            (&[(&endless, 1)], 0, format!("[feedwatch] 1 hit: {}…", "x".repeat(100))),
        ] {
            let rules: Vec<&str> = counts.iter().map(|&(rule, _)| rule).collect();
            assert_eq!(edition(&rules, hits(counts), suppressed).subject, want);
        }
    }
}
