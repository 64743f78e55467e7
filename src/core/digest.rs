//! Digests and their editions: what goes into one, in which order, under which subject.

use super::{
    hit::{DigestName, HitArticle, RuleName, StoredHit},
    mailbox::Mailbox,
    schedule::Schedule,
    story::StoryId,
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
    /// Different stories that these articles are.
    pub stories: usize,
}

/// The hits of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The rule.
    pub rule: RuleName,
    /// Its hits by story, newest first.
    pub entries: Vec<Entry>,
}

impl Group {
    /// Returns how many hits it has.
    pub fn hits(&self) -> usize {
        self.entries.iter().map(Entry::hits).sum()
    }
}

/// The hits of one rule whose articles are one story: one of them is shown, the others are listed (FEEDS C14).
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The hit that is shown: the one that matched most terms, else the earliest.
    pub shown: StoredHit,
    /// The others, earliest first.
    pub others: Vec<StoredHit>,
}

impl Entry {
    fn new(mut hits: Vec<StoredHit>) -> Option<Self> {
        hits.sort_by_key(|hit| (hit.article.came_at(), hit.id));
        let terms = |hit: &StoredHit| hit.terms.iter().map(|term| term.term.as_str()).collect::<BTreeSet<_>>().len();
        let (best, _) = hits.iter().enumerate().min_by_key(|(index, hit)| (Reverse(terms(hit)), *index))?;
        let shown = hits.remove(best);
        Some(Self { shown, others: hits })
    }

    /// Returns how many hits it has.
    pub fn hits(&self) -> usize {
        1 + self.others.len()
    }

    /// Returns all its hits, the one that is shown first.
    pub fn all(&self) -> impl Iterator<Item = &StoredHit> {
        std::iter::once(&self.shown).chain(&self.others)
    }
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
    let stories = hits.iter().map(|hit| hit.article.story).collect::<BTreeSet<_>>().len();
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
        stories,
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
    let group = |(rule, hits)| Group { rule, entries: entries(hits) };
    let mut groups: Vec<Group> = rules.iter().filter_map(|rule| by_rule.remove_entry(rule)).map(group).collect();
    groups.extend(by_rule.into_iter().map(group));
    groups
}

fn entries(hits: Vec<StoredHit>) -> Vec<Entry> {
    let mut by_story: BTreeMap<StoryId, Vec<StoredHit>> = BTreeMap::new();
    for hit in hits {
        by_story.entry(hit.article.story).or_default().push(hit);
    }
    let mut entries: Vec<Entry> = by_story.into_values().filter_map(Entry::new).collect();
    entries.sort_by_key(|entry| Reverse((entry.shown.article.came_at(), entry.shown.id)));
    entries
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
            groups[..shown].iter().map(|group| format!("{} ({})", group.rule, group.hits())).collect();
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
    match noun.strip_suffix("ry") {
        _ if count == 1 => format!("{count} {noun}"),
        Some(stem) => format!("{count} {stem}ries"),
        None => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        article::ArticleId,
        hit::{Field, HitId, RuleVersion, TermMatch},
    };
    use std::time::Duration;

    fn hit(id: i64, rule: &str, article: i64, published: Option<&str>, first_seen: &str) -> StoredHit {
        let first_seen: Timestamp = first_seen.parse().unwrap();
        StoredHit {
            id: HitId::from_row(id),
            rule: RuleName::new(rule),
            version: RuleVersion::new("0"),
            found_at: first_seen,
            in_retrospect: false,
            terms: Vec::new(),
            told_before: false,
            article: HitArticle {
                id: ArticleId::from_row(article),
                story: StoryId::from_row(article),
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
            .map(|group| (group.rule.as_str(), group.entries.iter().map(|entry| entry.shown.id.row()).collect()))
            .collect();
        assert_eq!(order, [("a", vec![5]), ("b", vec![3, 4, 2]), ("gone", vec![1])]);
        assert_eq!((edition.hits, edition.articles), (5, 4));
    }

    /// FEEDS C14, promise P8: hits of one story are one entry for each rule, and all of them are counted.
    #[test]
    fn one_story_is_one_entry_and_every_hit_counts() {
        let of_story = |mut hit: StoredHit, story: i64| {
            hit.article.story = StoryId::from_row(story);
            hit
        };
        let mut best = of_story(hit(3, "a", 3, Some("2026-11-24T06:00:00Z"), SEEN), 1);
        let term = |term: &str| TermMatch { term: term.into(), field: Field::Title, start: 0, end: 1 };
        best.terms = vec![term("x"), term("y")];
        let hits = vec![
            of_story(hit(1, "a", 1, Some("2026-11-24T05:00:00Z"), SEEN), 1),
            of_story(hit(2, "a", 2, Some("2026-11-24T04:00:00Z"), SEEN), 1),
            best,
            hit(4, "a", 4, Some("2026-11-24T06:30:00Z"), SEEN),
            of_story(hit(5, "b", 2, Some("2026-11-24T04:00:00Z"), SEEN), 1),
        ];
        let edition = edition(&["a", "b"], hits, 0);
        let ids = |entry: &Entry| entry.all().map(|hit| hit.id.row()).collect::<Vec<_>>();
        let order: Vec<Vec<Vec<i64>>> =
            edition.groups.iter().map(|group| group.entries.iter().map(ids).collect()).collect();
        assert_eq!(order, [vec![vec![4], vec![3, 2, 1]], vec![vec![5]]]);
        assert_eq!((edition.hits, edition.articles, edition.stories), (5, 4, 2));
        assert_eq!(edition.subject, "[feedwatch] 5 hits: a (4), b (1)");
        assert_eq!(
            (counted(1, "story"), counted(2, "story"), counted(2, "hit")),
            ("1 story".into(), "2 stories".into(), "2 hits".into())
        );
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
