//! Warnings of rules, term groups, feeds and digests that are allowed and probably not meant, with their places.

use super::super::{
    problem::{Complaint, Report},
    section::{Section, Text, one_of},
};
use super::rule::{Known, PlacedRule, place_in_text};
use crate::rules::lint::{Lint, Overlap, Sources, lint_groups, lint_rule, name, overlaps};
use std::collections::HashSet;

/// Reads `allow`: the names of warnings that a rule or a term group is kept in spite of.
pub(super) fn allowed(section: &Section<'_>, names: &[&'static str], report: &mut Report<'_>) -> Vec<&'static str> {
    let words: Vec<_> = names.iter().map(|name| (*name, *name)).collect();
    let mut allowed = Vec::new();
    for text in section.texts("allow", report).unwrap_or_default() {
        match one_of(&text.text, &words) {
            Ok(name) => allowed.push(name),
            Err(complaint) => report.error(&text.place, complaint),
        }
    }
    allowed
}

/// Warns of all that `rules::lint` finds, and of feeds and digests that no rule uses; of rules that others make
/// superfluous only if they are to be `compared`.
pub(in super::super) fn warn(rules: &[PlacedRule], known: &Known<'_>, compared: bool, report: &mut Report<'_>) {
    warn_of_unused(rules, known, report);
    let mut possible = Vec::new();
    let identities: Vec<String> = known.feeds.iter().map(|placed| placed.feed.url.identity()).collect();
    let feeds = known.feeds.iter().zip(&identities);
    let mut sources = Sources::new(feeds.map(|(placed, identity)| {
        (identity.as_str(), placed.feed.name.as_deref().unwrap_or_default(), placed.feed.tags.as_slice())
    }));
    for rule in rules {
        let mut lints = lint_rule(&rule.source, &rule.rule.rule);
        lints.extend(sources.lint(&rule.source));
        // What matches nothing has its hits among those of any rule.
        if lints.iter().all(|lint| lint.name != name::NEVER_MATCHES) {
            possible.push(rule);
        }
        for lint in lints.into_iter().filter(|lint| !rule.allow.contains(&lint.name)) {
            let place = match (lint.index, &rule.query) {
                (None, Some(query)) if lint.key == "query" => place_in_text(lint.at, query, report),
                (index, _) => {
                    let texts = rule.lists.iter().find(|(key, _)| *key == lint.key).map(|(_, texts)| texts.as_slice());
                    let text = index.and_then(|index| texts?.get(index));
                    text.map_or_else(|| rule.place.clone(), |text| place_in_text(lint.at, text, report))
                }
            };
            report.warn(&place, complaint(lint));
        }
    }
    for lint in lint_groups(&known.groups.groups, rules.iter().flat_map(PlacedRule::groups)) {
        let Some(group) = known.groups.placed.get(&lint.key) else { continue };
        if group.allow.contains(&lint.name) {
            continue;
        }
        let text: Option<&Text> = lint.index.and_then(|index| group.terms.get(index));
        let place = text.map_or_else(|| group.place.clone(), |text| place_in_text(lint.at, text, report));
        report.warn(&place, complaint(lint));
    }
    if compared {
        warn_of_overlaps(&possible, report);
    }
}

fn complaint(lint: Lint) -> Complaint {
    Complaint::suggesting(lint.message, lint.suggestion).named(lint.name)
}

fn warn_of_overlaps(rules: &[&PlacedRule], report: &mut Report<'_>) {
    let entries: Vec<_> = rules.iter().map(|placed| (&placed.rule.rule, placed.rule.digests.as_slice())).collect();
    for Overlap { rule, other, same } in overlaps(&entries) {
        let (placed, other) = (rules[rule], rules[other]);
        if placed.allow.contains(if same { &name::DUPLICATE_RULE } else { &name::SUBSET_RULE }) {
            continue;
        }
        let (other_name, at) = (&other.rule.rule.name, report.location(&other.place));
        let complaint = if same {
            Complaint::from(format!("matches the same as the rule `{other_name}` at {at}; keep one of them"))
                .named(name::DUPLICATE_RULE)
        } else {
            Complaint::from(format!(
                "all that it matches, the rule `{other_name}` at {at} matches too, and for the same digests; leave it \
                 out unless you want to see it by name"
            ))
            .named(name::SUBSET_RULE)
        };
        report.warn(&placed.place, complaint);
    }
}

/// Feeds that no rule looks at, of which each has a warning of its own: somebody who imported thousands knows it.
const UNUSED_FEEDS: usize = 10;

fn warn_of_unused(rules: &[PlacedRule], known: &Known<'_>, report: &mut Report<'_>) {
    // Thousands of rules have few scopes among them.
    let scopes: HashSet<_> = rules.iter().map(PlacedRule::scope).collect();
    let unseen: Vec<_> =
        known.feeds.iter().filter(|placed| !scopes.iter().any(|scope| scope.has(&placed.feed))).collect();
    // The feeds of an included OPML have one place.
    let mut places = unseen.chunk_by(|one, next| one.place == next.place);
    for together in places.by_ref().take(UNUSED_FEEDS) {
        let more = match together.len() {
            1 => String::new(),
            count => format!(" and {} more of its feeds", count - 1),
        };
        let message = format!("no rule looks at {}{more}", together[0].feed.url);
        report.warn(&together[0].place, Complaint::from(message).named(name::UNUSED_FEED));
    }
    let rest: Vec<_> = places.flatten().collect();
    if let [first, more @ ..] = rest.as_slice() {
        let more = if more.is_empty() { String::new() } else { format!(" and {} feeds after it", more.len()) };
        let message = format!("no rule looks at {}{more}", first.feed.url);
        report.warn(&first.place, Complaint::from(message).named(name::UNUSED_FEED));
    }
    for placed in known.digests {
        let digest = &placed.digest.name;
        if !rules.iter().any(|rule| rule.rule.digests.contains(digest)) {
            let message = format!("no rule feeds the digest `{digest}`");
            report.warn(&placed.place, Complaint::from(message).named(name::UNUSED_DIGEST));
        }
    }
}
