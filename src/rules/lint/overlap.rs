//! Rules that others make superfluous: the same rule twice, and rules whose hits another one has too.
//!
//! Each rule is filed under the words of its rarest clause, of which every rule that implies it has one; so only few pairs
//! are compared, and each within a limit.

use super::super::Rule;
use super::super::expression::{Alternatives, Expression, Leaf, WordKind};
use super::super::lists::Clause;
use super::implication::{Budget, implies};
use crate::core::hit::{DigestName, RuleVersion};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A rule that another makes superfluous; both are indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// The rule that is superfluous.
    pub rule: usize,
    /// The rule that has its hits too.
    pub other: usize,
    /// Whether both match the same.
    pub same: bool,
}

/// Rules that are compared with one at most.
const MAX_CANDIDATES: usize = 64;

/// Comparisons of expressions for each pair of rules at most.
const MAX_STEPS: usize = 2_000;

/// Alternatives of a clause that are filed at most; a clause with more is known by its key alone.
const MAX_ALTERNATIVES: usize = 32;

/// Finds superfluous rules, each told once; a rule comes with the digests that take its hits.
pub fn overlaps(rules: &[(&Rule, &[DigestName])]) -> Vec<Overlap> {
    let mut found = Vec::new();
    let mut first: FxHashMap<&RuleVersion, usize> = FxHashMap::default();
    let mut single: Vec<usize> = Vec::new();
    for (index, (rule, _)) in rules.iter().enumerate() {
        match first.get(&rule.version) {
            Some(other) => found.push(Overlap { rule: index, other: *other, same: true }),
            None => {
                first.insert(&rule.version, index);
                single.push(index);
            }
        }
    }
    let filed = File::new(rules, &single);
    for &index in &single {
        let within = |other: usize| is_within(rules[index], rules[other]);
        // Of two that imply each other the later is superfluous.
        let superfluous = |other: &usize| within(*other) && (*other < index || !is_within(rules[*other], rules[index]));
        if let Some(other) = filed.candidates(rules[index].0, index).into_iter().find(superfluous) {
            found.push(Overlap { rule: index, other, same: false });
        }
    }
    found.sort_by_key(|overlap| overlap.rule);
    found
}

type Entry<'r> = (&'r Rule, &'r [DigestName]);

/// Whether all hits of the one are certainly hits of the other, and all its digests take them.
fn is_within((a, digests): Entry<'_>, (b, others): Entry<'_>) -> bool {
    let among = |some: &[String], all: &[String]| {
        all.is_empty() || (!some.is_empty() && some.iter().all(|item| all.contains(item)))
    };
    let mut budget = Budget(MAX_STEPS);
    among(&a.feeds, &b.feeds)
        && among(&a.tags, &b.tags)
        && digests.is_empty() == others.is_empty()
        && digests.iter().all(|digest| others.contains(digest))
        && b.clauses.iter().all(|clause| {
            a.clauses.iter().any(|own| implies(&own.expression, &clause.expression, &mut budget))
                || implies(&whole(a), &clause.expression, &mut budget)
        })
}

fn whole(rule: &Rule) -> Expression {
    Expression::All(rule.clauses.iter().map(|clause| clause.expression.clone()).collect())
}

/// What rules are filed under: the first word of a term, whole or as the start of others, or a whole clause.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Label {
    Word(String),
    Start(String),
    Clause(String),
}

struct File {
    under: FxHashMap<Label, Vec<usize>>,
}

impl File {
    fn new(rules: &[Entry<'_>], single: &[usize]) -> Self {
        let mut uses: FxHashMap<Label, usize> = FxHashMap::default();
        for &index in single {
            for label in rules[index].0.clauses.iter().filter_map(labels).flatten() {
                *uses.entry(label).or_default() += 1;
            }
        }
        let mut under: FxHashMap<Label, Vec<usize>> = FxHashMap::default();
        for &index in single {
            let clauses = rules[index].0.clauses.iter().filter_map(labels);
            let rarest = clauses.min_by_key(|labels| labels.iter().map(|label| uses[label]).sum::<usize>());
            for label in rarest.into_iter().flatten() {
                under.entry(label).or_default().push(index);
            }
        }
        Self { under }
    }

    /// Returns the rules that this one may be within.
    fn candidates(&self, rule: &Rule, own: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        let mut take = |label: &Label| {
            for &index in self.under.get(label).into_iter().flatten().take(MAX_CANDIDATES) {
                if index != own && found.len() < MAX_CANDIDATES && seen.insert(index) {
                    found.push(index);
                }
            }
        };
        for clause in &rule.clauses {
            take(&Label::Clause(clause.expression.key()));
            let mut leaves = 0;
            each_leaf(&clause.expression, &mut |leaf| {
                leaves += 1;
                if leaves > MAX_ALTERNATIVES {
                    return;
                }
                for word in &leaf.term.words {
                    take(&Label::Word(word.folded.clone()));
                    for (end, letter) in word.folded.char_indices() {
                        take(&Label::Start(word.folded[..end + letter.len_utf8()].to_owned()));
                    }
                }
            });
        }
        found
    }
}

/// Returns what a clause can be filed under; none if it asks for nothing.
fn labels(clause: &Clause) -> Option<Vec<Label>> {
    let leaves = needed(&clause.expression)?;
    if leaves.len() > MAX_ALTERNATIVES {
        return Some(vec![Label::Clause(clause.expression.key())]);
    }
    let label = |leaf: &Leaf| {
        let word = leaf.term.words.first().expect("a term has a word");
        match word.kind {
            WordKind::Whole => Label::Word(word.folded.clone()),
            // Up to a `?` all that follows starts alike.
            _ => Label::Start(word.folded.split(['?', '*']).next().unwrap_or_default().to_owned()),
        }
    };
    let mut labels: Vec<Label> = leaves.iter().map(label).collect();
    labels.push(Label::Clause(clause.expression.key()));
    Some(labels)
}

/// Returns terms of which an expression needs one.
fn needed(expression: &Expression) -> Option<Vec<Leaf>> {
    let of_any = |parts: &[Expression]| {
        let parts: Option<Vec<Vec<Leaf>>> = parts.iter().map(needed).collect();
        parts.map(|parts| parts.concat())
    };
    match expression {
        Expression::Term(term, fields) => Some(vec![Leaf { term: term.clone(), fields: *fields }]),
        Expression::Group(group) => Some(first(group).cloned().collect()),
        Expression::Any(parts) | Expression::AtLeast(_, parts) => of_any(parts),
        Expression::All(parts) => parts.iter().filter_map(needed).min_by_key(Vec::len),
        Expression::Near(near) => {
            let shortest = near.operands().iter().min_by_key(|operand| operand.leaves().len());
            shortest.map(|operand| first(operand).cloned().collect())
        }
        Expression::Not(_) | Expression::Regex(..) | Expression::Origin(_) => None,
    }
}

/// Returns some terms, more than are filed if there are more.
fn first(alternatives: &Arc<Alternatives>) -> impl Iterator<Item = &Leaf> {
    alternatives.leaves().iter().take(MAX_ALTERNATIVES + 1)
}

fn each_leaf(expression: &Expression, each: &mut impl FnMut(&Leaf)) {
    expression.positive_leaves(&mut |leaf| match leaf {
        Expression::Group(group) => first(group).for_each(&mut *each),
        Expression::Near(near) => near.operands().iter().flat_map(first).for_each(&mut *each),
        Expression::Term(term, fields) => each(&Leaf { term: term.clone(), fields: *fields }),
        _ => {}
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{RuleSource, TermGroups};

    #[test]
    fn superfluous_rules_are_found_each_once() {
        let source = |query: &str, feeds: &[&str]| RuleSource {
            query: Some(query.to_owned()),
            feeds: feeds.iter().map(|feed| (*feed).to_owned()).collect(),
            ..RuleSource::default()
        };
        let rules: Vec<Rule> = [
            source("missile*", &["x"]),
            source("ballistic AND missiles", &[]),
            source("\"big missiles\"", &["x"]),
            source("DPRK AND (fire OR smoke)", &[]),
            source("fire AND DPRK", &[]),
            source("(smoke OR fire) AND DPRK", &[]),
            source("unrelated", &[]),
            source("fire AND DPRK AND NOT drill", &["y"]),
        ]
        .iter()
        .map(|source| Rule::new(source, &TermGroups::new()).unwrap())
        .collect();
        let (morning, none) = ([DigestName::new("morning".to_owned())], []);
        let with = |digests: &dyn Fn(usize) -> Vec<DigestName>| -> Vec<(usize, usize, bool)> {
            let digests: Vec<Vec<DigestName>> = (0..rules.len()).map(digests).collect();
            let rules: Vec<Entry<'_>> = rules.iter().zip(digests.iter().map(Vec::as_slice)).collect();
            overlaps(&rules).into_iter().map(|overlap| (overlap.rule, overlap.other, overlap.same)).collect()
        };
        assert_eq!(with(&|_| morning.to_vec()), [(2, 0, false), (4, 3, false), (5, 3, true), (7, 4, false)]);
        let apart = with(&|rule| if rule == 4 { morning.to_vec() } else { none.to_vec() });
        assert_eq!(apart, [(2, 0, false), (5, 3, true), (7, 3, false)]);
    }
}
